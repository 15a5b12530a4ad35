#include "replicator/reflector.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "replicator/kubernetes_client.h"
#include "replicator/kubernetes_messages.h"
#include "store/object_key.h"

namespace portcullis::replicator {
namespace {

using document::Value;
using std::chrono::milliseconds;

constexpr std::uint32_t kMaxPageSize = 10'000;
constexpr std::size_t kMaxErrorBytes = 64 * 1024;
constexpr std::size_t kMaxBatchEvents = 1'000;
constexpr std::size_t kMaxBatchBytes = std::size_t{32} << 20;
// A kind that was there is gone only when the server has said so this many times: one server of
// several may be starting.
constexpr int kUnservedConfirmations = 3;
constexpr int kPoisonAttempts = 3;
// A watch that ends sooner, and brought nothing, is not opened again at once.
constexpr std::chrono::seconds kShortWatch{1};

// The watch's answer for a position that lies before what the server remembers, or after what it
// has (a restored etcd).
bool IsUnknownPosition(std::int64_t code, std::string_view message) {
  return code == 410 ||
         (code == 504 && message.find("Too large resource version") != std::string_view::npos);
}

// The last event of each object, so that a change set needs no order within.
class Batch {
 public:
  Result<void> Add(const WatchEvent& event) {
    const document::ObjectIdentity identity = TRY(document::IdentityOf(event.object));
    store::ObjectKey key = TRY(store::KeyOf(identity));
    const auto [at, is_new] = places_.try_emplace(store::EncodeKey(key), entries_.size());
    Entry entry{std::move(key), event.type == EventType::kDelete ? Value() : event.object};
    if (is_new) {
      entries_.push_back(std::move(entry));
    } else {
      entries_[at->second] = std::move(entry);
    }
    return {};
  }
  void Take(index::ChangeSet* changes) {
    for (Entry& entry : entries_) {
      if (entry.object.is_undefined()) {
        changes->deletes.push_back(std::move(entry.key));
      } else {
        changes->puts.push_back(entry.object);
      }
    }
    entries_.clear();
    places_.clear();
  }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    store::ObjectKey key;
    Value object;
  };
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

Reflector::Reflector(document::GroupVersionKind type, KindSink& sink, ReflectorIo& io, Clock& clock,
                     const Logger& logger, const ReflectorOptions& options)
    : type_(std::move(type)),
      sink_(sink),
      io_(io),
      clock_(clock),
      logger_(logger),
      options_(options),
      back_off_(options.back_off_base, options.back_off_limit, options.seed),
      unserved_back_off_(options.unserved_back_off_base, options.unserved_back_off_limit,
                         options.seed + 1),
      random_(options.seed + 2),
      page_size_(options.page_size) {
  status_.type = type_;
  status_.sink = &sink_;
}

void Reflector::Start() {
  Proceed();
}

void Reflector::Proceed() {
  if (!resumed_) {
    Result<std::optional<std::string>> position = sink_.ResumeFrom();
    if (!position) {
      return Wait(std::move(position).error());
    }
    resumed_ = true;
    position_ = *std::move(position);
    if (position_ && position_->empty()) {
      position_.reset();
    }
    status_.resource_version = position_.value_or("");
  }
  if (resource_.empty()) {
    return Discover();
  }
  if (reconciliation_ != nullptr) {
    return RequestPage();
  }
  return position_ ? Watch() : List();
}

std::string Reflector::CollectionPath() const {
  return GroupVersionPath(type_.group, type_.version) + "/" + EscapeForUrl(resource_) + "?" +
         (options_.label_selector.empty()
              ? ""
              : "labelSelector=" + EscapeForUrl(options_.label_selector) + "&");
}

void Reflector::Send(Phase phase, const std::string& path) {
  phase_ = phase;
  http_status_ = 0;
  retry_after_.reset();
  body_.clear();
  searched_ = 0;
  deadline_ = clock_.Now() + options_.stall_limit;
  io_.Get(path, std::exchange(connection_, Connection::kAny));
}

void Reflector::Discover() {
  Send(Phase::kDiscovering, GroupVersionPath(type_.group, type_.version));
}

void Reflector::List() {
  reconciliation_.reset();
  continue_token_.clear();
  list_version_.clear();
  Result<std::unique_ptr<index::Reconciliation>> reconciliation = sink_.BeginList();
  if (!reconciliation) {
    return Wait(std::move(reconciliation).error());
  }
  reconciliation_ = *std::move(reconciliation);
  ++status_.lists;
  status_.state = KindState::kListing;
  RequestPage();
}

void Reflector::RequestPage() {
  std::string path = CollectionPath() + "limit=" + std::to_string(page_size_);
  if (!continue_token_.empty()) {
    path += "&continue=" + EscapeForUrl(continue_token_);
  }
  Send(Phase::kListing, path);
}

void Reflector::Watch() {
  const auto shortest = options_.watch_duration.count();
  std::uniform_int_distribution<std::int64_t> seconds(shortest, shortest * 2);
  watch_progressed_ = false;
  Send(Phase::kWatching, CollectionPath() + "watch=true&allowWatchBookmarks=true&timeoutSeconds=" +
                             std::to_string(seconds(random_)) +
                             "&resourceVersion=" + EscapeForUrl(*position_));
  watch_sent_ = clock_.Now();
}

void Reflector::ListAgain(const std::string& reason) {
  logger_.Info("listing again", {{"kind", type_.ToString()}, {"reason", reason}});
  io_.Cancel();
  reconciliation_.reset();
  position_.reset();
  poisoned_ = 0;
  // A list whose position is refused before the watch brought anything would be made over and over.
  if (list_is_fresh_) {
    return Wait({ErrorCode::kUnavailable, reason, std::nullopt});
  }
  List();
}

void Reflector::Wait(Error error, BackOff& back_off) {
  io_.Cancel();
  milliseconds delay = back_off.Next();
  if (retry_after_) {
    delay = std::max(delay, std::min<milliseconds>(*retry_after_, options_.back_off_limit));
  }
  phase_ = Phase::kWaiting;
  deadline_ = clock_.Now() + delay;
  status_.last_error = error.ToString();
  if (status_.served) {
    status_.state = KindState::kFailing;
    logger_.Warning("replication waits", {{"kind", type_.ToString()},
                                          {"error", status_.last_error},
                                          {"retry_ms", std::int64_t{delay.count()}}});
  }
}

void Reflector::OnStatus(int status, std::optional<std::chrono::seconds> retry_after) {
  http_status_ = status;
  retry_after_ = retry_after;
  status_.last_contact = clock_.Now();
  deadline_ = clock_.Now() + options_.stall_limit;
  if (phase_ == Phase::kWatching && status == 200) {
    status_.state = KindState::kWatching;
    status_.synced = true;
    status_.last_error.clear();
  }
}

void Reflector::OnBytes(std::string_view bytes) {
  status_.last_contact = clock_.Now();
  deadline_ = clock_.Now() + options_.stall_limit;
  if (http_status_ != 200) {
    body_.append(bytes.substr(0, kMaxErrorBytes - std::min(kMaxErrorBytes, body_.size())));
    return;
  }
  if (phase_ == Phase::kWatching) {
    return OnWatchBytes(bytes);
  }
  if (body_.size() + bytes.size() > options_.max_page_bytes) {
    // The same page would come again: ask for a smaller one.
    page_size_ = std::max<std::uint32_t>(1, page_size_ / 4);
    reconciliation_.reset();
    return Wait({ErrorCode::kExhausted,
                 "an answer of more than " + std::to_string(options_.max_page_bytes) + " bytes",
                 std::nullopt});
  }
  body_ += bytes;
}

void Reflector::OnEnd(Result<void> result) {
  if (phase_ == Phase::kWatching && http_status_ == 200) {
    return OnWatchEnd(std::move(result));
  }
  if (!result) {
    return Wait(std::move(result).error());
  }
  if (http_status_ != 200) {
    return OnHttpError();
  }
  return phase_ == Phase::kDiscovering ? OnDiscovery() : OnPage();
}

void Reflector::OnHttpError() {
  Error error = ErrorOfReply(http_status_, body_);
  if (http_status_ == 404) {
    if (phase_ == Phase::kDiscovering) {
      return OnUnserved();
    }
    reconciliation_.reset();
    resource_.clear();
    return Wait(std::move(error), unserved_back_off_);
  }
  if (phase_ == Phase::kWatching && IsUnknownPosition(http_status_, error.message)) {
    return ListAgain(error.message);
  }
  if (phase_ == Phase::kListing && (http_status_ == 410 || http_status_ == 400)) {
    // The continue token outlived etcd's history: with larger pages the list is through sooner.
    reconciliation_.reset();
    if (http_status_ == 410 && !continue_token_.empty() && page_size_ < kMaxPageSize) {
      page_size_ = std::min(kMaxPageSize, page_size_ * 4);
      return List();
    }
  }
  Wait(std::move(error));
}

void Reflector::OnDiscovery() {
  Result<std::optional<std::string>> name = FindResourceName(body_, type_.kind);
  if (!name) {
    return Wait(std::move(name).error());
  }
  if (!*name) {
    return OnUnserved();
  }
  resource_ = **std::move(name);
  unserved_answers_ = 0;
  unserved_back_off_.Reset();
  status_.served = true;
  Proceed();
}

void Reflector::OnUnserved() {
  ++unserved_answers_;
  const bool was_there = position_.has_value() || (status_.synced && status_.served);
  const bool is_certain = !was_there || unserved_answers_ >= kUnservedConfirmations;
  if (is_certain && status_.served) {
    Result<std::unique_ptr<index::Reconciliation>> empty = sink_.BeginList();
    Result<index::ReconcileResult> finished =
        empty ? (*empty)->Finish("") : std::unexpected(std::move(empty).error());
    if (!finished) {
      return Wait(std::move(finished).error());
    }
    position_.reset();
    status_.resource_version.clear();
    status_.served = false;
    status_.synced = true;
    status_.state = KindState::kListing;
  }
  Wait({ErrorCode::kNotFound, "the API server has no kind " + type_.ToString(), std::nullopt},
       unserved_back_off_);
}

void Reflector::OnPage() {
  arena_.Reset();
  Result<ListPage> page = ParseListPage(body_, type_, arena_);
  if (!page) {
    reconciliation_.reset();
    return Wait(std::move(page).error());
  }
  if (list_version_.empty()) {
    list_version_ = page->resource_version;
  }
  continue_token_ = page->continue_token;
  const bool is_last = continue_token_.empty();
  if (!is_last) {
    // Before this one is written, so that the server prepares the next meanwhile.
    RequestPage();
  }
  Result<void> added = reconciliation_->Add(page->items);
  if (added && is_last) {
    added = FinishList(list_version_);
  }
  arena_.Reset();
  if (!added) {
    reconciliation_.reset();
    return Wait(std::move(added).error());
  }
  back_off_.Reset();
  if (is_last) {
    Watch();
  }
}

Result<void> Reflector::FinishList(std::string resource_version) {
  const index::ReconcileResult result = TRY(reconciliation_->Finish(resource_version));
  reconciliation_.reset();
  status_.changes += result.written + result.deleted;
  status_.resource_version = resource_version;
  status_.synced = true;
  position_ = std::move(resource_version);
  page_size_ = options_.page_size;
  list_is_fresh_ = true;
  logger_.Info("listed", {{"kind", type_.ToString()},
                          {"written", static_cast<std::int64_t>(result.written)},
                          {"unchanged", static_cast<std::int64_t>(result.unchanged)},
                          {"deleted", static_cast<std::int64_t>(result.deleted)},
                          {"resource_version", status_.resource_version}});
  return {};
}

void Reflector::OnWatchBytes(std::string_view bytes) {
  body_ += bytes;
  if (!ConsumeLines()) {
    return;
  }
  if (body_.size() > options_.max_event_bytes) {
    OnPoison({ErrorCode::kExhausted,
              "watch event: longer than " + std::to_string(options_.max_event_bytes) + " bytes",
              std::nullopt});
  }
}

bool Reflector::ConsumeLines() {
  Batch batch;
  index::ChangeSet changes;
  std::string version = *position_;
  const auto apply = [&]() -> bool {
    if (version == *position_) {
      return true;
    }
    changes = index::ChangeSet();
    batch.Take(&changes);
    changes.position = index::ReplicationPosition{version, true};
    const Result<void> applied = ApplyBatch(&changes);
    arena_.Reset();
    if (!applied) {
      Wait(applied.error());
    }
    return applied.has_value();
  };
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = body_.find('\n', std::max(begin, searched_));
    if (end == std::string::npos) {
      break;
    }
    const std::string_view line = std::string_view(body_).substr(begin, end - begin);
    begin = end + 1;
    if (line.empty()) {
      continue;
    }
    Result<WatchEvent> event = ParseWatchEvent(line, type_, arena_);
    if (!event) {
      if (apply()) {
        OnPoison(event.error());
      }
      return false;
    }
    if (event->type == EventType::kError) {
      if (!apply()) {
        return false;
      }
      if (IsUnknownPosition(event->error_code, event->error_message)) {
        ListAgain(event->error_message);
      } else {
        Wait({ErrorCode::kUnavailable, "watch: " + event->error_message, std::nullopt});
      }
      return false;
    }
    const auto have = ResourceVersionNumber(version);
    const auto got = ResourceVersionNumber(event->resource_version);
    if (have && got && *got < *have && event->type == EventType::kBookmark) {
      if (apply()) {
        ListAgain("the API server's resource versions went back");
      }
      return false;
    }
    // An event that was applied already is older than what is stored: applying it would undo later
    // ones.
    if (have && got && *got <= *have) {
      continue;
    }
    if (event->type != EventType::kBookmark) {
      if (const Result<void> added = batch.Add(*event); !added) {
        if (apply()) {
          OnPoison(added.error());
        }
        return false;
      }
    }
    version = event->resource_version;
    if ((batch.size() >= kMaxBatchEvents || arena_.used_bytes() > kMaxBatchBytes) && !apply()) {
      return false;
    }
  }
  body_.erase(0, begin);
  searched_ = body_.size();
  return apply();
}

Result<void> Reflector::ApplyBatch(index::ChangeSet* batch) {
  batch->type = type_;
  TRY(sink_.Apply(*batch));
  position_ = batch->position->resource_version;
  status_.resource_version = *position_;
  status_.changes += batch->puts.size() + batch->deletes.size();
  watch_progressed_ = true;
  list_is_fresh_ = false;
  poisoned_ = 0;
  back_off_.Reset();
  return {};
}

void Reflector::OnPoison(const Error& error) {
  if (++poisoned_ < kPoisonAttempts) {
    // Most likely the connection's fault: the same position again.
    return Wait(error);
  }
  ListAgain(error.message);
}

void Reflector::OnWatchEnd(Result<void> result) {
  const bool lasted = clock_.Now() - watch_sent_ >= kShortWatch;
  if (watch_progressed_ || (result && lasted)) {
    return Watch();
  }
  Wait(result ? Error{ErrorCode::kUnavailable, "the watch ended at once", std::nullopt}
              : std::move(result).error());
}

void Reflector::Tick() {
  if (!deadline_ || clock_.Now() < *deadline_) {
    return;
  }
  if (phase_ == Phase::kWaiting) {
    deadline_.reset();
    return Proceed();
  }
  io_.Cancel();
  connection_ = Connection::kNew;
  Error stalled{ErrorCode::kUnavailable,
                "nothing came for " + std::to_string(options_.stall_limit.count()) + " ms",
                std::nullopt};
  if (phase_ == Phase::kWatching && watch_progressed_) {
    return Watch();
  }
  Wait(std::move(stalled));
}

}  // namespace portcullis::replicator
