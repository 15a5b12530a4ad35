// A set or object that several definitions make together. Internal to rules/rego/trace.

#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "rules/rego/trace/terms.h"

namespace portcullis::rego::trace {

class Collected {
 public:
  enum class Shape : std::uint8_t { kSet, kObject };
  explicit Collected(Shape shape);

  enum class Added : std::uint8_t { kNew, kKnown, kConflict };
  // To a set.
  Added AddMember(const Value& member);
  // To an object: a value, or a member of the set, at the end of the path.
  Added AddValue(std::span<const Value> path, const Value& value);
  Added AddMemberAt(std::span<const Value> path, const Value& member);
  [[nodiscard]] bool is_set() const { return root_.kind == Node::Kind::kSet; }
  [[nodiscard]] Value Finish(document::Arena& arena) const;

 private:
  struct Node {
    enum class Kind : std::uint8_t { kObject, kSet, kValue };
    Kind kind = Kind::kObject;
    std::map<Value, Node, ValueLess> children;
    std::set<Value, ValueLess> members;
    Value value;
    [[nodiscard]] Value ToValue(document::Arena& arena) const;
  };
  // True: nothing that another rule gave ends on the way to the path.
  bool MayEndAt(std::span<const Value> path);
  // Null: something else than an object is on the way.
  Node* ParentOf(std::span<const Value> path);
  // What is at the path, and whether it has just been made; null: nothing can be there.
  std::pair<Node*, bool> Place(std::span<const Value> path);

  Node root_;
  std::set<std::vector<Value>, PathLess> ends_;
};

}  // namespace portcullis::rego::trace
