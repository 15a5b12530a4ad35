// Which reviews the Config object wants traced in the log: spec.validation.traces (gatekeeper.md 1.4).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "document/object.h"
#include "document/value.h"

namespace portcullis::controller {

enum class TraceLevel : std::uint8_t { kNone, kTrace, kTraceAndDump };

// Immutable. THREADS: any.
class TraceSettings {
 public:
  // Nothing is traced.
  TraceSettings() = default;
  // From a Config's spec.validation.traces. What has not the form of an entry is passed over.
  explicit TraceSettings(const document::Value& traces);

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  // Reviews of this user's requests about exactly this kind.
  [[nodiscard]] TraceLevel LevelOf(std::string_view user,
                                   const document::GroupVersionKind& type) const;

 private:
  struct Entry {
    std::string user;
    document::GroupVersionKind type;
    TraceLevel level = TraceLevel::kTrace;
  };
  std::vector<Entry> entries_;
};

}  // namespace portcullis::controller
