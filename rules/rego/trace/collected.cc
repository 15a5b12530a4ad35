#include "rules/rego/trace/collected.h"

namespace portcullis::rego::trace {

Collected::Collected(Shape shape) {
  root_.kind = shape == Shape::kSet ? Node::Kind::kSet : Node::Kind::kObject;
}

Collected::Added Collected::AddMember(const Value& member) {
  return root_.members.insert(member).second ? Added::kNew : Added::kKnown;
}

bool Collected::MayEndAt(std::span<const Value> path) {
  std::vector<Value> part;
  for (const Value& key : path.first(path.size() - 1)) {
    part.push_back(key);
    if (ends_.contains(part)) {
      return false;
    }
  }
  part.push_back(path.back());
  ends_.insert(std::move(part));
  return true;
}

Collected::Node* Collected::ParentOf(std::span<const Value> path) {
  Node* node = &root_;
  for (const Value& key : path.first(path.size() - 1)) {
    node = &node->children[key];
    if (node->kind != Node::Kind::kObject) {
      return nullptr;
    }
  }
  return node;
}

std::pair<Collected::Node*, bool> Collected::Place(std::span<const Value> path) {
  Node* parent = MayEndAt(path) ? ParentOf(path) : nullptr;
  if (parent == nullptr) {
    return {nullptr, false};
  }
  const auto [at, is_new] = parent->children.try_emplace(path.back());
  return {&at->second, is_new};
}

Collected::Added Collected::AddValue(std::span<const Value> path, const Value& value) {
  const auto [node, is_new] = Place(path);
  if (node == nullptr) {
    return Added::kConflict;
  }
  if (is_new) {
    node->kind = Node::Kind::kValue;
    node->value = value;
    return Added::kNew;
  }
  document::Arena scratch;
  return document::Equal(node->ToValue(scratch), value) ? Added::kKnown : Added::kConflict;
}

Collected::Added Collected::AddMemberAt(std::span<const Value> path, const Value& member) {
  const auto [node, is_new] = Place(path);
  if (is_new) {
    node->kind = Node::Kind::kSet;
  } else if (node == nullptr || node->kind != Node::Kind::kSet) {
    return Added::kConflict;
  }
  return node->members.insert(member).second ? Added::kNew : Added::kKnown;
}

Value Collected::Finish(document::Arena& arena) const {
  return root_.ToValue(arena);
}

Value Collected::Node::ToValue(document::Arena& arena) const {
  if (kind == Kind::kValue) {
    return value;
  }
  if (kind == Kind::kSet) {
    document::SetBuilder set(arena);
    for (const Value& member : members) {
      set.Add(member);
    }
    return set.Finish();
  }
  document::ObjectBuilder object(arena);
  for (const auto& [key, child] : children) {
    object.Add(key, child.ToValue(arena));
  }
  return object.Finish();
}

}  // namespace portcullis::rego::trace
