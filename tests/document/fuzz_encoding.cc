// Encoded documents from anywhere: what opens can be walked and, encoded again, is the same value.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "document/arena.h"
#include "document/encoding.h"
#include "document/json.h"
#include "document/value.h"

using portcullis::document::Arena;
using portcullis::document::Encode;
using portcullis::document::Equal;
using portcullis::document::Hash;
using portcullis::document::OpenUntrusted;
using portcullis::document::ToJson;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Arena arena;
  const auto value = OpenUntrusted({reinterpret_cast<const char*>(data), size}, arena);
  if (!value) {
    return 0;
  }
  const auto bytes = Encode(*value);
  const auto again = bytes ? OpenUntrusted(*bytes, arena) : value;
  if (!bytes || !again || !Equal(*value, *again) || Hash(*value) != Hash(*again) ||
      ToJson(*value) != ToJson(*again)) {
    std::abort();
  }
  for (std::uint32_t i = 0; value->is_object() && i < value->size(); ++i) {
    if (!Equal(value->Find(value->KeyAt(i)), value->ValueAt(i))) {
      std::abort();
    }
  }
  return 0;
}
