// Kubernetes Events about violations, as Gatekeeper records them (gatekeeper.md 4.8 and 5.5): repeated ones are counted in the
// first, and of one object at most 25 in a burst, then one in five minutes, as client-go's recorder has it.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
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

// THREADS: any.
class Events {
 public:
  // LIFETIME: writer and clock outlive it.
  Events(ObjectWriter& writer, Clock& clock) : writer_(writer), clock_(clock) {}

  // COST: a map look-up; the API server is not waited for.
  void Emit(const Event& event);

 private:
  struct Source {
    double tokens = 0;
    std::chrono::steady_clock::time_point filled{};
  };
  struct Repeated {
    std::string path;
    std::uint64_t count = 1;
  };
  bool TakeToken(const Event& event);

  ObjectWriter& writer_;
  Clock& clock_;
  std::mutex mutex_;
  // Guarded by mutex_. Emptied when they grow beyond kMostKept.
  std::map<std::string, Source> sources_;
  std::map<std::string, Repeated> repeated_;
  std::uint64_t made_ = 0;
};

}  // namespace portcullis::controller
