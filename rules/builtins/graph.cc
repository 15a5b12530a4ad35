// graph.reachable and graph.reachable_paths. SOURCE: OPA's policy reference, "Graph".

#include <algorithm>
#include <vector>

#include "rules/builtins/families.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

bool CheckOperands(CallContext& context, Arguments arguments) {
  if (!ObjectOperand(context, arguments, 1)) {
    return false;
  }
  if (IsCollection(arguments[1])) {
    return true;
  }
  context.FailOperand(2, "{array, set}", arguments[1]);
  return false;
}

Value Reachable(CallContext& context, Arguments arguments) {
  if (!CheckOperands(context, arguments)) {
    return {};
  }
  const Value& graph = arguments[0];
  // Which members of the graph were reached, by their number in it.
  std::vector<bool> reached(graph.size(), false);
  const auto number_of = [&](const Value& node) {
    std::uint32_t low = 0;
    std::uint32_t high = graph.size();
    while (low < high) {
      const std::uint32_t middle = low + (high - low) / 2;
      const auto order = document::Compare(graph.KeyAt(middle), node);
      if (order == 0) {
        return middle;
      }
      (order < 0 ? low : high) = order < 0 ? middle + 1 : middle;
    }
    return graph.size();
  };
  std::vector<std::uint32_t> waiting;
  const auto visit_all = [&](const Value& nodes) {
    for (std::uint32_t i = 0; i < nodes.size() && IsCollection(nodes); ++i) {
      if (context.ShouldHalt()) {
        return;
      }
      const std::uint32_t number = number_of(nodes.ItemAt(i));
      if (number == graph.size() || reached[number]) {
        continue;
      }
      reached[number] = true;
      waiting.push_back(number);
    }
  };
  visit_all(arguments[1]);
  while (!waiting.empty() && context.failure != FailureKind::kHalt) {
    const std::uint32_t number = waiting.back();
    waiting.pop_back();
    visit_all(graph.ValueAt(number));
  }
  if (context.failure == FailureKind::kHalt) {
    return {};
  }
  document::SetBuilder result(context.arena);
  for (std::uint32_t i = 0; i < graph.size(); ++i) {
    if (reached[i]) {
      result.Add(graph.KeyAt(i));
    }
  }
  return result.Finish();
}

// Every path from a node until it ends, leaves the graph or would come back to where it was.
struct PathFinder {
  CallContext& context;
  const Value& graph;
  document::SetBuilder paths;
  std::vector<Value> path;

  void Add() {
    const std::span<Value> steps = context.arena.AllocateArray<Value>(path.size());
    std::ranges::copy(path, steps.begin());
    paths.Add(Value::Array(steps));
  }

  void Follow(const Value& node) {
    if (context.ShouldHalt()) {
      return;
    }
    const Value edges = graph.Find(node);
    if (!edges.is_defined()) {
      return Add();
    }
    path.push_back(node);
    const std::uint32_t count = IsCollection(edges) ? edges.size() : 0;
    if (count == 0) {
      Add();
    }
    for (std::uint32_t i = 0; i < count && context.failure != FailureKind::kHalt; ++i) {
      const Value next = edges.ItemAt(i);
      const bool circle =
          std::ranges::any_of(path, [&](const Value& step) { return document::Equal(step, next); });
      if (circle) {
        Add();
      } else {
        Follow(next);
      }
    }
    path.pop_back();
  }
};

Value ReachablePaths(CallContext& context, Arguments arguments) {
  if (!CheckOperands(context, arguments)) {
    return {};
  }
  PathFinder finder{context, arguments[0], document::SetBuilder(context.arena), {}};
  for (std::uint32_t i = 0; i < arguments[1].size(); ++i) {
    const Value start = arguments[1].ItemAt(i);
    if (arguments[0].Find(start).is_defined()) {
      finder.Follow(start);
    }
  }
  return context.failure == FailureKind::kHalt ? Value() : finder.paths.Finish();
}

constexpr Builtin kBuiltins[] = {
    {.name = "graph.reachable",
     .type = "(object[any: array[any] | set[any]], array[any] | set[any]) -> set[any]",
     .function = Reachable},
    {.name = "graph.reachable_paths",
     .type = "(object[any: array[any] | set[any]], array[any] | set[any]) -> set[array[any]]",
     .function = ReachablePaths},
};

}  // namespace

std::span<const Builtin> GraphBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
