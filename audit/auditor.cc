#include "audit/auditor.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "controller/pod_status.h"
#include "document/json.h"

namespace portcullis::audit {
namespace {

using document::GroupVersionKind;
using document::Value;

constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::milliseconds kAskReady{250};
constexpr std::chrono::seconds kAfterError{1};
constexpr std::chrono::milliseconds kLongestPause{1000};
const std::vector<double> kDurations = {60, 180, 300, 600, 900, 1200, 2400, 4800, 9600, 19200};

double UnixSeconds(Clock& clock) {
  return std::chrono::duration<double>(clock.WallNow().time_since_epoch()).count();
}

std::string Join(const std::vector<std::string>& texts) {
  return fmt::format("{}", fmt::join(texts, ","));
}

std::string StatusPath(const policy::Constraint& constraint) {
  return controller::StatusPath({.subject = controller::StatusSubject::kConstraint,
                                 .kind = constraint.kind,
                                 .name = constraint.name});
}

ObjectReviewOptions ReviewOptions(const AuditOptions& options) {
  ObjectReviewOptions review;
  review.source = options.from_cache ? "" : "Original";
  review.log_stats = options.log_stats;
  return review;
}

}  // namespace

Auditor::Auditor(AuditMeans means, AuditOptions options, Clock& clock,
                 std::shared_ptr<Logger> logger, Metrics& metrics)
    : means_(std::move(means)),
      options_(std::move(options)),
      clock_(clock),
      logger_(std::move(logger)),
      metrics_(metrics),
      keeper_(*means_.inventory, means_.find_namespace, clock, logger_, metrics,
              ReviewOptions(options_)),
      next_run_(clock.Now() + options_.interval) {
  if (options_.emit_events && means_.event_writer != nullptr) {
    events_.emplace(*means_.event_writer, clock_);
  }
  thread_ = std::thread([this] { Loop(); });
}

Auditor::~Auditor() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Auditor::TouchNamespace(std::string name) {
  keeper_.TouchNamespace(std::move(name));
}

bool Auditor::Stopping() {
  const std::lock_guard lock(mutex_);
  return stop_;
}

void Auditor::Pause(std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, longest, [this] { return stop_; });
}

void Auditor::Loop() {
  std::string last_error;
  while (!Stopping()) {
    if (!IsReady()) {
      Pause(kTick);
      continue;
    }
    const Result<void> worked = Work();
    if (!worked) {
      if (worked.error().message != last_error) {
        last_error = worked.error().message;
        logger_->Error("the audit failed, and goes on",
                       {{"process", "audit"}, {"error", last_error}});
      }
      Pause(kAfterError);
    } else {
      last_error.clear();
    }
  }
}

// Asking costs more than a change: it is done now and then.
bool Auditor::IsReady() {
  const auto now = clock_.Now();
  if (!ready_ || now >= ask_ready_) {
    ready_ = means_.ready();
    ask_ready_ = now + kAskReady;
  }
  return ready_;
}

// As long as there are changes; then a piece of all else.
Result<void> Auditor::Work() {
  TRY(FollowPolicies());
  const auto begun = clock_.Now();
  const VerdictKeeper::Work work = TRY(keeper_.Step());
  if (work == VerdictKeeper::Work::kChanges) {
    return {};
  }
  if (!run_ && clock_.Now() >= next_run_) {
    BeginRun();
    return {};
  }
  if (run_ && keeper_.settled()) {
    return EndRun();
  }
  if (work == VerdictKeeper::Work::kNothing) {
    means_.inventory->WaitForChangeAfter(keeper_.sequence(), kTick);
    return {};
  }
  // Changes do not wait for the end of the pause.
  const auto took = clock_.Now() - begun;
  const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(
      took * (1 / std::clamp(options_.pass_share, 0.01, 1.0) - 1));
  if (pause > std::chrono::milliseconds(0)) {
    means_.inventory->WaitForChangeAfter(keeper_.sequence(), std::min(pause, kLongestPause));
  }
  return {};
}

Result<void> Auditor::FollowPolicies() {
  Policies now = means_.policies();
  const Policies& then = keeper_.policies();
  if (has_policies_ && now.set == then.set && now.exclusions == then.exclusions &&
      now.generators.expander == then.generators.expander &&
      (now.generators.expander == nullptr || now.generators.mutators == then.generators.mutators)) {
    return {};
  }
  TRY(keeper_.SetPolicies(std::move(now)));
  has_policies_ = true;
  return {};
}

void Auditor::BeginRun() {
  run_ = Run{.id = Timestamp(clock_), .begun = clock_.Now()};
  metrics_.GetGauge("gatekeeper_audit_last_run_time", "Timestamp of last audit run starting time")
      .Set(UnixSeconds(clock_));
  logger_->Info("auditing constraints and violations", {{"process", "audit"},
                                                        {"audit_id", run_->id},
                                                        {"event_type", "audit_started"},
                                                        {"semantic", true}});
  keeper_.BeginFullPass();
}

Result<void> Auditor::EndRun() {
  const Run run = *std::exchange(run_, std::nullopt);
  next_run_ = std::max(run.begun + options_.interval, clock_.Now());
  if (means_.listing != nullptr && !options_.from_cache) {
    TRY(ReviewOutside(run.id));
  }
  if (Stopping()) {
    return {};
  }
  TRY(Report(run.id));
  const auto took = clock_.Now() - run.begun;
  const double seconds = std::chrono::duration<double>(took).count();
  metrics_
      .GetHistogram("gatekeeper_audit_duration_seconds", "Latency of audit operation in seconds",
                    kDurations)
      .Observe(seconds);
  metrics_.GetGauge("gatekeeper_audit_last_run_end_time", "Timestamp of last audit run ending time")
      .Set(UnixSeconds(clock_));
  const std::string duration = fmt::format("{:.9g}s", seconds);
  logger_->Info("auditing is complete", {{"process", "audit"},
                                         {"audit_id", run.id},
                                         {"event_type", "audit_finished"},
                                         {"semantic", true},
                                         {"duration", duration}});
  return {};
}

// Kinds about which some constraint could say something.
bool Auditor::IsListed(const GroupVersionKind& type,
                       const std::set<GroupVersionKind>& replicated) const {
  const Policies& policies = keeper_.policies();
  const bool filtered =
      policies.exclusions != nullptr && !policies.exclusions->PatternsOf("sync").empty();
  if (replicated.contains(type) && !filtered) {
    return false;
  }
  return !policies.set->BoundTo(type.kind).empty() ||
         (policies.generators.expander != nullptr && !options_.match_kind_only);
}

Result<void> Auditor::ReviewOutside(const std::string& id) {
  std::set<GroupVersionKind> replicated;
  for (const index::KindStatistics& each : TRY(means_.inventory->Kinds())) {
    if (each.position.complete) {
      replicated.insert(each.type);
    }
  }
  document::Arena arena;
  const auto take = [&](const Value& object) -> Result<bool> {
    if (Stopping()) {
      return false;
    }
    // Changes do not wait for the list.
    if (means_.inventory->WaitForChangeAfter(keeper_.sequence(), std::chrono::milliseconds(0))) {
      TRY(keeper_.Step());
    }
    arena.Reset();
    const Result<document::ObjectIdentity> identity = document::IdentityOf(object);
    if (!identity) {
      return true;  // Of a kind whose objects have no names.
    }
    const store::ObjectKey key = TRY(store::KeyOf(*identity));
    const std::string bytes = store::EncodeKey(key);
    const Value known = TRY(means_.inventory->View()->Get(*store::DecodeKey(bytes), arena,
                                                          document::NumberMode::kFloat64));
    if (known.is_undefined()) {
      TRY(keeper_.ReviewOutside(object, id));
    }
    return true;
  };
  TRY(means_.listing->Visit(
      [&](const GroupVersionKind& type) { return IsListed(type, replicated); }, take));
  return Stopping() ? Result<void>() : keeper_.EndOutside(id);
}

Result<void> Auditor::Report(const std::string& id) {
  std::map<std::string_view, std::uint64_t> totals = {
      {"deny", 0}, {"dryrun", 0}, {"warn", 0}, {"scoped", 0}, {"unrecognized", 0}};
  for (const policy::BoundConstraint& bound : keeper_.policies().set->all()) {
    const policy::Constraint& constraint = *bound.constraint;
    const ConstraintStatus status =
        TRY(ReadStatus(means_.inventory->store(), constraint, options_.violations_limit,
                       [&](const ShownViolation& violation) {
                         ++totals[violation.enforcement_action];
                         LogViolation(*logger_, id, violation);
                         Emit(id, violation);
                       }));
    if (status.total > 0) {
      LogConstraint(*logger_, id, constraint, status.total);
    }
    if (means_.writer != nullptr) {
      means_.writer->Patch(StatusPath(constraint), "audit",
                           StatusPatch(status, id, options_.violations_limit));
    }
  }
  for (const auto& [action, total] : totals) {
    metrics_
        .GetGauge("gatekeeper_violations", "Total number of audited violations",
                  {{"enforcement_action", std::string(action)}})
        .Set(static_cast<double>(total));
  }
  return {};
}

void Auditor::Emit(const std::string& id, const ShownViolation& violation) {
  if (!events_) {
    return;
  }
  const policy::Constraint& constraint = *violation.constraint;
  const GroupVersionKind& type = violation.object_type;
  controller::Event event;
  event.component = "gatekeeper-audit";
  event.reason = "AuditViolation";
  controller::ViolationSubject subject{.kind = type.kind,
                                       .name = violation.name,
                                       .name_space = violation.name_space,
                                       .uid = violation.uid,
                                       .resource_version = violation.resource_version,
                                       .constraint_kind = constraint.kind,
                                       .constraint_name = constraint.name};
  const std::string told =
      fmt::format("Constraint: {}, Message: {}", constraint.name, violation.message);
  document::Arena arena;
  Result<Value> object = Value();
  if (options_.event_place.beside_objects) {
    const store::ObjectKey key{
        .scope = violation.name_space.empty() ? store::Scope::kCluster : store::Scope::kNamespaced,
        .name_space = std::string(violation.name_space),
        .group_version = type.group_version(),
        .kind = type.kind,
        .name = std::string(violation.name)};
    const std::string bytes = store::EncodeKey(key);
    object = means_.inventory->View()->Get(*store::DecodeKey(bytes), arena,
                                           document::NumberMode::kFloat64);
    if (object && object->is_defined()) {
      subject.uid = object->GetString({"metadata", "uid"});
      subject.resource_version = object->GetString({"metadata", "resourceVersion"});
    }
    event.message = told;
  } else {
    event.message = fmt::format("Resource Namespace: {}, {}", violation.name_space, told);
  }
  controller::SetSubject(subject, options_.event_place, &event);
  event.annotations = {
      {"process", "audit"},
      {"auditTimestamp", id},
      {"event_type", "violation_audited"},
      {"constraint_group", "constraints.gatekeeper.sh"},
      {"constraint_api_version",
       document::MakeGroupVersionKind(constraint.object.GetString({"apiVersion"}), constraint.kind)
           .version},
      {"constraint_kind", constraint.kind},
      {"constraint_name", constraint.name},
      {"constraint_namespace", ""},
      {"constraint_action", std::string(violation.enforcement_action)},
      {"constraint_enforcement_actions", Join(violation.actions)},
      {"resource_group", type.group},
      {"resource_api_version", type.version},
      {"resource_kind", type.kind},
      {"resource_namespace", std::string(violation.name_space)},
      {"resource_name", std::string(violation.name)}};
  events_->Emit(event);
}

}  // namespace portcullis::audit
