// & | union intersection set_diff. SOURCE: OPA's policy reference, "Sets".

#include "rules/builtins/families.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/set_algebra.h"

namespace portcullis::builtins {
namespace {

// Which members of two sorted sets a merge keeps.
struct Keep {
  bool only_a = false;
  bool both = false;
  bool only_b = false;
};

Value Merge(CallContext& context, const Value& a, const Value& b, Keep keep) {
  const std::uint32_t a_size = a.size();
  const std::uint32_t b_size = b.size();
  const std::span<Value> items =
      context.arena.AllocateArray<Value>(a_size + (keep.only_b ? b_size : 0));
  std::size_t size = 0;
  std::uint32_t i = 0;
  std::uint32_t j = 0;
  while (i < a_size && j < b_size) {
    if (context.ShouldHalt()) {
      return {};
    }
    const Value x = a.ItemAt(i);
    const Value y = b.ItemAt(j);
    const auto order = document::Compare(x, y);
    if (order < 0) {
      if (keep.only_a) {
        items[size++] = x;
      }
      ++i;
    } else if (order > 0) {
      if (keep.only_b) {
        items[size++] = y;
      }
      ++j;
    } else {
      if (keep.both) {
        items[size++] = x;
      }
      ++i;
      ++j;
    }
  }
  for (; keep.only_a && i < a_size; ++i) {
    items[size++] = a.ItemAt(i);
  }
  for (; keep.only_b && j < b_size; ++j) {
    items[size++] = b.ItemAt(j);
  }
  return Value::Set(items.first(size));
}

template <Value (*operation)(CallContext&, const Value&, const Value&)>
Value Binary(CallContext& context, Arguments arguments) {
  if (!SetOperand(context, arguments, 1) || !SetOperand(context, arguments, 2)) {
    return {};
  }
  return operation(context, arguments[0], arguments[1]);
}

bool CheckSetOfSets(CallContext& context, const Value& sets) {
  for (std::uint32_t i = 0; i < sets.size(); ++i) {
    if (!sets.ItemAt(i).is_set()) {
      context.FailOperand(1, "set", sets.ItemAt(i));
      return false;
    }
  }
  return true;
}

Value IntersectionOfAll(CallContext& context, Arguments arguments) {
  if (!SetOperand(context, arguments, 1) || !CheckSetOfSets(context, arguments[0])) {
    return {};
  }
  const Value& sets = arguments[0];
  if (sets.size() == 0) {
    return Value::Set({});
  }
  Value result = sets.ItemAt(0);
  for (std::uint32_t i = 1; i < sets.size(); ++i) {
    result = Intersection(context, result, sets.ItemAt(i));
  }
  return result;
}

Value UnionOfAll(CallContext& context, Arguments arguments) {
  if (!SetOperand(context, arguments, 1) || !CheckSetOfSets(context, arguments[0])) {
    return {};
  }
  const Value& sets = arguments[0];
  document::SetBuilder result(context.arena);
  for (std::uint32_t i = 0; i < sets.size(); ++i) {
    const Value set = sets.ItemAt(i);
    for (std::uint32_t j = 0; j < set.size(); ++j) {
      if (context.ShouldHalt()) {
        return {};
      }
      result.Add(set.ItemAt(j));
    }
  }
  return result.Finish();
}

constexpr Builtin kBuiltins[] = {
    {.name = "and",
     .type = "(set[any], set[any]) -> set[any]",
     .function = Binary<Intersection>,
     .infix = "&"},
    {.name = "or",
     .type = "(set[any], set[any]) -> set[any]",
     .function = Binary<Union>,
     .infix = "|"},
    {.name = "intersection", .type = "(set[set[any]]) -> set[any]", .function = IntersectionOfAll},
    {.name = "union", .type = "(set[set[any]]) -> set[any]", .function = UnionOfAll},
    {.name = "set_diff",
     .type = "(set[any], set[any]) -> set[any]",
     .function = Binary<Difference>,
     .deprecated = true},
};

}  // namespace

Value Intersection(CallContext& context, const Value& a, const Value& b) {
  if (a.size() == 0 || b.size() == 0) {
    return Value::Set({});
  }
  // Of equal members that of the smaller set stays.
  return b.size() < a.size() ? Merge(context, b, a, {.both = true})
                             : Merge(context, a, b, {.both = true});
}

Value Union(CallContext& context, const Value& a, const Value& b) {
  if (a.size() == 0) {
    return b;
  }
  if (b.size() == 0) {
    return a;
  }
  return Merge(context, a, b, {.only_a = true, .both = true, .only_b = true});
}

Value Difference(CallContext& context, const Value& a, const Value& b) {
  if (a.size() == 0 || b.size() == 0) {
    return a;
  }
  return Merge(context, a, b, {.only_a = true});
}

std::span<const Builtin> SetBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
