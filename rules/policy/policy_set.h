// The policy in force: compiled ConstraintTemplates and their Constraints, as one immutable set that is swapped whole.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/value.h"
#include "rules/builtins/builtin.h"
#include "rules/policy/constraint.h"
#include "rules/policy/template.h"

namespace portcullis::policy {

// A constraint with the template that it uses.
struct BoundConstraint {
  const Template* of = nullptr;
  const Constraint* constraint = nullptr;
};

// Immutable. THREADS: may be read in parallel.
class PolicySet {
 public:
  PolicySet();
  ~PolicySet();

  [[nodiscard]] const Template* FindTemplate(std::string_view kind) const;
  [[nodiscard]] const Template* FindTemplateByName(std::string_view name) const;
  [[nodiscard]] std::vector<const Template*> templates() const;      // By kind.
  [[nodiscard]] std::vector<const Constraint*> constraints() const;  // By kind, then name.
  // The constraints of one template's kind, by name.
  [[nodiscard]] std::vector<const Constraint*> ConstraintsOf(std::string_view kind) const;
  // Constraints whose `match.kinds` can match an object of this group and kind, by kind and name: found, not tried one by one.
  [[nodiscard]] std::vector<const Constraint*> Candidates(std::string_view group,
                                                          std::string_view kind) const;

  // Constraints whose `match.kinds` names this kind or any, whatever the group, by kind and name. COST: a hash look-up.
  [[nodiscard]] std::span<const BoundConstraint> BoundTo(std::string_view object_kind) const;
  // All of them, by kind and name.
  [[nodiscard]] std::span<const BoundConstraint> all() const;

 private:
  friend class PolicyStore;
  struct State;
  std::unique_ptr<const State> state_;
};

struct PolicyStoreOptions {
  TemplateOptions templates;
  // Refuse constraints with an unknown enforcement action or point. Otherwise they are evaluated; what is done about them
  // is nothing.
  bool check_enforcement_actions = true;
  ParameterNumbers parameter_numbers = ParameterNumbers::kWhole;
  // Asked of each template that compiled: what it answers is PutTemplate's error. Null: all may enter. THREADS: called in turn.
  std::function<Result<void>(const Template&)> admit = nullptr;
};

// Takes policy objects as they come and goes, in any order; a constraint that comes before its template waits for it.
// THREADS: any; writers take turns, current() never waits for a compile.
class PolicyStore {
 public:
  explicit PolicyStore(std::shared_ptr<const builtins::Catalog> catalog,
                       const PolicyStoreOptions& options = {});
  ~PolicyStore();

  // Compiles. ERRORS: kInvalidArgument with Gatekeeper's text (gatekeeper.md 3.5); a template of that name that was good before
  // stays in force.
  Result<void> PutTemplate(const document::Value& object);
  void RemoveTemplate(std::string_view name);
  // ERRORS: kInvalidArgument with Gatekeeper's text; a constraint of that name that was good before stays in force.
  // kNotFound: its template is not here (yet): it is kept and enters into force with the template.
  Result<void> PutConstraint(const document::Value& object);
  void RemoveConstraint(std::string_view kind, std::string_view name);

  // As PutTemplate without the Rego, and as PutConstraint, without changing anything: what the webhook answers for these
  // objects with code 422. See CheckTemplateOperations and CheckEnforcementAction for what it answers with 500.
  [[nodiscard]] Result<void> CheckTemplate(const document::Value& object) const;
  [[nodiscard]] Result<void> CheckConstraint(const document::Value& object) const;
  // As PutTemplate with the Rego, without changing anything.
  [[nodiscard]] Result<void> CheckTemplateRego(const document::Value& object) const;

  // Why a constraint that was put is not in force, or is in force as it was before; empty: it is in force as put.
  [[nodiscard]] std::string ConstraintProblem(std::string_view kind, std::string_view name) const;

  [[nodiscard]] std::shared_ptr<const PolicySet> current() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::policy
