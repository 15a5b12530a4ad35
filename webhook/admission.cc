#include "webhook/admission.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "document/object.h"
#include "mutation/go_value.h"
#include "rules/policy/expansion.h"
#include "rules/policy/kubernetes_text.h"
#include "webhook/admission_counters.h"
#include "webhook/gatekeeper_resources.h"
#include "webhook/handler_support.h"
#include "webhook/review_reply.h"
#include "webhook/review_request.h"
#include "webhook/review_times.h"
#include "webhook/scan_forecast.h"
#include "webhook/template_reads.h"
#include "webhook/violation_log.h"

namespace portcullis::webhook {
namespace {

using document::Value;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

void AppendLine(const policy::Violation& violation, std::string* out) {
  *out += '[';
  *out += violation.constraint->name;
  *out += "] ";
  *out += violation.message;
}

// Deny lines make the message, warn lines the warnings; dryrun and what is no action at all leave no trace.
void AnswerVerdict(const policy::Verdict& verdict, ReviewReply& reply) {
  for (const policy::Violation& violation : verdict.violations) {
    for (const std::string& action : violation.actions) {
      if (action == "deny") {
        if (reply.code == kForbidden) {
          reply.message += '\n';
        }
        reply.code = kForbidden;
        AppendLine(violation, &reply.message);
      } else if (action == "warn") {
        AppendLine(violation, &reply.warnings.emplace_back());
      }
    }
  }
  if (reply.code == kForbidden) {
    reply.reason = "Forbidden";
    return;
  }
  reply.allowed = true;
  reply.code = reply.warnings.empty() ? kOk : kAllowedWithWarnings;
}

bool IsAbsent(const Value& value) {
  return value.is_undefined() || value.is_null();
}

}  // namespace

struct AdmissionHandler::State {
  policy::PolicyStore& policies;
  index::Inventory& inventory;
  NamespaceFinder& namespaces;
  const NamespaceExcluder& excluder;
  Clock& clock;
  const std::shared_ptr<Logger> logger;
  const AdmissionOptions options;
  const std::string own_account;
  AdmissionCounters counters;
  ScanForecast forecast;
  TemplateReads reads;
  ReviewTimes durations;
  ScratchPool scratches;

  Handling Run(std::string_view content_type, std::string_view body,
               const AdmissionContext& context, Scratch& scratch, std::string* out,
               rego::EvaluationStatistics* statistics);
};

namespace {

// One review on its way through the decisions of gatekeeper.md 4.2.
template <class State>
class Review {
 public:
  Review(State& state, const AdmissionContext& context, const ReviewRequest& review,
         Scratch& scratch, rego::EvaluationStatistics* statistics)
      : state_(state),
        context_(context),
        request_(review.request),
        bad_number_(review.bad_number),
        arena_(scratch.arena),
        reply_(scratch.reply),
        times_(scratch.times),
        constraint_times_(scratch.constraint_times),
        statistics_(statistics),
        started_(state.clock.Now()) {}

  Handling Run() {
    if (request_.GetString({"userInfo", "username"}) == state_.own_account) {
      Answer(reply_, kOk, "Gatekeeper does not self-manage");
      return Handling::kDone;
    }
    const ResourceChecks checks{.enforcement_actions = state_.options.check_enforcement_actions,
                                .compile_templates = state_.options.compile_templates};
    if (auto refusal = CheckGatekeeperResource(request_, state_.policies, checks)) {
      Answer(reply_, refusal->code, std::move(refusal->message));
      return Handling::kDone;
    }
    if (Decide() == Handling::kNeedWorker) {
      return Handling::kNeedWorker;
    }
    WarnOfTemplate();
    Report();
    return Handling::kDone;
  }

 private:
  void WarnOfTemplate() {
    if (group_ != "templates.gatekeeper.sh" || kind_ != "ConstraintTemplate" || !reply_.allowed ||
        request_.GetString({"operation"}) == "DELETE" || !state_.options.template_warnings) {
      return;
    }
    for (std::string& warning : state_.options.template_warnings(object_)) {
      reply_.warnings.push_back(std::move(warning));
      reply_.code = kAllowedWithWarnings;
    }
  }

  Handling Decide() {
    const Value kind = request_.Find("kind");
    group_ = kind.GetString({"group"});
    kind_ = kind.GetString({"kind"});
    name_ = request_.GetString({"name"});
    object_ = request_.Find(request_.GetString({"operation"}) == "DELETE" ? "oldObject" : "object");
    const std::string_view name_space = request_.GetString({"namespace"});
    if (IsExcluded(name_space)) {
      Answer(reply_, kOk, "Namespace is set to be ignored by Gatekeeper config");
      return Handling::kDone;
    }
    // A Namespace lies in none, whatever server-side apply says.
    const bool is_namespace = kind_ == "Namespace" && group_.empty();
    policy::ReviewInput input{.request = request_, .name_space = {}};
    if (!is_namespace && !name_space.empty()) {
      auto found = state_.namespaces.Find(name_space, arena_);
      if (!found) {
        Answer(reply_, kInternalError,
               "failed to create augmentedReview: " + found.error().message);
        return Handling::kDone;
      }
      input.name_space = *found;
    }
    if (std::string complaint = Undecodable(); !complaint.empty()) {
      Answer(reply_, kInternalError,
             "error decoding generator resource " + std::string(name_) + ": " + complaint);
      return Handling::kDone;
    }
    return Evaluate(input);
  }

  // Gatekeeper judges the exclusion by the object: what it cannot decode is not excluded.
  [[nodiscard]] bool IsExcluded(std::string_view name_space) const {
    if (!object_.is_object()) {
      return false;
    }
    const std::string_view group = policy::GroupOf(object_.GetString({"apiVersion"}));
    const std::string_view kind = object_.GetString({"kind"});
    return !kind.empty() && state_.excluder.IsExcluded(group, kind, name_space,
                                                       object_.GetString({"metadata", "name"}));
  }

  // An object that is there must be one; one that is not leaves every constraint to reject by itself.
  [[nodiscard]] std::string Undecodable() const {
    if (!bad_number_.empty()) {
      return "json: cannot unmarshal number " + std::string(bad_number_) +
             " into Go value of type float64";
    }
    return IsAbsent(object_) ? std::string() : ObjectComplaint(object_);
  }

  [[nodiscard]] steady_clock::time_point Deadline() const {
    milliseconds time = state_.options.evaluation_timeout;
    if (context_.timeout) {
      time = std::min(time, *context_.timeout - *context_.timeout / kAnswerShare);
    }
    return context_.received.value_or(started_) + time;
  }

  Handling Evaluate(const policy::ReviewInput& input) {
    const std::shared_ptr<const policy::PolicySet> policies = state_.policies.current();
    const std::unique_ptr<index::InventoryView> view = state_.inventory.View();
    const TraceWish traced = WishedTrace();
    if (traced.trace && context_.stage == Stage::kLoop) {
      return Handling::kNeedWorker;
    }
    const mutation::Generators generators =
        state_.options.generators ? state_.options.generators() : mutation::Generators();
    if (WouldScan(policies, object_, *view) || MayAsk(generators)) {
      if (context_.stage == Stage::kLoop) {
        return Handling::kNeedWorker;
      }
      if (context_.stage == Stage::kOverloaded) {
        return Overloaded();
      }
    }
    const steady_clock::time_point deadline = Deadline();
    if (state_.clock.Now() >= deadline) {
      Answer(reply_, kInternalError, "serving context canceled, aborting request");
      state_.counters.exhausted.Increment();
      return Handling::kDone;
    }
    const auto made = Generate(generators, input, deadline);
    if (!made) {
      Answer(reply_, kInternalError, "unable to expand object: " + made.error().message);
      return Handling::kDone;
    }
    const bool made_scan = std::ranges::any_of(*made, [&](const policy::Resultant& each) {
      return WouldScan(policies, each.object, *view);
    });
    if (made_scan && context_.stage != Stage::kWorker) {
      return context_.stage == Stage::kLoop ? Handling::kNeedWorker : Overloaded();
    }
    const policy::ReviewOptions options{.enforcement_point = policy::kWebhookEnforcementPoint,
                                        .source = "Original",
                                        .index_use = state_.options.index_use,
                                        .deadline = deadline,
                                        .inventory_document = {},
                                        .prints = nullptr,
                                        .times = &times_,
                                        .measure_accesses = state_.options.measure_accesses,
                                        .constraint_times = &constraint_times_};
    auto verdict = policy::Review(*policies, input, view.get(), options, state_.clock, arena_);
    if (!verdict) {
      Answer(reply_, kInternalError,
             "error reviewing resource " + std::string(name_) + ": " + verdict.error().message);
      return Handling::kDone;
    }
    policy::ReviewOptions of_made = options;
    of_made.source = "Generated";
    std::vector<policy::ReviewInput> inputs;
    for (const policy::Resultant& each : *made) {
      const std::size_t asked = times_.size();
      const std::size_t evaluated = constraint_times_.size();
      inputs.push_back(
          {.request = policy::MakeRequest(each.object, arena_, request_.GetString({"operation"})),
           .name_space = input.name_space});
      auto implied =
          policy::Review(*policies, inputs.back(), view.get(), of_made, state_.clock, arena_);
      if (!implied) {
        Answer(reply_, kInternalError,
               "error reviewing resultant resource: " + implied.error().message);
        return Handling::kDone;
      }
      for (std::size_t i = asked; i < times_.size(); ++i) {
        times_[i].implied_by = arena_.CopyString(each.template_name);
      }
      for (std::size_t i = evaluated; i < constraint_times_.size(); ++i) {
        constraint_times_[i].implied_action = arena_.CopyString(each.enforcement_action);
      }
      policy::AddImplied(each, *std::move(implied), arena_, &*verdict);
    }
    *statistics_ = verdict->statistics;
    state_.reads.Count(policies, times_);
    state_.durations.Count(policies, times_, constraint_times_);
    if (IsCutShort(*verdict, deadline)) {
      return Handling::kDone;
    }
    const auto stale = state_.options.stale != nullptr ? state_.options.stale->current() : nullptr;
    Unanswered unanswered;
    if (stale != nullptr) {
      unanswered = SetAside(*stale, constraint_times_, options.enforcement_point, &*verdict);
    }
    if (state_.options.log_stats && !times_.empty()) {
      LogStats(request_, times_, traced.trace && context_.stage == Stage::kWorker, *state_.logger);
    }
    if (state_.options.log_denies || state_.options.violations != nullptr) {
      TellViolations(request_, *verdict, state_.options.log_denies ? state_.logger.get() : nullptr,
                     state_.options.violations);
    }
    AnswerVerdict(*verdict, reply_);
    if (unanswered.constraints > 0) {
      AnswerStale(unanswered);
    }
    // On an overloaded loop there is no time for it.
    if (traced.trace && context_.stage == Stage::kWorker) {
      const TracedReview review{.policies = *policies,
                                .inventory = state_.inventory,
                                .view = *view,
                                .clock = state_.clock,
                                .logger = *state_.logger,
                                .wish = traced,
                                .arena_limit_bytes = state_.options.arena_limit_bytes};
      LogTrace(review, input, options);
      for (const policy::ReviewInput& each : inputs) {
        LogTrace(review, each, of_made);
      }
    }
    return Handling::kDone;
  }

  // What others deny is denied. Else a policy that would deny makes the answer an error, or, as all else, a warning.
  void AnswerStale(Unanswered& unanswered) {
    state_.counters.stale.Increment(static_cast<double>(unanswered.constraints));
    const bool denied = reply_.code == kForbidden;
    if (!denied && !unanswered.denying.empty() &&
        state_.options.stale_action == StaleAction::kError) {
      std::string message = "error reviewing resource " + std::string(name_) + ":";
      for (const std::string& line : unanswered.denying) {
        message += (unanswered.denying.size() > 1 ? "\n" : " ") + line;
      }
      reply_.warnings.clear();
      Answer(reply_, kInternalError, std::move(message));
      return;
    }
    for (std::vector<std::string>* lines : {&unanswered.denying, &unanswered.warning}) {
      std::ranges::move(*lines, std::back_inserter(reply_.warnings));
    }
    if (!denied && !reply_.warnings.empty()) {
      reply_.code = kAllowedWithWarnings;
    }
  }

  [[nodiscard]] TraceWish WishedTrace() const {
    return state_.options.traces == nullptr
               ? TraceWish()
               : state_.options.traces->WishFor(
                     {.user = request_.GetString({"userInfo", "username"}),
                      .group = group_,
                      .version = request_.GetString({"kind", "version"}),
                      .kind = kind_});
  }

  Handling Overloaded() {
    state_.counters.overloaded.Increment();
    Answer(
        reply_, kInternalError,
        "error reviewing resource " + std::string(name_) +
            ": overloaded: too many reviews that scan the inventory or ask providers of external "
            "data are under way");
    return Handling::kDone;
  }

  [[nodiscard]] bool WouldScan(const std::shared_ptr<const policy::PolicySet>& policies,
                               const Value& object, index::InventoryView& view) {
    return context_.stage != Stage::kWorker &&
           state_.forecast.WouldScan(policies, policy::GroupOf(object.GetString({"apiVersion"})),
                                     object.GetString({"kind"}), view, state_.options.index_use);
  }

  // The type that templates look at is the request's.
  [[nodiscard]] document::GroupVersionKind RequestedType() const {
    const Value kind = request_.Find("kind");
    return {std::string(kind.GetString({"group"})), std::string(kind.GetString({"version"})),
            std::string(kind.GetString({"kind"}))};
  }

  [[nodiscard]] bool MayAsk(const mutation::Generators& generators) const {
    return generators.MayAskProviders() && generators.AppliesTo(RequestedType());
  }

  Result<std::vector<policy::Resultant>> Generate(const mutation::Generators& generators,
                                                  const policy::ReviewInput& input,
                                                  steady_clock::time_point deadline) {
    const document::GroupVersionKind type = RequestedType();
    if (!IsAbsent(object_) && type == document::GroupVersionKind{}) {
      return Fail(ErrorCode::kInvalidArgument,
                  "cannot expand resource " + std::string(object_.GetString({"metadata", "name"})) +
                      " with empty GVK");
    }
    if (IsAbsent(object_) || !generators.AppliesTo(type)) {
      return std::vector<policy::Resultant>();
    }
    // As the request has them, whatever the object says.
    Value object = mutation::WithMember(
        object_, "apiVersion", Value::String(arena_.CopyString(type.group_version())), arena_);
    object =
        mutation::WithMember(object, "kind", Value::String(arena_.CopyString(type.kind)), arena_);
    const std::string_view name_space =
        input.name_space.is_defined() ? request_.GetString({"namespace"}) : std::string_view();
    return generators.Generate(WithNamespace(object, name_space, arena_),
                               {.name_space = input.name_space,
                                .username = request_.GetString({"userInfo", "username"}),
                                .clock = &state_.clock,
                                .deadline = deadline},
                               arena_);
  }

  // An evaluation that was cancelled has not said what it would have: that must not pass for a warning.
  bool IsCutShort(const policy::Verdict& verdict, steady_clock::time_point deadline) {
    const bool cancelled =
        std::ranges::any_of(verdict.violations, [](const policy::Violation& violation) {
          return violation.details.is_null() &&
                 violation.message.find("eval_cancel_error") != std::string_view::npos;
        });
    if (!cancelled) {
      return false;
    }
    state_.counters.exhausted.Increment();
    const bool memory = arena_.over_limit();
    Answer(reply_, kInternalError,
           "error reviewing resource " + std::string(name_) + ": the evaluation used up its " +
               (memory ? "memory of " + std::to_string(arena_.limit_bytes()) + " bytes"
                       : "time of " +
                             std::to_string(std::chrono::duration_cast<milliseconds>(
                                                deadline - context_.received.value_or(started_))
                                                .count()) +
                             " ms"));
    return true;
  }

  void Report() {
    const ReviewStatus status = reply_.code == kForbidden       ? ReviewStatus::kDeny
                                : reply_.code == kInternalError ? ReviewStatus::kError
                                                                : ReviewStatus::kAllow;
    state_.counters.Count(status, request_.Find("dryRun").is_true(), state_.clock.Now() - started_,
                          *statistics_);
    if (status == ReviewStatus::kError) {
      state_.logger->Error("error executing query",
                           {{"error", std::string_view(reply_.message)},
                            {"resource_group", group_},
                            {"resource_kind", kind_},
                            {"resource_namespace", request_.GetString({"namespace"})},
                            {"resource_name", name_}});
    }
  }

  State& state_;
  const AdmissionContext& context_;
  const Value request_;
  const std::string_view bad_number_;
  document::Arena& arena_;
  ReviewReply& reply_;
  std::vector<policy::TemplateTime>& times_;
  std::vector<policy::ConstraintTime>& constraint_times_;
  rego::EvaluationStatistics* const statistics_;
  const steady_clock::time_point started_;
  std::string_view group_;
  std::string_view kind_;
  std::string_view name_;
  Value object_;  // The one under review.
};

}  // namespace

Handling AdmissionHandler::State::Run(std::string_view content_type, std::string_view body,
                                      const AdmissionContext& context, Scratch& scratch,
                                      std::string* out, rego::EvaluationStatistics* statistics) {
  scratch.Clear(options.arena_limit_bytes);
  return AnswerReview(ReadReview(content_type, body, scratch.arena), *logger, "a review failed",
                      scratch.reply, out, [&](const ReviewRequest& review) {
                        return Review<State>(*this, context, review, scratch, statistics).Run();
                      });
}

AdmissionHandler::AdmissionHandler(policy::PolicyStore& policies, index::Inventory& inventory,
                                   NamespaceFinder& namespaces, const NamespaceExcluder& excluder,
                                   Clock& clock, std::shared_ptr<Logger> logger, Metrics& metrics,
                                   AdmissionOptions options)
    : state_(new State{
          .policies = policies,
          .inventory = inventory,
          .namespaces = namespaces,
          .excluder = excluder,
          .clock = clock,
          .logger = std::move(logger),
          .options = options,
          .own_account =
              "system:serviceaccount:" + options.gatekeeper_namespace + ":gatekeeper-admin",
          .counters = AdmissionCounters(metrics),
          .forecast = {},
          .reads = TemplateReads(metrics),
          .durations = ReviewTimes(metrics),
          .scratches = {},
      }) {}

AdmissionHandler::~AdmissionHandler() = default;

AdmissionOutcome AdmissionHandler::Admit(std::string_view content_type, std::string_view body) {
  AdmissionOutcome outcome;
  std::unique_ptr<Scratch> scratch = state_->scratches.Take();
  state_->Run(content_type, body, {}, *scratch, &outcome.body, &outcome.statistics);
  outcome.allowed = scratch->reply.allowed;
  outcome.code = scratch->reply.code;
  outcome.times = std::move(scratch->times);
  state_->scratches.Return(std::move(scratch));
  return outcome;
}

Handling AdmissionHandler::Admit(std::string_view content_type, std::string_view body,
                                 const AdmissionContext& context, std::string* reply) {
  rego::EvaluationStatistics statistics;
  std::unique_ptr<Scratch> scratch = state_->scratches.Take();
  const Handling handling = state_->Run(content_type, body, context, *scratch, reply, &statistics);
  state_->scratches.Return(std::move(scratch));
  return handling;
}

std::string TooLargeReply() {
  ReviewReply reply;
  Answer(reply, 413, "request entity is too large; limit is 7340032 bytes");
  std::string text;
  AppendBareReply(reply, &text);
  return text;
}

}  // namespace portcullis::webhook
