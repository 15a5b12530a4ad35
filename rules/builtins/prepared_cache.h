// Compiled regexes, globs and the like, kept between the calls of a builtin.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace portcullis::builtins {

// THREADS: any. A hit takes one shared lock of one of sixteen parts.
class PreparedCache {
 public:
  // `capacity` is the number of things kept, roughly; one that was not used lately makes room for a new one.
  explicit PreparedCache(std::size_t capacity = 1024) : part_capacity_(capacity / kParts + 1) {}
  PreparedCache(const PreparedCache&) = delete;
  PreparedCache& operator=(const PreparedCache&) = delete;

  // What `make()` gave for this `kind` and `text` before, or gives now; what is null is not kept.
  // REQUIRES: one `kind` always means one T. `make` returns std::shared_ptr<const T>.
  template <class T, class Make>
  std::shared_ptr<const T> Get(std::string_view kind, std::string_view text, Make make) {
    if (auto found = Find(kind, text)) {
      return std::static_pointer_cast<const T>(std::move(found));
    }
    std::shared_ptr<const T> made = make();
    if (made) {
      Insert(kind, text, made);
    }
    return made;
  }

 private:
  static constexpr std::size_t kParts = 16;
  struct Key {
    std::string_view kind;
    std::string_view text;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      const std::hash<std::string_view> hash;
      return hash(key.text) * 31 + hash(key.kind);
    }
  };
  struct Entry {
    std::string kind;  // What the key points to.
    std::string text;
    std::shared_ptr<const void> value;
    std::atomic<bool> used = true;  // Since eviction last passed by.
  };
  struct alignas(64) Part {
    std::shared_mutex mutex;
    std::unordered_map<Key, std::unique_ptr<Entry>, KeyHash> entries;
  };

  std::shared_ptr<const void> Find(std::string_view kind, std::string_view text);
  void Insert(std::string_view kind, std::string_view text, std::shared_ptr<const void> value);

  const std::size_t part_capacity_;
  std::array<Part, kParts> parts_;
};

}  // namespace portcullis::builtins
