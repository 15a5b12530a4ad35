#include "index/entries.h"

#include <algorithm>
#include <optional>

#include "index/key_codec.h"
#include "store/entry_key.h"

namespace portcullis::index {

using document::Value;

void AppendUnknownPrefix(IndexId index, std::string* out) {
  store::AppendEntryPrefix(index, kUnknownKeyBytes, out);
}

void EntryPrefixes(IndexId index, const Definition& definition, const KeyProgram* program,
                   const Value& object, document::Arena& arena,
                   std::vector<std::string>* prefixes) {
  prefixes->clear();
  if (object.is_undefined()) {
    return;
  }
  std::optional<std::vector<Value>> values;
  if (program != nullptr) {
    values = program->Keys(object, arena);
  } else {
    ExtractKeys(definition, object, arena, &values.emplace());
  }
  if (!values) {
    AppendUnknownPrefix(index, &prefixes->emplace_back());
    return;
  }
  std::string bytes;
  for (const Value& value : *values) {
    bytes.clear();
    AppendKeyBytes(value, &bytes);
    store::AppendEntryPrefix(index, bytes, &prefixes->emplace_back());
  }
  std::ranges::sort(*prefixes);
  const auto repeated = std::ranges::unique(*prefixes);
  prefixes->erase(repeated.begin(), repeated.end());
}

}  // namespace portcullis::index
