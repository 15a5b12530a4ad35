#include "store/entry_key.h"

namespace portcullis::store {
namespace {

constexpr std::size_t kIdSize = 4;
constexpr char kEscape = '\x00';
constexpr char kEscapedZero = '\xff';
constexpr char kEnd = '\x01';

}  // namespace

void AppendIndexPrefix(std::uint32_t index, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((index >> shift) & 0xff));
  }
}

void AppendEntryPrefix(std::uint32_t index, std::string_view value_bytes, std::string* out) {
  AppendIndexPrefix(index, out);
  while (true) {
    const std::size_t zero = value_bytes.find(kEscape);
    out->append(value_bytes.substr(0, zero));
    if (zero == std::string_view::npos) {
      break;
    }
    out->push_back(kEscape);
    out->push_back(kEscapedZero);
    value_bytes.remove_prefix(zero + 1);
  }
  out->push_back(kEscape);
  out->push_back(kEnd);
}

std::optional<std::size_t> EntryPrefixSize(std::string_view entry) {
  for (std::size_t at = kIdSize; at < entry.size(); at += 2) {
    at = entry.find(kEscape, at);
    if (at == std::string_view::npos || at + 1 >= entry.size()) {
      return std::nullopt;
    }
    if (entry[at + 1] == kEnd) {
      return at + 2;
    }
    if (entry[at + 1] != kEscapedZero) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<EntryKeyView> DecodeEntryKey(std::string_view entry) {
  const std::optional<std::size_t> size = EntryPrefixSize(entry);
  if (!size) {
    return std::nullopt;
  }
  EntryKeyView view;
  for (std::size_t i = 0; i < kIdSize; ++i) {
    view.index = (view.index << 8) | static_cast<unsigned char>(entry[i]);
  }
  view.prefix = entry.substr(0, *size);
  view.object_key = entry.substr(*size);
  return view;
}

void UnescapeValueBytes(const EntryKeyView& entry, std::string* value_bytes) {
  std::string_view escaped = entry.prefix.substr(kIdSize, entry.prefix.size() - kIdSize - 2);
  value_bytes->clear();
  while (true) {
    const std::size_t zero = escaped.find(kEscape);
    if (zero == std::string_view::npos) {
      break;
    }
    value_bytes->append(escaped.substr(0, zero + 1));
    escaped.remove_prefix(zero + 2);
  }
  value_bytes->append(escaped);
}

}  // namespace portcullis::store
