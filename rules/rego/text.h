// Small facts about Rego's words that the parser, the printer and the compiler share.

#pragma once

#include <string>
#include <string_view>

#include "rules/rego/ast.h"

namespace portcullis::rego {

// A letter or underscore, then letters, digits and underscores, all ASCII.
[[nodiscard]] bool IsIdentifier(std::string_view text);
[[nodiscard]] bool IsKeyword(std::string_view text, Version version);
// "+" of "plus", "in" of "internal.member_2"; empty of everything that is not written between its
// operands.
[[nodiscard]] std::string_view InfixOf(std::string_view builtin);
// A builtin of OPA's, whether or not it may be called here.
[[nodiscard]] bool IsBuiltinName(std::string_view name);

// In double quotes, escaped as Go's strconv.Quote does.
[[nodiscard]] std::string Quote(std::string_view text);
// The inverse of a JSON string literal (with its quotes), as Go's encoding/json reads it. False: it
// is not one.
[[nodiscard]] bool Unquote(std::string_view literal, std::string& out);

// Reads the code point at the start of `text`; its width in bytes goes to `width` (1 where it is
// not UTF-8, and the result is then U+FFFD). REQUIRES: text is not empty.
[[nodiscard]] char32_t DecodeRune(std::string_view text, int& width);
void AppendRune(std::string& out, char32_t rune);

}  // namespace portcullis::rego
