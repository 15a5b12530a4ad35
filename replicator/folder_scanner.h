// A folder of manifests as a source of objects, without its thread: looks at the files when told to, and gives the sinks what
// changed. Bounded memory: of each object its name and a hash of its content are kept, about 100 bytes.
//
// Files are *.yaml, *.yml and *.json at any depth; names that begin with a dot are passed over (a mounted ConfigMap keeps its
// versions under such names). A file that cannot be read keeps the objects that it had. Of an object that is in several
// places the first that was found counts; the others are reported, and one takes over when the first goes.

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "replicator/manifest_reader.h"
#include "replicator/source.h"

namespace portcullis::replicator {

// What may have changed since the last look.
struct FolderChanges {
  bool everything = false;        // Look at every folder.
  std::set<std::string> folders;  // Look at these (not below them).
  std::set<std::string> files;    // Read these even if they look the same.
};

// THREADS: Scan from one; all else from any.
class FolderScanner {
 public:
  FolderScanner(const std::filesystem::path& root, Clock& clock,
                const std::shared_ptr<Logger>& logger, ManifestLimits limits = {});
  ~FolderScanner();

  // As Source's. Takes effect with the next Scan.
  void Follow(const document::GroupVersionKind& type, KindSink& sink);
  void Unfollow(const document::GroupVersionKind& type, KindSink& sink);
  [[nodiscard]] std::vector<KindStatus> Status() const;
  [[nodiscard]] std::vector<Error> Problems() const;

  // Looks, and brings every sink up to date. COST: reads what changed, and for a kind that is new the files that have it.
  void Scan(const FolderChanges& changes);
  // When a Scan is wanted though no file changed: at once for a kind that is new, later for a sink that failed.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> deadline() const;
  // The folders that hold the files now; what is to be watched.
  [[nodiscard]] std::vector<std::string> folders() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::replicator
