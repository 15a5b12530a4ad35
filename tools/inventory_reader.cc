#include "tools/inventory_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "document/arena.h"
#include "document/encoding.h"
#include "index/snapshot.h"

namespace portcullis::tools {
namespace {

// Goes down the levels of one scope: a level that the filter binds is taken, a free one is walked.
class LevelWalk {
 public:
  LevelWalk(index::InventoryView& view, store::Scope scope, const ObjectFilter& filter,
            const Visitor& visitor)
      : view_(view), scope_(scope), filter_(filter), visitor_(visitor) {
    if (scope == store::Scope::kNamespaced) {
      wanted_.push_back(filter.name_space);
    }
    wanted_.push_back(filter.group_version);
    wanted_.push_back(filter.kind);
  }

  // False once the visitor has had enough.
  Result<bool> Run() {
    // A free level below which nothing is bound needs no walk of its own: its objects come in one range.
    while (!wanted_.empty() && wanted_.back().empty()) {
      wanted_.pop_back();
    }
    return Descend();
  }

 private:
  Result<bool> Descend() {
    const std::size_t level = segments_.size();
    if (level == wanted_.size()) {
      return Objects();
    }
    if (!wanted_[level].empty()) {
      segments_.push_back(wanted_[level]);
      const bool more = TRY(Descend());
      segments_.pop_back();
      return more;
    }
    const std::unique_ptr<index::SegmentCursor> cursor = TRY(view_.Segments(Prefix()));
    while (const std::optional<std::string_view> segment = TRY(cursor->Next())) {
      segments_.emplace_back(*segment);
      const bool more = TRY(Descend());
      segments_.pop_back();
      if (!more) {
        return false;
      }
    }
    return true;
  }

  Result<bool> Objects() {
    const std::unique_ptr<index::ObjectCursor> cursor = TRY(view_.Objects(Prefix()));
    while (const std::optional<index::FoundObject> found = TRY(cursor->Next())) {
      if (!filter_.name.empty() && found->key.name != filter_.name) {
        continue;
      }
      if (!TRY(visitor_(found->key.ToKey(), found->record))) {
        return false;
      }
    }
    return true;
  }

  index::TreePrefix Prefix() {
    views_.assign(segments_.begin(), segments_.end());
    return {.scope = scope_, .segments = views_};
  }

  index::InventoryView& view_;
  store::Scope scope_;
  const ObjectFilter& filter_;
  const Visitor& visitor_;
  std::vector<std::string> wanted_;
  std::vector<std::string> segments_;
  std::vector<std::string_view> views_;
};

class LocalReader final : public InventoryReader {
 public:
  explicit LocalReader(index::Inventory& inventory) : inventory_(inventory) {}

  Result<InventoryStatistics> Statistics() override {
    InventoryStatistics statistics;
    statistics.kinds = TRY(inventory_.Kinds());
    statistics.indexes = inventory_.Indexes();
    statistics.disk_bytes = inventory_.store().Sizes().disk_bytes;
    return statistics;
  }

  Result<void> Visit(const ObjectFilter& filter, const Visitor& visitor) override {
    const std::unique_ptr<index::InventoryView> view = inventory_.View();
    if (filter.name_space.empty() &&
        !TRY(LevelWalk(*view, store::Scope::kCluster, filter, visitor).Run())) {
      return {};
    }
    TRY(LevelWalk(*view, store::Scope::kNamespaced, filter, visitor).Run());
    return {};
  }

  Result<bool> Query(const index::Definition& definition, const document::Value& key,
                     const Visitor& visitor) override {
    if (!definition.program.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "an index of a program has no keys to ask for");
    }
    const std::unique_ptr<index::InventoryView> view = inventory_.View();
    document::Arena arena;
    std::vector<document::Value> keys;
    const auto matches = [&](const document::Value& object) {
      index::ExtractKeys(definition, object, arena, &keys);
      return std::ranges::any_of(keys,
                                 [&](const document::Value& each) { return Equal(each, key); });
    };
    if (const std::optional<index::IndexId> id = view->FindIndex(definition)) {
      const std::unique_ptr<index::ObjectCursor> cursor = TRY(view->Lookup(*id, key));
      while (const std::optional<index::FoundObject> found = TRY(cursor->Next())) {
        arena.Reset();
        const document::Value object =
            TRY(view->Get(found->key, arena, document::NumberMode::kExact));
        if (!object.is_defined() || !matches(object)) {
          continue;
        }
        const std::string record = TRY(document::Encode(object));
        if (!TRY(visitor(found->key.ToKey(), record))) {
          break;
        }
      }
      return true;
    }
    ObjectFilter filter;
    filter.kind = definition.kind;
    const Visitor filtered = [&](const store::ObjectKey& object_key,
                                 std::string_view record) -> Result<bool> {
      arena.Reset();
      const document::Value object = TRY(document::OpenTrusted(record, arena));
      return matches(object) ? visitor(object_key, record) : Result<bool>(true);
    };
    TRY(LevelWalk(*view, definition.scope, filter, filtered).Run());
    return false;
  }

  Result<void> Findings(const audit::FindingsFilter& filter,
                        const audit::TakeRecord& visitor) override {
    return audit::VisitRecords(inventory_.store(), filter, visitor);
  }

  Result<index::CheckReport> Check(const index::Progress& progress) override {
    return inventory_.Check(progress);
  }

  Result<std::uint64_t> Snapshot(const std::filesystem::path& path,
                                 const index::Progress& progress) override {
    const store::SnapshotCounts counts = TRY(index::WriteSnapshot(inventory_, path, progress));
    return counts.objects;
  }

 private:
  index::Inventory& inventory_;
};

}  // namespace

std::unique_ptr<InventoryReader> MakeLocalReader(index::Inventory& inventory) {
  return std::make_unique<LocalReader>(inventory);
}

}  // namespace portcullis::tools
