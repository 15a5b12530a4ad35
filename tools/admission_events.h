// Events about what reviews found (--emit-admission-events), as Gatekeeper's webhook records them (gatekeeper.md 4.8).

#pragma once

#include <functional>
#include <utility>

#include "base/clock.h"
#include "base/metrics.h"
#include "controller/event_queue.h"
#include "controller/events.h"
#include "controller/object_writer.h"
#include "webhook/violation_log.h"

namespace portcullis::tools {

class AdmissionEvents final : public webhook::ViolationListener {
 public:
  // Gives each event to `take`, which must not wait.
  AdmissionEvents(controller::EventPlace place, std::function<void(controller::Event)> take)
      : place_(std::move(place)), take_(std::move(take)) {}

  // COST: some texts an action.
  void OnViolation(const webhook::ToldViolation& told) override;

 private:
  const controller::EventPlace place_;
  const std::function<void(controller::Event)> take_;
};

// The same, written to the API server by a thread of its own.
class WrittenAdmissionEvents {
 public:
  // LIFETIME: writer, clock and metrics outlive it.
  WrittenAdmissionEvents(controller::EventPlace place, controller::ObjectWriter& writer,
                         Clock& clock, Metrics& metrics);
  [[nodiscard]] webhook::ViolationListener& listener() { return listener_; }

 private:
  controller::Events events_;
  controller::EventQueue queue_;
  AdmissionEvents listener_;
};

}  // namespace portcullis::tools
