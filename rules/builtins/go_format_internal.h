// The parts of Go's fmt that go_format.cc puts together.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rules/builtins/go_format.h"

namespace portcullis::builtins {

enum class GoQuoting : std::uint8_t { kUnicode, kAscii };

// One rune as it stands between quotes.
void AppendQuotedRune(char32_t rune, char quote, GoQuoting quoting, std::string* out);
void AppendQuotedText(std::string_view text, GoQuoting quoting, std::string* out);
// Whether `text` can stand between backquotes as it is.
[[nodiscard]] bool CanBackquote(std::string_view text);

}  // namespace portcullis::builtins
