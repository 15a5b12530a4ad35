#include "rules/builtins/der.h"

namespace portcullis::builtins {
namespace {

std::uint8_t Byte(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

bool IsMinimalInteger(std::string_view bytes) {
  if (bytes.size() < 2) {
    return !bytes.empty();
  }
  const bool negative = (Byte(bytes, 1) & 0x80) != 0;
  return Byte(bytes, 0) != (negative ? 0xFF : 0x00);
}

}  // namespace

std::string Dotted(const ObjectId& id) {
  std::string text;
  for (const std::int64_t part : id) {
    text.append(text.empty() ? "" : ".").append(std::to_string(part));
  }
  return text;
}

std::optional<DerElement> DerReader::TakeAny() {
  if (rest_.size() < 2 || (Byte(rest_, 0) & 0x1F) == 0x1F) {
    return std::nullopt;
  }
  std::size_t header = 2;
  std::size_t length = Byte(rest_, 1);
  if (length >= 0x80) {
    const std::size_t count = length & 0x7F;
    if (count == 0 || count > 4 || rest_.size() < 2 + count) {
      return std::nullopt;
    }
    length = 0;
    for (std::size_t i = 0; i < count; ++i) {
      length = length << 8 | Byte(rest_, 2 + i);
    }
    if (length < 0x80 || length >> ((count - 1) * 8) == 0) {
      return std::nullopt;  // Could be shorter.
    }
    header += count;
  }
  if (rest_.size() - header < length) {
    return std::nullopt;
  }
  const DerElement element{static_cast<DerTag>(Byte(rest_, 0)), rest_.substr(header, length),
                           rest_.substr(0, header + length)};
  rest_.remove_prefix(header + length);
  return element;
}

std::optional<DerElement> DerReader::Take(DerTag tag) {
  if (!NextIs(tag)) {
    return std::nullopt;
  }
  return TakeAny();
}

std::optional<DerReader> DerReader::Enter(DerTag tag) {
  const auto element = Take(tag);
  if (!element) {
    return std::nullopt;
  }
  return DerReader(element->contents);
}

bool DerReader::TakeOptional(DerTag tag, std::optional<std::string_view>* found) {
  if (!NextIs(tag)) {
    return true;
  }
  const auto element = TakeAny();
  if (element) {
    *found = element->contents;
  }
  return element.has_value();
}

std::optional<bool> DerReader::TakeBoolean() {
  const auto element = Take(DerTag::kBoolean);
  if (!element || element->contents.size() != 1) {
    return std::nullopt;
  }
  const std::uint8_t byte = Byte(element->contents, 0);
  return byte == 0 || byte == 0xFF ? std::optional(byte != 0) : std::nullopt;
}

std::optional<BigInt> DerReader::TakeInteger() {
  const auto element = Take(DerTag::kInteger);
  if (!element || !IsMinimalInteger(element->contents)) {
    return std::nullopt;
  }
  BigInt number;
  mpz_import(number.get(), element->contents.size(), 1, 1, 0, 0, element->contents.data());
  if ((Byte(element->contents, 0) & 0x80) != 0) {
    BigInt modulus(1);
    mpz_mul_2exp(modulus.get(), modulus.get(), element->contents.size() * 8);
    mpz_sub(number.get(), number.get(), modulus.get());
  }
  return number;
}

std::optional<std::int64_t> DerReader::TakeInt64(DerTag tag) {
  const auto element = Take(tag);
  if (!element || !IsMinimalInteger(element->contents) || element->contents.size() > 8) {
    return std::nullopt;
  }
  std::uint64_t number = (Byte(element->contents, 0) & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < element->contents.size(); ++i) {
    number = number << 8 | Byte(element->contents, i);
  }
  return static_cast<std::int64_t>(number);
}

std::optional<ObjectId> DerReader::TakeObjectId() {
  const auto element = Take(DerTag::kObjectId);
  if (!element || element->contents.empty()) {
    return std::nullopt;
  }
  ObjectId id;
  std::int64_t part = 0;
  bool inside = false;
  for (std::size_t i = 0; i < element->contents.size(); ++i) {
    const std::uint8_t byte = Byte(element->contents, i);
    if ((!inside && byte == 0x80) || part >= 1 << (31 - 7)) {
      return std::nullopt;
    }
    part = part << 7 | (byte & 0x7F);
    inside = (byte & 0x80) != 0;
    if (inside) {
      continue;
    }
    if (id.empty()) {
      id.push_back(part < 80 ? part / 40 : 2);
      part = part < 80 ? part % 40 : part - 80;
    }
    id.push_back(part);
    part = 0;
  }
  return inside ? std::nullopt : std::optional(std::move(id));
}

std::string DerReader::Bits::RightAligned() const {
  std::string aligned(bytes);
  if (unused == 0) {
    return aligned;
  }
  std::uint8_t carried = 0;
  for (char& c : aligned) {
    const auto byte = static_cast<std::uint8_t>(c);
    c = static_cast<char>(byte >> unused | carried);
    carried = static_cast<std::uint8_t>(byte << (8 - unused));
  }
  return aligned;
}

bool DerReader::Bits::At(std::size_t i) const {
  return i < bytes.size() * 8 - static_cast<std::size_t>(unused) &&
         (Byte(bytes, i / 8) >> (7 - i % 8) & 1) != 0;
}

std::optional<DerReader::Bits> DerReader::TakeBits() {
  const auto element = Take(DerTag::kBitString);
  if (!element || element->contents.empty()) {
    return std::nullopt;
  }
  const int unused = Byte(element->contents, 0);
  const std::string_view bytes = element->contents.substr(1);
  if (unused > 7 || (bytes.empty() && unused != 0) ||
      (!bytes.empty() && (Byte(bytes, bytes.size() - 1) & ((1 << unused) - 1)) != 0)) {
    return std::nullopt;
  }
  return Bits{bytes, unused};
}

}  // namespace portcullis::builtins
