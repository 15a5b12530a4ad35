// Rego's tokens. White space and comments are tokens too: the parser decides where they matter.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::rego {

enum class Token : std::uint8_t {
  kIllegal,
  kEof,
  kWhitespace,
  kIdent,
  kComment,

  kPackage,
  kImport,
  kAs,
  kDefault,
  kElse,
  kNot,
  kSome,
  kWith,
  kNull,
  kTrue,
  kFalse,

  kNumber,
  kString,
  kTemplatePart,  // $"…{ or }…{
  kTemplateEnd,   // $"…" or }…"
  kRawTemplatePart,
  kRawTemplateEnd,

  kLBrack,
  kRBrack,
  kLBrace,
  kRBrace,
  kLParen,
  kRParen,
  kComma,
  kColon,

  kAdd,
  kSub,
  kMul,
  kQuo,
  kRem,
  kAnd,
  kOr,
  kUnify,
  kEqual,
  kAssign,
  kIn,
  kNeq,
  kGt,
  kLt,
  kGte,
  kLte,
  kDot,
  kSemicolon,

  kEvery,
  kContains,
  kIf,
  kLogicalAnd,
  kLogicalOr,
};

// The token's name in OPA's messages; of operators also the name of their builtin.
[[nodiscard]] std::string_view TokenName(Token token);
// One of the words that every version keeps: package, not, true, …
[[nodiscard]] bool IsReserved(Token token);

// Words that are keywords only where the version or an import says so.
enum class FutureKeyword : std::uint8_t { kIn, kEvery, kContains, kIf, kNot, kAnd, kOr };
inline constexpr std::array<FutureKeyword, 4> kKeywordsOfV1 = {
    FutureKeyword::kIn, FutureKeyword::kEvery, FutureKeyword::kContains, FutureKeyword::kIf};
inline constexpr std::array<FutureKeyword, 7> kAllFutureKeywords = {
    FutureKeyword::kIn,  FutureKeyword::kEvery, FutureKeyword::kContains, FutureKeyword::kIf,
    FutureKeyword::kNot, FutureKeyword::kAnd,   FutureKeyword::kOr};
[[nodiscard]] std::string_view FutureKeywordName(FutureKeyword keyword);

class KeywordSet {
 public:
  void Add(FutureKeyword keyword);  // `every` brings `in`.
  [[nodiscard]] bool Has(FutureKeyword keyword) const {
    return (bits_ >> static_cast<int>(keyword) & 1) != 0;
  }
  static KeywordSet All();

 private:
  std::uint32_t bits_ = 0;
};

struct Lexeme {
  Token token = Token::kEof;
  std::uint32_t row = 1;
  std::uint32_t column = 0;
  std::uint32_t begin = 0;  // Into the text; half-open.
  std::uint32_t end = 0;
  // Of words and numbers: how many bytes of a character after them OPA's scanner takes for theirs.
  std::uint8_t excess = 0;
  // What is wrong with the token, static texts; the first `error_count` count.
  std::array<const char*, 4> errors = {};
  std::uint8_t error_count = 0;
};

// A position in a text. A value: the parser saves and restores it.
class Lexer {
 public:
  enum class Mode : std::uint8_t { kNormal, kTemplate, kRawTemplate };

  Lexer() = default;
  // LIFETIME: `text` outlives the lexer.
  Lexer(std::string_view text, KeywordSet keywords);

  // The next token. Modes other than kNormal continue a template string after the '}' of an
  // expression.
  Lexeme Scan(Mode mode = Mode::kNormal);

  // True of every keyword that is active.
  [[nodiscard]] bool IsKeyword(std::string_view word) const;
  KeywordSet keywords;

 private:
  void Next();
  void Fault(const char* message);
  Token ScanWord(std::uint32_t begin);
  Token ScanPunctuation(std::int32_t c);
  void ScanNumber();
  void ScanString();
  void ScanRawString();
  Token ScanTemplate();
  Token ScanRawTemplate();
  void ScanDigits(const char* otherwise);
  void SkipEscape(bool in_template);

  [[nodiscard]] std::uint32_t Here() const { return offset_ - width_; }

  std::string_view text_;
  std::uint32_t offset_ = 0;  // After the current character.
  std::uint32_t width_ = 0;   // Of the current character; 0 at the end.
  std::uint32_t row_ = 1;
  std::uint32_t column_ = 0;
  std::int32_t current_ = -1;  // -1: the end.
  std::array<const char*, 4> errors_ = {};
  std::uint8_t error_count_ = 0;
};

}  // namespace portcullis::rego
