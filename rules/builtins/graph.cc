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

// Every path from a node until it ends, leaves the graph or would come back to where it was. A node where the search begins
// may follow itself once.
class PathFinder {
 public:
  PathFinder(CallContext& context, const Value& graph)
      : context_(context), graph_(graph), paths_(context.arena) {}

  void FollowAll(const Value& start) {
    if (const Value edges = graph_.Find(start); edges.is_defined()) {
      Enter(start, edges);
      Search();
    }
  }

  Value Finish() { return context_.failure == FailureKind::kHalt ? Value() : paths_.Finish(); }

 private:
  struct Step {
    Value node;
    Value edges;
    std::uint32_t next = 0;
  };

  void Enter(const Value& node, const Value& edges) {
    path_.push_back({node, edges});
    if (!IsCollection(edges) || edges.size() == 0) {
      Add();
      path_.pop_back();
    }
  }

  void Search() {
    while (!path_.empty()) {
      Step& step = path_.back();
      if (context_.ShouldHalt()) {
        return;
      }
      if (step.next == step.edges.size()) {
        path_.pop_back();
        continue;
      }
      const Value next = step.edges.ItemAt(step.next++);
      const Value edges = graph_.Find(next);
      // The first step from a start is taken even where it leads to the start.
      if (edges.is_undefined() || (path_.size() > 1 && IsOnPath(next))) {
        Add();
      } else {
        Enter(next, edges);
      }
    }
  }

  bool IsOnPath(const Value& node) {
    return std::ranges::any_of(path_, [&](const Step& step) {
      return context_.ShouldHalt() || document::Equal(step.node, node);
    });
  }

  void Add() {
    const std::span<Value> steps = context_.arena.AllocateArray<Value>(path_.size());
    std::ranges::transform(path_, steps.begin(), &Step::node);
    paths_.Add(Value::Array(steps));
  }

  CallContext& context_;
  const Value& graph_;
  document::SetBuilder paths_;
  std::vector<Step> path_;
};

Value ReachablePaths(CallContext& context, Arguments arguments) {
  if (!CheckOperands(context, arguments)) {
    return {};
  }
  PathFinder finder(context, arguments[0]);
  for (std::uint32_t i = 0; i < arguments[1].size(); ++i) {
    finder.FollowAll(arguments[1].ItemAt(i));
  }
  return finder.Finish();
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
