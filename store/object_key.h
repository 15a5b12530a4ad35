// Where an object stands in the inventory, and the bytes that sort as Rego walks it.
//
//   namespaced: 'n' namespace NUL groupVersion NUL kind NUL name
//   cluster:    'c' groupVersion NUL kind NUL name
//
// NUL is lower than every byte that these may hold, so that the byte order of whole keys is the
// byte order of each level in turn (foo before foo-1). A key with an empty name is a parent marker:
// the kind was present once since it was last wiped, so that its map exists even when empty.

#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "document/object.h"

namespace portcullis::store {

enum class Scope : std::uint8_t { kCluster, kNamespaced };

struct ObjectKey {
  Scope scope = Scope::kNamespaced;
  std::string name_space;  // "" when cluster-scoped.
  std::string group_version;
  std::string kind;
  std::string name;
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

// Scope follows from the namespace: objects without one are cluster-scoped.
// ERRORS: kInvalidArgument: a part holds a NUL byte, or kind, version or name is empty.
[[nodiscard]] Result<ObjectKey> KeyOf(const document::ObjectIdentity& identity);

[[nodiscard]] std::string EncodeKey(const ObjectKey& key);

// The parts of an encoded key, as slices of it. Nothing: these bytes are no key.
struct ObjectKeyView {
  Scope scope = Scope::kNamespaced;
  std::string_view name_space;
  std::string_view group_version;
  std::string_view kind;
  std::string_view name;
  [[nodiscard]] ObjectKey ToKey() const;
};
[[nodiscard]] std::optional<ObjectKeyView> DecodeKey(std::string_view bytes);

// What EncodeKey gives, appended.
void AppendKey(const ObjectKeyView& key, std::string* out);

// Parts of a key in this scope: namespace, group version, kind and name, or the last three.
[[nodiscard]] constexpr std::size_t KeyLevels(Scope scope) {
  return scope == Scope::kNamespaced ? 4 : 3;
}

// Appends the bytes that all keys start with whose first parts are `segments`; with every part
// given, the whole key.
void AppendTreePrefix(Scope scope, std::span<const std::string_view> segments, std::string* out);

}  // namespace portcullis::store
