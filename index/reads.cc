#include "index/reads.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "index/entries.h"
#include "index/inventory_state.h"
#include "index/key_codec.h"
#include "store/entry_key.h"

namespace portcullis::index {
namespace {

// More reads of one kind, index or level than this are kept as one of all of it.
constexpr std::size_t kMostReads = 256;

ReadToken Token(char what, std::string_view bytes) {
  std::string text(1, what);
  text += bytes;
  return HashBytes(text);
}

std::string TreeBytes(store::Scope scope, std::span<const std::string_view> segments) {
  std::string bytes;
  store::AppendTreePrefix(scope, segments, &bytes);
  return bytes;
}

std::size_t At(store::Scope scope) {
  return scope == store::Scope::kNamespaced ? 1 : 0;
}

ReadToken OfObjects(store::Scope scope, std::span<const std::string_view> segments) {
  return Token('p', TreeBytes(scope, segments));
}

ReadToken OfLevel(store::Scope scope, std::span<const std::string_view> segments) {
  return Token('s', TreeBytes(scope, segments));
}

ReadToken OfAllLevels(store::Scope scope) {
  return Token('S', TreeBytes(scope, {}));
}

std::string KindBytes(store::Scope scope, std::string_view kind) {
  return TreeBytes(scope, {}) + std::string(kind);
}

ReadToken OfIndex(IndexId index) {
  std::string bytes;
  store::AppendIndexPrefix(index, &bytes);
  return Token('I', bytes);
}

// The parts above the name.
std::vector<std::string_view> SegmentsOf(const store::ObjectKeyView& key) {
  if (key.scope == store::Scope::kNamespaced) {
    return {key.name_space, key.group_version, key.kind};
  }
  return {key.group_version, key.kind};
}

class NotingView final : public InventoryView {
 public:
  NotingView(std::unique_ptr<InventoryView> view, ReadSet& reads)
      : view_(std::move(view)), reads_(reads) {}

  Result<document::Value> Get(const store::ObjectKeyView& key, document::Arena& arena,
                              document::NumberMode numbers) override {
    reads_.AddGet(key);
    return view_->Get(key, arena, numbers);
  }
  Result<bool> Exists(const TreePrefix& prefix) override {
    if (prefix.segments.size() == store::KeyLevels(prefix.scope)) {
      reads_.AddObjects(prefix);
    } else {
      reads_.AddLevel(prefix);
    }
    return view_->Exists(prefix);
  }
  Result<std::unique_ptr<SegmentCursor>> Segments(const TreePrefix& prefix) override {
    if (prefix.segments.size() + 1 >= store::KeyLevels(prefix.scope)) {
      reads_.AddObjects(prefix);
    } else {
      reads_.AddLevel(prefix);
    }
    return view_->Segments(prefix);
  }
  Result<std::unique_ptr<ObjectCursor>> Objects(const TreePrefix& prefix) override {
    reads_.AddObjects(prefix);
    return view_->Objects(prefix);
  }
  std::optional<IndexId> FindIndex(const Definition& definition) override {
    const std::optional<IndexId> found = view_->FindIndex(definition);
    if (found && !definition.program.empty()) {
      with_program_.insert(*found);
    }
    return found;
  }
  Result<std::unique_ptr<ObjectCursor>> Lookup(IndexId index, const document::Value& key) override {
    Note({.index = index, .keys = std::span(&key, 1)});
    return view_->Lookup(index, key);
  }
  Result<std::unique_ptr<ObjectCursor>> LookupAny(std::span<const IndexKeys> wanted,
                                                  const TreePrefix& within) override {
    for (const IndexKeys& each : wanted) {
      Note(each);
    }
    return view_->LookupAny(wanted, within);
  }
  std::uint64_t EstimateObjects(store::Scope scope, std::string_view kind) override {
    return view_->EstimateObjects(scope, kind);
  }
  const KeyStatistics* Statistics(IndexId index) override { return view_->Statistics(index); }
  [[nodiscard]] std::uint64_t bytes_read() const override { return view_->bytes_read(); }

 private:
  void Note(const IndexKeys& wanted) {
    for (const document::Value& key : wanted.keys) {
      std::string key_bytes;
      AppendKeyBytes(key, &key_bytes);
      std::string prefix;
      store::AppendEntryPrefix(wanted.index, key_bytes, &prefix);
      reads_.AddLookup(wanted.index, prefix);
    }
    if (with_program_.contains(wanted.index)) {
      std::string prefix;
      AppendUnknownPrefix(wanted.index, &prefix);
      reads_.AddLookup(wanted.index, prefix);
    }
  }

  const std::unique_ptr<InventoryView> view_;
  ReadSet& reads_;
  std::unordered_set<IndexId> with_program_;
};

}  // namespace

void AppendToken(const ReadToken& token, std::string* out) {
  for (const std::uint64_t half : token) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      out->push_back(static_cast<char>((half >> shift) & 0xff));
    }
  }
}

ReadToken ReadTokenOf(std::string_view bytes) {
  ReadToken token{};
  for (std::size_t i = 0; i < kReadTokenBytes; ++i) {
    token[i / 8] = (token[i / 8] << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return token;
}

ReadToken TokenOfObject(std::string_view key_bytes) {
  return Token('o', key_bytes);
}

void ReadSet::AddTo(Kind& kind, const ReadToken& token) {
  if (kind.whole) {
    return;
  }
  kind.reads.insert(token);
  if (kind.reads.size() > kMostReads) {
    kind.reads.clear();
    kind.whole = true;
  }
}

void ReadSet::AddGet(const store::ObjectKeyView& key) {
  std::string bytes;
  store::AppendKey(key, &bytes);
  AddTo(kinds_[KindBytes(key.scope, key.kind)], TokenOfObject(bytes));
}

void ReadSet::AddObjects(const TreePrefix& prefix) {
  const std::size_t levels = store::KeyLevels(prefix.scope);
  if (prefix.segments.size() + 1 < levels) {
    AddTo(prefixes_[At(prefix.scope)], OfObjects(prefix.scope, prefix.segments));
    return;
  }
  const bool whole_key = prefix.segments.size() == levels;
  const std::string_view kind = prefix.segments[levels - 2];
  AddTo(kinds_[KindBytes(prefix.scope, kind)],
        whole_key ? TokenOfObject(TreeBytes(prefix.scope, prefix.segments))
                  : OfObjects(prefix.scope, prefix.segments));
}

void ReadSet::AddLevel(const TreePrefix& prefix) {
  AddTo(levels_[At(prefix.scope)], OfLevel(prefix.scope, prefix.segments));
}

void ReadSet::AddLookup(IndexId index, std::string_view entry_prefix) {
  AddTo(indexes_[index], Token('i', entry_prefix));
}

std::vector<ReadToken> ReadSet::Tokens() const {
  std::vector<ReadToken> tokens;
  const auto add = [&tokens](const Kind& kind, const ReadToken& whole) {
    if (kind.whole) {
      tokens.push_back(whole);
    }
    tokens.insert(tokens.end(), kind.reads.begin(), kind.reads.end());
  };
  for (const auto& [bytes, kind] : kinds_) {
    add(kind, Token('k', bytes));
  }
  for (const auto& [index, kind] : indexes_) {
    add(kind, OfIndex(index));
  }
  for (const store::Scope scope : {store::Scope::kCluster, store::Scope::kNamespaced}) {
    add(levels_[At(scope)], OfAllLevels(scope));
    add(prefixes_[At(scope)], OfObjects(scope, {}));
  }
  std::ranges::sort(tokens);
  const auto repeated = std::ranges::unique(tokens);
  tokens.erase(repeated.begin(), repeated.end());
  return tokens;
}

void ReadSet::Clear() {
  *this = ReadSet();
}

std::vector<ReadToken> TouchedByObject(const store::ObjectKeyView& key,
                                       std::span<const ChangedEntry> entries) {
  std::vector<ReadToken> touched;
  std::string bytes;
  store::AppendKey(key, &bytes);
  touched.push_back(TokenOfObject(bytes));
  touched.push_back(Token('k', KindBytes(key.scope, key.kind)));
  const std::vector<std::string_view> segments = SegmentsOf(key);
  for (std::size_t count = 0; count <= segments.size(); ++count) {
    touched.push_back(OfObjects(key.scope, std::span(segments).first(count)));
  }
  for (const ChangedEntry& entry : entries) {
    touched.push_back(Token('i', entry.prefix));
    touched.push_back(OfIndex(entry.index));
  }
  std::ranges::sort(touched);
  const auto repeated = std::ranges::unique(touched);
  touched.erase(repeated.begin(), repeated.end());
  return touched;
}

std::vector<ReadToken> TouchedByMarker(const store::ObjectKeyView& marker) {
  std::vector<ReadToken> touched = {OfAllLevels(marker.scope)};
  const std::vector<std::string_view> segments = SegmentsOf(marker);
  for (std::size_t count = 0; count <= segments.size(); ++count) {
    touched.push_back(OfLevel(marker.scope, std::span(segments).first(count)));
    touched.push_back(OfObjects(marker.scope, std::span(segments).first(count)));
  }
  touched.push_back(Token('k', KindBytes(marker.scope, marker.kind)));
  return touched;
}

std::unique_ptr<InventoryView> NoteReads(std::unique_ptr<InventoryView> view, ReadSet& reads) {
  return std::make_unique<NotingView>(std::move(view), reads);
}

}  // namespace portcullis::index
