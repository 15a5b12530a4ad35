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
// Of different texts about one object, before they are combined.
constexpr std::size_t kMostTexts = 10;
constexpr std::chrono::minutes kSimilarFor{10};
// The API server forgets an Event that was not touched for an hour: a patch would be lost.
constexpr std::chrono::minutes kEventLives{55};
constexpr std::size_t kMostMessageBytes = std::size_t{16} << 10;

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

// Cut between characters.
std::string_view Cut(std::string_view text) {
  if (text.size() <= kMostMessageBytes) {
    return text;
  }
  std::size_t end = kMostMessageBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

nlohmann::json MakeObject(const Event& event, const std::string& name, std::string_view message,
                          const std::string& now, bool combined) {
  nlohmann::json involved = {
      {"kind", event.kind}, {"namespace", event.name_space}, {"name", event.name}};
  if (!event.uid.empty()) {
    involved["uid"] = event.uid;
  }
  if (!event.resource_version.empty()) {
    involved["resourceVersion"] = event.resource_version;
  }
  nlohmann::json metadata = {{"name", name}, {"namespace", event.name_space}};
  // What stands for many has none of one.
  if (!combined) {
    for (const auto& [field, text] : event.annotations) {
      metadata["annotations"][field] = text;
    }
  }
  return {{"apiVersion", "v1"},
          {"kind", "Event"},
          {"metadata", metadata},
          {"involvedObject", involved},
          {"reason", event.reason},
          {"message", message},
          {"source", {{"component", event.component}}},
          {"type", "Warning"},
          {"count", 1},
          {"firstTimestamp", now},
          {"lastTimestamp", now},
          {"reportingComponent", combined ? "" : event.component},
          {"reportingInstance", ""}};
}

template <class Kept>
void KeepFew(Kept* kept) {
  if (kept->size() > kMostKept) {
    kept->clear();
  }
}

}  // namespace

void SetSubject(const ViolationSubject& subject, const EventPlace& place, Event* event) {
  event->kind = subject.kind;
  event->name = subject.name;
  event->name_space = place.gatekeeper_namespace;
  if (!place.beside_objects) {
    event->uid = fmt::format("{}/{}/{}/{}//{}", subject.kind, subject.name_space, subject.name,
                             subject.constraint_kind, subject.constraint_name);
    return;
  }
  if (!subject.name_space.empty()) {
    event->name_space = subject.name_space;
  }
  if (!subject.uid.empty() && !subject.resource_version.empty()) {
    event->uid = subject.uid;
    event->resource_version = subject.resource_version;
  }
}

bool EventCorrelator::TakeToken(const std::string& object) {
  KeepFew(&sources_);
  const Instant now = clock_.Now();
  Source& source = sources_.try_emplace(object, Source{kBurst, now}).first->second;
  const double seconds = std::chrono::duration<double>(now - source.filled).count();
  source.tokens = std::min(kBurst, source.tokens + seconds * kTokensASecond);
  source.filled = now;
  if (source.tokens < 1) {
    return false;
  }
  source.tokens -= 1;
  return true;
}

bool EventCorrelator::IsOneOfMany(const std::string& object, const Event& event) {
  KeepFew(&similar_);
  const Instant now = clock_.Now();
  Similar& similar = similar_[object + event.reason];
  if (now - similar.last > kSimilarFor) {
    similar.messages.clear();
  }
  similar.last = now;
  similar.messages.insert(event.message);
  if (similar.messages.size() < kMostTexts) {
    return false;
  }
  similar.messages.erase(similar.messages.begin());
  return true;
}

std::optional<EventWrite> EventCorrelator::Observe(const Event& event) {
  const std::string object = ObjectOf(event);
  const bool combined = IsOneOfMany(object, event);
  const std::string text =
      std::string(Cut((combined ? "(combined from similar events): " : "") + event.message));
  const Instant now = clock_.Now();
  KeepFew(&repeated_);
  Repeated& repeated = repeated_[object + event.reason + '\n' + (combined ? "" : event.message)];
  const bool is_new = repeated.count == 0 || now - repeated.last > kEventLives;
  repeated.count = is_new ? 1 : repeated.count + 1;
  repeated.last = now;
  const std::string when = TimeText(clock_.WallNow());
  if (!TakeToken(object)) {
    if (is_new) {
      repeated.count = 0;
    }
    return std::nullopt;
  }
  if (!is_new) {
    nlohmann::json patch = {{"count", repeated.count}, {"lastTimestamp", when}};
    if (combined) {
      patch["message"] = text;
    }
    return EventWrite{.verb = EventWrite::Verb::kPatch,
                      .path = repeated.collection + "/" + replicator::EscapeForUrl(repeated.name),
                      .body = Dump(patch)};
  }
  const auto stamp =
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.WallNow().time_since_epoch())
          .count();
  repeated.name = fmt::format("{}.{:x}", event.name, static_cast<std::uint64_t>(stamp) + made_++);
  repeated.collection = replicator::GroupVersionPath("", "v1") + "/namespaces/" +
                        replicator::EscapeForUrl(event.name_space) + "/events";
  return EventWrite{.verb = EventWrite::Verb::kCreate,
                    .path = repeated.collection,
                    .body = Dump(MakeObject(event, repeated.name, text, when, combined))};
}

void Events::Emit(const Event& event) {
  const std::lock_guard lock(mutex_);
  if (auto write = correlator_.Observe(event); !write) {
    return;
  } else if (write->verb == EventWrite::Verb::kCreate) {
    writer_.Create(std::move(write->path), std::move(write->body));
  } else {
    writer_.Patch(write->path, "count", std::move(write->body));
  }
}

}  // namespace portcullis::controller
