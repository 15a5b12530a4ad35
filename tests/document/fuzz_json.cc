// JSON from anywhere: it parses or it is refused, and what was read is written and read again as the same value.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"

using portcullis::document::Arena;
using portcullis::document::DuplicateKeys;
using portcullis::document::Equal;
using portcullis::document::Hash;
using portcullis::document::NumberMode;
using portcullis::document::ParseJson;
using portcullis::document::ParseOptions;
using portcullis::document::ToJson;
using portcullis::document::ToRego;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const bool go : {false, true}) {
    ParseOptions options;
    if (go) {
      options.numbers = NumberMode::kFloat64;
      options.duplicates = DuplicateKeys::kKeepLast;
    }
    Arena arena;
    const auto value = ParseJson(text, arena, options);
    if (!value) {
      continue;
    }
    const std::string json = ToJson(*value);
    const auto again = ParseJson(json, arena, options);
    if (!again || !Equal(*value, *again) || Hash(*value) != Hash(*again) ||
        ToJson(*again) != json || ToRego(*value).empty()) {
      std::abort();
    }
  }
  return 0;
}
