#include "rules/builtins/go_template_lexer.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "rules/builtins/go_format.h"

namespace portcullis::builtins {
namespace {

constexpr std::string_view kLeft = "{{";
constexpr std::string_view kRight = "}}";
constexpr std::string_view kSpaces = " \t\r\n";

bool IsSpaceChar(char c) {
  return kSpaces.contains(c);
}

bool HasLeftTrim(std::string_view text) {
  return text.size() >= 2 && text[0] == '-' && IsSpaceChar(text[1]);
}

bool HasRightTrim(std::string_view text) {
  return text.size() >= 2 && IsSpaceChar(text[0]) && text[1] == '-';
}

bool IsWordRune(char32_t rune) {
  return rune == U'_' || (rune != kReplacementRune && IsLetterOrDigit(rune));
}

// U+0040 '@'
std::string CodePoint(char32_t rune) {
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "U+%04X", static_cast<unsigned>(rune));
  std::string text = buffer.data();
  if (IsPrint(rune)) {
    text.append(" '");
    AppendRune(rune, &text);
    text.push_back('\'');
  }
  return text;
}

}  // namespace

bool TemplateLexer::Accept(std::string_view characters) {
  if (at_ < text_.size() && characters.contains(text_[at_])) {
    ++at_;
    return true;
  }
  return false;
}

void TemplateLexer::AcceptRun(std::string_view characters) {
  while (Accept(characters)) {
  }
}

void TemplateLexer::Ignore() {
  line_ += static_cast<int>(std::ranges::count(text_.substr(start_, at_ - start_), '\n'));
  start_ = at_;
  start_line_ = line_;
}

TemplateToken TemplateLexer::Make(Kind kind) {
  TemplateToken token{kind, start_, std::string(text_.substr(start_, at_ - start_)), start_line_};
  Ignore();
  return token;
}

TemplateToken TemplateLexer::Fail(std::string message) {
  TemplateToken token{Kind::kError, start_, std::move(message), start_line_};
  text_ = {};
  at_ = start_ = 0;
  inside_ = false;
  return token;
}

bool TemplateLexer::AtRightDelimiter(bool* trims) const {
  *trims = HasRightTrim(rest()) && rest().substr(2).starts_with(kRight);
  return *trims || rest().starts_with(kRight);
}

bool TemplateLexer::AtTerminator() const {
  return at_ == text_.size() || IsSpaceChar(Peek()) ||
         std::string_view(".,|:)(").contains(Peek()) || rest().starts_with(kRight);
}

TemplateToken TemplateLexer::Next() {
  return inside_ ? LexInside() : LexText();
}

TemplateToken TemplateLexer::LexText() {
  while (true) {
    const std::size_t found = text_.find(kLeft, at_);
    if (found == text_.npos) {
      at_ = text_.size();
      return at_ > start_ ? Make(Kind::kText) : TemplateToken{Kind::kEnd, at_, "EOF", start_line_};
    }
    std::size_t end = found;
    if (HasLeftTrim(text_.substr(found + kLeft.size()))) {
      const std::string_view before = text_.substr(start_, found - start_);
      end = start_ + before.find_last_not_of(kSpaces) + 1;
    }
    if (end > start_) {
      at_ = end;
      TemplateToken token = Make(Kind::kText);
      at_ = found;
      Ignore();
      return token;
    }
    at_ = found;
    Ignore();
    const bool trims = HasLeftTrim(text_.substr(at_ + kLeft.size()));
    if (!text_.substr(at_ + kLeft.size() + (trims ? 2 : 0)).starts_with("/*")) {
      return LexLeftDelimiter();
    }
    if (!LexComment()) {
      return failed_;
    }
  }
}

bool TemplateLexer::LexComment() {
  at_ += kLeft.size();
  if (HasLeftTrim(rest())) {
    at_ += 2;
  }
  Ignore();
  const std::size_t close = text_.find("*/", at_ + 2);
  if (close == text_.npos) {
    failed_ = Fail("unclosed comment");
    return false;
  }
  at_ = close + 2;
  bool trims = false;
  if (!AtRightDelimiter(&trims)) {
    failed_ = Fail("comment ends before closing delimiter");
    return false;
  }
  at_ += kRight.size() + (trims ? 2 : 0);
  if (trims) {
    AcceptRun(kSpaces);
  }
  Ignore();
  return true;
}

TemplateToken TemplateLexer::LexLeftDelimiter() {
  at_ += kLeft.size();
  const bool trims = HasLeftTrim(rest());
  TemplateToken token = Make(Kind::kLeftDelimiter);
  if (trims) {
    at_ += 2;
    Ignore();
  }
  inside_ = true;
  parens_ = 0;
  return token;
}

TemplateToken TemplateLexer::LexRightDelimiter(bool trims) {
  if (trims) {
    at_ += 2;
    Ignore();
  }
  at_ += kRight.size();
  TemplateToken token = Make(Kind::kRightDelimiter);
  if (trims) {
    AcceptRun(kSpaces);
    Ignore();
  }
  inside_ = false;
  return token;
}

TemplateToken TemplateLexer::LexInside() {
  bool trims = false;
  if (AtRightDelimiter(&trims)) {
    return parens_ == 0 ? LexRightDelimiter(trims) : Fail("unclosed left paren");
  }
  if (at_ == text_.size()) {
    return Fail("unclosed action");
  }
  if (IsSpaceChar(Peek())) {
    return LexSpace();
  }
  const Rune rune = DecodeRune(rest());
  const char c = Peek();
  if ((c == '.' && at_ + 1 < text_.size() && !(text_[at_ + 1] >= '0' && text_[at_ + 1] <= '9'))) {
    ++at_;
    return LexName(Kind::kField);
  }
  if (c == '.' || c == '+' || c == '-' || (c >= '0' && c <= '9')) {
    return LexNumber();
  }
  if (IsWordRune(rune.value)) {
    return LexWord();
  }
  at_ += rune.width;
  switch (c) {
    case '=':
      return Make(Kind::kAssign);
    case ':':
      return Accept("=") ? Make(Kind::kDeclare) : Fail("expected :=");
    case '|':
      return Make(Kind::kPipe);
    case '"':
      return LexQuoted('"', Kind::kString, "unterminated quoted string");
    case '`':
      return LexQuoted('`', Kind::kRawString, "unterminated raw quoted string");
    case '\'':
      return LexQuoted('\'', Kind::kCharConstant, "unterminated character constant");
    case '$':
      return LexName(Kind::kVariable);
    case '(':
      ++parens_;
      return Make(Kind::kLeftParen);
    case ')':
      return --parens_ < 0 ? Fail("unexpected right paren") : Make(Kind::kRightParen);
    default:
      return c > ' ' && c < '\x7F'
                 ? Make(Kind::kChar)
                 : Fail("unrecognized character in action: " + CodePoint(rune.value));
  }
}

// A space before a right delimiter that trims belongs to that.
TemplateToken TemplateLexer::LexSpace() {
  AcceptRun(kSpaces);
  --at_;
  bool trims = false;
  if (!AtRightDelimiter(&trims)) {
    ++at_;
    return Make(Kind::kSpace);
  }
  return at_ == start_ ? LexRightDelimiter(trims) : Make(Kind::kSpace);
}

TemplateToken TemplateLexer::LexWord() {
  Rune rune = DecodeRune(rest());
  for (; rune.width > 0 && IsWordRune(rune.value); rune = DecodeRune(rest())) {
    at_ += rune.width;
  }
  if (!AtTerminator()) {
    return Fail("bad character " + CodePoint(rune.value));
  }
  constexpr std::string_view kKeywords[] = {"block", "break", "continue", "define",   "else",
                                            "end",   "if",    "range",    "template", "with"};
  const std::string_view word = text_.substr(start_, at_ - start_);
  if (std::ranges::find(kKeywords, word) != std::end(kKeywords)) {
    return Make(Kind::kKeyword);
  }
  return Make(word == "nil"                       ? Kind::kNil
              : word == "true" || word == "false" ? Kind::kBool
                                                  : Kind::kIdentifier);
}

// ".field" or "$variable"; its first character has been read.
TemplateToken TemplateLexer::LexName(Kind kind) {
  if (AtTerminator()) {
    return Make(kind == Kind::kVariable ? kind : Kind::kDot);
  }
  Rune rune = DecodeRune(rest());
  for (; rune.width > 0 && IsWordRune(rune.value); rune = DecodeRune(rest())) {
    at_ += rune.width;
  }
  return AtTerminator() ? Make(kind) : Fail("bad character " + CodePoint(rune.value));
}

bool TemplateLexer::ScanNumber() {
  Accept("+-");
  std::string_view digits = "0123456789_";
  bool hex = false;
  bool decimal = true;
  if (Accept("0")) {
    if (Accept("xX")) {
      digits = "0123456789abcdefABCDEF_";
      hex = true;
    } else if (Accept("oO")) {
      digits = "01234567_";
    } else if (Accept("bB")) {
      digits = "01_";
    }
    decimal = digits.size() == 11;
  }
  AcceptRun(digits);
  if (Accept(".")) {
    AcceptRun(digits);
  }
  if ((decimal && Accept("eE")) || (hex && Accept("pP"))) {
    Accept("+-");
    AcceptRun("0123456789_");
  }
  Accept("i");
  const Rune rune = DecodeRune(rest());
  if (rune.width > 0 && IsWordRune(rune.value)) {
    at_ += rune.width;
    return false;
  }
  return true;
}

TemplateToken TemplateLexer::LexNumber() {
  const auto bad = [&] {
    std::string message = "bad number syntax: ";
    AppendGoQuoted(text_.substr(start_, at_ - start_), &message);
    return Fail(std::move(message));
  };
  if (!ScanNumber()) {
    return bad();
  }
  if (Peek() != '+' && Peek() != '-') {
    return Make(Kind::kNumber);
  }
  return ScanNumber() && text_[at_ - 1] == 'i' ? Make(Kind::kComplex) : bad();
}

TemplateToken TemplateLexer::LexQuoted(char quote, Kind kind, std::string_view complaint) {
  while (at_ < text_.size() && text_[at_] != quote) {
    if (quote != '`' && text_[at_] == '\\') {
      ++at_;
    }
    if (at_ == text_.size() || (quote != '`' && text_[at_] == '\n')) {
      return Fail(std::string(complaint));
    }
    ++at_;
  }
  if (at_ >= text_.size()) {
    return Fail(std::string(complaint));
  }
  ++at_;
  return Make(kind);
}

}  // namespace portcullis::builtins
