// json.patch: RFC 6902 with pointers or arrays of steps, over sets too. SOURCE: OPA's policy reference, "Object".

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "document/json.h"
#include "rules/builtins/families.h"
#include "rules/builtins/json_paths.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

using Steps = std::span<const Value>;

// A document while its operations are applied. Each operation makes the containers along its path anew.
class Patcher {
 public:
  Patcher(CallContext& context, const Value& document) : context_(context), root_(document) {}

  // False where the operation fails: said through the context.
  bool Apply(const Value& operation) {
    if (!operation.is_object()) {
      return Fail(
          "must be an array of JSON-Patch objects, but at least one element is not an object");
    }
    if (!operation.Find("path").is_defined()) {
      return Fail("missing required attribute 'path'");
    }
    const Value name = operation.Find("op");
    if (!name.is_defined()) {
      return Fail("missing required attribute 'op'");
    }
    if (!name.is_string()) {
      return Fail("attribute 'op' must be a string but found: " + std::string(TypeName(name)));
    }
    const auto path = ParsePath(context_, operation.Find("path"));
    if (!path) {
      return false;
    }
    const std::string_view op = name.string();
    if (op == "add") {
      return AddFrom(operation, *path);
    }
    if (op == "remove") {
      return Remove(*path);
    }
    if (op == "replace") {
      return Remove(*path) && AddFrom(operation, *path);
    }
    if (op == "test") {
      return Test(operation, *path);
    }
    if (op == "move" || op == "copy") {
      return Transfer(operation, *path, op == "move");
    }
    return Fail("unrecognized op: '" + std::string(op) + "'");
  }

  // Undefined where the whole document was removed.
  [[nodiscard]] Value document() const { return root_; }

 private:
  bool Fail(std::string message) {
    context_.Fail(std::move(message));
    return false;
  }

  bool AddFrom(const Value& operation, const Path& path) {
    const Value value = operation.Find("value");
    if (!value.is_defined()) {
      return Fail("missing required attribute 'value'");
    }
    return Add(path, value);
  }

  bool Test(const Value& operation, const Path& path) {
    const Value found = Get(path);
    if (!found.is_defined()) {
      return false;
    }
    const Value wanted = operation.Find("value");
    if (!wanted.is_defined()) {
      return Fail("missing required attribute 'value'");
    }
    if (document::Equal(found, wanted)) {
      return true;
    }
    return Fail("value from EditTree != patch value.\n\nExpected: " + document::ToRego(wanted) +
                "\n\nFound: " + document::ToRego(found));
  }

  bool Transfer(const Value& operation, const Path& path, bool remove) {
    const Value from = operation.Find("from");
    if (!from.is_defined()) {
      return Fail("missing required attribute 'from'");
    }
    const auto source = ParsePath(context_, from);
    if (!source) {
      return false;
    }
    const Value value = Get(*source);
    return value.is_defined() && (!remove || Remove(*source)) && Add(path, value);
  }

  // The number of the item that `step` names; the array's length is "-".
  std::optional<std::uint32_t> IndexOf(const Value& array, const Value& step) {
    if (step.is_number()) {
      const auto index = document::ToInt64(step);
      if (!index) {
        return NoIndex("invalid number type for indexing");
      }
      return InBounds(*index);
    }
    if (!step.is_string()) {
      return NoIndex("invalid type for indexing");
    }
    const std::string_view text = step.string();
    if (text == "-") {
      return array.size();
    }
    std::int64_t index = 0;
    const bool digits =
        !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == text.npos;
    if (!digits) {
      return NoIndex("invalid string for indexing");
    }
    if (text != "0" && text.starts_with('0')) {
      return NoIndex("leading zeros are not allowed in JSON paths");
    }
    for (const char c : text) {
      index = index * 10 + (c - '0');
    }
    return InBounds(index);
  }
  std::optional<std::uint32_t> InBounds(std::int64_t index) {
    if (index < 0 || index > std::numeric_limits<std::uint32_t>::max()) {
      return NoIndex("index out of bounds");
    }
    return static_cast<std::uint32_t>(index);
  }
  std::optional<std::uint32_t> NoIndex(std::string message) {
    Fail(std::move(message));
    return std::nullopt;
  }

  Value Child(const Value& container, const Value& step) {
    Value child;
    if (container.is_array()) {
      const auto index = IndexOf(container, step);
      if (!index) {
        return {};
      }
      if (*index < container.size()) {
        child = container.ItemAt(*index);
      }
    } else {
      child = container.Find(step);
    }
    if (!child.is_defined()) {
      Fail("path " + document::ToRego(step) + " does not exist in object term " +
           document::ToRego(container));
    }
    return child;
  }

  Value Get(Steps path) {
    if (!root_.is_defined()) {
      Fail("deleted node encountered during unfold operation");
      return {};
    }
    Value value = root_;
    for (const Value& step : path) {
      value = Child(value, step);
      if (!value.is_defined()) {
        return {};
      }
    }
    return value;
  }

  bool Add(Steps path, const Value& value) {
    if (path.empty()) {
      root_ = value;
      return true;
    }
    return Edit(
        path, [&](const Value& parent, const Value& step) { return Insert(parent, step, value); });
  }

  bool Remove(Steps path) {
    if (path.empty()) {
      if (!root_.is_defined()) {
        return Fail("deleted node encountered during delete operation");
      }
      root_ = {};
      return true;
    }
    return Edit(path, [&](const Value& parent, const Value& step) { return Erase(parent, step); });
  }

  // Replaces the container that the path's last step is taken in by `change(container, last step)`.
  template <class Change>
  bool Edit(Steps path, Change change) {
    std::vector<Value> containers;
    for (std::size_t i = 0; i < path.size(); ++i) {
      containers.push_back(Get(path.first(i)));
      if (!containers.back().is_defined()) {
        return false;
      }
    }
    Value changed = change(containers.back(), path.back());
    for (std::size_t i = path.size() - 1; changed.is_defined() && i-- > 0;) {
      changed = Replace(containers[i], path[i], changed);
    }
    if (!changed.is_defined() || context_.ShouldHalt()) {
      return false;
    }
    root_ = changed;
    return true;
  }

  std::vector<Value> Items(const Value& container) const {
    std::vector<Value> items(container.size());
    for (std::uint32_t i = 0; i < container.size(); ++i) {
      items[i] = container.ItemAt(i);
    }
    return items;
  }
  Value MakeArray(const std::vector<Value>& items) {
    const std::span<Value> copy = context_.arena.AllocateArray<Value>(items.size());
    std::ranges::copy(items, copy.begin());
    return Value::Array(copy);
  }

  // `container` with `key` at `value`, or without it where `value` is undefined.
  Value MakeObject(const Value& container, const Value& key, const Value& value) {
    document::ObjectBuilder object(context_.arena);
    for (std::uint32_t i = 0; i < container.size(); ++i) {
      if (!document::Equal(container.KeyAt(i), key)) {
        object.Add(container.KeyAt(i), container.ValueAt(i));
      }
    }
    if (value.is_defined()) {
      object.Add(key, value);
    }
    return object.Finish();
  }
  Value MakeSet(const Value& container, const Value& left_out, const Value& added) {
    document::SetBuilder set(context_.arena);
    for (const Value& item : Items(container)) {
      if (!document::Equal(item, left_out)) {
        set.Add(item);
      }
    }
    if (added.is_defined()) {
      set.Add(added);
    }
    return set.Finish();
  }

  Value Insert(const Value& container, const Value& step, const Value& value) {
    if (container.is_object()) {
      return MakeObject(container, step, value);
    }
    if (container.is_set()) {
      if (document::Equal(step, value)) {
        return MakeSet(container, step, value);
      }
      Fail("set key " + document::ToRego(step) + " does not equal value to be inserted " +
           document::ToRego(value));
      return {};
    }
    if (!container.is_array()) {
      return NotComposite(container);
    }
    const auto index = IndexOf(container, step);
    if (!index) {
      return {};
    }
    std::vector<Value> items = Items(container);
    if (*index > items.size()) {
      return context_.Fail("index for array insertion out of bounds");
    }
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(*index), value);
    return MakeArray(items);
  }

  Value Erase(const Value& container, const Value& step) {
    if (container.is_array()) {
      const auto index = IndexOf(container, step);
      if (!index) {
        return {};
      }
      std::vector<Value> items = Items(container);
      if (*index >= items.size()) {
        return context_.Fail("index for array delete out of bounds");
      }
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(*index));
      return MakeArray(items);
    }
    if (!container.is_object() && !container.is_set()) {
      return NotComposite(container);
    }
    if (!container.Find(step).is_defined()) {
      return context_.Fail("cannot delete child key " + document::ToRego(step) +
                           " that does not exist");
    }
    return container.is_object() ? MakeObject(container, step, {}) : MakeSet(container, step, {});
  }

  Value Replace(const Value& container, const Value& step, const Value& value) {
    if (container.is_object()) {
      return MakeObject(container, step, value);
    }
    if (container.is_set()) {
      return MakeSet(container, step, value);
    }
    std::vector<Value> items = Items(container);
    items[*IndexOf(container, step)] = value;
    return MakeArray(items);
  }

  Value NotComposite(const Value& value) {
    return context_.Fail("expected composite type, found value: " + document::ToRego(value));
  }

  CallContext& context_;
  Value root_;
};

Value Patch(CallContext& context, Arguments arguments) {
  if (!ArrayOperand(context, arguments, 2)) {
    return {};
  }
  Patcher patcher(context, arguments[0]);
  for (std::uint32_t i = 0; i < arguments[1].size(); ++i) {
    if (context.ShouldHalt() || !patcher.Apply(arguments[1].ItemAt(i))) {
      return {};
    }
  }
  return patcher.document();
}

constexpr Builtin kBuiltins[] = {
    {.name = "json.patch",
     .type = R"((any, array[{"op": string, "path": any, any: any}]) -> any)",
     .function = Patch},
};

}  // namespace

std::span<const Builtin> JsonPatchBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
