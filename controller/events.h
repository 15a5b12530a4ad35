// Kubernetes Events about violations, as Gatekeeper records them (gatekeeper.md 4.8 and 5.5), correlated as client-go's recorder
// does: repeated ones are counted in the first; from the tenth text in ten minutes about one object on, one Event stands for
// all; of one object at most 25 in a burst, then one in five minutes.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "controller/object_writer.h"

namespace portcullis::controller {

struct Event {
  std::string component;   // "gatekeeper-audit"
  std::string name_space;  // Where it lies, and what the object it is about is said to be in.
  std::string kind;        // Of the object that it is about, as the next.
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string reason;  // "AuditViolation"
  std::string message;
  std::vector<std::pair<std::string, std::string>> annotations;
};

// Where Events lie.
struct EventPlace {
  std::string gatekeeper_namespace = "gatekeeper-system";
  bool beside_objects = false;  // In the namespace of the object, where that has one.
};

// What a violation is of.
struct ViolationSubject {
  std::string_view kind;
  std::string_view name;
  std::string_view name_space;
  std::string_view uid;
  std::string_view resource_version;
  std::string_view constraint_kind;
  std::string_view constraint_name;
};

// Fills in what the event is about and where it lies. Unless Events lie beside their objects, the uid is made of the names of
// object and constraint, so that Events of one are told apart.
void SetSubject(const ViolationSubject& subject, const EventPlace& place, Event* event);

// A request to the API server.
struct EventWrite {
  enum class Verb : std::uint8_t { kCreate, kPatch };
  Verb verb = Verb::kCreate;
  std::string path;  // Of the collection; of a patch, of the Event.
  std::string body;
};

// Memory for some thousand objects and texts; older ones are forgotten. THREADS: one.
class EventCorrelator {
 public:
  // LIFETIME: the clock outlives it.
  explicit EventCorrelator(Clock& clock) : clock_(clock) {}
  // What is to be written of this event; nothing: its object had too many.
  [[nodiscard]] std::optional<EventWrite> Observe(const Event& event);

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Source {
    double tokens = 0;
    Instant filled{};
  };
  struct Similar {
    std::set<std::string> messages;
    Instant last{};
  };
  struct Repeated {
    std::string collection;
    std::string name;
    std::uint64_t count = 0;
    Instant last{};
  };
  bool TakeToken(const std::string& object);
  bool IsOneOfMany(const std::string& object, const Event& event);

  Clock& clock_;
  // Emptied when they grow beyond kMostKept.
  std::map<std::string, Source> sources_;
  std::map<std::string, Similar> similar_;
  std::map<std::string, Repeated> repeated_;
  std::uint64_t made_ = 0;
};

// THREADS: any.
class Events {
 public:
  // LIFETIME: writer and clock outlive it.
  Events(ObjectWriter& writer, Clock& clock) : writer_(writer), correlator_(clock) {}

  // COST: some map look-ups and the text of the Event; the API server is not waited for.
  void Emit(const Event& event);

 private:
  ObjectWriter& writer_;
  std::mutex mutex_;
  EventCorrelator correlator_;  // Guarded by mutex_.
};

}  // namespace portcullis::controller
