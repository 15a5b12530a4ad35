// What makes a value a Kubernetes object: its identity.

#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/error.h"
#include "document/value.h"

namespace portcullis::document {

// Kubernetes' GroupVersionKind. The core group is "".
struct GroupVersionKind {
  std::string group;
  std::string version;
  std::string kind;
  // "apps/v1", or "v1" for the core group.
  [[nodiscard]] std::string group_version() const;
  // "apps/v1/Deployment"
  [[nodiscard]] std::string ToString() const;
  friend auto operator<=>(const GroupVersionKind&, const GroupVersionKind&) = default;
};

// From an apiVersion ("apps/v1" or "v1") and a kind.
[[nodiscard]] GroupVersionKind MakeGroupVersionKind(std::string_view api_version,
                                                    std::string_view kind);

struct ObjectIdentity {
  GroupVersionKind type;
  std::string name_space;  // "" for cluster-scoped objects.
  std::string name;
  std::string uid;
  std::string resource_version;
  friend bool operator==(const ObjectIdentity&, const ObjectIdentity&) = default;
};

// ERRORS: kInvalidArgument: not an object, or without apiVersion, kind or metadata.name.
[[nodiscard]] Result<ObjectIdentity> IdentityOf(const Value& object);

}  // namespace portcullis::document
