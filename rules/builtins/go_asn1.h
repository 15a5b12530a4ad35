// Go's encoding/asn1, in which requests and private keys are read there: its texts show where they are malformed.
// SOURCE: Go's documentation of encoding/asn1.

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "rules/builtins/der.h"

namespace portcullis::builtins {

// The fields of one structure, in order. LIFETIME: of the bytes.
class GoAsn1 {
 public:
  template <class T>
  using Result = std::expected<T, std::string>;

  explicit GoAsn1(std::string_view bytes) : bytes_(bytes), rest_(bytes) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] bool NextIs(DerTag tag) const { return DerReader(rest_).NextIs(tag); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  // The next element; `type` is Go's name of the field's type, which the text shows.
  Result<DerElement> Take(DerTag tag, std::string_view type);
  Result<DerElement> TakeAny();
  // Nothing where another one follows, or none.
  Result<std::optional<DerElement>> TakeOptional(DerTag tag);
  Result<GoAsn1> Enter(std::string_view type);  // Of a SEQUENCE.
  Result<BigInt> TakeBigInt();
  Result<std::int64_t> TakeInt();
  Result<ObjectId> TakeObjectId();
  Result<DerReader::Bits> TakeBits();

 private:
  std::string_view bytes_;
  std::string_view rest_;
};

}  // namespace portcullis::builtins
