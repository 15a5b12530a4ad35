#include "rules/builtins/go_asn1.h"

#include "base/error.h"

namespace portcullis::builtins {
namespace {

std::unexpected<std::string> Syntax(std::string_view text) {
  return std::unexpected("asn1: syntax error: " + std::string(text));
}

std::unexpected<std::string> Structure(std::string_view text) {
  return std::unexpected("asn1: structure error: " + std::string(text));
}

std::uint8_t Byte(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

struct Header {
  int kind = 0;  // Class and whether it is compound.
  std::int64_t number = 0;
  std::size_t length = 0;
  std::size_t size = 0;  // Of the header itself.
};

std::expected<Header, std::string> ReadHeader(std::string_view bytes) {
  if (bytes.empty()) {
    return Syntax("sequence truncated");
  }
  Header header{Byte(bytes, 0) & 0xE0, Byte(bytes, 0) & 0x1F, 0, 1};
  if (header.number == 0x1F) {
    header.number = 0;
    for (bool more = true; more;) {
      if (header.size >= bytes.size()) {
        return Syntax("truncated base 128 integer");
      }
      const std::uint8_t byte = Byte(bytes, header.size++);
      if (header.number == 0 && byte == 0x80) {
        return Syntax("integer is not minimally encoded");
      }
      if (header.size > 6 || header.number >= 1 << 24) {
        return Structure("base 128 integer too large");
      }
      header.number = header.number << 7 | (byte & 0x7F);
      more = (byte & 0x80) != 0;
    }
    if (header.number < 0x1F) {
      return Syntax("non-minimal tag");
    }
  }
  if (header.size >= bytes.size()) {
    return Syntax("truncated tag or length");
  }
  header.length = Byte(bytes, header.size++);
  if (header.length < 0x80) {
    return header;
  }
  const std::size_t count = header.length & 0x7F;
  if (count == 0) {
    return Syntax("indefinite length found (not DER)");
  }
  header.length = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (header.size >= bytes.size()) {
      return Syntax("truncated tag or length");
    }
    if (header.length >= 1 << 23) {
      return Structure("length too large");
    }
    header.length = header.length << 8 | Byte(bytes, header.size++);
    if (header.length == 0) {
      return Structure("superfluous leading zeros in length");
    }
  }
  if (header.length < 0x80) {
    return Structure("non-minimal length");
  }
  return header;
}

std::unexpected<std::string> TagComplaint(DerTag wanted, std::string_view type,
                                          const Header& header, std::size_t offset) {
  return Structure("tags don't match (" + std::to_string(static_cast<int>(wanted) & 0x1F) +
                   " vs {class:" + std::to_string(header.kind >> 6) + " tag:" +
                   std::to_string(header.number) + " length:" + std::to_string(header.length) +
                   " isCompound:" + ((header.kind & 0x20) != 0 ? "true" : "false") +
                   "}) {optional:false explicit:false application:false private:false "
                   "defaultValue:<nil> tag:<nil> stringType:0 timeType:0 set:false "
                   "omitEmpty:false} " +
                   std::string(type) + " @" + std::to_string(offset));
}

bool Has(const Header& header, DerTag tag) {
  return (header.kind | header.number) == static_cast<int>(tag);
}

}  // namespace

GoAsn1::Result<DerElement> GoAsn1::TakeAny() {
  const auto header = TRY(ReadHeader(rest_));
  if (rest_.size() - header.size < header.length) {
    return Syntax("data truncated");
  }
  const DerElement element{static_cast<DerTag>(Byte(rest_, 0)),
                           rest_.substr(header.size, header.length),
                           rest_.substr(0, header.size + header.length)};
  rest_.remove_prefix(element.whole.size());
  return element;
}

GoAsn1::Result<DerElement> GoAsn1::Take(DerTag tag, std::string_view type) {
  // The kind is compared before the length is held against the bytes.
  const auto header = ReadHeader(rest_);
  if (header && !Has(*header, tag)) {
    return TagComplaint(tag, type, *header, bytes_.size() - rest_.size() + header->size);
  }
  return TakeAny();
}

GoAsn1::Result<std::optional<DerElement>> GoAsn1::TakeOptional(DerTag tag) {
  if (rest_.empty()) {
    return std::nullopt;
  }
  const auto header = TRY(ReadHeader(rest_));
  if (!Has(header, tag)) {
    return std::nullopt;
  }
  return TakeAny();
}

GoAsn1::Result<GoAsn1> GoAsn1::Enter(std::string_view type) {
  const auto element = TRY(Take(DerTag::kSequence, type));
  return GoAsn1(element.contents);
}

GoAsn1::Result<BigInt> GoAsn1::TakeBigInt() {
  const auto element = TRY(Take(DerTag::kInteger, ""));
  if (element.contents.empty()) {
    return Structure("empty integer");
  }
  auto number = DerReader(element.whole).TakeInteger();
  if (!number) {
    return Structure("integer not minimally-encoded");
  }
  return *std::move(number);
}

GoAsn1::Result<std::int64_t> GoAsn1::TakeInt() {
  const auto element = TRY(Take(DerTag::kInteger, "int"));
  if (element.contents.empty()) {
    return Structure("empty integer");
  }
  if (!DerReader(element.whole).TakeInteger()) {
    return Structure("integer not minimally-encoded");
  }
  const auto number = DerReader(element.whole).TakeInt64();
  if (!number) {
    return Structure("integer too large");
  }
  return *number;
}

GoAsn1::Result<ObjectId> GoAsn1::TakeObjectId() {
  const auto element = TRY(Take(DerTag::kObjectId, "ObjectIdentifier"));
  if (element.contents.empty()) {
    return Syntax("zero length OBJECT IDENTIFIER");
  }
  auto id = DerReader(element.whole).TakeObjectId();
  if (!id) {
    return Structure("base 128 integer too large");
  }
  return *std::move(id);
}

GoAsn1::Result<DerReader::Bits> GoAsn1::TakeBits() {
  const auto element = TRY(Take(DerTag::kBitString, "BitString"));
  if (element.contents.empty()) {
    return Syntax("zero length BIT STRING");
  }
  const auto bits = DerReader(element.whole).TakeBits();
  if (!bits) {
    return Syntax("invalid padding bits in BIT STRING");
  }
  return *bits;
}

}  // namespace portcullis::builtins
