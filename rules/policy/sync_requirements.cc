#include "rules/policy/sync_requirements.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "document/json.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::policy {
namespace {

using document::GroupVersionKind;
using document::Value;

std::unexpected<Error> Invalid(std::string text) {
  return Fail(ErrorCode::kInvalidArgument, std::move(text));
}

bool IsAbsent(const Value& value) {
  return value.is_undefined() || value.is_null();
}

// A list of texts, as Go reads one: null is an empty one.
Result<std::vector<std::string>> Texts(const Value& list, std::string_view field) {
  std::vector<std::string> texts;
  if (!IsAbsent(list) && !list.is_array()) {
    return Invalid(std::string(field) + " is no list");
  }
  for (std::uint32_t i = 0; list.is_array() && i < list.size(); ++i) {
    if (!list.ItemAt(i).is_string()) {
      return Invalid(std::string(field) + " holds what is no text");
    }
    texts.emplace_back(list.ItemAt(i).string());
  }
  return texts;
}

// Every group with every version and every kind.
Result<void> AddClause(const Value& clause, SyncAlternatives* to) {
  if (clause.is_null()) {
    return {};
  }
  if (!clause.is_object()) {
    return Invalid("an alternative is no object");
  }
  Value groups;
  Value versions;
  Value kinds;
  for (std::uint32_t i = 0; i < clause.size(); ++i) {
    // Go's decoder does not look at the case.
    const std::string name = LowerCase(clause.KeyAt(i).string());
    if (name != "groups" && name != "versions" && name != "kinds") {
      return Invalid("json: unknown field " + Quote(clause.KeyAt(i).string()));
    }
    (name == "groups" ? groups : name == "versions" ? versions : kinds) = clause.ValueAt(i);
  }
  const std::vector<std::string> all_groups = TRY(Texts(groups, "groups"));
  const std::vector<std::string> all_versions = TRY(Texts(versions, "versions"));
  const std::vector<std::string> all_kinds = TRY(Texts(kinds, "kinds"));
  for (const std::string& group : all_groups) {
    for (const std::string& version : all_versions) {
      for (const std::string& kind : all_kinds) {
        to->insert({.group = group, .version = version, .kind = kind});
      }
    }
  }
  return {};
}

}  // namespace

std::optional<std::string_view> SyncAnnotationOf(const Value& object) {
  const Value annotation = object.Get({"metadata", "annotations", kSyncAnnotation});
  return annotation.is_string() ? std::optional(annotation.string()) : std::nullopt;
}

Result<std::vector<SyncAlternatives>> ReadSyncRequirements(std::string_view text) {
  std::vector<SyncAlternatives> requirements;
  const auto is_trimmed = [](char c) { return c == '\n' || c == '"'; };
  while (!text.empty() && is_trimmed(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_trimmed(text.back())) {
    text.remove_suffix(1);
  }
  if (text.empty()) {
    return Invalid("EOF");
  }
  document::Arena arena;
  const Value list = TRY(document::ParseJson(text, arena));
  if (!IsAbsent(list) && !list.is_array()) {
    return Invalid("it is no list");
  }
  for (std::uint32_t i = 0; list.is_array() && i < list.size(); ++i) {
    const Value clauses = list.ItemAt(i);
    if (!clauses.is_array() && !clauses.is_null()) {
      return Invalid("a requirement is no list");
    }
    SyncAlternatives& alternatives = requirements.emplace_back();
    for (std::uint32_t j = 0; clauses.is_array() && j < clauses.size(); ++j) {
      TRY(AddClause(clauses.ItemAt(j), &alternatives));
    }
  }
  return requirements;
}

std::vector<std::string> UnmetSyncRequirements(std::string_view annotation,
                                               const std::set<GroupVersionKind>& synced) {
  std::vector<std::string> unmet;
  const auto requirements = ReadSyncRequirements(annotation);
  if (!requirements) {
    unmet.push_back("the annotation " + std::string(kSyncAnnotation) +
                    " cannot be read: " + requirements.error().message);
    return unmet;
  }
  for (const SyncAlternatives& alternatives : *requirements) {
    const bool met = std::ranges::any_of(
        alternatives, [&](const GroupVersionKind& type) { return synced.contains(type); });
    if (met) {
      continue;
    }
    std::string names;
    for (const GroupVersionKind& type : alternatives) {
      // As Gatekeeper's `gator sync test` names them.
      names += (names.empty() ? "" : " OR ") + type.group + "/" + type.version + ":" + type.kind;
    }
    unmet.push_back("the template asks for data that neither Config nor a SyncSet replicates: " +
                    (names.empty() ? "nothing could meet one of its requirements" : names));
  }
  return unmet;
}

}  // namespace portcullis::policy
