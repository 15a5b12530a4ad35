// The kinds of objects that a template says it needs in data.inventory: its annotation metadata.gatekeeper.sh/requires-sync-data
// (gatekeeper.md 1.1). Nothing is made of it but a warning: what a template reads does not hang on what it says.

#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/object.h"
#include "document/value.h"

namespace portcullis::policy {

inline constexpr std::string_view kSyncAnnotation = "metadata.gatekeeper.sh/requires-sync-data";

// One of these kinds must be there.
using SyncAlternatives = std::set<document::GroupVersionKind>;

// The template's annotation; none: it asks for nothing. LIFETIME: that of `object`.
[[nodiscard]] std::optional<std::string_view> SyncAnnotationOf(const document::Value& object);

// All must be met. ERRORS: kInvalidArgument: no JSON list of lists of objects with groups, versions and kinds.
[[nodiscard]] Result<std::vector<SyncAlternatives>> ReadSyncRequirements(
    std::string_view annotation);

// Why `synced` does not meet what the annotation asks for, a line each; also where it cannot be read. Empty: it does.
[[nodiscard]] std::vector<std::string> UnmetSyncRequirements(
    std::string_view annotation, const std::set<document::GroupVersionKind>& synced);

}  // namespace portcullis::policy
