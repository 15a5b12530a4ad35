#include "rules/rego/conflict_text.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include "document/json.h"
#include "rules/builtins/unicode.h"

namespace portcullis::rego {
namespace {

constexpr std::size_t kMostCharacters = 80;

// On one line, blanks in a row as one, and cut where it is long.
std::string Shortened(std::string_view text) {
  std::string out;
  std::size_t characters = 0;
  bool blank = false;
  while (!text.empty()) {
    const builtins::Rune rune = builtins::DecodeRune(text);
    const std::string_view bytes = text.substr(0, rune.width);
    text.remove_prefix(rune.width);
    if (builtins::IsSpace(rune.value)) {
      blank = !out.empty();
      continue;
    }
    for (const std::string_view next :
         {std::exchange(blank, false) ? std::string_view(" ") : "", bytes}) {
      if (!next.empty() && characters++ == kMostCharacters) {
        return out + "...";
      }
      out += next;
    }
  }
  return out;
}

std::string Place(const Location& location) {
  const std::string row = std::to_string(location.row);
  return location.file && !location.file->empty() ? *location.file + ':' + row
                                                  : row + ':' + std::to_string(location.column);
}

}  // namespace

void AppendConflict(std::vector<ConflictingValue> values, bool more, std::string* text) {
  std::ranges::stable_sort(values, [](const auto& a, const auto& b) {
    const auto place = [](const Location& location) {
      return std::tuple(location.file ? std::string_view(*location.file) : std::string_view(),
                        location.row, location.column);
    };
    return place(*a.location) < place(*b.location);
  });
  *text += ':';
  for (const ConflictingValue& found : values) {
    *text += "\n  " + Shortened(document::ToRego(found.value)) + " at " + Place(*found.location);
  }
  *text += more ? "\n  ..." : "";
}

}  // namespace portcullis::rego
