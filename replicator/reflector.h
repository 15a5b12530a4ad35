// Keeps a sink equal to one kind of an API server: list, then watch. A state machine: it is told
// what came over the network and that time has passed, and asks for one request at a time, so a
// seed replays a run exactly.
//
//   discover ──▶ list (page by page) ──▶ watch ──▶ watch again when it ends
//      ▲  └─ not served: empty list      │  ▲
//      └── 404 ──────────────────────────┘  └── resumed from the sink's position, without a list
//   410 Gone, a position that the server does not know, events that cannot be read: list again.
//   All else: wait (back-off with jitter), then go on from the last position.
//
// SOURCE: Kubernetes' "API concepts": efficient detection of changes.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "document/arena.h"
#include "document/object.h"
#include "index/inventory.h"
#include "replicator/back_off.h"
#include "replicator/http_client.h"
#include "replicator/source.h"

namespace portcullis::replicator {

// The reflector's way out: one GET at a time.
class ReflectorIo {
 public:
  virtual ~ReflectorIo() = default;
  // Begins a GET; what is under way is cancelled first. The answer comes by Reflector::OnStatus,
  // OnBytes and OnEnd, never during this call.
  virtual void Get(const std::string& path, Connection connection) = 0;
  virtual void Cancel() = 0;
};

struct ReflectorOptions {
  std::uint32_t page_size = 500;
  std::string label_selector;  // Empty: everything.
  std::chrono::milliseconds back_off_base{500};
  std::chrono::milliseconds back_off_limit{30'000};
  // For a kind that the server does not have; it may come any moment.
  std::chrono::milliseconds unserved_back_off_base{200};
  std::chrono::milliseconds unserved_back_off_limit{10'000};
  // A watch is asked to last between this and twice this.
  std::chrono::seconds watch_duration{300};
  // Bookmarks come about once a minute; silence beyond this is a dead connection.
  std::chrono::milliseconds stall_limit{90'000};
  std::size_t max_page_bytes = std::size_t{512} << 20;
  std::size_t max_event_bytes = std::size_t{64} << 20;
  std::uint64_t seed = 0;  // Of the jitter.
};

// THREADS: one; the sink is called from it.
class Reflector final {
 public:
  Reflector(document::GroupVersionKind type, KindSink& sink, ReflectorIo& io, Clock& clock,
            const Logger& logger, const ReflectorOptions& options);

  // Begins. To be called once.
  void Start();
  // What came over the network, as HttpHandler has it.
  void OnStatus(int status, std::optional<std::chrono::seconds> retry_after);
  void OnBytes(std::string_view bytes);
  void OnEnd(Result<void> result);
  // When Tick is next wanted; it changes with every call.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> deadline() const {
    return deadline_;
  }
  // Time has passed. Does nothing before the deadline.
  void Tick();

  [[nodiscard]] const KindStatus& status() const { return status_; }

 private:
  enum class Phase : std::uint8_t { kNew, kDiscovering, kListing, kWatching, kWaiting };

  void Proceed();
  void Send(Phase phase, const std::string& path);
  void Discover();
  void List();
  void RequestPage();
  void Watch();
  void ListAgain(const std::string& reason);
  // Ends what is under way and waits before going on.
  void Wait(Error error, BackOff& back_off);
  void Wait(Error error) { Wait(std::move(error), back_off_); }

  void OnHttpError();
  void OnDiscovery();
  void OnPage();
  void OnUnserved();
  Result<void> FinishList(std::string resource_version);

  void OnWatchBytes(std::string_view bytes);
  void OnWatchEnd(Result<void> result);
  void OnPoison(const Error& error);
  // Reads the lines that are whole and applies them as few batches. False: the watch is over,
  // something else has begun.
  bool ConsumeLines();
  Result<void> ApplyBatch(index::ChangeSet* batch);

  [[nodiscard]] std::string CollectionPath() const;

  const document::GroupVersionKind type_;
  KindSink& sink_;
  ReflectorIo& io_;
  Clock& clock_;
  const Logger& logger_;
  const ReflectorOptions options_;

  Phase phase_ = Phase::kNew;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  BackOff back_off_;
  BackOff unserved_back_off_;
  std::mt19937_64 random_;
  KindStatus status_;

  bool resumed_ = false;                      // The sink was asked for its position.
  std::optional<std::string> position_;       // Nothing: a list is due.
  std::string resource_;                      // The kind's name in URLs; empty: to be discovered.
  int unserved_answers_ = 0;                  // In a row.
  Connection connection_ = Connection::kAny;  // For the next request.

  int http_status_ = 0;
  std::optional<std::chrono::seconds> retry_after_;
  std::string body_;  // Of a page or an error; of a watch, the bytes after the last whole line.
  std::size_t searched_ = 0;  // Bytes of body_ known to hold no end of line.

  std::unique_ptr<index::Reconciliation> reconciliation_;
  std::string list_version_;
  std::string continue_token_;
  std::uint32_t page_size_ = 0;  // Grows when continue tokens expire before the list is through.

  bool list_is_fresh_ = false;     // No watch has brought anything since the last list.
  bool watch_progressed_ = false;  // Since it was opened.
  std::chrono::steady_clock::time_point watch_sent_{};
  int poisoned_ = 0;  // Times in a row that the events at this position could not be read.
  document::Arena arena_;
};

}  // namespace portcullis::replicator
