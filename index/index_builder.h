// The thread that builds wanted indexes and clears away dropped ones, a bounded piece at a time. Each piece is one batch with
// the place that it reached, so that a crash at any moment goes on from there. When there is nothing of that to do, it takes
// statistics that are old anew, for which it uses a tenth of its time. Inside index/ only.

#pragma once

#include <cstdint>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "index/inventory_state.h"
#include "index/key_analysis.h"

namespace portcullis::index {

class IndexBuilder {
 public:
  // Starts at once. `objects_per_second` of 0: as fast as it goes.
  IndexBuilder(InventoryState& state, Clock& clock, std::shared_ptr<Logger> logger,
               std::uint64_t objects_per_second);
  ~IndexBuilder();
  IndexBuilder(const IndexBuilder&) = delete;
  IndexBuilder& operator=(const IndexBuilder&) = delete;

 private:
  using Turn = std::unique_lock<FairLock>;

  void Run();
  // One piece of work on this index. The number of objects read.
  Result<std::uint64_t> Step(IndexId index);
  Result<std::uint64_t> Build(IndexId index);
  Result<void> Drop(IndexId index);
  // One piece of the statistics that are being taken, or of those that are due. Gives the turn to others meanwhile.
  Result<void> Analyse(Turn& turn);
  void Pause(Turn& turn, std::chrono::steady_clock::time_point started, std::uint64_t objects);

  InventoryState& state_;
  Clock& clock_;
  const std::shared_ptr<Logger> logger_;
  const std::uint64_t objects_per_second_;
  bool stop_ = false;  // Guarded by state_.turn.
  std::unique_ptr<KeyAnalysis> analysis_;
  std::thread thread_;
};

}  // namespace portcullis::index
