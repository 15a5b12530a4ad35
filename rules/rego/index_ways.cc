#include "rules/rego/index_ways.h"

namespace portcullis::rego {

std::vector<std::string> SplitEscaped(std::string_view text, std::string_view delimiters) {
  std::vector<std::string> parts;
  std::size_t last = 0;
  bool escaped = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' || escaped) {
      escaped = !escaped;
    } else if (delimiters.contains(text[i])) {
      parts.emplace_back(text.substr(last, i - last));
      last = i + 1;
    }
  }
  parts.emplace_back(text.substr(last));
  return parts;
}

}  // namespace portcullis::rego
