// Go's fmt.Sprintf over Rego values: what sprintf is. SOURCE: the documentation of Go's package fmt; rego.md 7.5.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "document/value.h"

namespace portcullis::builtins {

// Appends `format` with the items of `arguments` put into it. A number spelt as a whole one is Go's int64 or *big.Int,
// any other number a float64; strings are strings; everything else is its Rego text, as a string.
// Stops early once `out` is longer than `limit_bytes`. REQUIRES: `arguments` is an array.
void FormatGo(std::string_view format, const document::Value& arguments, std::size_t limit_bytes,
              std::string* out);

// Appends a float64 as Go's strconv.FormatFloat(number, verb, precision, 64) does; -1 is the fewest digits that do.
void AppendGoFloat(double number, char verb, int precision, std::string* out);

// Appends `text` between double quotes with Go's escapes (strconv.Quote).
void AppendGoQuoted(std::string_view text, std::string* out);

}  // namespace portcullis::builtins
