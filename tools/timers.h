// How long the parts of a command took, by OPA's names of them: `eval --metrics`.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace portcullis::tools {

// THREADS: one. LIFETIME: the clock outlives it.
class Timers {
 public:
  explicit Timers(Clock& clock) : clock_(clock) {}

  template <class Function>
  auto Time(const std::string& name, Function&& function) {
    const auto start = clock_.Now();
    auto result = std::forward<Function>(function)();
    times_[name] +=
        std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.Now() - start).count();
    return result;
  }
  // Nanoseconds, by name.
  [[nodiscard]] std::vector<std::pair<std::string, std::int64_t>> all() const {
    return {times_.begin(), times_.end()};
  }

 private:
  Clock& clock_;
  std::map<std::string, std::int64_t> times_;
};

}  // namespace portcullis::tools
