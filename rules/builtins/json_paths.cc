// json.filter and json.remove. SOURCE: OPA's policy reference, "Object".

#include "rules/builtins/json_paths.h"

#include <map>
#include <memory>
#include <string>

#include "rules/builtins/families.h"

namespace portcullis::builtins {
namespace {

// One step of a pointer: ~1 is "/", then ~0 is "~".
Value Unescape(CallContext& context, std::string_view step) {
  if (!step.contains('~')) {
    return Value::String(step);
  }
  std::string text(step);
  for (const auto& [escape, plain] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}}) {
    for (std::size_t at = text.find(escape); at != std::string::npos;
         at = text.find(escape, at + 1)) {
      text.replace(at, 2, plain);
    }
  }
  return MakeString(context, text);
}

struct ValueLess {
  bool operator()(const Value& a, const Value& b) const { return document::Compare(a, b) < 0; }
};

// All the paths of one call as a tree. A leaf stands for everything below it.
struct PathTree {
  bool leaf = false;
  std::map<Value, std::unique_ptr<PathTree>, ValueLess> steps;

  [[nodiscard]] const PathTree* Find(const Value& step) const {
    const auto found = steps.find(step);
    return found == steps.end() ? nullptr : found->second.get();
  }
  void Add(const Path& path) {
    if (path.empty()) {
      return;
    }
    PathTree* node = this;
    for (const Value& step : path) {
      if (node->leaf) {
        return;
      }
      std::unique_ptr<PathTree>& child = node->steps[step];
      if (!child) {
        child = std::make_unique<PathTree>();
      }
      node = child.get();
    }
    node->leaf = true;
    node->steps.clear();
  }
};

std::optional<PathTree> ReadPaths(CallContext& context, const Value& paths) {
  if (!IsCollection(paths)) {
    context.FailOperand(2, "one of {set, array}", paths);
    return std::nullopt;
  }
  PathTree tree;
  for (std::uint32_t i = 0; i < paths.size(); ++i) {
    if (context.ShouldHalt()) {
      return std::nullopt;
    }
    const auto path = ParsePath(context, paths.ItemAt(i));
    if (!path) {
      return std::nullopt;
    }
    tree.Add(*path);
  }
  return tree;
}

// Items of an array are named by their number as a string.
Value StepOf(CallContext& context, const Value& value, std::uint32_t i) {
  if (value.is_object()) {
    return value.KeyAt(i);
  }
  if (value.is_set()) {
    return value.ItemAt(i);
  }
  return MakeString(context, std::to_string(i));
}

// `value` rebuilt from what `keep(item, its part of the tree)` gives for each of its items.
template <class Keep>
Value Rebuild(CallContext& context, const Value& value, const PathTree& tree, Keep keep) {
  document::ArrayBuilder array(context.arena);
  document::SetBuilder set(context.arena);
  document::ObjectBuilder object(context.arena);
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    if (context.ShouldHalt()) {
      return {};
    }
    const Value item = value.is_object() ? value.ValueAt(i) : value.ItemAt(i);
    const Value kept = keep(item, tree.Find(StepOf(context, value, i)));
    if (!kept.is_defined()) {
      continue;
    }
    if (value.is_object()) {
      object.Add(value.KeyAt(i), kept);
    } else if (value.is_set()) {
      set.Add(kept);
    } else {
      array.Add(kept);
    }
  }
  return value.is_object() ? object.Finish() : value.is_set() ? set.Finish() : array.Finish();
}

bool IsScalar(const Value& value) {
  return !IsCollection(value) && !value.is_object();
}

Value RemovePaths(CallContext& context, const Value& value, const PathTree* tree) {
  if (tree == nullptr) {
    return value;
  }
  if (tree->leaf) {
    return {};
  }
  if (IsScalar(value)) {
    return value;
  }
  return Rebuild(context, value, *tree, [&](const Value& item, const PathTree* below) {
    return RemovePaths(context, item, below);
  });
}

Value FilterPaths(CallContext& context, const Value& value, const PathTree* tree) {
  if (tree == nullptr) {
    return {};
  }
  if (tree->leaf || IsScalar(value)) {
    return value;
  }
  return Rebuild(context, value, *tree, [&](const Value& item, const PathTree* below) {
    return FilterPaths(context, item, below);
  });
}

template <Value (*apply)(CallContext&, const Value&, const PathTree*)>
Value Apply(CallContext& context, Arguments arguments) {
  if (!ObjectOperand(context, arguments, 1)) {
    return {};
  }
  const auto tree = ReadPaths(context, arguments[1]);
  if (!tree) {
    return {};
  }
  const Value result = apply(context, arguments[0], &*tree);
  return context.failure == FailureKind::kHalt ? Value() : result;
}

constexpr std::string_view kType =
    "(object[any: any], array[string | array[any]] | set[string | array[any]]) -> object[any: any]";
constexpr Builtin kBuiltins[] = {
    {.name = "json.filter", .type = kType, .function = Apply<FilterPaths>},
    {.name = "json.remove", .type = kType, .function = Apply<RemovePaths>},
};

}  // namespace

std::optional<Path> ParsePath(CallContext& context, const Value& path) {
  Path steps;
  if (path.is_array()) {
    for (std::uint32_t i = 0; i < path.size(); ++i) {
      steps.push_back(path.ItemAt(i));
    }
    return steps;
  }
  if (!path.is_string()) {
    context.FailOperand(2, "one of {set, array} containing string paths or array of path segments",
                        path);
    return std::nullopt;
  }
  std::string_view text = path.string();
  if (text.empty()) {
    return steps;
  }
  text.remove_prefix(std::min(text.find_first_not_of('/'), text.size()));
  for (std::size_t slash = text.find('/'); slash != std::string_view::npos;
       slash = text.find('/')) {
    steps.push_back(Unescape(context, text.substr(0, slash)));
    text.remove_prefix(slash + 1);
  }
  steps.push_back(Unescape(context, text));
  return steps;
}

std::span<const Builtin> JsonPathBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
