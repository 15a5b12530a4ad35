#include "store/object_key.h"

#include <array>
#include <cstddef>
#include <span>

namespace portcullis::store {
namespace {

constexpr char kNamespaced = 'n';
constexpr char kCluster = 'c';
constexpr char kSeparator = '\0';

Result<void> CheckPart(std::string_view what, std::string_view text) {
  if (text.find(kSeparator) != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument,
                "the object's " + std::string(what) + " holds a NUL byte");
  }
  return {};
}

}  // namespace

Result<ObjectKey> KeyOf(const document::ObjectIdentity& identity) {
  ObjectKey key{.scope = identity.name_space.empty() ? Scope::kCluster : Scope::kNamespaced,
                .name_space = identity.name_space,
                .group_version = identity.type.group_version(),
                .kind = identity.type.kind,
                .name = identity.name};
  if (key.name.empty() || key.kind.empty() || identity.type.version.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "the object has no name, kind or version");
  }
  TRY(CheckPart("namespace", key.name_space));
  TRY(CheckPart("apiVersion", key.group_version));
  TRY(CheckPart("kind", key.kind));
  TRY(CheckPart("name", key.name));
  return key;
}

std::string EncodeKey(const ObjectKey& key) {
  std::string bytes;
  AppendKey({.scope = key.scope,
             .name_space = key.name_space,
             .group_version = key.group_version,
             .kind = key.kind,
             .name = key.name},
            &bytes);
  return bytes;
}

void AppendKey(const ObjectKeyView& key, std::string* out) {
  out->reserve(out->size() + key.name_space.size() + key.group_version.size() + key.kind.size() +
               key.name.size() + 4);
  if (key.scope == Scope::kNamespaced) {
    out->push_back(kNamespaced);
    out->append(key.name_space);
    out->push_back(kSeparator);
  } else {
    out->push_back(kCluster);
  }
  out->append(key.group_version);
  out->push_back(kSeparator);
  out->append(key.kind);
  out->push_back(kSeparator);
  out->append(key.name);
}

ObjectKey ObjectKeyView::ToKey() const {
  return {.scope = scope,
          .name_space = std::string(name_space),
          .group_version = std::string(group_version),
          .kind = std::string(kind),
          .name = std::string(name)};
}

void AppendTreePrefix(Scope scope, std::span<const std::string_view> segments, std::string* out) {
  out->push_back(scope == Scope::kNamespaced ? kNamespaced : kCluster);
  const std::size_t inner = KeyLevels(scope) - 1;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    out->append(segments[i]);
    if (i < inner) {
      out->push_back(kSeparator);
    }
  }
}

std::optional<ObjectKeyView> DecodeKey(std::string_view bytes) {
  if (bytes.empty() || (bytes[0] != kNamespaced && bytes[0] != kCluster)) {
    return std::nullopt;
  }
  ObjectKeyView view;
  view.scope = bytes[0] == kNamespaced ? Scope::kNamespaced : Scope::kCluster;
  bytes.remove_prefix(1);
  std::array<std::string_view*, 3> parts = {&view.name_space, &view.group_version, &view.kind};
  for (std::size_t i = view.scope == Scope::kNamespaced ? 0 : 1; i < parts.size(); ++i) {
    const std::size_t end = bytes.find(kSeparator);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    *parts[i] = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (parts[i]->empty()) {
      return std::nullopt;
    }
  }
  if (bytes.find(kSeparator) != std::string_view::npos) {
    return std::nullopt;
  }
  view.name = bytes;
  return view;
}

}  // namespace portcullis::store
