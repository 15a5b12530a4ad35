#include "mutation/location.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "document/utf8.h"
#include "rules/policy/kubernetes_text.h"

namespace portcullis::mutation {
namespace {

enum class TokenKind : std::uint8_t {
  kError,
  kEnd,
  kName,
  kInteger,
  kOpen,
  kClose,
  kDot,
  kStar,
  kColon,
};

// As Gatekeeper's errors call them.
std::string_view NameOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kError:
      return "ERROR";
    case TokenKind::kEnd:
      return "EOF";
    case TokenKind::kName:
      return "IDENT";
    case TokenKind::kInteger:
      return "INT";
    case TokenKind::kOpen:
      return "LBRACKET";
    case TokenKind::kClose:
      return "RBRACKET";
    case TokenKind::kDot:
      return "SEPARATOR";
    case TokenKind::kStar:
      return "GLOB";
    case TokenKind::kColon:
      return "COLON";
  }
  return "";
}

struct Token {
  TokenKind kind = TokenKind::kError;
  std::string text;
  std::size_t at = 0;

  [[nodiscard]] std::string Shown() const {
    return std::string(NameOf(kind)) + ": " + policy::Quote(text);
  }
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsNameCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Token Next() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) {
      ++at_;
    }
    const std::size_t begin = at_;
    if (at_ == text_.size()) {
      return {TokenKind::kEnd, "", begin};
    }
    const char first = text_[at_];
    if (IsNameCharacter(first)) {
      const auto goes_on = IsDigit(first) ? IsDigit : IsNameCharacter;
      while (at_ < text_.size() && goes_on(text_[at_])) {
        ++at_;
      }
      // After a bad character nothing is well formed any more.
      const TokenKind kind = failed_          ? TokenKind::kError
                             : IsDigit(first) ? TokenKind::kInteger
                                              : TokenKind::kName;
      return {kind, std::string(text_.substr(begin, at_ - begin)), begin};
    }
    if (first == '"' || first == '\'') {
      return Quoted(begin);
    }
    const std::string character = Character();
    constexpr std::string_view kMarks = ".[]*:";
    constexpr TokenKind kKinds[] = {TokenKind::kDot, TokenKind::kOpen, TokenKind::kClose,
                                    TokenKind::kStar, TokenKind::kColon};
    const std::size_t mark = kMarks.find(first);
    failed_ = failed_ || mark == std::string_view::npos;
    return {mark == std::string_view::npos ? TokenKind::kError : kKinds[mark], character, begin};
  }

 private:
  // One character; what is not UTF-8 becomes U+FFFD.
  std::string Character() {
    const document::Rune rune = document::DecodeRune(text_.substr(at_));
    const std::size_t size = std::max<std::size_t>(rune.size, 1);
    std::string out = rune.size > 0 ? std::string(text_.substr(at_, size)) : "\xEF\xBF\xBD";
    at_ += size;
    return out;
  }

  Token Quoted(std::size_t begin) {
    const char quote = text_[at_++];
    Token token{TokenKind::kName, "", begin};
    while (at_ < text_.size()) {
      if (text_[at_] == quote) {
        ++at_;
        return token;
      }
      if (text_[at_] == '\\') {
        if (++at_ == text_.size()) {
          break;
        }
      }
      token.text += Character();
    }
    failed_ = true;
    token.kind = TokenKind::kError;
    return token;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

// As Gatekeeper reads it: the sum wraps around, and only what comes out negative is an overflow.
std::optional<std::int64_t> ReadInteger(std::string_view digits) {
  std::uint64_t sum = 0;
  for (const char digit : digits) {
    sum = sum * 10 + static_cast<std::uint64_t>(digit - '0');
    if (static_cast<std::int64_t>(sum) < 0) {
      return std::nullopt;
    }
  }
  return static_cast<std::int64_t>(sum);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : scanner_(text) {
    current_ = scanner_.Next();
    next_ = scanner_.Next();
  }

  Result<Location> Parse() {
    Location location;
    while (current_.kind == TokenKind::kName) {
      if (location.steps.size() >= kMaxSteps) {
        return FailAt("a location has at most " + std::to_string(kMaxSteps) + " steps", current_);
      }
      location.steps.push_back(
          {.kind = LocationStep::Kind::kField, .name = current_.text, .glob = false, .key = {}});
      if (Take(TokenKind::kOpen)) {
        location.steps.push_back(TRY(List()));
      }
      if (Take(TokenKind::kDot)) {
        if (next_.kind == TokenKind::kEnd) {
          return FailAt("trailing separators are forbidden", current_);
        }
        Advance();
      } else if (!Take(TokenKind::kEnd)) {
        return Unexpected("expected '.' or eof", next_);
      }
    }
    if (current_.kind != TokenKind::kEnd) {
      return Unexpected("expected field name or eof", current_);
    }
    return location;
  }

 private:
  void Advance() {
    current_ = std::move(next_);
    next_ = scanner_.Next();
  }
  bool Take(TokenKind kind) {
    if (next_.kind != kind) {
      return false;
    }
    Advance();
    return true;
  }
  static std::unexpected<Error> FailAt(std::string message, const Token& token) {
    return Fail(
        ErrorCode::kInvalidArgument, std::move(message),
        Position{.file = {}, .line = 1, .column = static_cast<std::uint32_t>(token.at) + 1});
  }
  static std::unexpected<Error> Unexpected(const std::string& expected, const Token& token) {
    return FailAt("unexpected token: " + expected + ", got: " + token.Shown(), token);
  }

  Result<LocationStep> List() {
    LocationStep step{.kind = LocationStep::Kind::kList, .name = {}, .glob = false, .key = {}};
    if (!Take(TokenKind::kName)) {
      return Unexpected("expected keyField in listSpec", next_);
    }
    step.name = current_.text;
    if (!Take(TokenKind::kColon)) {
      return Unexpected("expected ':' following keyField " + step.name, next_);
    }
    if (Take(TokenKind::kStar)) {
      step.glob = true;
    } else if (Take(TokenKind::kName)) {
      step.key = current_.text;
    } else if (Take(TokenKind::kInteger)) {
      const std::optional<std::int64_t> value = ReadInteger(current_.text);
      if (!value) {
        return FailAt("invalid integer: overflow in integer string: " + current_.text +
                          ": parsing key value for key: " + step.name,
                      current_);
      }
      step.key = *value;
    } else {
      return Unexpected("expected key value or glob in listSpec", next_);
    }
    if (!Take(TokenKind::kClose)) {
      return Unexpected("expected ']' following listSpec", next_);
    }
    return step;
  }

  Scanner scanner_;
  Token current_;
  Token next_;
};

std::string QuotedWhereNeeded(const std::string& text) {
  if (text.empty()) {
    return R"("")";
  }
  if (text.find_first_of("'\"\t\n \\*[]:.") == std::string::npos && !IsDigit(text.front())) {
    return text;
  }
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string LocationStep::ToString() const {
  if (!is_list()) {
    return QuotedWhereNeeded(name);
  }
  const std::string value = glob ? "*"
                            : std::holds_alternative<std::int64_t>(key)
                                ? std::to_string(std::get<std::int64_t>(key))
                                : QuotedWhereNeeded(std::get<std::string>(key));
  return "[" + QuotedWhereNeeded(name) + ": " + value + "]";
}

std::string Location::ToString() const {
  std::string text;
  for (const LocationStep& step : steps) {
    if (!step.is_list() && !text.empty()) {
      text += '.';
    }
    text += step.ToString();
  }
  return text;
}

bool Location::IsPrefixOf(const Location& longer) const {
  return steps.size() <= longer.steps.size() &&
         std::equal(steps.begin(), steps.end(), longer.steps.begin());
}

Result<Location> ParseLocation(std::string_view text) {
  return Parser(text).Parse();
}

}  // namespace portcullis::mutation
