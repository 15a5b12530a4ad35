#include "rules/builtins/globs_match.h"

#include <utility>
#include <vector>

#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

struct Token {
  bool any = false;
  bool repeats = false;                               // Any number of times, also none.
  std::vector<std::pair<char32_t, char32_t>> ranges;  // Both ends included; of what is not `any`.
};

bool Overlap(const Token& a, const Token& b) {
  if (a.any || b.any) {
    return true;
  }
  for (const auto& [a_low, a_high] : a.ranges) {
    for (const auto& [b_low, b_high] : b.ranges) {
      if (a_low <= b_high && b_low <= a_high) {
        return true;
      }
    }
  }
  return false;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : whole_(text), text_(text) {}

  std::expected<std::vector<Token>, std::string> Parse() {
    std::vector<Token> tokens;
    while (!text_.empty()) {
      Token token;
      bool escaped = false;
      const char32_t rune = Next(&escaped);
      if (failed_) {
        return Error("unexpected end after escape");
      }
      if (!escaped && (rune == U'*' || rune == U'+')) {
        return Error("flag must be preceded by a non-flag");
      }
      if (!escaped && rune == U']') {
        return Error("set-close ']' with no preceding '['");
      }
      if (!escaped && rune == U'.') {
        token.any = true;
      } else if (!escaped && rune == U'[') {
        if (!ReadSet(&token)) {
          return Error("found [ without matching ]");
        }
      } else {
        token.ranges.emplace_back(rune, rune);
      }
      // x+ is x x*.
      const char flag = text_.empty() ? '\0' : text_.front();
      if (flag == '*' || flag == '+') {
        text_.remove_prefix(1);
        if (flag == '+') {
          tokens.push_back(token);
        }
        token.repeats = true;
      }
      tokens.push_back(std::move(token));
    }
    return tokens;
  }

 private:
  [[nodiscard]] std::unexpected<std::string> Error(const std::string& what) const {
    return std::unexpected(
        "input:" + std::string(whole_) +
        ", pos:" + std::to_string(CountRunes(whole_.substr(0, whole_.size() - text_.size()))) +
        ", " + what + ": the input provided is invalid");
  }

  char32_t Next(bool* escaped) {
    *escaped = text_.starts_with('\\');
    if (*escaped) {
      text_.remove_prefix(1);
    }
    const Rune rune = DecodeRune(text_);
    failed_ = rune.width == 0;
    text_.remove_prefix(rune.width);
    return rune.value;
  }

  // After "[" up to "]".
  bool ReadSet(Token* token) {
    bool can_begin_range = false;
    while (!text_.empty()) {
      bool escaped = false;
      const char32_t rune = Next(&escaped);
      if (failed_) {
        return false;
      }
      if (!escaped && rune == U']') {
        return true;
      }
      if (escaped || rune != U'-') {
        token->ranges.emplace_back(rune, rune);
        can_begin_range = true;
        continue;
      }
      if (!can_begin_range || text_.empty()) {
        return false;
      }
      const char32_t high = Next(&escaped);
      if (failed_ || (!escaped && (high == U']' || high == U'-'))) {
        return false;
      }
      if (high < token->ranges.back().first) {
        return false;
      }
      token->ranges.back().second = high;
      can_begin_range = false;
    }
    return false;
  }

  const std::string_view whole_;
  std::string_view text_;  // What is left of it.
  bool failed_ = false;
};

}  // namespace

std::expected<bool, std::string> GlobsIntersect(CallContext& context, std::string_view a,
                                                std::string_view b) {
  const auto left = Parser(a).Parse();
  if (!left) {
    return std::unexpected(left.error());
  }
  const auto right = Parser(b).Parse();
  if (!right) {
    return std::unexpected(right.error());
  }
  const std::size_t n = left->size();
  const std::size_t m = right->size();
  if (n == 0 && m == 0) {
    return true;
  }
  // How a pair of places is reached: not, by the empty string, by a longer one.
  constexpr std::uint8_t kByNothing = 1;
  constexpr std::uint8_t kByRunes = 2;
  const std::size_t columns = m + 1;
  if (context.HaltsBeyond((n + 1) * columns)) {
    return std::unexpected("");
  }
  std::vector<std::uint8_t> reached((n + 1) * columns, 0);
  reached[0] = kByNothing;
  for (std::size_t i = 0; i <= n; ++i) {
    for (std::size_t j = 0; j <= m; ++j) {
      if (context.ShouldHalt()) {
        return std::unexpected("");
      }
      std::uint8_t& here = reached[i * columns + j];
      if (here == 0) {
        continue;
      }
      const bool match = i < n && j < m && Overlap((*left)[i], (*right)[j]);
      // Two repeated tokens may share a rune and stay.
      if (match && (*left)[i].repeats && (*right)[j].repeats) {
        here |= kByRunes;
      }
      if (i < n && (*left)[i].repeats) {
        reached[(i + 1) * columns + j] |= here;
      }
      if (j < m && (*right)[j].repeats) {
        reached[i * columns + j + 1] |= here;
      }
      if (!match) {
        continue;
      }
      reached[(i + 1) * columns + j + 1] |= kByRunes;
      if ((*left)[i].repeats) {
        reached[i * columns + j + 1] |= kByRunes;
      }
      if ((*right)[j].repeats) {
        reached[(i + 1) * columns + j] |= kByRunes;
      }
    }
  }
  return (reached[n * columns + m] & kByRunes) != 0;
}

}  // namespace portcullis::builtins
