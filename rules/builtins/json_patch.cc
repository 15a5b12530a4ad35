// json.patch: RFC 6902 with pointers or arrays of steps, over sets too. SOURCE: OPA's policy reference, "Object".

#include <algorithm>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "document/json.h"
#include "rules/builtins/families.h"
#include "rules/builtins/json_paths.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

using Steps = std::span<const Value>;

// A document while its operations are applied: a tree in which the containers that some operation went through are open,
// so that the next one does not copy them again.
class Patcher {
 public:
  Patcher(CallContext& context, const Value& document)
      : context_(context), root_{.value = document} {}

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
  [[nodiscard]] Value document() { return has_root_ ? Close(root_) : Value(); }

 private:
  struct Node;
  // A member of an object or set, or an item of an array (without key).
  struct Slot {
    Value key = {};
    Value value = {};
    Node* node = nullptr;  // If not null, it holds the value.
  };
  struct Node {
    Value value = {};  // Of an open container: what it was, of which the type still stands.
    bool open = false;
    std::vector<Slot> slots = {};  // Sorted by key where there are keys.
  };

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
  std::optional<std::uint32_t> IndexOf(std::size_t size, const Value& step) {
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
      return static_cast<std::uint32_t>(size);
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

  // "1 (type: ast.Number)"
  static std::string WithType(const Value& scalar) {
    const std::string_view type = scalar.is_null()      ? "ast.Null"
                                  : scalar.is_boolean() ? "ast.Boolean"
                                  : scalar.is_number()  ? "ast.Number"
                                                        : "ast.String";
    return document::ToRego(scalar) + " (type: " + std::string(type) + ")";
  }

  // A child that does not exist. `container`: what it was before the patch.
  void NoChild(const Value& container, const Value& step, std::optional<std::uint32_t> index) {
    const std::string path = document::ToRego(step);
    if (const Value deleted = container.is_object() ? container.Find(step) : Value();
        deleted.is_defined()) {
      const bool scalar = !deleted.is_array() && !deleted.is_object() && !deleted.is_set();
      Fail("cannot unfold the already deleted " + std::string(scalar ? "scalar" : "composite") +
           " node for key " + path);
    } else if (index) {
      Fail("path " + std::to_string(*index) + " does not exist in array term " +
           document::ToRego(container));
    } else if (container.is_set()) {
      Fail("path " + (step.is_string() ? std::string(step.string()) : path) +
           " does not exist in set term " + document::ToRego(container));
    } else if (container.is_object()) {
      Fail("path " + path + " does not exist in object term " + document::ToRego(container));
    } else {
      Fail("expected composite type for path " + path + ", found value: " + WithType(container));
    }
  }

  // The slot of `step`; null, and said why, where there is none.
  Slot* Child(Node& container, const Value& step) {
    Open(container);
    Slot* slot = nullptr;
    std::optional<std::uint32_t> index;
    if (container.value.is_array()) {
      index = IndexOf(container.slots.size(), step);
      if (!index) {
        return nullptr;
      }
      slot = *index < container.slots.size() ? &container.slots[*index] : nullptr;
    } else {
      slot = FindKey(container, step);
    }
    if (slot == nullptr) {
      NoChild(container.value, step, index);
    }
    return slot;
  }

  Value Get(Steps path) {
    if (!has_root_) {
      Fail("deleted node encountered during unfold operation");
      return {};
    }
    Node* node = &root_;
    for (const Value& step : path) {
      Slot* slot = Child(*node, step);
      if (slot == nullptr) {
        return {};
      }
      node = &NodeOf(*slot);
    }
    return Close(*node);
  }

  bool Add(Steps path, const Value& value) {
    if (path.empty()) {
      has_root_ = true;
      root_ = {.value = value};
      return true;
    }
    if (!has_root_) {
      return Fail("deleted node encountered during insert operation");
    }
    return Edit(path, [&](Node& parent, const Value& step) { return Insert(parent, step, value); });
  }

  bool Remove(Steps path) {
    if (path.empty()) {
      if (!has_root_) {
        return Fail("deleted node encountered during delete operation");
      }
      has_root_ = false;
      return true;
    }
    return Edit(path, [&](Node& parent, const Value& step) { return Erase(parent, step); });
  }

  // Lets `change(container, last step)` change the container that the path's last step is taken in.
  template <class Change>
  bool Edit(Steps path, Change change) {
    if (!has_root_) {
      return Fail("deleted node encountered during unfold operation");
    }
    struct Member {
      Node* set;
      std::size_t at;
    };
    std::vector<Member> members;  // Of sets on the way: what they are is what they hold.
    Node* node = &root_;
    for (const Value& step : path.first(path.size() - 1)) {
      Slot* slot = Child(*node, step);
      if (slot == nullptr) {
        return false;
      }
      if (node->value.is_set()) {
        members.push_back({.set = node, .at = static_cast<std::size_t>(slot - node->slots.data())});
      }
      node = &NodeOf(*slot);
    }
    if (!change(*node, path.back()) || context_.ShouldHalt()) {
      return false;
    }
    for (; !members.empty(); members.pop_back()) {
      const auto [set, at] = members.back();
      const Value changed = Close(*set->slots[at].node);
      set->slots.erase(set->slots.begin() + static_cast<std::ptrdiff_t>(at));
      PutKey(*set, changed, changed);
    }
    return true;
  }

  bool Insert(Node& container, const Value& step, const Value& value) {
    const Value& is = container.value;
    if (is.is_object()) {
      Open(container);
      PutKey(container, step, value);
      return true;
    }
    if (is.is_set()) {
      if (!document::Equal(step, value)) {
        return Fail("set key " + document::ToRego(step) + " does not equal value to be inserted " +
                    document::ToRego(value));
      }
      Open(container);
      PutKey(container, value, value);
      return true;
    }
    if (!is.is_array()) {
      return NotComposite(is);
    }
    Open(container);
    const auto index = IndexOf(container.slots.size(), step);
    if (!index) {
      return false;
    }
    if (*index > container.slots.size()) {
      return Fail("index for array insertion out of bounds");
    }
    container.slots.insert(container.slots.begin() + *index, Slot{.key = {}, .value = value});
    return true;
  }

  bool Erase(Node& container, const Value& step) {
    const Value& is = container.value;
    if (!is.is_array() && !is.is_object() && !is.is_set()) {
      return NotComposite(is);
    }
    Open(container);
    std::size_t at = 0;
    if (is.is_array()) {
      const auto index = IndexOf(container.slots.size(), step);
      if (!index) {
        return false;
      }
      if (*index >= container.slots.size()) {
        return Fail("index for array delete out of bounds");
      }
      at = *index;
    } else {
      const Slot* slot = FindKey(container, step);
      if (slot == nullptr) {
        return Fail("cannot delete child key " + document::ToRego(step) + " that does not exist");
      }
      at = static_cast<std::size_t>(slot - container.slots.data());
    }
    container.slots.erase(container.slots.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  }

  bool NotComposite(const Value& value) {
    return Fail("expected composite type, found value: " + WithType(value));
  }

  // Where the key is, or belongs.
  static std::vector<Slot>::iterator KeyPlace(Node& node, const Value& key) {
    return std::ranges::lower_bound(
        node.slots, key, [](const Value& a, const Value& b) { return document::Compare(a, b) < 0; },
        &Slot::key);
  }
  static Slot* FindKey(Node& node, const Value& key) {
    const auto at = KeyPlace(node, key);
    return at != node.slots.end() && document::Equal(at->key, key) ? &*at : nullptr;
  }
  static void PutKey(Node& node, const Value& key, const Value& value) {
    const auto at = KeyPlace(node, key);
    if (at != node.slots.end() && document::Equal(at->key, key)) {
      *at = {.key = key, .value = value};
    } else {
      node.slots.insert(at, {.key = key, .value = value});
    }
  }

  Node& NodeOf(Slot& slot) {
    if (slot.node == nullptr) {
      slot.node = &nodes_.emplace_back(Node{.value = slot.value});
    }
    return *slot.node;
  }

  static void Open(Node& node) {
    if (node.open) {
      return;
    }
    node.open = true;
    const Value& value = node.value;
    node.slots.reserve(value.size());
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      if (value.is_object()) {
        node.slots.push_back({.key = value.KeyAt(i), .value = value.ValueAt(i)});
      } else {
        node.slots.push_back({.key = value.ItemAt(i), .value = value.ItemAt(i)});
      }
    }
  }

  // The node as it is now. It stays open.
  Value Close(const Node& node) {
    const auto value_of = [this](const Slot& slot) {
      return slot.node == nullptr ? slot.value : Close(*slot.node);
    };
    if (!node.open || (!node.value.is_array() && !node.value.is_object() && !node.value.is_set())) {
      return node.value;
    }
    if (node.value.is_object()) {
      const auto members = context_.arena.AllocateArray<document::Member>(node.slots.size());
      for (std::size_t i = 0; i < members.size(); ++i) {
        members[i] = {.key = node.slots[i].key, .value = value_of(node.slots[i])};
      }
      return Value::Object(members);
    }
    const auto items = context_.arena.AllocateArray<Value>(node.slots.size());
    std::ranges::transform(node.slots, items.begin(), value_of);
    return node.value.is_set() ? Value::Set(items) : Value::Array(items);
  }

  CallContext& context_;
  std::deque<Node> nodes_;
  Node root_;
  bool has_root_ = true;
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
