#include "controller/exclusions.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <set>
#include <utility>

#include "rules/policy/kubernetes_text.h"

namespace portcullis::controller {
namespace {

using document::Value;

constexpr std::string_view kSync = "sync";

// FNV-1a: the same in every run, as stored positions need it.
std::uint64_t StableHash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return hash;
}

}  // namespace

class SyncFilter final : public replicator::ObjectFilter {
 public:
  SyncFilter(std::shared_ptr<const Exclusions> exclusions, const std::set<std::string>& patterns)
      : exclusions_(std::move(exclusions)) {
    std::string text;
    for (const std::string& pattern : patterns) {
      text += pattern + '\n';
    }
    char digits[17];
    std::snprintf(digits, sizeof(digits), "%016llx",
                  static_cast<unsigned long long>(StableHash(text)));
    fingerprint_ = digits;
  }

  static std::set<std::string> Patterns(const Exclusions& exclusions) {
    std::set<std::string> patterns;
    for (const Exclusions::Entry& entry : exclusions.entries_) {
      if (entry.Concerns(kSync)) {
        patterns.insert(entry.patterns.begin(), entry.patterns.end());
      }
    }
    return patterns;
  }

  [[nodiscard]] bool Excludes(const document::ObjectIdentity& object) const override {
    return exclusions_->IsExcluded(kSync, object.type.group, object.type.kind, object.name_space,
                                   object.name);
  }
  [[nodiscard]] std::string Fingerprint() const override { return fingerprint_; }

 private:
  const std::shared_ptr<const Exclusions> exclusions_;
  std::string fingerprint_;
};

bool Exclusions::Entry::Concerns(std::string_view process) const {
  return std::ranges::any_of(
      processes, [process](const std::string& name) { return name == "*" || name == process; });
}

Exclusions::Exclusions(const Value& match) {
  for (std::uint32_t i = 0; match.is_array() && i < match.size(); ++i) {
    const Value item = match.ItemAt(i);
    Entry entry;
    entry.processes = policy::StringsOf(item.Find("processes"));
    entry.patterns = policy::StringsOf(item.Find("excludedNamespaces"));
    for (const std::string& pattern : entry.patterns) {
      entry.wildcards.emplace_back(pattern);
    }
    entries_.push_back(std::move(entry));
  }
}

bool Exclusions::IsExcluded(std::string_view process, std::string_view group, std::string_view kind,
                            std::string_view name_space, std::string_view name) const {
  const bool is_namespace = group.empty() && kind == "Namespace";
  const std::string_view candidate = is_namespace ? name : name_space;
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    return entry.Concerns(process) &&
           std::ranges::any_of(entry.wildcards, [&](const policy::Wildcard& wildcard) {
             return wildcard.Matches(candidate);
           });
  });
}

std::string Exclusions::PatternsOf(std::string_view process) const {
  std::set<std::string> patterns;
  for (const Entry& entry : entries_) {
    if (entry.Concerns(process)) {
      patterns.insert(entry.patterns.begin(), entry.patterns.end());
    }
  }
  std::string text;
  for (const std::string& pattern : patterns) {
    text += pattern + '\n';
  }
  return text;
}

std::shared_ptr<const replicator::ObjectFilter> MakeSyncFilter(
    std::shared_ptr<const Exclusions> exclusions) {
  const std::set<std::string> patterns = SyncFilter::Patterns(*exclusions);
  if (patterns.empty()) {
    return nullptr;
  }
  return std::make_shared<SyncFilter>(std::move(exclusions), patterns);
}

}  // namespace portcullis::controller
