// Reads DER as Go's certificate parser does, which decides what it refuses and in which words.
// SOURCE: ITU-T X.690; golang.org/x/crypto/cryptobyte.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/builtins/number.h"

namespace portcullis::builtins {

using ObjectId = std::vector<std::int64_t>;
// "1.2.840"
[[nodiscard]] std::string Dotted(const ObjectId& id);

enum class DerTag : std::uint8_t {
  kBoolean = 0x01,
  kInteger = 0x02,
  kBitString = 0x03,
  kOctetString = 0x04,
  kObjectId = 0x06,
  kUtf8String = 0x0C,
  kNumericString = 0x12,
  kPrintableString = 0x13,
  kT61String = 0x14,
  kIa5String = 0x16,
  kUtcTime = 0x17,
  kGeneralizedTime = 0x18,
  kBmpString = 0x1E,
  kSequence = 0x30,
  kSet = 0x31,
};
// [number], of a primitive or a constructed value.
[[nodiscard]] constexpr DerTag Context(int number) {
  return static_cast<DerTag>(0x80 | number);
}
[[nodiscard]] constexpr DerTag ContextSequence(int number) {
  return static_cast<DerTag>(0xA0 | number);
}

struct DerElement {
  DerTag tag = DerTag::kBoolean;
  std::string_view contents = {};
  std::string_view whole = {};  // With its tag and length.
};

// A run of elements, taken from its front. What fails to be read may have been taken or not.
// LIFETIME: of the bytes.
class DerReader {
 public:
  explicit DerReader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool NextIs(DerTag tag) const {
    return !rest_.empty() && static_cast<std::uint8_t>(rest_[0]) == static_cast<std::uint8_t>(tag);
  }

  std::optional<DerElement> TakeAny();
  std::optional<DerElement> Take(DerTag tag);
  // The contents of the next element, if it has the tag.
  std::optional<DerReader> Enter(DerTag tag);
  // False where an element of this tag is there but broken; `found` keeps its value where there is none.
  [[nodiscard]] bool TakeOptional(DerTag tag, std::optional<std::string_view>* found);
  std::optional<bool> TakeBoolean();
  std::optional<BigInt> TakeInteger();
  // In 64 bits.
  std::optional<std::int64_t> TakeInt64(DerTag tag = DerTag::kInteger);
  std::optional<ObjectId> TakeObjectId();

  struct Bits {
    std::string_view bytes;
    int unused = 0;  // Bits at the end of the last byte.
    // The bits with the unused ones at the front.
    [[nodiscard]] std::string RightAligned() const;
    [[nodiscard]] bool At(std::size_t i) const;
  };
  std::optional<Bits> TakeBits();

 private:
  std::string_view rest_;
};

}  // namespace portcullis::builtins
