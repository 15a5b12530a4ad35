#include "rules/policy/policy_set.h"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/published.h"
#include "document/arena.h"
#include "rules/policy/enforcement.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::policy {
namespace {

using document::Value;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

std::string NotFoundText(std::string_view kind) {
  return "missing ConstraintTemplate: template " + Quote(LowerCase(kind)) + " not found";
}

}  // namespace

struct PolicySet::State {
  std::vector<std::shared_ptr<const Template>> templates;      // By kind.
  std::vector<std::shared_ptr<const Constraint>> constraints;  // By kind, then name.
  std::vector<BoundConstraint> bound;                          // In the order of `constraints`.
  // For each kind that some match.kinds names: these constraints and those of any kind, in order.
  std::unordered_map<std::string, std::vector<BoundConstraint>, TextHash, std::equal_to<>>
      by_object_kind;
  std::vector<BoundConstraint> of_any_kind;

  void Index();
};

void PolicySet::State::Index() {
  std::vector<std::vector<std::string>> named;
  for (const BoundConstraint& entry : bound) {
    named.push_back(entry.constraint->match.KindsNamed());
    for (const std::string& kind : named.back()) {
      by_object_kind[kind];
    }
    if (named.back().empty()) {
      of_any_kind.push_back(entry);
    }
  }
  for (std::size_t i = 0; i < bound.size(); ++i) {
    if (named[i].empty()) {
      for (auto& [kind, entries] : by_object_kind) {
        entries.push_back(bound[i]);
      }
    }
    for (const std::string& kind : named[i]) {
      by_object_kind[kind].push_back(bound[i]);
    }
  }
}

PolicySet::PolicySet() : state_(std::make_unique<const State>()) {}
PolicySet::~PolicySet() = default;

const Template* PolicySet::FindTemplate(std::string_view kind) const {
  const auto found = std::ranges::lower_bound(
      state_->templates, kind, {}, [](const auto& entry) { return std::string_view(entry->kind); });
  return found != state_->templates.end() && (*found)->kind == kind ? found->get() : nullptr;
}

const Template* PolicySet::FindTemplateByName(std::string_view name) const {
  const auto found = std::ranges::find(
      state_->templates, name, [](const auto& entry) { return std::string_view(entry->name); });
  return found != state_->templates.end() ? found->get() : nullptr;
}

std::vector<const Template*> PolicySet::templates() const {
  std::vector<const Template*> templates;
  for (const auto& entry : state_->templates) {
    templates.push_back(entry.get());
  }
  return templates;
}

std::vector<const Constraint*> PolicySet::constraints() const {
  std::vector<const Constraint*> constraints;
  for (const auto& entry : state_->constraints) {
    constraints.push_back(entry.get());
  }
  return constraints;
}

std::vector<const Constraint*> PolicySet::ConstraintsOf(std::string_view kind) const {
  std::vector<const Constraint*> constraints;
  for (const auto& entry : state_->constraints) {
    if (entry->kind == kind) {
      constraints.push_back(entry.get());
    }
  }
  return constraints;
}

std::vector<const Constraint*> PolicySet::Candidates(std::string_view group,
                                                     std::string_view kind) const {
  std::vector<const Constraint*> candidates;
  for (const BoundConstraint& entry : BoundTo(kind)) {
    if (entry.constraint->match.CouldMatchKind(group, kind)) {
      candidates.push_back(entry.constraint);
    }
  }
  return candidates;
}

std::span<const BoundConstraint> PolicySet::BoundTo(std::string_view object_kind) const {
  const auto found = state_->by_object_kind.find(object_kind);
  return found == state_->by_object_kind.end() ? state_->of_any_kind : found->second;
}

std::span<const BoundConstraint> PolicySet::all() const {
  return state_->bound;
}

// A constraint as it was put, and what became of it.
struct KeptConstraint {
  std::shared_ptr<const document::Arena> arena;  // Holds `object`.
  Value object;
  std::shared_ptr<const Constraint> in_force;  // The last version that was good.
  std::string problem;
};

struct PolicyStore::State {
  std::shared_ptr<const builtins::Catalog> catalog;
  PolicyStoreOptions options;
  Published<PolicySet> current;

  mutable std::mutex mutex;  // Guards what follows.
  std::map<std::string, std::shared_ptr<const Template>, std::less<>> templates;  // By name.
  std::map<ConstraintKey, KeptConstraint> constraints;

  [[nodiscard]] std::shared_ptr<const Template> TemplateOf(std::string_view kind) const {
    const auto found = templates.find(LowerCase(kind));
    return found == templates.end() ? nullptr : found->second;
  }
  [[nodiscard]] Result<std::shared_ptr<const Constraint>> Parse(const Value& object,
                                                                const Template& of) const {
    if (options.check_enforcement_actions) {
      TRY(CheckEnforcementAction(object));
    }
    return ParseConstraint(object, of, options.parameter_numbers);
  }
  // Parses a kept constraint again, against the template that is there now.
  void Refresh(const ConstraintKey& key, KeptConstraint& kept) const;
  void Publish();
};

void PolicyStore::State::Refresh(const ConstraintKey& key, KeptConstraint& kept) const {
  const std::shared_ptr<const Template> of = TemplateOf(key.kind);
  if (of == nullptr) {
    kept.in_force = nullptr;
    kept.problem = NotFoundText(key.kind);
    return;
  }
  Result<std::shared_ptr<const Constraint>> parsed = Parse(kept.object, *of);
  kept.problem = parsed ? "" : parsed.error().message;
  if (parsed) {
    kept.in_force = *std::move(parsed);
  }
}

void PolicyStore::State::Publish() {
  auto state = std::make_unique<PolicySet::State>();
  for (const auto& [name, entry] : templates) {
    state->templates.push_back(entry);
  }
  std::ranges::sort(state->templates, {},
                    [](const auto& entry) { return std::string_view(entry->kind); });
  for (const auto& [key, kept] : constraints) {
    if (kept.in_force == nullptr) {
      continue;
    }
    const std::shared_ptr<const Template> of = TemplateOf(key.kind);
    if (of == nullptr) {
      continue;
    }
    state->constraints.push_back(kept.in_force);
    state->bound.push_back({of.get(), kept.in_force.get()});
  }
  state->Index();
  auto set = std::make_shared<PolicySet>();
  set->state_ = std::move(state);
  current.store(std::move(set));
}

PolicyStore::PolicyStore(std::shared_ptr<const builtins::Catalog> catalog,
                         const PolicyStoreOptions& options)
    : state_(std::make_unique<State>()) {
  state_->catalog = std::move(catalog);
  state_->options = options;
  state_->current.store(std::make_shared<const PolicySet>());
}

PolicyStore::~PolicyStore() = default;

Result<void> PolicyStore::PutTemplate(const Value& object) {
  const std::lock_guard lock(state_->mutex);
  std::shared_ptr<const Template> parsed =
      TRY(ParseTemplate(object, state_->catalog, state_->options.templates));
  if (state_->options.admit) {
    TRY(state_->options.admit(*parsed));
  }
  const std::string kind = parsed->kind;
  state_->templates[parsed->name] = std::move(parsed);
  for (auto& [key, kept] : state_->constraints) {
    if (LowerCase(key.kind) == LowerCase(kind)) {
      state_->Refresh(key, kept);
    }
  }
  state_->Publish();
  return {};
}

void PolicyStore::RemoveTemplate(std::string_view name) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->templates.find(name);
  if (found == state_->templates.end()) {
    return;
  }
  state_->templates.erase(found);
  for (auto& [key, kept] : state_->constraints) {
    if (LowerCase(key.kind) == LowerCase(name)) {
      state_->Refresh(key, kept);
    }
  }
  state_->Publish();
}

Result<void> PolicyStore::PutConstraint(const Value& object) {
  const ConstraintKey key = TRY(ConstraintKeyOf(object));
  auto arena = std::make_shared<document::Arena>();
  const Value copy = document::DeepCopy(object, *arena);
  const std::lock_guard lock(state_->mutex);
  KeptConstraint& kept = state_->constraints[key];
  kept.arena = std::move(arena);
  kept.object = copy;
  state_->Refresh(key, kept);
  state_->Publish();
  if (kept.problem.empty()) {
    return {};
  }
  const bool waits = state_->TemplateOf(key.kind) == nullptr;
  return Fail(waits ? ErrorCode::kNotFound : ErrorCode::kInvalidArgument, kept.problem);
}

void PolicyStore::RemoveConstraint(std::string_view kind, std::string_view name) {
  const std::lock_guard lock(state_->mutex);
  if (state_->constraints.erase({std::string(kind), std::string(name)}) > 0) {
    state_->Publish();
  }
}

Result<void> PolicyStore::CheckTemplate(const Value& object) const {
  return CheckTemplateMetadata(object);
}

Result<void> PolicyStore::CheckTemplateRego(const Value& object) const {
  TRY(ParseTemplate(object, state_->catalog, state_->options.templates));
  return {};
}

Result<void> PolicyStore::CheckConstraint(const Value& object) const {
  const ConstraintKey key = TRY(ConstraintKeyOf(object));
  const std::shared_ptr<const PolicySet> set = current();
  const Template* of = set->FindTemplateByName(LowerCase(key.kind));
  if (of == nullptr) {
    return Fail(ErrorCode::kNotFound, NotFoundText(key.kind));
  }
  TRY(ParseConstraint(object, *of));
  return {};
}

std::string PolicyStore::ConstraintProblem(std::string_view kind, std::string_view name) const {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->constraints.find({std::string(kind), std::string(name)});
  return found == state_->constraints.end() ? "" : found->second.problem;
}

std::shared_ptr<const PolicySet> PolicyStore::current() const {
  return state_->current.load();
}

}  // namespace portcullis::policy
