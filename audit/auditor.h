// The audit of a running program, on a thread of its own: keeps the verdicts of the inventory true by change, and at each
// interval makes a full pass, reviews what is not in the inventory, and writes what it found where Gatekeeper's users look:
// the status of constraints, log lines, metrics, Events.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "audit/listing.h"
#include "audit/report.h"
#include "audit/verdict_keeper.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "controller/events.h"
#include "controller/object_writer.h"
#include "index/inventory.h"

namespace portcullis::audit {

struct AuditOptions {
  std::chrono::seconds interval{60};
  std::size_t violations_limit = 20;  // In each constraint's status; 0: none.
  bool from_cache = false;       // Only what is in the inventory, as Gatekeeper's cache has it.
  bool match_kind_only = false;  // Beside the inventory only kinds that constraints name.
  bool emit_events = false;
  bool log_stats = false;
  controller::EventPlace event_place = {};
  // What part of one core's time a full pass takes.
  double pass_share = 0.5;
};

// LIFETIME: of what is pointed to, the auditor's. Functions are called on its thread.
struct AuditMeans {
  index::Inventory* inventory = nullptr;  // REQUIRES: it records changes.
  std::function<Policies()> policies;
  std::function<bool()> ready;  // Policies and the inventory are complete.
  FindNamespace find_namespace;
  Listing* listing = nullptr;                        // Null: there is nothing beside the inventory.
  controller::ObjectWriter* writer = nullptr;        // Null: statuses are written nowhere.
  controller::ObjectWriter* event_writer = nullptr;  // Null: Events neither.
};

class Auditor {
 public:
  // LIFETIME: clock and metrics outlive it.
  Auditor(AuditMeans means, AuditOptions options, Clock& clock, std::shared_ptr<Logger> logger,
          Metrics& metrics);
  // Ends the thread, within the time of one evaluation or request.
  ~Auditor();
  Auditor(const Auditor&) = delete;
  Auditor& operator=(const Auditor&) = delete;

  // A Namespace object came, changed or went. THREADS: any.
  void TouchNamespace(std::string name);

 private:
  struct Run {
    std::string id;  // The timestamp of status and logs.
    std::chrono::steady_clock::time_point begun;
  };
  void Loop();
  bool Stopping();
  bool IsReady();
  void Pause(std::chrono::milliseconds longest);
  Result<void> Work();
  Result<void> FollowPolicies();
  void BeginRun();
  Result<void> EndRun();
  Result<void> ReviewOutside(const std::string& id);
  Result<void> Report(const std::string& id);
  void Emit(const std::string& id, const ShownViolation& violation);
  [[nodiscard]] bool IsListed(const document::GroupVersionKind& type,
                              const std::set<document::GroupVersionKind>& replicated) const;

  const AuditMeans means_;
  const AuditOptions options_;
  Clock& clock_;
  const std::shared_ptr<Logger> logger_;
  Metrics& metrics_;
  std::optional<controller::Events> events_;
  // Of the thread.
  VerdictKeeper keeper_;
  bool has_policies_ = false;
  bool ready_ = false;
  std::chrono::steady_clock::time_point ask_ready_;
  std::optional<Run> run_;
  std::chrono::steady_clock::time_point next_run_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace portcullis::audit
