// Any builtin on any operands gives a value, nothing or an error within its limits, and twice alike:
//
//   <name of a builtin> "\n" <JSON array of operands, in which {"set!": […]} is a set>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "document/json.h"
#include "rules/builtins/builtin.h"
#include "rules/builtins/prepared_cache.h"
#include "tests/fuzz/limits.h"
#include "tests/fuzz/program.h"
#include "tests/rules/builtins_support.h"

using portcullis::builtins::Builtin;
using portcullis::builtins::CallContext;
using portcullis::builtins::FailureKind;
using portcullis::document::Arena;
using portcullis::document::Value;
using portcullis::fuzz::Require;

namespace {

// The one of this name; a text that is no name picks some other.
const Builtin& Pick(std::string_view name) {
  const auto& catalog = portcullis::fuzz::OfflineCatalog();
  if (const Builtin* found = catalog.Find(name)) {
    return *found;
  }
  const auto all = catalog.all();
  return *all[std::hash<std::string_view>()(name) % all.size()];
}

// Counts the operands in "(string, array[any]) -> boolean".
std::size_t Arity(std::string_view type) {
  std::size_t commas = 0;
  int depth = 0;
  std::size_t at = 0;
  for (; at < type.size() && (at == 0 || depth > 0); ++at) {
    const char c = type[at];
    depth += std::string_view("([{").find(c) != std::string_view::npos ? 1 : 0;
    depth -= std::string_view(")]}").find(c) != std::string_view::npos ? 1 : 0;
    commas += c == ',' && depth == 1 ? 1U : 0U;
  }
  return at == 2 ? 0 : commas + 1;  // "()"
}

std::string Call(const Builtin& builtin, const Value& list) {
  Arena arena(portcullis::fuzz::kMemoryLimit);
  portcullis::fuzz::HalfClock clock;
  portcullis::builtins::PreparedCache prepared;
  std::vector<Value> operands;
  const std::size_t arity = Arity(builtin.type);
  for (std::uint32_t i = 0; i < arity; ++i) {
    operands.push_back(list.is_array() && i < list.size() ? list.ItemAt(i) : Value::Null());
  }
  CallContext context(arena, prepared, clock);
  context.query_time_ns = clock.WallNow().time_since_epoch().count();
  context.deadline = clock.Now() + portcullis::fuzz::kTimeLimit;
  const portcullis::fuzz::LimitCheck check(arena);
  const Value result = builtin.function(context, operands);
  check.Done();
  if (result.is_defined()) {
    Require(context.failure == FailureKind::kNone, "a call that failed has no result");
    return portcullis::document::ToRego(result) + portcullis::document::ToJson(result);
  }
  if (context.failure == FailureKind::kHalt) {
    return "";
  }
  Require((context.failure == FailureKind::kNone) == context.failure_message.empty(),
          "an error has a text", context.failure_message);
  return context.failure_message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return 0;
  }
  const Builtin& builtin = Pick(text.substr(0, end));
  Arena arena;
  const auto parsed = portcullis::document::ParseJson(text.substr(end + 1), arena);
  if (!parsed || builtin.function == nullptr ||
      builtin.type.find("...") != std::string_view::npos) {
    return 0;
  }
  const Value operands = portcullis::builtins::WithSets(*parsed, arena);
  const std::string first = Call(builtin, operands);
  const std::string second = Call(builtin, operands);
  // Signatures are salted.
  const bool random = builtin.name.find("encode_sign") != std::string_view::npos;
  Require(random || first.empty() || second.empty() || first == second,
          "a second call gives the same", first + "\n" + second);
  return 0;
}
