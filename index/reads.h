// What an evaluation read of the inventory, and what a change of an object may alter of such reads: two sets of tokens that meet
// where an evaluation must be made again.
//
// A read is a get of an object, a walk below a prefix of the tree, the keys of a level, or a look-up in an index. A change touches
// the reads of its object and of everything above it, and the look-ups whose entries it adds or removes. A token is 128 bits of
// hash: two reads with one token only cause an evaluation too many. Tokens are stored: they are frozen.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/inventory.h"
#include "store/object_key.h"

namespace portcullis::index {

using ReadToken = std::array<std::uint64_t, 2>;
inline constexpr std::size_t kReadTokenBytes = 16;

void AppendToken(const ReadToken& token, std::string* out);
// REQUIRES: kReadTokenBytes bytes.
[[nodiscard]] ReadToken ReadTokenOf(std::string_view bytes);

// The token of a get of the object under `key_bytes`.
[[nodiscard]] ReadToken TokenOfObject(std::string_view key_bytes);

// The reads of one evaluation. Bounded: of many reads of a kind or index one token for all of it is kept.
class ReadSet {
 public:
  void AddGet(const store::ObjectKeyView& key);
  // Of all objects below a prefix, or of their names.
  void AddObjects(const TreePrefix& prefix);
  // Of the keys of a level above the names, or whether the prefix exists.
  void AddLevel(const TreePrefix& prefix);
  void AddLookup(IndexId index, std::string_view entry_prefix);

  // Sorted, none twice.
  [[nodiscard]] std::vector<ReadToken> Tokens() const;
  void Clear();

 private:
  struct Kind {
    std::set<ReadToken> reads;
    bool whole = false;
  };
  static void AddTo(Kind& kind, const ReadToken& token);

  std::map<std::string, Kind> kinds_;  // By scope and kind.
  std::map<IndexId, Kind> indexes_;
  std::array<Kind, 2> levels_;    // By scope.
  std::array<Kind, 2> prefixes_;  // Walks of more than one kind, by scope.
};

// An index entry that a change adds or removes.
struct ChangedEntry {
  IndexId index = 0;
  std::string prefix;  // store/entry_key.h
};

// What a change of this object touches.
[[nodiscard]] std::vector<ReadToken> TouchedByObject(const store::ObjectKeyView& key,
                                                     std::span<const ChangedEntry> entries);
// What the coming or going of a parent marker touches.
[[nodiscard]] std::vector<ReadToken> TouchedByMarker(const store::ObjectKeyView& marker);

// `view`, noting in `reads` what is read. LIFETIME: `reads` outlives the view.
[[nodiscard]] std::unique_ptr<InventoryView> NoteReads(std::unique_ptr<InventoryView> view,
                                                       ReadSet& reads);

}  // namespace portcullis::index
