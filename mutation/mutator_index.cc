#include "mutation/mutator_index.h"

#include <algorithm>
#include <set>

namespace portcullis::mutation {
namespace {

// Empty: any kind.
std::set<std::string> KindsOf(const Mutator& mutator) {
  std::set<std::string> kinds;
  for (const ApplyTo& entry : mutator.apply_to()) {
    kinds.insert(entry.kinds.begin(), entry.kinds.end());
  }
  if (mutator.id().kind == MutatorKind::kAssignMetadata) {
    const std::vector<std::string> named = mutator.match().KindsNamed();
    kinds.insert(named.begin(), named.end());
  }
  return kinds;
}

// Both ascending, without duplicates between them.
void Merge(const std::vector<std::uint32_t>& from, std::vector<std::uint32_t>* to) {
  const auto middle = static_cast<std::ptrdiff_t>(to->size());
  to->insert(to->end(), from.begin(), from.end());
  std::inplace_merge(to->begin(), to->begin() + middle, to->end());
}

}  // namespace

void MutatorIndex::Places::Add(std::uint32_t place, const Mutator& mutator) {
  all.push_back(place);
  ask_providers = ask_providers || mutator.external_data().has_value();
  const std::vector<std::string> names = mutator.match().NamespacesNamed();
  if (names.empty()) {
    of_any_namespace.push_back(place);
  }
  for (const std::string& name : names) {
    by_namespace[name].push_back(place);
  }
}

void MutatorIndex::Places::Append(std::optional<std::string_view> name_space,
                                  std::vector<std::uint32_t>* to) const {
  if (!name_space) {
    Merge(all, to);
    return;
  }
  Merge(of_any_namespace, to);
  if (const auto found = by_namespace.find(*name_space); found != by_namespace.end()) {
    Merge(found->second, to);
  }
}

void MutatorIndex::Add(std::uint32_t place, const Mutator& mutator) {
  const std::set<std::string> kinds = KindsOf(mutator);
  if (kinds.empty()) {
    of_any_kind_.Add(place, mutator);
  }
  for (const std::string& kind : kinds) {
    by_kind_[kind].Add(place, mutator);
  }
}

void MutatorIndex::Find(std::string_view kind, std::optional<std::string_view> name_space,
                        std::vector<std::uint32_t>* places) const {
  places->clear();
  of_any_kind_.Append(name_space, places);
  if (const auto found = by_kind_.find(kind); found != by_kind_.end()) {
    found->second.Append(name_space, places);
  }
}

bool MutatorIndex::MayAskProviders(std::string_view kind) const {
  const auto found = by_kind_.find(kind);
  return of_any_kind_.ask_providers || (found != by_kind_.end() && found->second.ask_providers);
}

}  // namespace portcullis::mutation
