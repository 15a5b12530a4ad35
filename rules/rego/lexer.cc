#include "rules/rego/lexer.h"

#include <utility>

#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

constexpr std::int32_t kByteOrderMark = 0xFEFF;
constexpr std::int32_t kNoBreakSpace = 0xA0;

constexpr std::array<std::pair<std::string_view, Token>, 11> kReserved = {{
    {"package", Token::kPackage},
    {"import", Token::kImport},
    {"as", Token::kAs},
    {"default", Token::kDefault},
    {"else", Token::kElse},
    {"not", Token::kNot},
    {"some", Token::kSome},
    {"with", Token::kWith},
    {"null", Token::kNull},
    {"true", Token::kTrue},
    {"false", Token::kFalse},
}};

constexpr std::array<std::pair<FutureKeyword, Token>, 7> kFuture = {{
    {FutureKeyword::kIn, Token::kIn},
    {FutureKeyword::kEvery, Token::kEvery},
    {FutureKeyword::kContains, Token::kContains},
    {FutureKeyword::kIf, Token::kIf},
    {FutureKeyword::kNot, Token::kNot},
    {FutureKeyword::kAnd, Token::kLogicalAnd},
    {FutureKeyword::kOr, Token::kLogicalOr},
}};

bool IsDecimal(std::int32_t c) {
  return c >= '0' && c <= '9';
}
bool IsLetter(std::int32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsSpace(std::int32_t c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

std::string_view TokenName(Token token) {
  switch (token) {
    case Token::kIllegal:
      return "illegal";
    case Token::kEof:
      return "eof";
    case Token::kWhitespace:
      return "whitespace";
    case Token::kIdent:
      return "identifier";
    case Token::kComment:
      return "comment";
    case Token::kPackage:
      return "package";
    case Token::kImport:
      return "import";
    case Token::kAs:
      return "as";
    case Token::kDefault:
      return "default";
    case Token::kElse:
      return "else";
    case Token::kNot:
      return "not";
    case Token::kSome:
      return "some";
    case Token::kWith:
      return "with";
    case Token::kNull:
      return "null";
    case Token::kTrue:
      return "true";
    case Token::kFalse:
      return "false";
    case Token::kNumber:
      return "number";
    case Token::kString:
      return "string";
    case Token::kTemplatePart:
      return "template-string-part";
    case Token::kTemplateEnd:
      return "template-string-end";
    case Token::kRawTemplatePart:
      return "raw-template-string-part";
    case Token::kRawTemplateEnd:
      return "raw-template-string-end";
    case Token::kLBrack:
      return "[";
    case Token::kRBrack:
      return "]";
    case Token::kLBrace:
      return "{";
    case Token::kRBrace:
      return "}";
    case Token::kLParen:
      return "(";
    case Token::kRParen:
      return ")";
    case Token::kComma:
      return ",";
    case Token::kColon:
      return ":";
    case Token::kAdd:
      return "plus";
    case Token::kSub:
      return "minus";
    case Token::kMul:
      return "mul";
    case Token::kQuo:
      return "div";
    case Token::kRem:
      return "rem";
    case Token::kAnd:
      return "and";
    case Token::kOr:
      return "or";
    case Token::kUnify:
      return "eq";
    case Token::kEqual:
      return "equal";
    case Token::kAssign:
      return "assign";
    case Token::kIn:
      return "in";
    case Token::kNeq:
      return "neq";
    case Token::kGt:
      return "gt";
    case Token::kLt:
      return "lt";
    case Token::kGte:
      return "gte";
    case Token::kLte:
      return "lte";
    case Token::kDot:
      return ".";
    case Token::kSemicolon:
      return ";";
    case Token::kEvery:
      return "every";
    case Token::kContains:
      return "contains";
    case Token::kIf:
      return "if";
    case Token::kLogicalAnd:
      return "and";
    case Token::kLogicalOr:
      return "or";
  }
  return "";
}

bool IsReserved(Token token) {
  return token >= Token::kPackage && token <= Token::kFalse;
}

std::string_view FutureKeywordName(FutureKeyword keyword) {
  switch (keyword) {
    case FutureKeyword::kIn:
      return "in";
    case FutureKeyword::kEvery:
      return "every";
    case FutureKeyword::kContains:
      return "contains";
    case FutureKeyword::kIf:
      return "if";
    case FutureKeyword::kNot:
      return "not";
    case FutureKeyword::kAnd:
      return "and";
    case FutureKeyword::kOr:
      return "or";
  }
  return "";
}

void KeywordSet::Add(FutureKeyword keyword) {
  bits_ |= 1U << static_cast<int>(keyword);
  if (keyword == FutureKeyword::kEvery) {
    bits_ |= 1U << static_cast<int>(FutureKeyword::kIn);
  }
}

KeywordSet KeywordSet::All() {
  KeywordSet set;
  for (FutureKeyword keyword : kAllFutureKeywords) {
    set.Add(keyword);
  }
  return set;
}

Lexer::Lexer(std::string_view text, KeywordSet active) : keywords(active), text_(text) {
  Next();
  if (current_ == kByteOrderMark) {
    Next();
  }
}

void Lexer::Fault(const char* message) {
  if (error_count_ < errors_.size()) {
    errors_[error_count_++] = message;
  }
}

void Lexer::Next() {
  if (offset_ >= text_.size()) {
    current_ = -1;
    width_ = 0;
    return;
  }
  int width = 0;
  char32_t rune = DecodeRune(text_.substr(offset_), width);
  current_ = static_cast<std::int32_t>(rune);
  width_ = static_cast<std::uint32_t>(width);
  if (current_ == 0) {
    Fault("illegal null character");
  } else if (rune == 0xFFFD && width == 1) {
    Fault("illegal utf-8 character");
  } else if (current_ == kByteOrderMark && offset_ > 0) {
    Fault("illegal byte-order mark");
  }
  offset_ += width_;
  if (current_ == '\n') {
    ++row_;
    column_ = 0;
  } else {
    ++column_;
  }
}

bool Lexer::IsKeyword(std::string_view word) const {
  for (const auto& [name, token] : kReserved) {
    if (name == word) {
      return true;
    }
  }
  for (const auto& [keyword, token] : kFuture) {
    if (keywords.Has(keyword) && FutureKeywordName(keyword) == word) {
      return true;
    }
  }
  return false;
}

Token Lexer::ScanWord(std::uint32_t begin) {
  while (IsLetter(current_) || IsDecimal(current_)) {
    Next();
  }
  std::string_view word = text_.substr(begin, Here() - begin);
  for (const auto& [name, token] : kReserved) {
    if (name == word) {
      return token;
    }
  }
  for (const auto& [keyword, token] : kFuture) {
    if (keywords.Has(keyword) && FutureKeywordName(keyword) == word) {
      return token;
    }
  }
  return Token::kIdent;
}

void Lexer::ScanDigits(const char* otherwise) {
  if (!IsDecimal(current_)) {
    return Fault(otherwise);
  }
  while (IsDecimal(current_)) {
    Next();
  }
}

void Lexer::ScanNumber() {
  while (IsDecimal(current_)) {
    Next();
  }
  if (current_ == '.') {
    Next();
    ScanDigits("expected fraction");
  }
  if (current_ == 'e' || current_ == 'E') {
    Next();
    if (current_ == '+' || current_ == '-') {
      Next();
    }
    ScanDigits("expected exponent");
  }
  if (!IsLetter(current_)) {
    return;
  }
  // "0a2b" is one wrong number rather than a number and a word.
  Fault("illegal number format");
  while (IsLetter(current_) || IsDecimal(current_)) {
    Next();
  }
}

void Lexer::SkipEscape(bool in_template) {
  switch (current_) {
    case '\\':
    case '"':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      Next();
      return;
    case 'u':
      for (int i = 0; i < 4; ++i) {
        Next();  // The fourth digit is an ordinary character.
      }
      return;
    case '{':
      if (in_template) {
        Next();
        return;
      }
      break;
    default:
      break;
  }
  Fault("illegal escape sequence");
}

void Lexer::ScanString() {
  while (true) {
    std::int32_t c = current_;
    if (c == '\n' || c < 0) {
      return Fault("non-terminated string");
    }
    Next();
    if (c == '"') {
      return;
    }
    if (c == '\\') {
      SkipEscape(false);
    }
  }
}

void Lexer::ScanRawString() {
  while (true) {
    std::int32_t c = current_;
    if (c < 0) {
      return Fault("non-terminated string");
    }
    Next();
    if (c == '`') {
      return;
    }
  }
}

Token Lexer::ScanTemplate() {
  while (true) {
    std::int32_t c = current_;
    if (c == '\n' || c < 0) {
      Fault("non-terminated string");
      return Token::kTemplatePart;
    }
    Next();
    if (c == '"') {
      return Token::kTemplateEnd;
    }
    if (c == '{') {
      return Token::kTemplatePart;
    }
    if (c == '\\') {
      SkipEscape(true);
    }
  }
}

Token Lexer::ScanRawTemplate() {
  while (true) {
    std::int32_t c = current_;
    if (c < 0) {
      Fault("non-terminated string");
      return Token::kRawTemplatePart;
    }
    Next();
    if (c == '`') {
      return Token::kRawTemplateEnd;
    }
    if (c == '{') {
      return Token::kRawTemplatePart;
    }
    if (c == '\\' && current_ == '{') {
      Next();
    }
  }
}

Token Lexer::ScanPunctuation(std::int32_t c) {
  auto or_equal = [&](Token with, Token without) {
    if (current_ != '=') {
      return without;
    }
    Next();
    return with;
  };
  switch (c) {
    case -1:
      return Token::kEof;
    case '#':
      while (current_ != '\n' && current_ != -1) {
        Next();
      }
      return Token::kComment;
    case '"':
      ScanString();
      return Token::kString;
    case '`':
      ScanRawString();
      return Token::kString;
    case '[':
      return Token::kLBrack;
    case ']':
      return Token::kRBrack;
    case '{':
      return Token::kLBrace;
    case '}':
      return Token::kRBrace;
    case '(':
      return Token::kLParen;
    case ')':
      return Token::kRParen;
    case ',':
      return Token::kComma;
    case ':':
      return or_equal(Token::kAssign, Token::kColon);
    case '+':
      return Token::kAdd;
    case '-':
      return Token::kSub;
    case '*':
      return Token::kMul;
    case '/':
      return Token::kQuo;
    case '%':
      return Token::kRem;
    case '&':
      return Token::kAnd;
    case '|':
      return Token::kOr;
    case '=':
      return or_equal(Token::kEqual, Token::kUnify);
    case '>':
      return or_equal(Token::kGte, Token::kGt);
    case '<':
      return or_equal(Token::kLte, Token::kLt);
    case '!':
      if (current_ == '=') {
        Next();
        return Token::kNeq;
      }
      Fault("illegal ! character");
      return Token::kIllegal;
    case kNoBreakSpace:
      Fault("illegal non-breaking space character, use a regular space instead");
      return Token::kIllegal;
    case ';':
      return Token::kSemicolon;
    case '.':
      return Token::kDot;
    case '$':
      if (current_ == '`') {
        Next();
        return ScanRawTemplate();
      }
      if (current_ == '"') {
        Next();
        return ScanTemplate();
      }
      Fault("illegal $ character");
      return Token::kIllegal;
    default:
      return Token::kIllegal;
  }
}

Lexeme Lexer::Scan(Mode mode) {
  Lexeme lexeme;
  lexeme.row = row_;
  lexeme.column = column_;
  lexeme.begin = Here();
  if (mode == Mode::kTemplate) {
    lexeme.token = ScanTemplate();
  } else if (mode == Mode::kRawTemplate) {
    lexeme.token = ScanRawTemplate();
  } else if (IsSpace(current_)) {
    Next();
    lexeme.token = Token::kWhitespace;
  } else if (IsLetter(current_)) {
    lexeme.token = ScanWord(lexeme.begin);
  } else if (IsDecimal(current_)) {
    ScanNumber();
    lexeme.token = Token::kNumber;
  } else {
    std::int32_t c = current_;
    Next();
    lexeme.token = ScanPunctuation(c);
  }
  lexeme.end = Here();
  if ((lexeme.token == Token::kIdent || lexeme.token == Token::kNumber) && width_ > 1) {
    lexeme.excess = static_cast<std::uint8_t>(width_ - 1);
  }
  lexeme.errors = errors_;
  lexeme.error_count = error_count_;
  error_count_ = 0;
  return lexeme;
}

}  // namespace portcullis::rego
