// The parts of json.match_schema and json.verify_schema: drafts 4, 6 and 7 of JSON Schema as OPA's fork of gojsonschema
// reads them, and where a schema names none, what all of them have. References lead within the schema; none is fetched.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

enum class SchemaDraft : std::uint8_t { k4 = 4, k6 = 6, k7 = 7, kAll = 8 };

[[nodiscard]] SchemaDraft DraftOf(const Value& schema);

// What is wrong with a schema, in gojsonschema's words; nothing where it is one, or `context` halts.
[[nodiscard]] std::optional<std::string> SchemaFault(CallContext& context, const Value& schema);

// What "#/definitions/a" leads to; undefined where there is nothing.
[[nodiscard]] Value FollowReference(const Value& root, std::string_view reference);

// Whether `text` is what a format names; of unknown formats everything is.
[[nodiscard]] bool FitsFormat(CallContext& context, std::string_view format, std::string_view text);

// Whole numbers, however they are written. REQUIRES: a number.
[[nodiscard]] bool IsWholeNumber(const Value& number);

}  // namespace portcullis::builtins
