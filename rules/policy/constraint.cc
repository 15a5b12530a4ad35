#include "rules/policy/constraint.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "document/object.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/policy/template.h"
#include "rules/policy/whole_numbers.h"

namespace portcullis::policy {
namespace {

using document::Value;

constexpr std::string_view kGroup = "constraints.gatekeeper.sh";

std::unexpected<Error> Invalid(const std::string& what) {
  return Fail(ErrorCode::kInvalidArgument, "invalid Constraint: " + what);
}

Result<void> CheckIdentity(const document::GroupVersionKind& type, std::string_view name,
                           const Template& of) {
  const std::vector<std::string> problems = CheckSubdomainName(name);
  if (!problems.empty()) {
    std::string lines;
    for (const std::string& problem : problems) {
      lines += (lines.empty() ? "" : "\n") + problem;
    }
    return Invalid("invalid name: " + Quote(lines));
  }
  if (type.kind != of.kind) {
    return Invalid("wrong kind " + Quote(name) + " for constraint " + Quote(type.kind) + "; want " +
                   Quote(of.kind));
  }
  if (type.version != "v1alpha1" && type.version != "v1beta1") {
    return Invalid("unsupported version " + Quote(type.version) + " for Constraint " + Quote(name) +
                   "; supported versions: map[v1alpha1:true v1beta1:true]");
  }
  return {};
}

}  // namespace

Result<ConstraintKey> ConstraintKeyOf(const Value& object) {
  const std::string_view name = object.GetString({"metadata", "name"});
  if (name.empty()) {
    return Invalid("missing metadata.name");
  }
  const std::string_view kind = object.GetString({"kind"});
  if (kind.empty()) {
    return Invalid("missing kind");
  }
  const document::GroupVersionKind type =
      document::MakeGroupVersionKind(object.GetString({"apiVersion"}), kind);
  if (type.group != kGroup) {
    return Invalid("wrong API Group for Constraint " + Quote(name) + ", got " + Quote(type.group) +
                   " but need " + Quote(kGroup));
  }
  return ConstraintKey{std::string(kind), std::string(name)};
}

std::vector<std::string> ActionsAt(const Constraint& constraint,
                                   std::string_view enforcement_point) {
  if (constraint.enforcement_action != "scoped") {
    return {constraint.enforcement_action};
  }
  std::vector<std::string> actions;
  for (const ScopedAction& entry : constraint.scoped_actions) {
    const bool here = std::ranges::any_of(entry.points, [&](const std::string& point) {
      return point == "*" || point == enforcement_point;
    });
    if (here && std::ranges::find(actions, entry.action) == actions.end()) {
      actions.push_back(entry.action);
    }
  }
  return actions;
}

bool IsEnforcedAt(const Constraint& constraint, std::string_view enforcement_point) {
  return constraint.enforcement_action != "scoped" ||
         !ActionsAt(constraint, enforcement_point).empty();
}

Result<std::shared_ptr<const Constraint>> ParseConstraint(const Value& object, const Template& of,
                                                          ParameterNumbers numbers) {
  auto constraint = std::make_shared<Constraint>();
  constraint->arena = std::make_shared<document::Arena>();
  const Value copy =
      WithWholeNumbers(document::DeepCopy(object, *constraint->arena), *constraint->arena);
  auto [kind, name] = TRY(ConstraintKeyOf(copy));

  Result<Match> match = Match::Parse(copy.Get({"spec", "match"}));
  if (!match) {
    return Invalid(match.error().message);
  }
  const document::GroupVersionKind type =
      document::MakeGroupVersionKind(copy.GetString({"apiVersion"}), kind);
  TRY(CheckIdentity(type, name, of));
  if (const std::vector<std::string> errors = of.schema->Validate(copy); !errors.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "schema validation failed: " + Aggregate(errors));
  }
  if (const std::vector<std::string> unknown = of.schema->UnknownFields(copy); !unknown.empty()) {
    return Invalid("unknown fields: " + GoList(unknown));
  }

  constraint->kind = std::move(kind);
  constraint->name = std::move(name);
  constraint->match = *std::move(match);
  constraint->object = of.schema->WithDefaults(copy, *constraint->arena);
  const Value action = constraint->object.Get({"spec", "enforcementAction"});
  constraint->enforcement_action = action.is_string() ? std::string(action.string()) : "deny";
  if (constraint->enforcement_action == "scoped" &&
      constraint->object.Get({"spec", "scopedEnforcementActions"}).is_undefined()) {
    return Fail(ErrorCode::kInvalidArgument,
                "missing required field: spec.scopedEnforcementActions must be defined");
  }
  constraint->scoped_actions = ParseScopedActions(constraint->object);
  const Value parameters = constraint->object.Get({"spec", "parameters"});
  constraint->parameters =
      parameters.is_undefined() || parameters.is_null() ? Value::Object({}) : parameters;
  if (numbers == ParameterNumbers::kFloat64) {
    constraint->parameters = document::WithFloatNumbers(constraint->parameters, *constraint->arena);
  }
  return constraint;
}

}  // namespace portcullis::policy
