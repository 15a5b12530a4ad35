// A folder of manifests, watched with inotify; where that is not to be had, looked at every few seconds.

#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "replicator/manifest_reader.h"
#include "replicator/source.h"

namespace portcullis::replicator {

struct FolderSourceOptions {
  // Quiet for so long before the files are read, so that an editor or a checkout is done.
  std::chrono::milliseconds debounce{100};
  // Looked at in any case: network file systems do not tell everything.
  std::chrono::milliseconds poll_interval{60'000};
  // The same without inotify (its limits are per user).
  std::chrono::milliseconds poll_interval_without_inotify{2'000};
  bool use_inotify = true;
  ManifestLimits limits;
};

class FolderSource final : public Source {
 public:
  // A folder that does not exist (yet) is looked for again, and shows in Problems.
  FolderSource(const std::filesystem::path& root, Clock& clock,
               const std::shared_ptr<Logger>& logger, FolderSourceOptions options = {});
  ~FolderSource() override;

  void Follow(const document::GroupVersionKind& type, KindSink& sink) override;
  void Unfollow(const document::GroupVersionKind& type, KindSink& sink) override;
  [[nodiscard]] std::vector<KindStatus> Status() const override;
  [[nodiscard]] std::vector<Error> Problems() const override;
  [[nodiscard]] bool converts_versions() const override { return false; }
  [[nodiscard]] std::string Description() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::replicator
