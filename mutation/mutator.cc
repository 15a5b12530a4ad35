#include "mutation/mutator.h"

#include <algorithm>
#include <array>
#include <utility>

namespace portcullis::mutation {
namespace {

constexpr std::array<std::string_view, 4> kKindNames = {"Assign", "AssignImage", "AssignMetadata",
                                                        "ModifySet"};

bool Holds(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

}  // namespace

std::string_view NameOf(MutatorKind kind) {
  return kKindNames[static_cast<std::size_t>(kind)];
}

std::optional<MutatorKind> FindMutatorKind(std::string_view name) {
  const auto found = std::ranges::find(kKindNames, name);
  if (found == kKindNames.end()) {
    return std::nullopt;
  }
  return static_cast<MutatorKind>(found - kKindNames.begin());
}

bool IsMutator(std::string_view group, std::string_view kind) {
  return group == kMutationsGroup && FindMutatorKind(kind).has_value();
}

std::string MutatorId::ToString() const {
  return std::string(NameOf(kind)) + "." + std::string(kMutationsGroup) + " " + name_space + "/" +
         name;
}

TypeView TypeOf(const document::Value& object) {
  const std::string_view api_version = object.GetString({"apiVersion"});
  const std::size_t slash = api_version.find('/');
  const bool core = slash == std::string_view::npos;
  return {.group = core ? std::string_view() : api_version.substr(0, slash),
          .version = core ? api_version : api_version.substr(slash + 1),
          .kind = object.GetString({"kind"})};
}

bool ApplyTo::Applies(const TypeView& type, Operation operation) const {
  const bool in_operation = operation == Operation::kCreate   ? on_create
                            : operation == Operation::kUpdate ? on_update
                                                              : on_create && on_update;
  return in_operation && Holds(groups, type.group) && Holds(versions, type.version) &&
         Holds(kinds, type.kind);
}

Mutator::Mutator() = default;

std::string Mutator::Summary() const {
  return std::string(NameOf(id_.kind)) + "/" + id_.name_space + "/" + id_.name + ":" +
         std::to_string(generation_);
}

Result<bool> Mutator::Matches(const TypeView& type, Operation operation,
                              const policy::MatchSubject& subject) const {
  if (id_.kind != MutatorKind::kAssignMetadata &&
      std::ranges::none_of(apply_to_,
                           [&](const ApplyTo& entry) { return entry.Applies(type, operation); })) {
    return false;
  }
  return match_.MatchesObject(subject);
}

}  // namespace portcullis::mutation
