#include "rules/policy/review.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "rules/policy/kubernetes_text.h"
#include "rules/policy/review_trace.h"
#include "store/object_key.h"

namespace portcullis::policy {
namespace {

using document::Member;
using document::Value;

constexpr std::string_view kTarget = "admission.k8s.gatekeeper.sh";

bool IsPresent(const Value& value) {
  return value.is_defined() && !value.is_null();
}

// The Namespace object `name` in the inventory; undefined where there is none.
Result<Value> FindNamespace(std::string_view name, index::InventoryView* inventory,
                            const ReviewOptions& options, document::Arena& arena) {
  if (inventory == nullptr) {
    return options.inventory_document.Get({"cluster", "v1", "Namespace", name});
  }
  const store::ObjectKeyView key{store::Scope::kCluster, "", "v1", "Namespace", name};
  return inventory->Get(key, arena, document::NumberMode::kFloat64);
}

class Reviewer {
 public:
  Reviewer(const ReviewInput& input, index::InventoryView* inventory, const ReviewOptions& options,
           Clock& clock, document::Arena& arena)
      : options_(options), arena_(arena), review_(MakeReview(input, arena)) {
    request_.inventory = inventory;
    request_.arena = &arena;
    request_.clock = &clock;
    request_.deadline = options.deadline;
    request_.index_use = options.index_use;
    request_.statistics = &of_evaluation_;
    request_.prints = options.prints;
    if (inventory == nullptr) {
      const Value document = options.inventory_document;
      const std::span<Member> data = arena.AllocateArray<Member>(1);
      data[0] = {Value::String("inventory"), document.is_defined() ? document : Value::Object({})};
      request_.data = Value::Object(data);
    }
  }

  // Everything but input.parameters is the same for all constraints.
  Result<void> Run(std::span<const BoundConstraint> bound, const MatchSubject& subject) {
    while (!bound.empty()) {
      const auto next = std::ranges::find_if(
          bound, [of = bound.front().of](const BoundConstraint& entry) { return entry.of != of; });
      const auto count = static_cast<std::size_t>(next - bound.begin());
      if (AppliesTo(*bound.front().of)) {
        TRY(RunTemplate(*bound.front().of, bound.first(count), subject));
      }
      bound = bound.subspan(count);
    }
    return {};
  }

  Verdict Finish() {
    SortViolations(&verdict_);
    const auto repeated =
        std::ranges::unique(verdict_.violations, [](const Violation& a, const Violation& b) {
          return a.constraint == b.constraint && a.message == b.message &&
                 document::Equal(a.details, b.details);
        });
    verdict_.violations.erase(repeated.begin(), repeated.end());
    return std::move(verdict_);
  }

 private:
  [[nodiscard]] bool AppliesTo(const Template& of) const {
    if (of.operations.empty() || options_.enforcement_point != kWebhookEnforcementPoint) {
      return true;
    }
    const std::string_view operation = review_.GetString({"operation"});
    return std::ranges::any_of(of.operations, [&](const std::string& wanted) {
      return wanted == "*" || wanted == operation;
    });
  }

  Result<void> RunTemplate(const Template& of, std::span<const BoundConstraint> bound,
                           const MatchSubject& subject) {
    matched_.clear();
    for (const BoundConstraint& entry : bound) {
      const Constraint& constraint = *entry.constraint;
      if (!IsEnforcedAt(constraint, options_.enforcement_point)) {
        continue;
      }
      const Result<bool> matched = constraint.match.Matches(subject);
      if (!matched) {
        Add(constraint,
            arena_.CopyString("unable to match constraints: " + matched.error().message), Value());
      } else if (*matched) {
        matched_.push_back(&constraint);
      }
    }
    of_template_ = {};
    if (options_.times == nullptr || matched_.empty()) {
      TRY(EvaluateMatched(of));
    } else {
      TemplateTime& time = options_.times->emplace_back();
      time.of = &of;
      time.constraints = matched_.size();
      request_.accesses = options_.measure_accesses ? &time.accesses : nullptr;
      const auto start = request_.clock->Now();
      TRY(EvaluateMatched(of));
      time.runtime = request_.clock->Now() - start;
      time.statistics = of_template_;
    }
    verdict_.statistics += of_template_;
    if (options_.trace != nullptr && !matched_.empty()) {
      *options_.trace += options_.trace->empty() ? "DRIVER Rego:\n\n" : "";
      *options_.trace += TRY(TraceTemplate(of, matched_, review_, request_));
    }
    return {};
  }

  Result<void> EvaluateMatched(const Template& of) {
    const std::size_t before = verdict_.violations.size();
    auto begun = options_.constraint_times != nullptr ? request_.clock->Now()
                                                      : std::chrono::steady_clock::time_point();
    for (const Constraint* constraint : matched_) {
      const auto error = TRY(Evaluate(of, *constraint));
      if (options_.constraint_times != nullptr) {
        const auto ended = request_.clock->Now();
        options_.constraint_times->push_back({.of = constraint,
                                              .runtime = ended - std::exchange(begun, ended),
                                              .implied_action = {}});
      }
      if (!error) {
        continue;
      }
      // Gatekeeper evaluates all constraints of a kind in one query: an error in one is the answer of all.
      verdict_.violations.resize(before);
      const std::string_view text = arena_.CopyString(error->ToString());
      for (const Constraint* each : matched_) {
        Add(*each, text, Value::Null());
      }
      break;
    }
    return {};
  }

  // The policy's own error, if it ended in one.
  Result<std::optional<rego::EvaluationError>> Evaluate(const Template& of,
                                                        const Constraint& constraint) {
    const std::span<Member> members = arena_.AllocateArray<Member>(2);
    members[0] = {Value::String("parameters"), constraint.parameters};
    members[1] = {Value::String("review"), review_};
    request_.input = Value::Object(members);
    const auto answer = TRY(of.plan->Evaluate(request_));
    of_template_ += of_evaluation_;
    if (!answer) {
      return answer.error();
    }
    for (std::uint32_t i = 0; i < answer->size() && answer->is_set(); ++i) {
      const Value item = answer->ItemAt(i);
      const Value message = item.is_object() ? item.Find("msg") : Value();
      if (message.is_undefined()) {
        continue;
      }
      if (!message.is_string()) {
        return BadMessage(message);
      }
      const Value details = item.Find("details");
      Add(constraint, message.string(), details.is_undefined() ? Value::Object({}) : details);
    }
    return std::nullopt;
  }

  static std::unexpected<Error> BadMessage(const Value& message) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(kTarget) + ": Rego: extracting message binding: .msg accessor error: " +
                    GoText(message) + " is of the type " + std::string(GoTypeName(message)) +
                    ", expected string\n\n");
  }

  void Add(const Constraint& constraint, std::string_view message, Value details) {
    verdict_.violations.push_back({.constraint = &constraint,
                                   .message = message,
                                   .enforcement_action = constraint.enforcement_action,
                                   .details = details,
                                   .actions = ActionsAt(constraint, options_.enforcement_point)});
  }

  const ReviewOptions& options_;
  document::Arena& arena_;
  const Value review_;
  rego::EvaluationRequest request_;
  std::vector<const Constraint*> matched_;  // Of the template at hand, as what follows.
  rego::EvaluationStatistics of_template_;
  rego::EvaluationStatistics of_evaluation_;  // The last.
  Verdict verdict_;
};

// The constraints that can match an object of the target's kinds.
std::span<const BoundConstraint> FindBound(const PolicySet& policies, const MatchTarget& target) {
  const bool has_object = IsPresent(target.object);
  const bool has_old = IsPresent(target.old_object);
  const std::string_view kind =
      has_object ? target.object.GetString({"kind"}) : target.old_object.GetString({"kind"});
  const bool one_kind = !(has_object && has_old) || target.old_object.GetString({"kind"}) == kind;
  // Without a kind every constraint has something to say: it cannot be matched.
  return kind.empty() || !one_kind ? policies.all() : policies.BoundTo(kind);
}

}  // namespace

void SortViolations(Verdict* verdict) {
  const auto rank = [](const Violation& violation) {
    const Constraint& constraint = *violation.constraint;
    return std::tuple(violation.enforcement_action, violation.message,
                      std::string_view(constraint.kind), std::string_view(constraint.name));
  };
  std::ranges::sort(verdict->violations, [&rank](const Violation& a, const Violation& b) {
    const auto order = rank(a) <=> rank(b);
    return order != 0 ? order < 0 : document::Compare(a.details, b.details) < 0;
  });
}

Result<Verdict> Review(const PolicySet& policies, const ReviewInput& input,
                       index::InventoryView* inventory, const ReviewOptions& options, Clock& clock,
                       document::Arena& arena) {
  const Value& request = input.request;
  MatchTarget target{.object = request.Find("object"),
                     .old_object = request.Find("oldObject"),
                     .name_space = input.name_space_to_match.is_defined()
                                       ? input.name_space_to_match
                                       : input.name_space,
                     .source = options.source};
  if (request.GetString({"operation"}) == "DELETE") {
    if (!IsPresent(target.old_object)) {
      return Fail(ErrorCode::kInvalidArgument,
                  std::string(kTarget) + ": target.HandleReview failed for target " +
                      Quote(kTarget) + ": oldObject cannot be nil for DELETE operations\n");
    }
    target.object = target.old_object;
  }
  const std::span<const BoundConstraint> bound = FindBound(policies, target);
  const std::string_view name_space = request.GetString({"namespace"});
  if (target.name_space.is_undefined() && !name_space.empty()) {
    const bool decides = std::ranges::any_of(bound, [](const BoundConstraint& entry) {
      return entry.constraint->match.ReadsNamespace();
    });
    if (decides || target.object.GetString({"metadata", "namespace"}).empty()) {
      target.name_space = TRY(FindNamespace(name_space, inventory, options, arena));
    }
  }
  Reviewer reviewer(input, inventory, options, clock, arena);
  TRY(reviewer.Run(bound, MatchSubject(target)));
  if (options.trace != nullptr && !options.trace->empty()) {
    *options.trace += "\n\n";
  }
  return reviewer.Finish();
}

}  // namespace portcullis::policy
