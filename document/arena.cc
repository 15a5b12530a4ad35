#include "document/arena.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace portcullis::document {
namespace {

constexpr std::size_t kFirstBlockBytes = std::size_t{4} << 10;
constexpr std::size_t kMostBlockBytes = std::size_t{1} << 20;
constexpr std::size_t kMostAlignment = 16;

}  // namespace

Arena::Arena(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

void* Arena::AllocateSlow(std::size_t bytes, std::size_t alignment) {
  // Blocks double, so that their number stays logarithmic; something large gets a block of its own
  // size.
  const std::size_t doubled =
      blocks_.empty() ? kFirstBlockBytes : std::min(blocks_.back().size * 2, kMostBlockBytes);
  const std::size_t size = std::max(doubled, bytes + kMostAlignment);
  blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
  used_bytes_ += size;
  next_ = reinterpret_cast<std::uintptr_t>(blocks_.back().bytes.get());
  end_ = next_ + size;
  const std::uintptr_t at = (next_ + alignment - 1) & ~(alignment - 1);
  next_ = at + bytes;
  return reinterpret_cast<void*>(at);
}

std::string_view Arena::CopyString(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  char* copy = static_cast<char*>(Allocate(text.size(), 1));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

void Arena::Reset() {
  if (blocks_.empty()) {
    return;
  }
  blocks_.resize(1);
  used_bytes_ = blocks_.front().size;
  next_ = reinterpret_cast<std::uintptr_t>(blocks_.front().bytes.get());
  end_ = next_ + used_bytes_;
}

}  // namespace portcullis::document
