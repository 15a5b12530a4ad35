// Memory that is taken piece by piece and given back all at once: what one parse, one query or one
// review needs. THREADS: one at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace portcullis::document {

class Arena {
 public:
  // `limit_bytes` is soft: memory is always given, and over_limit() then says that the owner should
  // stop.
  explicit Arena(std::size_t limit_bytes = std::numeric_limits<std::size_t>::max());
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // COST: a few instructions. `alignment` is a power of two, at most 16.
  void* Allocate(std::size_t bytes, std::size_t alignment) {
    const std::uintptr_t at = (next_ + alignment - 1) & ~(alignment - 1);
    if (at + bytes > end_ || next_ == 0) [[unlikely]] {
      return AllocateSlow(bytes, alignment);
    }
    next_ = at + bytes;
    return reinterpret_cast<void*>(at);
  }

  // Uninitialised room for `count` values of a trivially destructible type.
  template <class T>
  std::span<T> AllocateArray(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return {static_cast<T*>(Allocate(count * sizeof(T), alignof(T))), count};
  }

  template <class T, class... Args>
  T* New(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return ::new (Allocate(sizeof(T), alignof(T))) T{static_cast<Args&&>(args)...};
  }

  std::string_view CopyString(std::string_view text);

  // Bytes taken from the system for this arena since the last Reset, unused ends of blocks
  // included.
  [[nodiscard]] std::size_t used_bytes() const { return used_bytes_; }
  [[nodiscard]] std::size_t limit_bytes() const { return limit_bytes_; }
  [[nodiscard]] bool over_limit() const { return used_bytes_ > limit_bytes_; }
  void set_limit_bytes(std::size_t limit_bytes) { limit_bytes_ = limit_bytes; }

  // Gives everything back but the first block, so that a worker's arena stops allocating once it is
  // warm.
  void Reset();

 private:
  void* AllocateSlow(std::size_t bytes, std::size_t alignment);

  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
  };
  std::size_t limit_bytes_;
  std::vector<Block> blocks_;
  std::size_t used_bytes_ = 0;
  std::uintptr_t next_ = 0;
  std::uintptr_t end_ = 0;
};

}  // namespace portcullis::document
