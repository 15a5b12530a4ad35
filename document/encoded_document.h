// An opened encoded document, as values point to it: the nodes of document/encoding.h. Private to
// document/.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "document/json.h"
#include "document/value.h"

namespace portcullis::document {

inline constexpr std::uint32_t kMostEncodedDepth = 1000;
inline constexpr std::size_t kMostSharedText = 64;

enum class NodeKind : std::uint8_t {
  kNull = 0,
  kFalse = 1,
  kTrue = 2,
  kSmallInt = 3,
  kInt = 4,
  kFloat = 5,
  kDecimal = 6,
  kString = 7,
  kArray = 8,
  kObject = 9,
};

class Node {
 public:
  static constexpr std::uint32_t kMostCount = (std::uint32_t{1} << 28) - 1;
  static constexpr std::int64_t kMostSmallInt = (std::int64_t{1} << 59) - 1;
  static constexpr std::int64_t kLeastSmallInt = -kMostSmallInt - 1;

  explicit constexpr Node(std::uint64_t bits) : bits_(bits) {}
  constexpr Node(NodeKind kind, std::uint32_t count, std::uint32_t offset)
      : bits_(static_cast<std::uint64_t>(kind) | std::uint64_t{count} << 4 |
              std::uint64_t{offset} << 32) {}
  static constexpr Node SmallInt(std::int64_t value) {
    return Node(static_cast<std::uint64_t>(value) << 4 |
                static_cast<std::uint64_t>(NodeKind::kSmallInt));
  }

  [[nodiscard]] constexpr std::uint64_t bits() const { return bits_; }
  // What the bytes say; may be none of the above in bytes from outside.
  [[nodiscard]] constexpr NodeKind kind() const { return static_cast<NodeKind>(bits_ & 0xf); }
  [[nodiscard]] constexpr std::uint32_t count() const {
    return static_cast<std::uint32_t>(bits_) >> 4;
  }
  [[nodiscard]] constexpr std::uint32_t offset() const {
    return static_cast<std::uint32_t>(bits_ >> 32);
  }
  [[nodiscard]] constexpr std::int64_t small_int() const {
    return static_cast<std::int64_t>(bits_) >> 4;
  }

 private:
  std::uint64_t bits_;
};

struct EncodedDocument {
  const std::uint64_t* nodes = nullptr;
  const char* text = nullptr;
  std::uint32_t node_count = 0;
  std::uint32_t text_size = 0;
  NumberMode numbers = NumberMode::kExact;

  // The value of a node.
  [[nodiscard]] Value At(std::uint32_t node) const;
  // Items of an array, members of an object.
  [[nodiscard]] std::uint32_t Count(std::uint32_t node) const { return Node(nodes[node]).count(); }
  // The i-th node of the run that belongs to an array or object.
  [[nodiscard]] Value Item(std::uint32_t node, std::uint32_t i) const {
    return At(Node(nodes[node]).offset() + i);
  }
  [[nodiscard]] Value Find(std::uint32_t object, std::string_view key) const;
  // REQUIRES: a string or decimal.
  [[nodiscard]] std::string_view Text(Node node) const {
    return {text + node.offset(), node.count()};
  }

 private:
  [[nodiscard]] Value Number(Node node) const;
};

}  // namespace portcullis::document
