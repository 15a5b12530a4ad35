// OPA's static types: what is known of a value before anything runs.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/rego/ast.h"

namespace portcullis::rego {

struct Type;
// Null: nothing is known.
using TypePtr = std::shared_ptr<const Type>;

enum class TypeKind : std::uint8_t {
  kNull,
  kBoolean,
  kNumber,
  kString,
  kArray,
  kObject,
  kSet,
  kAny,
  kFunction
};

struct Property {
  std::shared_ptr<const Term> key;  // A constant.
  TypePtr value;
};

struct Type {
  TypeKind kind = TypeKind::kAny;
  std::vector<TypePtr>
      items;  // kArray: of fixed positions. kAny: the choices, none for all. kFunction: arguments.
  TypePtr
      dynamic;  // kArray: items after those. kSet: members. kObject: values. kFunction: further arguments.
  TypePtr key;                       // kObject: keys of `dynamic`.
  bool has_dynamic = false;          // kObject: there may be other keys.
  std::vector<Property> properties;  // kObject: sorted by key.
  TypePtr result;                    // kFunction; null: it has none.
  std::vector<std::string>
      names;  // kFunction: of arguments, where they are known; for error texts.
  std::string result_name;
  std::uint32_t parts =
      1;  // Itself and all types in it, those that are shared as often as they occur.
};

// A type of more parts is taken for any: types share parts, so that a short text can spell a huge one (a1 := [a0, a0];
// a2 := [a1, a1]; …), and what is done with a type takes time for each part.
inline constexpr std::uint32_t kMaxTypeParts = 1U << 16;
// `type` with its parts counted, or any. All types are made by this.
[[nodiscard]] TypePtr Bounded(Type type);

[[nodiscard]] TypePtr ScalarType(TypeKind kind);
[[nodiscard]] TypePtr AnyType();
[[nodiscard]] TypePtr AnyOf(std::vector<TypePtr> choices);
[[nodiscard]] TypePtr ArrayType(std::vector<TypePtr> items, TypePtr dynamic);
[[nodiscard]] TypePtr SetType(TypePtr of);
[[nodiscard]] TypePtr ObjectType(std::vector<Property> properties);
[[nodiscard]] TypePtr ObjectType(std::vector<Property> properties, TypePtr key, TypePtr value);
[[nodiscard]] TypePtr FunctionType(std::vector<TypePtr> arguments, TypePtr result);

// The type that a builtin's text describes (rules/builtins/builtin.h). REQUIRES: the text is well-formed.
[[nodiscard]] TypePtr ParseFunctionType(std::string_view text);

[[nodiscard]] int Compare(const TypePtr& a, const TypePtr& b);
[[nodiscard]] bool IsAnything(const TypePtr& type);  // Any without choices.
[[nodiscard]] TypePtr Or(const TypePtr& a, const TypePtr& b);
// The type of a[key]; null: it has no such key.
[[nodiscard]] TypePtr Select(const TypePtr& type, const Term& key);
[[nodiscard]] TypePtr Keys(const TypePtr& type);
[[nodiscard]] TypePtr Values(const TypePtr& type);
// Some part of it is not known.
[[nodiscard]] bool IsUnknown(const TypePtr& type);
[[nodiscard]] TypePtr TypeOf(const Term& constant);
// An object, array or set that can hold nothing.
[[nodiscard]] bool IsEmptyCollection(const TypePtr& type);

// "set[string]", "object<a: number>[string: any]", "???".
[[nodiscard]] std::string ToString(const TypePtr& type);
// Both, with what they share left out, for error texts.
struct TypeTexts {
  std::string left;
  std::string right;
};
[[nodiscard]] TypeTexts Difference(const TypePtr& a, const TypePtr& b);
// The outermost constructor alone, where all would be long.
[[nodiscard]] std::string Elided(const TypePtr& type);
[[nodiscard]] std::string ElidedAlways(const TypePtr& type);
// Whether a line of an error text is so wide that types in it should be elided.
[[nodiscard]] bool IsTooWide(std::string_view line);

// True if a value may have both types.
[[nodiscard]] bool Unifies(const TypePtr& a, const TypePtr& b);

}  // namespace portcullis::rego
