#include "rules/rego/type_environment.h"

#include <algorithm>

#include "rules/rego/compilation.h"

namespace portcullis::rego {
namespace {

bool IsCollection(const Term& term) {
  return term.kind == TermKind::kArray || term.kind == TermKind::kObject ||
         term.kind == TermKind::kSet;
}

// The type at the end of ref[from:], starting from `type`.
TypePtr SelectReference(TypePtr type, const Term& ref, std::size_t from) {
  for (std::size_t i = from; type && i < ref.items.size(); ++i) {
    const Term& key = *ref.items[i];
    if (!key.IsVar() && key.kind != TermKind::kRef && !IsCollection(key)) {
      type = Select(type, key);
    } else if (IsEmptyCollection(type)) {
      return AnyType();  // Nothing comes of it, so nothing is wrong with what follows.
    } else {
      type = Values(type);
    }
  }
  return type;
}

TypePtr MergeTypes(const TypePtr& a, const TypePtr& b) {
  if (!a) {
    return b;
  }
  if (!b) {
    return a;
  }
  bool objects = a->kind == TypeKind::kObject && b->kind == TypeKind::kObject;
  if (objects && a->properties.empty() && b->properties.empty()) {
    if (!a->has_dynamic) {
      return b;
    }
    if (!b->has_dynamic) {
      return a;
    }
    return ObjectType({}, Or(a->key, b->key), MergeTypes(a->dynamic, b->dynamic));
  }
  if (a->kind == TypeKind::kObject && b->kind == TypeKind::kAny && a->properties.empty() &&
      a->has_dynamic) {
    for (std::size_t i = 0; i < b->items.size(); ++i) {
      const Type& choice = *b->items[i];
      if (choice.kind != TypeKind::kObject || !choice.properties.empty() || !choice.has_dynamic) {
        continue;
      }
      Type merged = *b;
      merged.items[i] = ObjectType({}, Or(choice.key, a->key), Or(choice.dynamic, a->dynamic));
      return Bounded(std::move(merged));
    }
  }
  if (a->kind == TypeKind::kSet && b->kind == TypeKind::kSet) {
    return SetType(Or(a->dynamic, b->dynamic));
  }
  if (a->kind == TypeKind::kAny && b->kind != TypeKind::kAny) {
    return MergeTypes(b, a);
  }
  return Or(a, b);
}

// The object, to which ref[from:] with that type is added.
TypePtr InsertInto(const Type& object, const Term& path, std::size_t from, const TypePtr& type) {
  if (from >= path.items.size()) {
    return Bounded(object);
  }
  const Term& item = *path.items[from];
  // A variable in the head of a rule with an error has no type: nothing is found by it.
  TypePtr key = item.IsVar() ? nullptr : TypeOf(item);
  TypePtr value =
      from + 1 == path.items.size() ? type : InsertInto(*ObjectType({}), path, from + 1, type);
  if (object.has_dynamic) {
    key = key ? Or(object.key, key) : object.key;
    value = Or(object.dynamic, value);
  } else if (!key) {
    return ObjectType(object.properties);
  }
  return ObjectType(object.properties, std::move(key), std::move(value));
}

struct Leaf {
  TermPtr path;
  TypePtr type;
};

void AddLeaves(const TypeNode& node, const Term& path, std::vector<Leaf>& leaves) {
  for (const auto& [key, child] : node.children) {
    TermPtr below = Clone(path);
    below->items.push_back(Clone(*key));
    if (child->type) {
      leaves.push_back({std::move(below), child->type});
    } else {
      AddLeaves(*child, *below, leaves);
    }
  }
}

}  // namespace

const TypeNode* TypeNode::Child(const Term& key) const {
  auto found = children.find(key);
  return found == children.end() ? nullptr : found->second.get();
}

const TypeNode* TypeNode::Find(const Term& reference) const {
  const TypeNode* node = this;
  for (std::size_t i = 0; node != nullptr && i < reference.items.size(); ++i) {
    node = node->Child(*reference.items[i]);
  }
  return node;
}

TypeNode& TypeNode::Make(const Term& key) {
  auto found = children.find(key);
  if (found != children.end()) {
    return *found->second;
  }
  return *children.emplace(Clone(key), std::make_unique<TypeNode>()).first->second;
}

void TypeNode::Put(const Term& reference, TypePtr put) {
  TypeNode* node = this;
  for (const TermPtr& item : reference.items) {
    node = &node->Make(*item);
  }
  node->type = std::move(put);
}

void TypeNode::Insert(const Term& path, TypePtr inserted) {
  TypeNode* node = this;
  for (std::size_t i = 0; i < path.items.size(); ++i) {
    node = &node->Make(*path.items[i]);
    bool inside = i + 1 < path.items.size();
    if (inside && node->type && node->type->kind == TypeKind::kObject) {
      node->type = InsertInto(*node->type, path, i + 1, inserted);
    }
  }
  bool object = inserted->kind == TypeKind::kObject;
  node->type = MergeTypes(node->type, inserted);
  if (!object || node->children.empty()) {
    return;
  }
  Term root;
  root.kind = TermKind::kRef;
  std::vector<Leaf> leaves;
  AddLeaves(*node, root, leaves);
  for (const Leaf& leaf : leaves) {
    if (node->type->kind != TypeKind::kObject) {
      return;
    }
    node->type = InsertInto(*node->type, *leaf.path, 0, leaf.type);
  }
}

TypeEnvironment TypeEnvironment::Over(const TypeEnvironment& below) {
  TypeEnvironment environment;
  environment.next = &below;
  environment.closure = below.closure;
  return environment;
}

TypePtr TypeEnvironment::Extent(const TypeNode& node) {
  if (node.type) {
    return node.type;
  }
  std::vector<Property> properties;
  for (const auto& [key, child] : node.children) {
    bool scalar = key->kind == TermKind::kString || key->kind == TermKind::kNumber ||
                  key->kind == TermKind::kBoolean;
    if (scalar) {
      properties.push_back({key, Extent(*child)});
    }
  }
  // Base documents may have any keys besides.
  return ObjectType(std::move(properties), ScalarType(TypeKind::kString), AnyType());
}

void TypeEnvironment::PutVariable(const Term& variable, TypePtr type) const {
  variables->Make(variable).type = std::move(type);
}

TypePtr TypeEnvironment::GetVariable(const Term& variable) const {
  for (const TypeEnvironment* environment = this; environment != nullptr;
       environment = environment->next) {
    if (const TypeNode* node = environment->tree->Child(variable)) {
      return node->type;
    }
  }
  return nullptr;
}

TypePtr TypeEnvironment::GetReference(const Term& reference) const {
  for (const TypeEnvironment* environment = this; environment != nullptr;
       environment = environment->next) {
    const TypeNode* node = environment->tree->Child(*reference.items[0]);
    for (std::size_t i = 1; node != nullptr; ++i) {
      if (i == reference.items.size()) {
        return Extent(*node);
      }
      const Term& key = *reference.items[i];
      const TypeNode* child = node->type && node->children.empty() ? nullptr : node->Child(key);
      if (node->type && child == nullptr) {
        return SelectReference(node->type, reference, i);
      }
      if (!node->type && !IsConstant(key)) {
        return SelectReference(Extent(*node), reference, i);
      }
      node = child;
    }
  }
  const Term& head = *reference.items[0];
  bool root = head.IsVar() && (head.text == "data" || head.text == "input");
  return root ? AnyType() : nullptr;
}

TypePtr TypeEnvironment::Get(const Term& term) {
  switch (term.kind) {
    case TermKind::kNull:
    case TermKind::kBoolean:
    case TermKind::kNumber:
    case TermKind::kString:
    case TermKind::kTemplateString:
      return TypeOf(term);
    case TermKind::kVar:
      return GetVariable(term);
    case TermKind::kRef:
      return GetReference(term);
    case TermKind::kArray: {
      std::vector<TypePtr> items;
      for (const TermPtr& item : term.items) {
        items.push_back(Get(*item));
      }
      return ArrayType(std::move(items), nullptr);
    }
    case TermKind::kSet: {
      TypePtr of;
      for (const TermPtr& item : term.items) {
        of = Or(of, Get(*item));
      }
      return SetType(std::move(of));
    }
    case TermKind::kObject: {
      std::vector<Property> properties;
      bool dynamic = false;
      TypePtr key;
      TypePtr value;
      for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
        if (IsConstant(*term.items[i])) {
          properties.push_back({Clone(*term.items[i]), Get(*term.items[i + 1])});
          continue;
        }
        dynamic = true;
        key = Get(*term.items[i]);
        value = Get(*term.items[i + 1]);
      }
      if (!dynamic) {
        return ObjectType(std::move(properties));
      }
      return ObjectType(std::move(properties), std::move(key), std::move(value));
    }
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension:
      return closure(*this, term);
    default:
      return nullptr;
  }
}

std::vector<const Term*> KnownKeys(const TypePtr& type) {
  std::vector<const Term*> keys;
  if (type && type->kind == TypeKind::kObject) {
    for (const Property& property : type->properties) {
      keys.push_back(property.key.get());
    }
  } else if (type && type->kind == TypeKind::kAny) {
    for (const TypePtr& choice : type->items) {
      for (const Term* key : KnownKeys(choice)) {
        keys.push_back(key);
      }
    }
  }
  std::ranges::stable_sort(keys, [](const Term* a, const Term* b) { return Compare(*a, *b) < 0; });
  auto doubles =
      std::ranges::unique(keys, [](const Term* a, const Term* b) { return Compare(*a, *b) == 0; });
  keys.erase(doubles.begin(), doubles.end());
  return keys;
}

}  // namespace portcullis::rego
