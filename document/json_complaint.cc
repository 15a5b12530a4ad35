#include "document/json_complaint.h"

#include <vector>

namespace portcullis::document {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsHex(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// A byte as Go quotes it: as the character of that number, whatever it was a part of.
std::string QuoteByte(char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  switch (c) {
    case '\'':
      return R"('\'')";
    case '\\':
      return R"('\\')";
    case '\a':
      return R"('\a')";
    case '\b':
      return R"('\b')";
    case '\f':
      return R"('\f')";
    case '\n':
      return R"('\n')";
    case '\r':
      return R"('\r')";
    case '\t':
      return R"('\t')";
    case '\v':
      return R"('\v')";
    default:
      break;
  }
  if (byte < 0x20 || byte == 0x7F) {
    return std::string("'\\x") + kHex[byte >> 4] + kHex[byte & 15] + "'";
  }
  if (byte < 0x80) {
    return std::string("'") + c + "'";
  }
  if (byte < 0xA0 || byte == 0xAD) {  // Not printable.
    return std::string("'\\u00") + kHex[byte >> 4] + kHex[byte & 15] + "'";
  }
  return std::string("'") + static_cast<char>(0xC0 | (byte >> 6)) +
         static_cast<char>(0x80 | (byte & 0x3F)) + "'";
}

class Scanner {
 public:
  Scanner(std::string_view text, std::uint32_t max_depth) : text_(text), max_depth_(max_depth) {}

  std::string Run(std::size_t* end) {
    bool more = Value();
    while (more && !open_.empty()) {
      more = AfterValue();
    }
    if (end != nullptr) {
      *end = at_;
    }
    SkipSpace();
    if (more && at_ < text_.size()) {
      Refuse("after top-level value");
    }
    return complaint_;
  }

 private:
  enum class Inside : std::uint8_t { kArray, kObject };

  bool Refuse(std::string_view context) {
    complaint_ = at_ < text_.size()
                     ? "invalid character " + QuoteByte(text_[at_]) + " " + std::string(context)
                     : "unexpected end of JSON input";
    return false;
  }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) {
      ++at_;
    }
  }
  [[nodiscard]] char Here() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  // A value, or the beginning of one that holds others.
  bool Value() {
    SkipSpace();
    switch (Here()) {
      case '{':
      case '[':
        return Open();
      case '"':
        return String();
      case 't':
        return Literal("true");
      case 'f':
        return Literal("false");
      case 'n':
        return Literal("null");
      default:
        return Here() == '-' || IsDigit(Here()) ? Number()
                                                : Refuse("looking for beginning of value");
    }
  }

  bool Open() {
    const bool object = Here() == '{';
    if (open_.size() >= max_depth_) {
      return Refuse("exceeded max depth");
    }
    ++at_;
    SkipSpace();
    open_.push_back(object ? Inside::kObject : Inside::kArray);
    if (Here() == (object ? '}' : ']')) {
      return Close();
    }
    return object ? Member() : Value();
  }

  bool Close() {
    ++at_;
    open_.pop_back();
    return true;
  }

  // From a member's key to the end of its value.
  bool Member() {
    SkipSpace();
    if (Here() != '"') {
      return Refuse("looking for beginning of object key string");
    }
    if (!String()) {
      return false;
    }
    SkipSpace();
    if (Here() != ':') {
      return Refuse("after object key");
    }
    ++at_;
    return Value();
  }

  bool AfterValue() {
    SkipSpace();
    const Inside inside = open_.back();
    if (Here() == ',') {
      ++at_;
      return inside == Inside::kObject ? Member() : Value();
    }
    if (Here() == (inside == Inside::kObject ? '}' : ']')) {
      return Close();
    }
    return Refuse(inside == Inside::kObject ? "after object key:value pair"
                                            : "after array element");
  }

  bool String() {
    ++at_;
    while (true) {
      if (at_ >= text_.size() || static_cast<unsigned char>(Here()) < 0x20) {
        return Refuse("in string literal");
      }
      const char c = text_[at_++];
      if (c == '"') {
        return true;
      }
      if (c == '\\' && !Escape()) {
        return false;
      }
    }
  }

  bool Escape() {
    const char c = Here();
    if (c != 'u') {
      if (at_ >= text_.size() || std::string_view("bfnrt\\/\"").find(c) == std::string_view::npos) {
        return Refuse("in string escape code");
      }
      ++at_;
      return true;
    }
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (!IsHex(Here())) {
        return Refuse("in \\u hexadecimal character escape");
      }
    }
    return true;
  }

  bool Literal(std::string_view word) {
    ++at_;
    for (const char expected : word.substr(1)) {
      if (Here() != expected) {
        return Refuse("in literal " + std::string(word) + " (expecting '" + expected + "')");
      }
      ++at_;
    }
    return true;
  }

  bool Digits(std::string_view context) {
    if (!IsDigit(Here())) {
      return Refuse(context);
    }
    while (IsDigit(Here())) {
      ++at_;
    }
    return true;
  }

  bool Number() {
    if (Here() == '-') {
      ++at_;
    }
    if (Here() == '0') {
      ++at_;
    } else if (!Digits("in numeric literal")) {
      return false;
    }
    if (Here() == '.') {
      ++at_;
      if (!Digits("after decimal point in numeric literal")) {
        return false;
      }
    }
    if (Here() == 'e' || Here() == 'E') {
      ++at_;
      if (Here() == '+' || Here() == '-') {
        ++at_;
      }
      return Digits("in exponent of numeric literal");
    }
    return true;
  }

  std::string_view text_;
  std::uint32_t max_depth_;
  std::size_t at_ = 0;
  std::vector<Inside> open_;
  std::string complaint_;
};

}  // namespace

std::string JsonComplaint(std::string_view text, std::uint32_t max_depth, std::size_t* end) {
  return Scanner(text, max_depth).Run(end);
}

}  // namespace portcullis::document
