#include "controller/trace_settings.h"

#include <algorithm>
#include <cctype>

namespace portcullis::controller {
namespace {

using document::Value;

bool IsAll(std::string_view dump) {
  constexpr std::string_view kAll = "all";
  return std::ranges::equal(dump, kAll, {}, [](unsigned char c) { return std::tolower(c); });
}

}  // namespace

TraceSettings::TraceSettings(const Value& traces) {
  for (std::uint32_t i = 0; traces.is_array() && i < traces.size(); ++i) {
    const Value item = traces.ItemAt(i);
    if (!item.is_object()) {
      continue;
    }
    entries_.push_back({.user = std::string(item.GetString({"user"})),
                        .type = {.group = std::string(item.GetString({"kind", "group"})),
                                 .version = std::string(item.GetString({"kind", "version"})),
                                 .kind = std::string(item.GetString({"kind", "kind"}))},
                        .level = IsAll(item.GetString({"dump"})) ? TraceLevel::kTraceAndDump
                                                                 : TraceLevel::kTrace});
  }
}

TraceLevel TraceSettings::LevelOf(std::string_view user,
                                  const document::GroupVersionKind& type) const {
  TraceLevel level = TraceLevel::kNone;
  for (const Entry& entry : entries_) {
    if (entry.user == user && entry.type == type) {
      level = std::max(level, entry.level);
    }
  }
  return level;
}

}  // namespace portcullis::controller
