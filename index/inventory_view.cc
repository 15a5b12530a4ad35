#include "index/inventory_view.h"

#include <algorithm>
#include <utility>

#include "document/encoding.h"
#include "index/entries.h"
#include "index/key_codec.h"
#include "store/entry_key.h"

namespace portcullis::index {

using store::Family;

// One of a view's iterators, for as long as a cursor lives.
class LentIterator {
 public:
  LentIterator(StoreView& view, Family family)
      : idle_(family == Family::kObjects ? view.idle_objects_ : view.idle_entries_) {
    if (idle_.empty()) {
      const store::Reading reading =
          family == Family::kObjects ? store::Reading::kOrdered : store::Reading::kPrefix;
      iterator_ = view.state_.store->NewIterator(family, reading, view.snapshot_.get());
    } else {
      iterator_ = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  LentIterator(const LentIterator&) = delete;
  LentIterator& operator=(const LentIterator&) = delete;
  ~LentIterator() { idle_.push_back(std::move(iterator_)); }
  store::Iterator* operator->() const { return iterator_.get(); }

 private:
  std::vector<std::unique_ptr<store::Iterator>>& idle_;
  std::unique_ptr<store::Iterator> iterator_;
};

namespace {

Result<void> CheckPrefix(const TreePrefix& prefix, std::size_t most) {
  if (prefix.segments.size() > most) {
    return Fail(ErrorCode::kInvalidArgument,
                "a prefix has more parts than the inventory has levels there");
  }
  return {};
}

std::unexpected<Error> NotAKey() {
  return Fail(ErrorCode::kCorruption,
              "the store holds an object or entry under bytes that are no key");
}

class ObjectRange final : public ObjectCursor {
 public:
  ObjectRange(StoreView& view, std::string prefix, bool whole_key)
      : view_(view),
        it_(view, Family::kObjects),
        prefix_(std::move(prefix)),
        whole_key_(whole_key) {}

  Result<std::optional<FoundObject>> Next() override {
    if (!started_) {
      started_ = true;
      it_->Seek(prefix_);
    } else if (it_->Valid()) {
      it_->Next();
    }
    for (; it_->Valid() && InRange(it_->key()); it_->Next()) {
      const std::optional<store::ObjectKeyView> key = store::DecodeKey(it_->key());
      if (!key) {
        return NotAKey();
      }
      if (!key->name.empty()) {
        view_.CountRead(it_->value());
        return FoundObject{.key = *key, .record = it_->value()};
      }
    }
    TRY(it_->Check());
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool InRange(std::string_view key) const {
    return whole_key_ ? key == prefix_ : key.starts_with(prefix_);
  }

  StoreView& view_;
  LentIterator it_;
  const std::string prefix_;
  const bool whole_key_;
  bool started_ = false;
};

// Entries begin with `bytes`, and their object keys at `key_at`.
struct EntryPrefix {
  std::string bytes;
  std::size_t key_at = 0;
};

class EntryRange final : public ObjectCursor {
 public:
  EntryRange(StoreView& view, EntryPrefix prefix)
      : it_(view, Family::kIndex), prefix_(std::move(prefix)) {}

  Result<std::optional<FoundObject>> Next() override {
    if (!started_) {
      started_ = true;
      it_->Seek(prefix_.bytes);
    } else if (it_->Valid()) {
      it_->Next();
    }
    if (!it_->Valid() || !it_->key().starts_with(prefix_.bytes)) {
      TRY(it_->Check());
      return std::nullopt;
    }
    const std::optional<store::ObjectKeyView> key =
        store::DecodeKey(it_->key().substr(prefix_.key_at));
    if (!key) {
      return NotAKey();
    }
    return FoundObject{.key = *key, .record = {}};
  }

 private:
  LentIterator it_;
  const EntryPrefix prefix_;
  bool started_ = false;
};

// Entries under several prefixes, merged by object.
class EntryUnion final : public ObjectCursor {
 public:
  EntryUnion(StoreView& view, std::vector<EntryPrefix> prefixes) {
    for (EntryPrefix& prefix : prefixes) {
      ranges_.push_back({.it = std::make_unique<LentIterator>(view, Family::kIndex),
                         .prefix = std::move(prefix)});
    }
  }

  Result<std::optional<FoundObject>> Next() override {
    if (!started_) {
      started_ = true;
      for (Range& range : ranges_) {
        (*range.it)->Seek(range.prefix.bytes);
      }
      TRY(Sift());
    } else {
      for (Range& range : ranges_) {
        if (range.object_key() == object_key_) {
          (*range.it)->Next();
        }
      }
      TRY(Sift());
    }
    if (ranges_.empty()) {
      return std::nullopt;
    }
    object_key_ = std::ranges::min_element(ranges_, {}, &Range::object_key)->object_key();
    const std::optional<store::ObjectKeyView> key = store::DecodeKey(object_key_);
    if (!key) {
      return NotAKey();
    }
    return FoundObject{.key = *key, .record = {}};
  }

 private:
  struct Range {
    std::unique_ptr<LentIterator> it;
    EntryPrefix prefix;
    [[nodiscard]] std::string_view object_key() const { return (*it)->key().substr(prefix.key_at); }
  };

  // Lets go of the ranges that are at their end.
  Result<void> Sift() {
    for (auto range = ranges_.begin(); range != ranges_.end();) {
      if ((*range->it)->Valid() && (*range->it)->key().starts_with(range->prefix.bytes)) {
        ++range;
        continue;
      }
      TRY((*range->it)->Check());
      range = ranges_.erase(range);
    }
    return {};
  }

  std::vector<Range> ranges_;
  std::string object_key_;
  bool started_ = false;
};

class SegmentRange final : public SegmentCursor {
 public:
  SegmentRange(StoreView& view, std::string prefix, bool names)
      : it_(view, Family::kObjects), prefix_(std::move(prefix)), names_(names) {}

  Result<std::optional<std::string_view>> Next() override {
    if (!started_) {
      started_ = true;
      it_->Seek(prefix_);
    } else if (it_->Valid()) {
      Advance();
    }
    // The marker of the kind has an empty name, which is no key of the tree.
    if (names_ && it_->Valid() && it_->key() == prefix_) {
      it_->Next();
    }
    if (!it_->Valid() || !it_->key().starts_with(prefix_)) {
      TRY(it_->Check());
      return std::nullopt;
    }
    const std::string_view rest = it_->key().substr(prefix_.size());
    segment_ = rest.substr(0, rest.find('\0'));
    return std::string_view(segment_);
  }

 private:
  void Advance() {
    if (names_) {
      it_->Next();
      return;
    }
    // Past every key that goes on with NUL after this segment.
    next_.assign(prefix_);
    next_ += segment_;
    next_ += '\x01';
    it_->Seek(next_);
  }

  LentIterator it_;
  const std::string prefix_;
  const bool names_;
  bool started_ = false;
  std::string segment_;
  std::string next_;
};

}  // namespace

// A drop publishes its catalog before it deletes entries, and a build deletes nothing before it publishes: so if the
// catalog is the same before and after the snapshot, each index in it is whole in the snapshot.
StoreView::StoreView(InventoryState& state) : state_(state) {
  do {
    catalog_ = state_.catalog();
    snapshot_ = state_.store->TakeSnapshot();
  } while (catalog_ != state_.catalog());
}

Result<document::Value> StoreView::Get(const store::ObjectKeyView& key, document::Arena& arena,
                                       document::NumberMode numbers) {
  if (key.name.empty()) {
    return document::Value();
  }
  key_bytes_.clear();
  store::AppendKey(key, &key_bytes_);
  if (!TRY(state_.store->Get(Family::kObjects, key_bytes_, snapshot_.get(), &value_))) {
    return document::Value();
  }
  CountRead(value_.bytes());
  return document::OpenTrusted(value_.bytes(), arena, numbers);
}

Result<bool> StoreView::Exists(const TreePrefix& prefix) {
  const std::size_t levels = store::KeyLevels(prefix.scope);
  TRY(CheckPrefix(prefix, levels));
  key_bytes_.clear();
  store::AppendTreePrefix(prefix.scope, prefix.segments, &key_bytes_);
  if (prefix.segments.size() == levels) {
    if (prefix.segments.back().empty()) {
      return false;
    }
    return state_.store->Get(Family::kObjects, key_bytes_, snapshot_.get(), &value_);
  }
  const LentIterator it(*this, Family::kObjects);
  it->Seek(key_bytes_);
  TRY(it->Check());
  return it->Valid() && it->key().starts_with(key_bytes_);
}

Result<std::unique_ptr<SegmentCursor>> StoreView::Segments(const TreePrefix& prefix) {
  const std::size_t levels = store::KeyLevels(prefix.scope);
  TRY(CheckPrefix(prefix, levels - 1));
  std::string bytes;
  store::AppendTreePrefix(prefix.scope, prefix.segments, &bytes);
  return std::make_unique<SegmentRange>(*this, std::move(bytes),
                                        prefix.segments.size() == levels - 1);
}

Result<std::unique_ptr<ObjectCursor>> StoreView::Objects(const TreePrefix& prefix) {
  const std::size_t levels = store::KeyLevels(prefix.scope);
  TRY(CheckPrefix(prefix, levels));
  std::string bytes;
  store::AppendTreePrefix(prefix.scope, prefix.segments, &bytes);
  return std::make_unique<ObjectRange>(*this, std::move(bytes), prefix.segments.size() == levels);
}

std::optional<IndexId> StoreView::FindIndex(const Definition& definition) {
  const auto found = catalog_->ids.find(definition);
  if (found == catalog_->ids.end()) {
    return std::nullopt;
  }
  return found->second;
}

Result<std::unique_ptr<ObjectCursor>> StoreView::Lookup(IndexId index, const document::Value& key) {
  const IndexKeys wanted{.index = index, .keys = std::span(&key, 1)};
  return LookupAny(std::span(&wanted, 1), {});
}

Result<std::unique_ptr<ObjectCursor>> StoreView::LookupAny(std::span<const IndexKeys> wanted,
                                                           const TreePrefix& within) {
  TRY(CheckPrefix(within, store::KeyLevels(within.scope)));
  std::string below;
  if (!within.segments.empty()) {
    store::AppendTreePrefix(within.scope, within.segments, &below);
  }
  std::vector<EntryPrefix> prefixes;
  const auto add = [&](const auto& append) {
    EntryPrefix& prefix = prefixes.emplace_back();
    append(&prefix.bytes);
    prefix.key_at = prefix.bytes.size();
    prefix.bytes += below;
  };
  for (const IndexKeys& each : wanted) {
    const auto found = catalog_->ready.find(each.index);
    if (found == catalog_->ready.end()) {
      return Fail(ErrorCode::kInvalidArgument,
                  "index " + std::to_string(each.index) + " is not ready in this view");
    }
    found->second.lookups->fetch_add(1, std::memory_order_relaxed);
    for (const document::Value& key : each.keys) {
      key_bytes_.clear();
      AppendKeyBytes(key, &key_bytes_);
      add([&](std::string* out) { store::AppendEntryPrefix(each.index, key_bytes_, out); });
    }
    if (found->second.has_program) {
      add([&](std::string* out) { AppendUnknownPrefix(each.index, out); });
    }
  }
  if (prefixes.size() == 1) {
    return std::make_unique<EntryRange>(*this, std::move(prefixes.front()));
  }
  std::ranges::sort(prefixes, {}, &EntryPrefix::bytes);
  const auto repeated = std::ranges::unique(prefixes, {}, &EntryPrefix::bytes);
  prefixes.erase(repeated.begin(), repeated.end());
  return std::make_unique<EntryUnion>(*this, std::move(prefixes));
}

std::uint64_t StoreView::EstimateObjects(store::Scope scope, std::string_view kind) {
  return state_.EstimateObjects(scope, kind);
}

const KeyStatistics* StoreView::Statistics(IndexId index) {
  const auto found = catalog_->ready.find(index);
  return found == catalog_->ready.end() ? nullptr : found->second.statistics.get();
}

}  // namespace portcullis::index
