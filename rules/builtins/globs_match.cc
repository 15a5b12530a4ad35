#include "rules/builtins/globs_match.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

enum class Flag : std::uint8_t { kNone, kPlus, kStar };

struct Token {
  bool any = false;
  Flag flag = Flag::kNone;
  // Of what is not `any`: both ends included, sorted, apart from each other.
  std::vector<std::pair<char32_t, char32_t>> ranges;

  [[nodiscard]] bool flagged() const { return flag != Flag::kNone; }
};

using Tokens = std::vector<Token>;

bool Overlap(const Token& a, const Token& b) {
  if (a.any || b.any) {
    return true;
  }
  auto left = a.ranges.begin();
  auto right = b.ranges.begin();
  while (left != a.ranges.end() && right != b.ranges.end()) {
    if (left->first <= right->second && right->first <= left->second) {
      return true;
    }
    if (left->second < right->second) {
      ++left;
    } else {
      ++right;
    }
  }
  return false;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {
    for (std::size_t i = 0; i < text.size();) {
      const Rune rune = DecodeRune(text.substr(i));
      runes_.push_back(rune.value);
      i += rune.width;
    }
  }

  std::expected<Tokens, std::string> Parse() {
    Tokens tokens;
    while (at_ < runes_.size() && error_.empty()) {
      Token token = ReadToken();
      if (error_.empty()) {
        token.flag = ReadFlag();
        Add(std::move(token), &tokens);
      }
    }
    if (!error_.empty()) {
      return std::unexpected(std::move(error_));
    }
    return tokens;
  }

 private:
  struct Read {
    char32_t rune = 0;
    bool escaped = false;
  };

  void Fail(std::size_t position, const std::string& what) {
    if (error_.empty()) {
      error_ = "input:" + std::string(text_) + ", pos:" + std::to_string(position) + ", " + what +
               ": the input provided is invalid";
    }
  }

  // Nothing at the end, and after a failure.
  std::optional<Read> Next() {
    if (at_ >= runes_.size()) {
      return std::nullopt;
    }
    if (runes_[at_] != U'\\') {
      return Read{runes_[at_++], false};
    }
    if (at_ + 1 == runes_.size()) {
      Fail(at_, "input ends with a \\ (escape) character");
      return std::nullopt;
    }
    at_ += 2;
    return Read{runes_[at_ - 1], true};
  }

  Token ReadToken() {
    Token token;
    const auto read = Next();
    if (!read) {
      return token;
    }
    if (!read->escaped && (read->rune == U'*' || read->rune == U'+')) {
      Fail(at_, std::string("flag '") + (read->rune == U'*' ? '*' : '+') +
                    "' must be preceded by a non-flag");
    } else if (!read->escaped && read->rune == U']') {
      Fail(at_, "set-close ']' with no preceding '['");
    } else if (!read->escaped && read->rune == U'.') {
      token.any = true;
    } else if (!read->escaped && read->rune == U'[') {
      ReadSet(&token);
    } else {
      token.ranges.emplace_back(read->rune, read->rune);
    }
    return token;
  }

  Flag ReadFlag() {
    const std::size_t begin = at_;
    const auto read = Next();
    if (read && !read->escaped && read->rune == U'*') {
      return Flag::kStar;
    }
    if (read && !read->escaped && read->rune == U'+') {
      return Flag::kPlus;
    }
    at_ = begin;
    return Flag::kNone;
  }

  // After "[" up to "]".
  void ReadSet(Token* token) {
    char32_t previous = 0;
    bool may_begin = false;  // A range, with `previous`.
    while (const auto read = Next()) {
      if (!read->escaped && read->rune == U']') {
        return Normalize(token);
      }
      if (read->escaped || read->rune != U'-') {
        token->ranges.emplace_back(read->rune, read->rune);
        previous = read->rune;
        may_begin = true;
        continue;
      }
      if (!may_begin) {
        return Fail(at_, "range character '-' must be preceded by a Unicode character");
      }
      if (at_ + 1 >= runes_.size()) {
        return Fail(at_, "range character '-' must be followed by a Unicode character");
      }
      const Read high = *Next();
      if (!high.escaped && (high.rune == U']' || high.rune == U'-')) {
        return Fail(at_, "range character '-' cannot be followed by a special symbol");
      }
      if (high.rune < previous) {
        std::string what = "range is out of order: '";
        AppendRune(high.rune, &what);
        what += "' comes before '";
        AppendRune(previous, &what);
        return Fail(at_, what + "' in Unicode");
      }
      token->ranges.emplace_back(previous, high.rune);
      may_begin = false;
    }
    Fail(at_, "found [ without matching ]");
  }

  static void Normalize(Token* token) {
    std::ranges::sort(token->ranges);
    std::vector<std::pair<char32_t, char32_t>> apart;
    for (const auto& range : token->ranges) {
      if (!apart.empty() && range.first <= apart.back().second + 1) {
        apart.back().second = std::max(apart.back().second, range.second);
      } else {
        apart.push_back(range);
      }
    }
    token->ranges = std::move(apart);
  }

  // Neighbours that repeat the same become one.
  static void Add(Token token, Tokens* tokens) {
    if (!tokens->empty() && token.flagged() && tokens->back().flagged() &&
        token.any == tokens->back().any && token.ranges == tokens->back().ranges) {
      if (token.flag == Flag::kPlus) {
        tokens->back().flag = Flag::kPlus;
      }
      return;
    }
    tokens->push_back(std::move(token));
  }

  const std::string_view text_;
  std::vector<char32_t> runes_;
  std::size_t at_ = 0;
  std::string error_;
};

// Drops tokens without flags that both begin or end with, but one of each. False where they do not fit.
bool Trim(std::span<const Token>* a, std::span<const Token>* b) {
  const auto plain = [](const Token& x, const Token& y) { return !x.flagged() && !y.flagged(); };
  std::size_t front = 0;
  const std::size_t shorter = std::min(a->size(), b->size());
  for (; front < shorter && plain((*a)[front], (*b)[front]); ++front) {
    if (!Overlap((*a)[front], (*b)[front])) {
      return false;
    }
  }
  front -= front > 0 ? 1 : 0;
  std::size_t back = 0;
  for (; back + front < shorter && plain((*a)[a->size() - 1 - back], (*b)[b->size() - 1 - back]);
       ++back) {
    if (!Overlap((*a)[a->size() - 1 - back], (*b)[b->size() - 1 - back])) {
      return false;
    }
  }
  back -= back > 0 ? 1 : 0;
  *a = a->subspan(front, a->size() - front - back);
  *b = b->subspan(front, b->size() - front - back);
  return true;
}

// Whether what is left of the two globs from (i, j) on intersects, as the library that OPA calls decides it: not always
// as the globs' meaning would have it, and where both tokens repeat it depends on which of the globs is the first.
class Intersection {
 public:
  Intersection(CallContext& context, std::span<const Token> left, std::span<const Token> right)
      : context_(context), left_(left), right_(right), columns_(right.size() + 1) {}

  // Nothing where the evaluation has to end.
  std::optional<bool> Decide() {
    if (context_.HaltsBeyond((left_.size() + 1) * columns_)) {
      return std::nullopt;
    }
    known_.resize((left_.size() + 1) * columns_);
    for (std::size_t i = left_.size() + 1; i-- > 0;) {
      for (std::size_t j = columns_; j-- > 0;) {
        if (context_.ShouldHalt()) {
          return std::nullopt;
        }
        // What Normal asks of the same place comes first.
        Put(i, j, kLeftStarred, LeftStarred(i, j));
        Put(i, j, kRightStarred, RightStarred(i, j));
        Put(i, j, kLeftFirst, Normal(i, j, kLeftFirst));
        Put(i, j, kRightFirst, Normal(i, j, kRightFirst));
      }
    }
    return Is(0, 0, kLeftFirst);
  }

 private:
  // What is known of a place.
  static constexpr std::uint8_t kLeftFirst = 1;
  static constexpr std::uint8_t kRightFirst = 2;
  static constexpr std::uint8_t kLeftStarred = 4;
  static constexpr std::uint8_t kRightStarred = 8;

  void Put(std::size_t i, std::size_t j, std::uint8_t what, bool holds) {
    known_[i * columns_ + j] |= holds ? what : std::uint8_t{0};
  }
  [[nodiscard]] bool Is(std::size_t i, std::size_t j, std::uint8_t what) const {
    return (known_[i * columns_ + j] & what) != 0;
  }
  [[nodiscard]] bool Fits(std::size_t i, std::size_t j) const {
    return Overlap(left_[i], right_[j]);
  }

  [[nodiscard]] bool Normal(std::size_t i, std::size_t j, std::uint8_t first) const {
    if (i == left_.size() || j == right_.size()) {
      return i == left_.size() && j == right_.size();
    }
    const Flag left = left_[i].flag;
    const Flag right = right_[j].flag;
    if (left == Flag::kNone && right == Flag::kNone) {
      return Fits(i, j) && Is(i + 1, j + 1, first);
    }
    const bool use_left = left != Flag::kNone && (first == kLeftFirst || right == Flag::kNone);
    if (use_left) {
      return left == Flag::kStar
                 ? Is(i, j, kLeftStarred)
                 : Fits(i, j) && (Is(i, j + 1, kLeftStarred) ||
                                  (right != Flag::kNone && Is(i + 1, j, kLeftFirst)));
    }
    return right == Flag::kStar
               ? Is(i, j, kRightStarred)
               : Fits(i, j) && (Is(i + 1, j, kRightStarred) ||
                                (left != Flag::kNone && Is(i, j + 1, kRightFirst)));
  }

  // Whether left_[i] can take tokens from j on until the rest fits.
  [[nodiscard]] bool LeftStarred(std::size_t i, std::size_t j) const {
    if (i == left_.size()) {
      return false;
    }
    const bool last = i + 1 == left_.size();
    if (j == right_.size()) {
      return last;
    }
    return (!last && Fits(i + 1, j) && Is(i + 1, j, kLeftFirst)) ||
           (Fits(i, j) && Is(i, j + 1, kLeftStarred));
  }
  [[nodiscard]] bool RightStarred(std::size_t i, std::size_t j) const {
    if (j == right_.size()) {
      return false;
    }
    const bool last = j + 1 == right_.size();
    if (i == left_.size()) {
      return last;
    }
    return (!last && Fits(i, j + 1) && Is(i, j + 1, kRightFirst)) ||
           (Fits(i, j) && Is(i + 1, j, kRightStarred));
  }

  CallContext& context_;
  const std::span<const Token> left_;
  const std::span<const Token> right_;
  const std::size_t columns_;
  std::vector<std::uint8_t> known_;
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
  std::span<const Token> left_rest = *left;
  std::span<const Token> right_rest = *right;
  if (!Trim(&left_rest, &right_rest)) {
    return false;
  }
  const auto decided = Intersection(context, left_rest, right_rest).Decide();
  if (!decided) {
    return std::unexpected("");
  }
  return *decided;
}

}  // namespace portcullis::builtins
