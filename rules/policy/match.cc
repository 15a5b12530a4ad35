#include "rules/policy/match.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "document/json.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/policy/label_selector.h"
#include "rules/policy/wildcard.h"

namespace portcullis::policy {
namespace {

using document::Value;

std::vector<Wildcard> Wildcards(const Value& list) {
  std::vector<Wildcard> wildcards;
  for (const std::string& pattern : StringsOf(list)) {
    wildcards.emplace_back(pattern);
  }
  return wildcards;
}

// A list of kinds or groups: empty, or with a star in it, it holds all.
struct NameList {
  bool all = false;
  std::vector<std::string> names;

  static NameList Parse(const Value& list) {
    NameList result{.names = StringsOf(list)};
    result.all = result.names.empty() || std::ranges::find(result.names, "*") != result.names.end();
    return result;
  }
  [[nodiscard]] bool Holds(std::string_view name) const {
    return all || std::ranges::find(names, name) != names.end();
  }
};

struct KindsEntry {
  NameList groups;
  NameList kinds;
};

Result<std::optional<LabelSelector>> Selector(const Value& match, std::string_view name) {
  const Value selector = match.Find(name);
  if (!selector.is_object()) {
    return std::optional<LabelSelector>();
  }
  // Gatekeeper names this one path for both selectors.
  return std::optional(TRY(LabelSelector::Parse(selector, "spec.labelSelector")));
}

}  // namespace

struct Match::State {
  bool given = false;  // There is a spec.match: objects are then looked at, and can be refused.
  std::vector<KindsEntry> kinds;
  std::string scope;
  std::vector<Wildcard> namespaces;
  std::vector<Wildcard> excluded_namespaces;
  std::optional<LabelSelector> label_selector;
  std::optional<LabelSelector> namespace_selector;
  // Why a mutator's selector cannot be asked; empty: it can.
  std::string label_selector_problem;
  std::string namespace_selector_problem;
  std::optional<Wildcard> name_pattern;
  std::string source;

  using Candidate = MatchSubject::Candidate;

  [[nodiscard]] Result<bool> MatchesOne(const Candidate& candidate,
                                        const MatchSubject& subject) const;
  [[nodiscard]] bool MatchesKind(std::string_view group, std::string_view kind) const;
  [[nodiscard]] bool MatchesScope(const Candidate& candidate, const Value& name_space) const;
  [[nodiscard]] bool MatchesNamespaces(const Candidate& candidate) const;
  [[nodiscard]] Result<bool> MatchesNamespaceSelector(const Candidate& candidate,
                                                      const Value& name_space) const;
  [[nodiscard]] bool MatchesName(const Candidate& candidate) const;
  [[nodiscard]] Result<bool> MatchesSource(const Candidate& candidate,
                                           std::string_view source_of_review) const;
};

bool Match::State::MatchesKind(std::string_view group, std::string_view kind) const {
  return kinds.empty() || std::ranges::any_of(kinds, [&](const KindsEntry& entry) {
           return entry.kinds.Holds(kind) && entry.groups.Holds(group);
         });
}

bool Match::State::MatchesScope(const Candidate& candidate, const Value& name_space) const {
  const bool has_namespace = !candidate.own_namespace.empty() || name_space.is_defined();
  if (scope == "Cluster") {
    return candidate.is_namespace || !has_namespace;
  }
  if (scope == "Namespaced") {
    return !candidate.is_namespace && has_namespace;
  }
  return true;
}

bool Match::State::MatchesNamespaces(const Candidate& candidate) const {
  if (!candidate.lies_in_one) {
    return true;
  }
  const auto holds = [&candidate](const Wildcard& wildcard) {
    return wildcard.Matches(candidate.namespace_name);
  };
  return (namespaces.empty() || std::ranges::any_of(namespaces, holds)) &&
         std::ranges::none_of(excluded_namespaces, holds);
}

Result<bool> Match::State::MatchesNamespaceSelector(const Candidate& candidate,
                                                    const Value& name_space) const {
  const bool asked = namespace_selector || !namespace_selector_problem.empty();
  const bool of_cluster =
      !candidate.is_namespace && name_space.is_undefined() && candidate.own_namespace.empty();
  if (!asked || of_cluster) {
    return true;
  }
  if (!namespace_selector_problem.empty()) {
    return Fail(ErrorCode::kInvalidArgument, namespace_selector_problem);
  }
  if (candidate.is_namespace) {
    return namespace_selector->Matches(candidate.object.Get({"metadata", "labels"}));
  }
  if (name_space.is_defined()) {
    return namespace_selector->Matches(name_space.Get({"metadata", "labels"}));
  }
  return Fail(ErrorCode::kInvalidArgument,
              "namespace selector for namespace-scoped object but missing Namespace");
}

bool Match::State::MatchesName(const Candidate& candidate) const {
  return !name_pattern || name_pattern->Matches(candidate.object.GetString({"metadata", "name"})) ||
         name_pattern->MatchesGenerateName(
             candidate.object.GetString({"metadata", "generateName"}));
}

Result<bool> Match::State::MatchesSource(const Candidate& candidate,
                                         std::string_view source_of_review) const {
  const auto known = [](std::string_view text) {
    return text == "All" || text == "Original" || text == "Generated";
  };
  if (source.empty() || source == "All") {
    return true;
  }
  if (!known(source)) {
    return Fail(ErrorCode::kInvalidArgument, "invalid source field " + Quote(source));
  }
  if (source_of_review.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "source field not specified for resource " +
                    std::string(candidate.object.GetString({"metadata", "name"})));
  }
  if (!known(source_of_review)) {
    return Fail(ErrorCode::kInvalidArgument, "invalid source field " + Quote(source_of_review));
  }
  return source == source_of_review;
}

Result<bool> Match::State::MatchesOne(const Candidate& candidate,
                                      const MatchSubject& subject) const {
  if (!MatchesKind(candidate.group, candidate.kind) ||
      !MatchesScope(candidate, subject.name_space_) || !MatchesNamespaces(candidate)) {
    return false;
  }
  if (!label_selector_problem.empty()) {
    return Fail(ErrorCode::kInvalidArgument, label_selector_problem);
  }
  if (label_selector && !label_selector->Matches(candidate.object.Get({"metadata", "labels"}))) {
    return false;
  }
  if (!TRY(MatchesNamespaceSelector(candidate, subject.name_space_)) || !MatchesName(candidate)) {
    return false;
  }
  return MatchesSource(candidate, subject.source_);
}

Match::Match() : state_(std::make_unique<const State>()) {}
Match::~Match() = default;
Match::Match(Match&&) noexcept = default;
Match& Match::operator=(Match&&) noexcept = default;

// All but the selectors.
Match::State Match::ParseCriteria(const Value& spec_match) {
  State state;
  state.given = true;
  const Value kinds = spec_match.Find("kinds");
  for (std::uint32_t i = 0; kinds.is_array() && i < kinds.size(); ++i) {
    const Value entry = kinds.ItemAt(i);
    state.kinds.push_back(
        {NameList::Parse(entry.Find("apiGroups")), NameList::Parse(entry.Find("kinds"))});
  }
  state.scope = std::string(spec_match.GetString({"scope"}));
  state.namespaces = Wildcards(spec_match.Find("namespaces"));
  state.excluded_namespaces = Wildcards(spec_match.Find("excludedNamespaces"));
  const std::string_view name = spec_match.GetString({"name"});
  if (!name.empty()) {
    state.name_pattern = Wildcard(name);
  }
  state.source = std::string(spec_match.GetString({"source"}));
  return state;
}

Result<Match> Match::Parse(const Value& spec_match) {
  Match match;
  if (!spec_match.is_object()) {
    return match;
  }
  State state = ParseCriteria(spec_match);
  state.label_selector = TRY(Selector(spec_match, "labelSelector"));
  state.namespace_selector = TRY(Selector(spec_match, "namespaceSelector"));
  match.state_ = std::make_unique<const State>(std::move(state));
  return match;
}

Match Match::ParseForMutator(const Value& spec_match) {
  Match match;
  if (!spec_match.is_object()) {
    return match;
  }
  State state = ParseCriteria(spec_match);
  const auto read = [&](std::string_view name, std::optional<LabelSelector>* selector,
                        std::string* problem) {
    const Value written = spec_match.Find(name);
    if (!written.is_object()) {
      return;
    }
    *problem = LabelSelector::Complaint(written);
    if (problem->empty()) {
      auto parsed = LabelSelector::Parse(written, name);
      if (parsed) {
        *selector = *std::move(parsed);
      } else {
        *problem = parsed.error().message;
      }
    }
  };
  read("labelSelector", &state.label_selector, &state.label_selector_problem);
  read("namespaceSelector", &state.namespace_selector, &state.namespace_selector_problem);
  match.state_ = std::make_unique<const State>(std::move(state));
  return match;
}

Result<bool> Match::MatchesObject(const MatchSubject& subject) const {
  if (!state_->given || subject.count_ == 0) {
    return !state_->given;
  }
  Result<bool> matched = state_->MatchesOne(subject.candidates_.front(), subject);
  if (!matched) {
    matched.error().message = "failed to run Match criteria: " + matched.error().message;
  }
  return matched;
}

MatchSubject::MatchSubject(const MatchTarget& target)
    : name_space_(target.name_space), source_(target.source) {
  for (const auto& [field, object] : {std::pair<std::string_view, Value>("object", target.object),
                                      {"oldObject", target.old_object}}) {
    if (object.is_undefined() || object.is_null()) {
      continue;
    }
    Candidate candidate{.field = field,
                        .object = object,
                        .kind = object.GetString({"kind"}),
                        .group = GroupOf(object.GetString({"apiVersion"})),
                        .own_namespace = object.GetString({"metadata", "namespace"}),
                        .namespace_name = {}};
    candidate.is_namespace = candidate.kind == "Namespace" && candidate.group.empty();
    candidate.namespace_name = candidate.is_namespace ? object.GetString({"metadata", "name"})
                               : name_space_.is_defined()
                                   ? name_space_.GetString({"metadata", "name"})
                                   : candidate.own_namespace;
    candidate.lies_in_one =
        candidate.is_namespace || name_space_.is_defined() || !candidate.own_namespace.empty();
    candidates_[count_++] = candidate;
  }
}

std::optional<std::string_view> MatchSubject::name_space() const {
  const Candidate& candidate = candidates_.front();
  return candidate.lies_in_one ? std::optional(candidate.namespace_name) : std::nullopt;
}

Result<bool> Match::Matches(const MatchSubject& subject) const {
  if (!state_->given) {
    return true;
  }
  if (subject.count_ == 0) {
    return Fail(ErrorCode::kInvalidArgument,
                "invalid request object: neither object nor old object are defined");
  }
  const std::span candidates = std::span(subject.candidates_).first(subject.count_);
  for (const MatchSubject::Candidate& candidate : candidates) {
    if (!candidate.kind.empty()) {
      continue;
    }
    return Fail(ErrorCode::kInvalidArgument,
                "invalid request object: failed to unmarshal gkReview " +
                    std::string(candidate.field) + " " + document::ToJson(candidate.object));
  }
  for (const MatchSubject::Candidate& candidate : candidates) {
    const Result<bool> matched = state_->MatchesOne(candidate, subject);
    if (!matched) {
      return Fail(matched.error().code,
                  "error matching the requested object: " +
                      std::string(candidate.object.GetString({"metadata", "name"})) +
                      " :failed to run Match criteria: " + matched.error().message);
    }
    if (*matched) {
      return true;
    }
  }
  return false;
}

bool Match::CouldMatchKind(std::string_view group, std::string_view kind) const {
  return state_->MatchesKind(group, kind);
}

std::vector<std::string> Match::KindsNamed() const {
  std::vector<std::string> names;
  for (const KindsEntry& entry : state_->kinds) {
    if (entry.kinds.all) {
      return {};
    }
    names.insert(names.end(), entry.kinds.names.begin(), entry.kinds.names.end());
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

std::vector<std::string> Match::NamespacesNamed() const {
  std::vector<std::string> names;
  for (const Wildcard& wildcard : state_->namespaces) {
    if (!wildcard.is_exact()) {
      return {};
    }
    names.push_back(wildcard.text());
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

bool Match::ReadsNamespace() const {
  return state_->namespace_selector.has_value();
}

}  // namespace portcullis::policy
