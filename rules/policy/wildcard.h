// Gatekeeper's globs: a star at the front, at the end, or both; nothing in between (gatekeeper.md 2.4).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::policy {

class Wildcard {
 public:
  explicit Wildcard(std::string_view pattern);

  [[nodiscard]] bool Matches(std::string_view candidate) const;
  // For metadata.generateName, whose end is not known yet: only patterns that leave the end open can match.
  [[nodiscard]] bool MatchesGenerateName(std::string_view prefix) const;

  // Without a star: text() is all that matches.
  [[nodiscard]] bool is_exact() const { return form_ == Form::kExact; }
  // The pattern without its stars.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  enum class Form : std::uint8_t { kExact, kPrefix, kSuffix, kContains };
  Form form_ = Form::kExact;
  std::string text_;
};

}  // namespace portcullis::policy
