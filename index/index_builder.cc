#include "index/index_builder.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

#include "index/change_writer.h"
#include "index/object_walk.h"
#include "store/entry_key.h"

namespace portcullis::index {
namespace {

// Small enough that a write that waits for its turn waits a few milliseconds.
constexpr std::uint64_t kObjectsAPiece = 512;
constexpr std::size_t kBytesAPiece = std::size_t{1} << 20;
constexpr std::chrono::seconds kAfterError{1};
constexpr std::chrono::seconds kLookForOldStatistics{1};
constexpr std::uint64_t kEntriesAPiece = 4096;
constexpr int kPauseAfterPiece = 9;  // Times what the piece took.

std::optional<IndexId> NextJob(const std::map<IndexId, IndexInfo>& indexes) {
  for (const auto& [id, info] : indexes) {
    if (info.record.state != IndexState::kReady) {
      return id;
    }
  }
  return std::nullopt;
}

}  // namespace

IndexBuilder::IndexBuilder(InventoryState& state, Clock& clock, std::shared_ptr<Logger> logger,
                           std::uint64_t objects_per_second)
    : state_(state),
      clock_(clock),
      logger_(std::move(logger)),
      objects_per_second_(objects_per_second),
      thread_([this] { Run(); }) {}

IndexBuilder::~IndexBuilder() {
  {
    const std::scoped_lock turn(state_.turn);
    stop_ = true;
  }
  state_.changed.notify_all();
  thread_.join();
}

void IndexBuilder::Run() {
  Turn turn(state_.turn);
  bool failing = false;
  while (!stop_) {
    const std::optional<IndexId> job = NextJob(state_.indexes);
    if (!job) {
      const Result<void> analysed = Analyse(turn);
      if (!analysed) {
        if (!failing) {
          logger_->Error("statistics of an index were not taken, will try again",
                         {{"error", analysed.error().message}});
        }
        failing = true;
        analysis_ = nullptr;
      } else if (analysis_ != nullptr) {
        continue;
      }
      state_.changed.wait_for(turn, kLookForOldStatistics,
                              [&] { return stop_ || NextJob(state_.indexes).has_value(); });
      continue;
    }
    std::chrono::steady_clock::time_point started;
    if (objects_per_second_ != 0) {
      started = clock_.Now();
    }
    const Result<std::uint64_t> done = Step(*job);
    if (!done) {
      if (!failing) {
        logger_->Error("index build stopped, will try again", {{"error", done.error().message}});
      }
      failing = true;
      state_.changed.wait_for(turn, kAfterError, [&] { return stop_; });
      continue;
    }
    failing = false;
    Pause(turn, started, *done);
  }
}

Result<void> IndexBuilder::Analyse(Turn& turn) {
  if (analysis_ == nullptr) {
    const auto old = std::ranges::find_if(
        state_.indexes, [](const auto& entry) { return entry.second.StatisticsAreOld(); });
    if (old == state_.indexes.end()) {
      return {};
    }
    analysis_ = std::make_unique<KeyAnalysis>(state_, old->first);
  }
  const auto started = clock_.Now();
  turn.unlock();
  Result<bool> more = analysis_->Step(kEntriesAPiece);
  turn.lock();
  if (!TRY(std::move(more))) {
    TRY(state_.PutStatistics(analysis_->index(), analysis_->Finish()));
    analysis_ = nullptr;
    return {};
  }
  state_.changed.wait_for(turn, (clock_.Now() - started) * kPauseAfterPiece,
                          [&] { return stop_ || NextJob(state_.indexes).has_value(); });
  return {};
}

void IndexBuilder::Pause(Turn& turn, std::chrono::steady_clock::time_point started,
                         std::uint64_t objects) {
  if (objects_per_second_ == 0 || objects == 0) {
    turn.unlock();
    turn.lock();
    return;
  }
  const auto due = started + std::chrono::nanoseconds(std::chrono::seconds(1)) *
                                 static_cast<std::int64_t>(objects) /
                                 static_cast<std::int64_t>(objects_per_second_);
  state_.changed.wait_for(turn, due - clock_.Now(), [&] { return stop_; });
}

Result<std::uint64_t> IndexBuilder::Step(IndexId index) {
  if (state_.indexes.at(index).record.state == IndexState::kDropping) {
    TRY(Drop(index));
    return 0;
  }
  return Build(index);
}

Result<std::uint64_t> IndexBuilder::Build(IndexId index) {
  IndexInfo& info = state_.indexes.at(index);
  const Definition& definition = info.record.definition;
  ChangeWriter writer(state_);
  ObjectWalk walk(*state_.store, nullptr, store::Reading::kScanOnce, definition.scope,
                  info.progress.cursor, [&](const store::ObjectKeyView& key) {
                    return definition.kind.empty() || key.kind == definition.kind;
                  });
  std::uint64_t objects = 0;
  std::string cursor;
  while (objects < kObjectsAPiece && writer.size_bytes() < kBytesAPiece) {
    const std::optional<ObjectWalk::Step> step = TRY(walk.Next());
    if (!step) {
      IndexRecord ready = info.record;
      ready.state = IndexState::kReady;
      writer.SetCursor(index, {});
      writer.batch().Put(store::Family::kDefinitions, IndexKey(index), EncodeIndex(ready));
      TRY(writer.Commit());
      info.record.state = IndexState::kReady;
      state_.PublishCatalog();
      state_.changed.notify_all();
      logger_->Info("index built",
                    {{"index", definition.Summary()},
                     {"objects", static_cast<std::int64_t>(info.progress.built_objects)},
                     {"entries", static_cast<std::int64_t>(info.progress.entries)}});
      return objects;
    }
    cursor = step->key_bytes;
    if (step->key.name.empty()) {
      continue;
    }
    TRY(writer.BuildEntries(index, step->key_bytes, step->record));
    ++objects;
  }
  writer.SetCursor(index, cursor);
  TRY(writer.Commit());
  return objects;
}

Result<void> IndexBuilder::Drop(IndexId index) {
  const std::string text = state_.indexes.at(index).record.definition.Summary();
  std::string begin;
  std::string end;
  store::AppendIndexPrefix(index, &begin);
  store::AppendIndexPrefix(index + 1, &end);
  const std::unique_ptr<store::Batch> batch = state_.store->NewBatch();
  batch->DeleteRange(store::Family::kIndex, begin, end);
  batch->Delete(store::Family::kDefinitions, IndexKey(index));
  batch->Delete(store::Family::kDefinitions, ProgressKey(index));
  batch->Delete(store::Family::kDefinitions, StatisticsKey(index));
  TRY(state_.store->Write(*batch));
  state_.indexes.erase(index);
  state_.changed.notify_all();
  logger_->Info("index dropped", {{"index", text}});
  return {};
}

}  // namespace portcullis::index
