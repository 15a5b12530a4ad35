#include "document/object.h"

namespace portcullis::document {

std::string GroupVersionKind::group_version() const {
  return group.empty() ? version : group + "/" + version;
}

std::string GroupVersionKind::ToString() const {
  return group_version() + "/" + kind;
}

GroupVersionKind MakeGroupVersionKind(std::string_view api_version, std::string_view kind) {
  const std::size_t slash = api_version.find('/');
  if (slash == std::string_view::npos) {
    return {.group = "", .version = std::string(api_version), .kind = std::string(kind)};
  }
  return {.group = std::string(api_version.substr(0, slash)),
          .version = std::string(api_version.substr(slash + 1)),
          .kind = std::string(kind)};
}

Result<ObjectIdentity> IdentityOf(const Value& object) {
  if (!object.is_object()) {
    return Fail(ErrorCode::kInvalidArgument, "not a Kubernetes object: not a JSON object");
  }
  const std::string_view api_version = object.GetString({"apiVersion"});
  const std::string_view kind = object.GetString({"kind"});
  const Value metadata = object.Find("metadata");
  const std::string_view name = metadata.GetString({"name"});
  for (const auto& [field, value] : {std::pair{"apiVersion", api_version}, std::pair{"kind", kind},
                                     std::pair{"metadata.name", name}}) {
    if (value.empty()) {
      return Fail(ErrorCode::kInvalidArgument, std::string("not a Kubernetes object: no ") + field);
    }
  }
  return ObjectIdentity{.type = MakeGroupVersionKind(api_version, kind),
                        .name_space = std::string(metadata.GetString({"namespace"})),
                        .name = std::string(name),
                        .uid = std::string(metadata.GetString({"uid"})),
                        .resource_version = std::string(metadata.GetString({"resourceVersion"}))};
}

}  // namespace portcullis::document
