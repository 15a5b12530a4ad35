#include "controller/events.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "replicator/kubernetes_client.h"

namespace portcullis::controller {
namespace {

constexpr double kBurst = 25;
constexpr double kTokensASecond = 1.0 / 300;
constexpr std::size_t kMostKept = 4096;
constexpr std::size_t kMostMessageBytes = 1024;  // The API server's limit.

std::string TimeText(std::chrono::system_clock::time_point when) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

std::string ObjectOf(const Event& event) {
  std::string key;
  for (const std::string* part :
       {&event.component, &event.name_space, &event.kind, &event.name, &event.uid}) {
    key += *part;
    key += '\n';
  }
  return key;
}

std::string Dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

bool Events::TakeToken(const Event& event) {
  if (sources_.size() > kMostKept) {
    sources_.clear();
  }
  const auto now = clock_.Now();
  const auto [at, is_new] = sources_.try_emplace(ObjectOf(event), Source{kBurst, now});
  Source& source = at->second;
  const double seconds = std::chrono::duration<double>(now - source.filled).count();
  source.tokens = std::min(kBurst, source.tokens + seconds * kTokensASecond);
  source.filled = now;
  if (source.tokens < 1) {
    return false;
  }
  source.tokens -= 1;
  return true;
}

void Events::Emit(const Event& event) {
  const std::lock_guard lock(mutex_);
  if (!TakeToken(event)) {
    return;
  }
  const std::string now = TimeText(clock_.WallNow());
  const std::string key = ObjectOf(event) + event.reason + '\n' + event.message;
  if (const auto known = repeated_.find(key); known != repeated_.end()) {
    const nlohmann::json patch = {{"count", ++known->second.count}, {"lastTimestamp", now}};
    writer_.Patch(known->second.path, "count", Dump(patch));
    return;
  }
  if (repeated_.size() > kMostKept) {
    repeated_.clear();
  }
  const auto stamp =
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.WallNow().time_since_epoch())
          .count();
  const std::string name =
      fmt::format("{}.{:x}", event.name, static_cast<std::uint64_t>(stamp) + made_++);
  nlohmann::json involved = {
      {"kind", event.kind}, {"namespace", event.name_space}, {"name", event.name}};
  if (!event.uid.empty()) {
    involved["uid"] = event.uid;
  }
  if (!event.resource_version.empty()) {
    involved["resourceVersion"] = event.resource_version;
  }
  nlohmann::json annotations = nlohmann::json::object();
  for (const auto& [field, text] : event.annotations) {
    annotations[field] = text;
  }
  const nlohmann::json object = {
      {"apiVersion", "v1"},
      {"kind", "Event"},
      {"metadata", {{"name", name}, {"namespace", event.name_space}, {"annotations", annotations}}},
      {"involvedObject", involved},
      {"reason", event.reason},
      {"message", event.message.substr(0, kMostMessageBytes)},
      {"source", {{"component", event.component}}},
      {"type", "Warning"},
      {"count", 1},
      {"firstTimestamp", now},
      {"lastTimestamp", now},
      {"reportingComponent", event.component},
      {"reportingInstance", ""}};
  const std::string collection = replicator::GroupVersionPath("", "v1") + "/namespaces/" +
                                 replicator::EscapeForUrl(event.name_space) + "/events";
  writer_.Create(collection, Dump(object));
  repeated_[key] = {.path = collection + "/" + replicator::EscapeForUrl(name)};
}

}  // namespace portcullis::controller
