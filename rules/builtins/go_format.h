// Go's fmt.Sprintf over Rego values: what sprintf is. SOURCE: the documentation of Go's package fmt; rego.md 7.5.

#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "document/value.h"
#include "rules/builtins/number.h"

namespace portcullis::builtins {

// Appends `format` with the items of `arguments` put into it. A number spelt as a whole one is Go's int64 or *big.Int,
// any other number a float64; strings are strings; everything else is its Rego text, as a string.
// Stops early once `out` is longer than `limit_bytes`. REQUIRES: `arguments` is an array.
void FormatGo(std::string_view format, const document::Value& arguments, std::size_t limit_bytes,
              std::string* out);

// What an argument is to Go, by type. A Value is an object or an array of what JSON holds: map[string]any or []any, whose
// numbers are json.Number.
struct GoNil {};
struct GoJsonNumber {
  std::string text;
};
struct GoInt {  // Go's int: the numbers of templates. An int64 is Go's int64.
  std::int64_t value = 0;
};
using GoArgument = std::variant<std::int64_t, double, BigInt, std::string, GoNil, GoJsonNumber,
                                bool, std::uint8_t, GoInt, std::complex<double>, document::Value>;
// As Go holds what it decodes from JSON.
[[nodiscard]] GoArgument ToGoArgument(const document::Value& json);
// "map[string]interface {}".
[[nodiscard]] std::string_view GoTypeName(const GoArgument& argument);
// As FormatGo above.
void FormatGo(std::string_view format, std::span<const GoArgument> arguments,
              std::size_t limit_bytes, std::string* out);
// Appends what "%v" gives.
void AppendGo(const GoArgument& argument, std::size_t limit_bytes, std::string* out);

// Appends a float64 as Go's strconv.FormatFloat(number, verb, precision, 64) does; -1 is the fewest digits that do.
void AppendGoFloat(double number, char verb, int precision, std::string* out);

// Appends `text` between double quotes with Go's escapes (strconv.Quote).
void AppendGoQuoted(std::string_view text, std::string* out);
// The value of a Go string literal in double quotes or backquotes, or of 'c'. Nothing where it is malformed.
[[nodiscard]] std::optional<std::string> UnquoteGo(std::string_view literal);
[[nodiscard]] std::optional<char32_t> UnquoteGoRune(std::string_view literal);
// The same as package time does in its errors: bytes outside of ASCII as \x escapes.
void AppendTimeQuoted(std::string_view text, std::string* out);

}  // namespace portcullis::builtins
