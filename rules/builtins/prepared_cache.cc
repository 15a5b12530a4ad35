#include "rules/builtins/prepared_cache.h"

#include <mutex>
#include <utility>

namespace portcullis::builtins {

std::shared_ptr<const void> PreparedCache::Find(std::string_view kind, std::string_view text) {
  const Key key{kind, text};
  Part& part = parts_[KeyHash{}(key) / 64 % kParts];
  const std::shared_lock lock(part.mutex);
  const auto found = part.entries.find(key);
  if (found == part.entries.end()) {
    return nullptr;
  }
  Entry& entry = *found->second;
  // Written only when it changes, so that readers of a hot entry share its cache line.
  if (!entry.used.load(std::memory_order_relaxed)) {
    entry.used.store(true, std::memory_order_relaxed);
  }
  return entry.value;
}

void PreparedCache::Insert(std::string_view kind, std::string_view text,
                           std::shared_ptr<const void> value) {
  auto entry = std::make_unique<Entry>();
  entry->kind = kind;
  entry->text = text;
  entry->value = std::move(value);
  const Key key{entry->kind, entry->text};
  Part& part = parts_[KeyHash{}(key) / 64 % kParts];
  const std::unique_lock lock(part.mutex);
  // Second chance: the first entry not used since the last pass goes; where all were, the first of all.
  for (auto it = part.entries.begin(); part.entries.size() >= part_capacity_;) {
    if (it == part.entries.end()) {
      it = part.entries.begin();
    }
    if (it->second->used.exchange(false, std::memory_order_relaxed)) {
      ++it;
    } else {
      it = part.entries.erase(it);
    }
  }
  part.entries.emplace(key, std::move(entry));
}

}  // namespace portcullis::builtins
