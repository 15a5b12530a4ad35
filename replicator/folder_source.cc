#include "replicator/folder_source.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "replicator/folder_scanner.h"

namespace portcullis::replicator {
namespace {

using document::GroupVersionKind;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A file counts as changed when its writer closes it, not with each write.
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                  IN_MOVED_TO | IN_ONLYDIR | IN_EXCL_UNLINK;
// However busy the folder is, its changes wait no longer.
constexpr int kMaxDebounces = 20;

class Inotify {
 public:
  explicit Inotify(bool use) : descriptor_(use ? ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1) {}
  ~Inotify() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  Inotify(const Inotify&) = delete;
  Inotify& operator=(const Inotify&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool watches_all() const { return descriptor_ >= 0 && complete_; }

  // Watches exactly these folders. True: one is new, and may have changed before it was watched.
  bool Watch(const std::vector<std::string>& folders) {
    if (descriptor_ < 0) {
      return false;
    }
    bool added = false;
    complete_ = true;
    std::map<std::string, int> kept;
    for (const std::string& folder : folders) {
      // Asked for again each time: a folder that was replaced by another of its name has a new watch.
      const int watch = ::inotify_add_watch(descriptor_, folder.c_str(), kEvents);
      if (watch < 0) {
        complete_ = false;
        continue;
      }
      const auto known = watches_.find(folder);
      added = added || known == watches_.end() || known->second != watch;
      kept.emplace(folder, watch);
    }
    for (const auto& [folder, watch] : watches_) {
      if (!kept.contains(folder)) {
        ::inotify_rm_watch(descriptor_, watch);
      }
    }
    watches_ = std::move(kept);
    folders_.clear();
    for (const auto& [folder, watch] : watches_) {
      folders_.emplace(watch, folder);
    }
    return added;
  }

  // Takes all events that are there. True: there were some.
  bool Read(FolderChanges* changes) {
    alignas(inotify_event) std::array<char, 64 * 1024> buffer;
    bool any = false;
    while (descriptor_ >= 0) {
      const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
      if (got <= 0) {
        break;
      }
      for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        at += sizeof(inotify_event) + event->len;
        any = true;
        if ((event->mask & IN_Q_OVERFLOW) != 0) {
          changes->everything = true;
          continue;
        }
        const auto folder = folders_.find(event->wd);
        if (folder == folders_.end()) {
          continue;
        }
        changes->folders.insert(folder->second);
        if ((event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0 && event->len > 0) {
          changes->files.insert(folder->second + "/" + event->name);
        }
      }
    }
    return any;
  }

 private:
  const int descriptor_;
  bool complete_ = false;
  std::map<std::string, int> watches_;
  std::map<int, std::string> folders_;
};

}  // namespace

struct FolderSource::State {
  State(const std::filesystem::path& folder, Clock& time, const std::shared_ptr<Logger>& logger,
        FolderSourceOptions source_options)
      : root(folder.string()),
        clock(time),
        options(source_options),
        scanner(std::filesystem::absolute(folder), time, logger, source_options.limits),
        inotify(source_options.use_inotify),
        wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~State() { ::close(wake); }

  const std::string root;
  Clock& clock;
  const FolderSourceOptions options;
  FolderScanner scanner;
  Inotify inotify;
  const int wake;
  std::atomic<bool> stopping = false;
  std::thread thread;

  void Wake() const {
    const std::uint64_t one = 1;
    // A full counter has woken the thread already.
    std::ignore = ::write(wake, &one, sizeof(one));
  }

  // Waits for an event, a wake-up or the end of `wait`.
  void Sleep(milliseconds wait) const {
    std::array<pollfd, 2> descriptors{{{wake, POLLIN, 0}, {inotify.descriptor(), POLLIN, 0}}};
    ::poll(descriptors.data(), inotify.descriptor() >= 0 ? 2 : 1, static_cast<int>(wait.count()));
    std::uint64_t count = 0;
    std::ignore = ::read(wake, &count, sizeof(count));
  }

  [[nodiscard]] milliseconds PollInterval() const {
    return inotify.watches_all() ? options.poll_interval : options.poll_interval_without_inotify;
  }

  void Loop();
};

void FolderSource::State::Loop() {
  FolderChanges changes;
  changes.everything = true;
  steady_clock::time_point poll_at = clock.Now();
  while (!stopping) {
    scanner.Scan(std::exchange(changes, {}));
    if (inotify.Watch(scanner.folders())) {
      changes.everything = true;
      continue;
    }
    poll_at = std::min(poll_at, clock.Now() + PollInterval());
    while (!stopping) {
      if (inotify.Read(&changes)) {
        int rounds = 0;
        do {
          std::this_thread::sleep_for(options.debounce);
        } while (inotify.Read(&changes) && ++rounds < kMaxDebounces && !stopping);
        break;
      }
      const steady_clock::time_point now = clock.Now();
      if (now >= poll_at) {
        changes.everything = true;
        poll_at = now + PollInterval();
        break;
      }
      const std::optional<steady_clock::time_point> wanted = scanner.deadline();
      if (wanted && *wanted <= now) {
        break;
      }
      const steady_clock::time_point until = wanted ? std::min(*wanted, poll_at) : poll_at;
      Sleep(std::chrono::ceil<milliseconds>(until - now));
    }
  }
}

FolderSource::FolderSource(const std::filesystem::path& root, Clock& clock,
                           const std::shared_ptr<Logger>& logger, FolderSourceOptions options)
    : state_(std::make_unique<State>(root, clock, logger, options)) {
  state_->thread = std::thread([state = state_.get()] { state->Loop(); });
}

FolderSource::~FolderSource() {
  state_->stopping = true;
  state_->Wake();
  state_->thread.join();
}

void FolderSource::Follow(const GroupVersionKind& type, KindSink& sink) {
  state_->scanner.Follow(type, sink);
  state_->Wake();
}

void FolderSource::Unfollow(const GroupVersionKind& type, KindSink& sink) {
  state_->scanner.Unfollow(type, sink);
}

std::vector<KindStatus> FolderSource::Status() const {
  return state_->scanner.Status();
}

std::vector<Error> FolderSource::Problems() const {
  return state_->scanner.Problems();
}

std::string FolderSource::Description() const {
  return "folder " + state_->root;
}

}  // namespace portcullis::replicator
