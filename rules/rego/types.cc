#include "rules/rego/types.h"

#include <algorithm>
#include <charconv>

#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

int CompareItems(const std::vector<TypePtr>& a, const std::vector<TypePtr>& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (int order = Compare(a[i], b[i])) {
      return order;
    }
  }
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

int CompareObjects(const Type& a, const Type& b) {
  if (a.has_dynamic != b.has_dynamic) {
    return a.has_dynamic ? 1 : -1;
  }
  if (a.has_dynamic) {
    if (int order = Compare(a.key, b.key)) {
      return order;
    }
    if (int order = Compare(a.dynamic, b.dynamic)) {
      return order;
    }
  }
  for (std::size_t i = 0; i < a.properties.size() && i < b.properties.size(); ++i) {
    if (int order = rego::Compare(*a.properties[i].key, *b.properties[i].key)) {
      return order;
    }
    if (int order = Compare(a.properties[i].value, b.properties[i].value)) {
      return order;
    }
  }
  return a.properties.size() < b.properties.size()   ? -1
         : a.properties.size() > b.properties.size() ? 1
                                                     : 0;
}

bool IsKind(const TypePtr& type, TypeKind kind) {
  return type && type->kind == kind;
}

// Whether the choices of an any, or the type itself, include the other.
bool Includes(const TypePtr& type, const TypePtr& other) {
  if (!IsKind(type, TypeKind::kAny)) {
    return Compare(type, other) == 0;
  }
  if (IsKind(other, TypeKind::kFunction)) {
    return false;
  }
  return type->items.empty() ||
         std::ranges::any_of(type->items, [&](const TypePtr& t) { return Compare(t, other) == 0; });
}

TypePtr Merge(const TypePtr& any, const TypePtr& other) {
  if (IsKind(other, TypeKind::kAny)) {
    if (any->items.empty()) {
      return any;
    }
    if (other->items.empty()) {
      return other;
    }
    std::vector<TypePtr> choices = any->items;
    for (const TypePtr& choice : other->items) {
      if (!Includes(any, choice)) {
        choices.push_back(choice);
      }
    }
    return AnyOf(std::move(choices));
  }
  if (Includes(any, other)) {
    return any;
  }
  std::vector<TypePtr> choices = any->items;
  choices.push_back(other);
  return AnyOf(std::move(choices));
}

TypePtr OrFunctions(const Type& a, const Type& b) {
  if (a.items.size() != b.items.size() || (a.dynamic != nullptr) != (b.dynamic != nullptr)) {
    return nullptr;
  }
  Type type;
  type.kind = TypeKind::kFunction;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    type.items.push_back(Or(a.items[i], b.items[i]));
  }
  type.result = Or(a.result, b.result);
  type.dynamic = Or(a.dynamic, b.dynamic);
  return Bounded(std::move(type));
}

TypePtr ItemAt(const Type& array, std::size_t i) {
  return i < array.items.size() ? array.items[i] : array.dynamic;
}

const TypePtr* FindProperty(const Type& object, const Term& key) {
  for (const Property& property : object.properties) {
    if (rego::Compare(*property.key, key) == 0) {
      return &property.value;
    }
  }
  return nullptr;
}

TypePtr SelectProperty(const Type& object, const Term& key) {
  if (const TypePtr* value = FindProperty(object, key)) {
    return *value;
  }
  return object.has_dynamic && Includes(object.key, TypeOf(key)) ? object.dynamic : nullptr;
}

bool UnifiesAny(const Type& any, const TypePtr& other) {
  if (IsKind(other, TypeKind::kFunction)) {
    return false;
  }
  if (any.items.empty()) {
    return true;
  }
  return std::ranges::any_of(any.items,
                             [&](const TypePtr& choice) { return Unifies(choice, other); });
}

// The items of `a` from position `from` on.
bool UnifiesArrayItems(const Type& a, const Type& b, std::size_t from) {
  for (std::size_t i = from; i < a.items.size(); ++i) {
    if (!Unifies(a.items[i], ItemAt(b, i))) {
      return false;
    }
  }
  return true;
}

enum class Shared : std::uint8_t { kTry, kLeaveOut };

// The properties of `a`; those that `b` has too are tried once, since a type of many levels shares many.
bool UnifiesProperties(const Type& a, const Type& b, Shared shared) {
  for (const Property& property : a.properties) {
    if (shared == Shared::kLeaveOut && FindProperty(b, *property.key) != nullptr) {
      continue;
    }
    TypePtr other = SelectProperty(b, *property.key);
    if (!other) {
      if (a.dynamic || b.dynamic) {
        continue;
      }
      return false;
    }
    if (!Unifies(property.value, other)) {
      return false;
    }
  }
  return true;
}

Type NewObject(std::vector<Property> properties) {
  Type type;
  type.kind = TypeKind::kObject;
  type.properties = std::move(properties);
  std::ranges::stable_sort(type.properties, [](const Property& a, const Property& b) {
    return rego::Compare(*a.key, *b.key) < 0;
  });
  return type;
}

}  // namespace

TypePtr Bounded(Type type) {
  std::uint64_t parts = 1;
  const auto count = [&](const TypePtr& part) { parts += part ? part->parts : 0; };
  std::ranges::for_each(type.items, count);
  std::ranges::for_each(type.properties, count, &Property::value);
  count(type.dynamic);
  count(type.key);
  count(type.result);
  // A function is no any; its parts are bounded each by itself.
  if (parts > kMaxTypeParts && type.kind != TypeKind::kFunction) {
    return AnyType();
  }
  type.parts = static_cast<std::uint32_t>(std::min<std::uint64_t>(parts, kMaxTypeParts));
  return std::make_shared<const Type>(std::move(type));
}

TypePtr ScalarType(TypeKind kind) {
  Type type;
  type.kind = kind;
  return Bounded(std::move(type));
}

TypePtr AnyType() {
  return std::make_shared<const Type>();
}

TypePtr ArrayType(std::vector<TypePtr> items, TypePtr dynamic) {
  Type type;
  type.kind = TypeKind::kArray;
  type.items = std::move(items);
  type.dynamic = std::move(dynamic);
  return Bounded(std::move(type));
}

TypePtr SetType(TypePtr of) {
  Type type;
  type.kind = TypeKind::kSet;
  type.dynamic = std::move(of);
  return Bounded(std::move(type));
}

TypePtr ObjectType(std::vector<Property> properties) {
  return Bounded(NewObject(std::move(properties)));
}

TypePtr ObjectType(std::vector<Property> properties, TypePtr key, TypePtr value) {
  Type type = NewObject(std::move(properties));
  type.has_dynamic = true;
  type.key = std::move(key);
  type.dynamic = std::move(value);
  return Bounded(std::move(type));
}

TypePtr FunctionType(std::vector<TypePtr> arguments, TypePtr result) {
  Type type;
  type.kind = TypeKind::kFunction;
  type.items = std::move(arguments);
  type.result = std::move(result);
  return Bounded(std::move(type));
}

TypePtr AnyOf(std::vector<TypePtr> choices) {
  Type type;
  std::ranges::stable_sort(choices,
                           [](const TypePtr& a, const TypePtr& b) { return Compare(a, b) < 0; });
  type.items = std::move(choices);
  return Bounded(std::move(type));
}

int Compare(const TypePtr& a, const TypePtr& b) {
  if (!a || !b) {
    return a ? 1 : b ? -1 : 0;
  }
  if (a == b) {
    return 0;
  }
  if (a->kind != b->kind) {
    return a->kind < b->kind ? -1 : 1;
  }
  switch (a->kind) {
    case TypeKind::kArray:
      if ((a->dynamic != nullptr) != (b->dynamic != nullptr)) {
        return a->dynamic ? 1 : -1;
      }
      if (int order = Compare(a->dynamic, b->dynamic)) {
        return order;
      }
      return CompareItems(a->items, b->items);
    case TypeKind::kObject:
      return CompareObjects(*a, *b);
    case TypeKind::kSet:
      return Compare(a->dynamic, b->dynamic);
    case TypeKind::kAny:
      return CompareItems(a->items, b->items);
    case TypeKind::kFunction:
      if (a->items.size() != b->items.size()) {
        return a->items.size() < b->items.size() ? -1 : 1;
      }
      if (int order = CompareItems(a->items, b->items)) {
        return order;
      }
      if (int order = Compare(a->result, b->result)) {
        return order;
      }
      return Compare(a->dynamic, b->dynamic);
    default:
      return 0;
  }
}

bool IsAnything(const TypePtr& type) {
  return IsKind(type, TypeKind::kAny) && type->items.empty();
}

TypePtr Or(const TypePtr& a, const TypePtr& b) {
  if (!a) {
    return b;
  }
  if (!b) {
    return a;
  }
  bool function_a = a->kind == TypeKind::kFunction;
  bool function_b = b->kind == TypeKind::kFunction;
  if (function_a && function_b) {
    return OrFunctions(*a, *b);
  }
  if (function_a || function_b) {
    return nullptr;
  }
  if (a->kind == TypeKind::kAny) {
    return Merge(a, b);
  }
  if (b->kind == TypeKind::kAny) {
    return Merge(b, a);
  }
  return Compare(a, b) == 0 ? a : AnyOf({a, b});
}

TypePtr Select(const TypePtr& type, const Term& key) {
  if (!type) {
    return nullptr;
  }
  switch (type->kind) {
    case TypeKind::kArray: {
      if (key.kind != TermKind::kNumber) {
        return nullptr;
      }
      std::size_t position = 0;
      const char* end = key.text.data() + key.text.size();
      auto [rest, error] = std::from_chars(key.text.data(), end, position);
      return error == std::errc() && rest == end ? ItemAt(*type, position) : nullptr;
    }
    case TypeKind::kObject:
      return SelectProperty(*type, key);
    case TypeKind::kSet: {
      TypePtr wanted = TypeOf(key);
      if (Compare(type->dynamic, wanted) == 0) {
        return type->dynamic;
      }
      return IsKind(type->dynamic, TypeKind::kAny) && Includes(type->dynamic, wanted) ? wanted
                                                                                      : nullptr;
    }
    case TypeKind::kAny: {
      if (type->items.empty()) {
        return type;
      }
      TypePtr selected;
      for (const TypePtr& choice : type->items) {
        selected = Or(Select(choice, key), selected);
      }
      return selected;
    }
    default:
      return nullptr;
  }
}

namespace {

// Of a type that can be walked, what `of_own` says of an array or object; of several, what any of them has.
template <class OfOwn>
TypePtr PartsOf(const TypePtr& type, const OfOwn& of_own) {
  if (!type) {
    return nullptr;
  }
  switch (type->kind) {
    case TypeKind::kArray:
    case TypeKind::kObject:
      return of_own(*type);
    case TypeKind::kSet:
      return type->dynamic;
    case TypeKind::kAny: {
      if (type->items.empty()) {
        return type;
      }
      TypePtr parts;
      for (const TypePtr& choice : type->items) {
        parts = Or(PartsOf(choice, of_own), parts);
      }
      return parts;
    }
    default:
      return nullptr;
  }
}

}  // namespace

TypePtr Keys(const TypePtr& type) {
  return PartsOf(type, [](const Type& own) {
    if (own.kind == TypeKind::kArray) {
      return ScalarType(TypeKind::kNumber);
    }
    TypePtr keys;
    for (const Property& property : own.properties) {
      keys = Or(keys, TypeOf(*property.key));
    }
    return own.has_dynamic ? Or(keys, own.key) : keys;
  });
}

TypePtr Values(const TypePtr& type) {
  return PartsOf(type, [](const Type& own) {
    TypePtr values;
    if (own.kind == TypeKind::kArray) {
      for (const TypePtr& item : own.items) {
        values = Or(values, item);
      }
      return Or(values, own.dynamic);
    }
    for (const Property& property : own.properties) {
      values = Or(values, property.value);
    }
    return own.has_dynamic ? Or(values, own.dynamic) : values;
  });
}

bool IsUnknown(const TypePtr& type) {
  if (!type) {
    return true;
  }
  switch (type->kind) {
    case TypeKind::kFunction:
      return std::ranges::any_of(type->items, IsUnknown) || IsUnknown(type->result);
    case TypeKind::kArray:
      return std::ranges::any_of(type->items, IsUnknown) ||
             (type->dynamic && IsUnknown(type->dynamic));
    case TypeKind::kObject:
      return std::ranges::any_of(type->properties,
                                 [](const Property& p) { return IsUnknown(p.value); }) ||
             (type->has_dynamic && (IsUnknown(type->key) || IsUnknown(type->dynamic)));
    case TypeKind::kSet:
      return IsUnknown(type->dynamic);
    default:
      return false;
  }
}

TypePtr TypeOf(const Term& constant) {
  switch (constant.kind) {
    case TermKind::kNull:
      return ScalarType(TypeKind::kNull);
    case TermKind::kBoolean:
      return ScalarType(TypeKind::kBoolean);
    case TermKind::kNumber:
      return ScalarType(TypeKind::kNumber);
    case TermKind::kArray:
    case TermKind::kSet: {
      std::vector<TypePtr> items;
      for (const TermPtr& item : constant.items) {
        items.push_back(TypeOf(*item));
      }
      return ArrayType(std::move(items), nullptr);
    }
    case TermKind::kObject: {
      std::vector<Property> properties;
      for (std::size_t i = 0; i + 1 < constant.items.size(); i += 2) {
        properties.push_back({Clone(*constant.items[i]), TypeOf(*constant.items[i + 1])});
      }
      return ObjectType(std::move(properties));
    }
    default:
      return ScalarType(TypeKind::kString);
  }
}

bool IsEmptyCollection(const TypePtr& type) {
  if (!type) {
    return false;
  }
  switch (type->kind) {
    case TypeKind::kObject:
      return type->properties.empty() && !type->has_dynamic;
    case TypeKind::kArray:
      return type->items.empty() && !type->dynamic;
    case TypeKind::kSet:
      return !type->dynamic;
    default:
      return false;
  }
}

bool Unifies(const TypePtr& a, const TypePtr& b) {
  if (!a || !b) {
    return false;
  }
  bool any_a = a->kind == TypeKind::kAny;
  bool any_b = b->kind == TypeKind::kAny;
  if (any_a && UnifiesAny(*a, b)) {
    return true;
  }
  if (any_b && UnifiesAny(*b, a)) {
    return true;
  }
  if (any_a || any_b || a->kind != b->kind) {
    return false;
  }
  switch (a->kind) {
    case TypeKind::kArray:
      return UnifiesArrayItems(*a, *b, 0) && UnifiesArrayItems(*b, *a, a->items.size()) &&
             (!a->dynamic || !b->dynamic || Unifies(a->dynamic, b->dynamic));
    case TypeKind::kObject:
      return UnifiesProperties(*a, *b, Shared::kTry) &&
             UnifiesProperties(*b, *a, Shared::kLeaveOut) &&
             (!a->dynamic || !b->dynamic || Unifies(a->dynamic, b->dynamic));
    case TypeKind::kSet:
      return !a->dynamic || !b->dynamic || Unifies(a->dynamic, b->dynamic);
    case TypeKind::kFunction:
      if (a->items.size() != b->items.size()) {
        return false;
      }
      for (std::size_t i = 0; i < a->items.size(); ++i) {
        if (!Unifies(a->items[i], b->items[i])) {
          return false;
        }
      }
      return true;
    default:
      return true;
  }
}

}  // namespace portcullis::rego
