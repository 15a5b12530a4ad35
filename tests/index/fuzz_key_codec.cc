// Any JSON value has key bytes, equal for a value and its copy, and an entry key gives back what it was made of.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "document/json.h"
#include "index/definition.h"
#include "index/key_codec.h"
#include "store/entry_key.h"
#include "store/object_key.h"

namespace {

using namespace std::string_view_literals;

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace document = portcullis::document;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(portcullis::store::DecodeEntryKey(text));
  static_cast<void>(portcullis::store::DecodeKey(text));
  if (const auto definition = portcullis::index::Definition::Parse(text)) {
    const auto again = portcullis::index::Definition::Parse(definition->ToString());
    Require(again && *again == *definition);
  }
  document::Arena arena;
  const auto value = document::ParseJson(text, arena);
  if (!value) {
    return 0;
  }
  std::string bytes;
  portcullis::index::AppendKeyBytes(*value, &bytes);
  Require(bytes.size() <= portcullis::index::kMaxKeyBytes);
  std::string copy;
  portcullis::index::AppendKeyBytes(document::DeepCopy(*value, arena), &copy);
  Require(bytes == copy);
  std::string floats;
  portcullis::index::AppendKeyBytes(document::WithFloatNumbers(*value, arena), &floats);
  Require(bytes == floats || bytes.size() == 17);
  std::string entry;
  portcullis::store::AppendEntryPrefix(9, bytes, &entry);
  const std::size_t prefix = entry.size();
  entry += "cv1\0Pod\0a"sv;
  const auto decoded = portcullis::store::DecodeEntryKey(entry);
  Require(decoded && decoded->index == 9 && decoded->prefix.size() == prefix);
  return 0;
}
