#include <algorithm>
#include <vector>

#include "rules/builtins/go_format.h"
#include "rules/builtins/graphql.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsNameStart(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Without the indentation that its lines after the first share, and without empty first and last lines.
std::string Dedent(std::string_view raw) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\r' && i + 1 < raw.size() && raw[i + 1] == '\n') {
      continue;
    }
    if (raw[i] == '\n' || raw[i] == '\r') {
      lines.emplace_back();
    } else {
      lines.back().push_back(raw[i]);
    }
  }
  const auto indent_of = [](const std::string& line) {
    return std::min(line.find_first_not_of(" \t"), line.size());
  };
  std::size_t common = std::string::npos;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (indent_of(lines[i]) < lines[i].size()) {
      common = std::min(common, indent_of(lines[i]));
    }
  }
  for (std::size_t i = 1; i < lines.size() && common != std::string::npos; ++i) {
    lines[i].erase(0, std::min(common, lines[i].size()));
  }
  const auto blank = [&](const std::string& line) { return indent_of(line) == line.size(); };
  while (!lines.empty() && blank(lines.front())) {
    lines.erase(lines.begin());
  }
  while (!lines.empty() && blank(lines.back())) {
    lines.pop_back();
  }
  std::string text;
  for (const std::string& line : lines) {
    text.append(text.empty() && &line == &lines.front() ? "" : "\n").append(line);
  }
  return text;
}

}  // namespace

std::string_view GraphqlKindText(GraphqlKind kind) {
  constexpr std::string_view kTexts[] = {
      "<Invalid>", "<EOF>", "!", "$", "&", "(",    ")",   "...",   ":",      "=",          "@",
      "[",         "]",     "{", "}", "|", "Name", "Int", "Float", "String", "BlockString"};
  return kTexts[static_cast<std::size_t>(kind)];
}

std::string GraphqlToken::Text() const {
  std::string text(GraphqlKindText(kind));
  if (!value.empty()) {
    text.push_back(' ');
    AppendGoQuoted(value, &text);
  }
  return text;
}

void GraphqlLexer::Advance(std::size_t bytes) {
  for (const std::size_t end = std::min(at_ + bytes, text_.size()); at_ < end;) {
    const char c = text_[at_];
    if (c == '\n' || (c == '\r' && At(1) != '\n')) {
      ++line_;
      column_ = 1;
      ++at_;
    } else {
      if (c != '\r') {
        ++column_;
      }
      at_ += DecodeRune(text_.substr(at_)).width;
    }
  }
}

void GraphqlLexer::SkipIgnored() {
  while (at_ < text_.size()) {
    if (std::string_view(" \t,\n\r").contains(text_[at_])) {
      Advance(1);
    } else if (text_.substr(at_).starts_with("\xEF\xBB\xBF")) {
      Advance(3);
    } else if (text_[at_] == '#') {
      Advance(std::min(text_.find_first_of("\r\n", at_), text_.size()) - at_);
    } else {
      return;
    }
  }
}

GraphqlToken GraphqlLexer::Next() {
  SkipIgnored();
  GraphqlToken token{GraphqlKind::kEnd, "", line_, column_};
  if (at_ >= text_.size()) {
    return token;
  }
  const char c = text_[at_];
  constexpr std::pair<char, GraphqlKind> kPunctuation[] = {
      {'!', GraphqlKind::kBang},        {'$', GraphqlKind::kDollar},
      {'&', GraphqlKind::kAmp},         {'(', GraphqlKind::kParenOpen},
      {')', GraphqlKind::kParenClose},  {':', GraphqlKind::kColon},
      {'=', GraphqlKind::kEquals},      {'@', GraphqlKind::kAt},
      {'[', GraphqlKind::kBracketOpen}, {']', GraphqlKind::kBracketClose},
      {'{', GraphqlKind::kBraceOpen},   {'}', GraphqlKind::kBraceClose},
      {'|', GraphqlKind::kPipe}};
  for (const auto& [character, kind] : kPunctuation) {
    if (c != character) {
      continue;
    }
    token.kind = kind;
    Advance(1);
    return token;
  }
  if (text_.substr(at_).starts_with("...")) {
    token.kind = GraphqlKind::kSpread;
    Advance(3);
    return token;
  }
  if (IsNameStart(c)) {
    std::size_t end = at_;
    while (end < text_.size() && (IsNameStart(text_[end]) || IsDigit(text_[end]))) {
      ++end;
    }
    token.kind = GraphqlKind::kName;
    token.value = text_.substr(at_, end - at_);
    Advance(end - at_);
    return token;
  }
  if (c == '-' || IsDigit(c)) {
    return Number(std::move(token));
  }
  if (text_.substr(at_).starts_with(R"(""")")) {
    return BlockString(std::move(token));
  }
  if (c == '"') {
    return String(std::move(token));
  }
  token.kind = GraphqlKind::kInvalid;
  return token;
}

GraphqlToken GraphqlLexer::Number(GraphqlToken token) {
  std::size_t length = At(0) == '-' ? 1 : 0;
  const auto digits = [&] {
    const std::size_t begin = length;
    while (IsDigit(At(length))) {
      ++length;
    }
    return length > begin;
  };
  const bool zero = At(length) == '0';
  token.kind = GraphqlKind::kInvalid;
  const std::size_t whole = length;
  if (!digits() || (zero && length - whole > 1)) {
    return token;
  }
  bool floating = false;
  if (At(length) == '.') {
    floating = true;
    ++length;
    if (!digits()) {
      return token;
    }
  }
  if (At(length) == 'e' || At(length) == 'E') {
    floating = true;
    ++length;
    if (At(length) == '+' || At(length) == '-') {
      ++length;
    }
    if (!digits()) {
      return token;
    }
  }
  token.kind = floating ? GraphqlKind::kFloat : GraphqlKind::kInt;
  token.value = text_.substr(at_, length);
  Advance(length);
  return token;
}

GraphqlToken GraphqlLexer::String(GraphqlToken token) {
  token.kind = GraphqlKind::kInvalid;
  std::size_t length = 1;
  std::string value;
  while (At(length) != '"') {
    const char c = At(length);
    if (at_ + length >= text_.size() || c == '\n' || c == '\r') {
      return token;
    }
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
      return token;
    }
    if (c != '\\') {
      value.push_back(c);
      ++length;
      continue;
    }
    const char escaped = At(length + 1);
    length += 2;
    const std::size_t simple = std::string_view("\"/\\bfnrt").find(escaped);
    if (escaped == 'u') {
      char32_t rune = 0;
      for (int i = 0; i < 4; ++i, ++length) {
        const char digit = At(length);
        const std::size_t number = std::string_view("0123456789abcdefABCDEF").find(digit);
        if (digit == '\0' || number == std::string_view::npos) {
          return token;
        }
        rune = rune * 16 + static_cast<char32_t>(number >= 16 ? number - 6 : number);
      }
      AppendRune(rune, &value);
    } else if (escaped == '\0' || simple == std::string_view::npos) {
      return token;
    } else {
      value.push_back("\"/\\\b\f\n\r\t"[simple]);
    }
  }
  token.kind = GraphqlKind::kString;
  ++token.column;  // gqlparser counts from behind the quote.
  token.value = std::move(value);
  Advance(length + 1);
  return token;
}

GraphqlToken GraphqlLexer::BlockString(GraphqlToken token) {
  constexpr std::string_view kQuotes = R"(""")";
  std::string raw;
  std::size_t length = 3;
  while (true) {
    const std::string_view rest = text_.substr(std::min(at_ + length, text_.size()));
    if (rest.empty()) {
      // It is wrong where the text ends.
      Advance(length);
      token.kind = GraphqlKind::kInvalid;
      token.line = line_;
      token.column = column_;
      return token;
    }
    if (rest.starts_with(kQuotes)) {
      break;
    }
    if (rest.starts_with(R"(\""")")) {
      raw.append(kQuotes);
      length += 4;
    } else {
      raw.push_back(rest.front());
      ++length;
    }
  }
  token.kind = GraphqlKind::kBlockString;
  token.value = Dedent(raw);
  Advance(length + 3);
  return token;
}

}  // namespace portcullis::builtins
