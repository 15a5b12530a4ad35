// walk: every value inside a value with its path, depth first.

#include <algorithm>
#include <vector>

#include "rules/builtins/families.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

struct Walker {
  CallContext& context;
  document::ArrayBuilder pairs;
  std::vector<Value> path;

  void Visit(const Value& value) {
    if (context.ShouldHalt()) {
      return;
    }
    const std::span<Value> steps = context.arena.AllocateArray<Value>(path.size());
    std::ranges::copy(path, steps.begin());
    const std::span<Value> pair = context.arena.AllocateArray<Value>(2);
    pair[0] = Value::Array(steps);
    pair[1] = value;
    pairs.Add(Value::Array(pair));
    const std::uint32_t size = value.size();
    for (std::uint32_t i = 0; i < size; ++i) {
      const bool object = value.is_object();
      path.push_back(object ? value.KeyAt(i) : value.is_array() ? Value::Int(i) : value.ItemAt(i));
      Visit(object ? value.ValueAt(i) : value.ItemAt(i));
      path.pop_back();
    }
  }
};

Value Walk(CallContext& context, Arguments arguments) {
  Walker walker{context, document::ArrayBuilder(context.arena), {}};
  walker.Visit(arguments[0]);
  return context.failure == FailureKind::kHalt ? Value() : walker.pairs.Finish();
}

constexpr Builtin kBuiltins[] = {
    {.name = "walk", .type = "(any) -> [array[any], any]", .function = Walk, .relation = true},
};

}  // namespace

std::span<const Builtin> WalkBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
