// JSON in: simdjson's first stage finds where tokens begin and that the text is UTF-8; the tokens
// are then read straight into values. The text is copied once, into the arena, and strings are
// slices of that copy, unescaped in place.

#include "document/json.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <simdjson.h>

#include "document/hex.h"
#include "document/number.h"
#include "document/utf8.h"

namespace portcullis::document {
namespace {

using Tokenizer = simdjson::internal::dom_parser_implementation;

bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// The four hexadecimal digits that `text` begins with; -1 if it does not.
std::int32_t ParseHex4(std::string_view text) {
  if (text.size() < 4) {
    return -1;
  }
  std::int32_t code = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int digit = HexDigit(text[i]);
    if (digit < 0) {
      return -1;
    }
    code = code * 16 + digit;
  }
  return code;
}

char SimpleEscape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

class Reader {
 public:
  Reader(std::string_view original, char* copy, const Tokenizer& tokens, Arena& arena,
         const ParseOptions& options)
      : original_(original),
        text_(copy),
        starts_(tokens.structural_indexes.get()),
        count_(tokens.n_structural_indexes),
        arena_(arena),
        options_(options) {}

  Result<Value> Read() {
    Value value;
    if (ReadValue(0, &value) && at_ != count_) {
      Refuse(Here(), "something follows the value");
    }
    if (failed_) {
      return Fail(code_, std::move(message_),
                  PositionOf(original_, std::min(failed_at_, original_.size()), options_.file));
    }
    return value;
  }

  static Position PositionOf(std::string_view text, std::size_t offset, const std::string& file) {
    const std::string_view before = text.substr(0, offset);
    const std::size_t line_break = before.rfind('\n');
    const std::size_t column =
        line_break == std::string_view::npos ? offset : offset - line_break - 1;
    return {.file = file,
            .line = static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
            .column = static_cast<std::uint32_t>(column + 1)};
  }

 private:
  // Offset of the current token; the end of the text after the last.
  [[nodiscard]] std::size_t Here() const { return at_ < count_ ? starts_[at_] : original_.size(); }
  [[nodiscard]] char Peek() const { return at_ < count_ ? text_[starts_[at_]] : '\0'; }

  bool Refuse(std::size_t offset, std::string message,
              ErrorCode code = ErrorCode::kInvalidArgument) {
    if (!failed_) {
      failed_ = true;
      failed_at_ = offset;
      message_ = "invalid JSON: " + std::move(message);
      code_ = code;
    }
    return false;
  }

  // The token that begins here, up to the next or white space before it.
  [[nodiscard]] std::string_view Token() const {
    const std::size_t start = starts_[at_];
    std::size_t end = at_ + 1 < count_ ? starts_[at_ + 1] : original_.size();
    while (end > start && IsSpace(text_[end - 1])) {
      --end;
    }
    return {text_ + start, end - start};
  }

  bool ReadValue(std::uint32_t depth, Value* value) {
    if (at_ >= count_) {
      return Refuse(original_.size(), "the text ends where a value should be");
    }
    switch (text_[starts_[at_]]) {
      case '{':
        return EnterContainer(depth) && ReadObject(depth + 1, value);
      case '[':
        return EnterContainer(depth) && ReadArray(depth + 1, value);
      case '"':
        return ReadString(value);
      default:
        return ReadScalar(value);
    }
  }

  bool EnterContainer(std::uint32_t depth) {
    if (depth >= options_.max_depth) {
      return Refuse(Here(), "more than " + std::to_string(options_.max_depth) + " levels deep",
                    ErrorCode::kExhausted);
    }
    ++at_;
    return true;
  }

  bool ReadArray(std::uint32_t depth, Value* value) {
    const std::size_t base = items_.size();
    if (Peek() == ']') {
      ++at_;
      *value = Value::Array({});
      return true;
    }
    while (true) {
      Value item;
      if (!ReadValue(depth, &item)) {
        return false;
      }
      items_.push_back(item);
      const char next = Peek();
      if (next != ',' && next != ']') {
        return Refuse(Here(), "expected ',' or ']' after an array's item");
      }
      ++at_;
      if (next == ']') {
        break;
      }
    }
    const std::span<Value> kept = arena_.AllocateArray<Value>(items_.size() - base);
    std::copy(items_.begin() + static_cast<std::ptrdiff_t>(base), items_.end(), kept.begin());
    items_.resize(base);
    *value = Value::Array(kept);
    return true;
  }

  bool ReadObject(std::uint32_t depth, Value* value) {
    const std::size_t base = members_.size();
    if (Peek() == '}') {
      ++at_;
      *value = Value::Object({});
      return true;
    }
    bool sorted = true;
    while (true) {
      Member member;
      if (!ReadKey(&member.key) || !ReadValue(depth, &member.value)) {
        return false;
      }
      sorted =
          sorted && (members_.size() == base || members_.back().key.string() < member.key.string());
      members_.push_back(member);
      const char next = Peek();
      if (next != ',' && next != '}') {
        return Refuse(Here(), "expected ',' or '}' after an object's member");
      }
      ++at_;
      if (next == '}') {
        break;
      }
    }
    if (!sorted && !Sort(base)) {
      return false;
    }
    const std::span<Member> kept = arena_.AllocateArray<Member>(members_.size() - base);
    std::copy(members_.begin() + static_cast<std::ptrdiff_t>(base), members_.end(), kept.begin());
    members_.resize(base);
    *value = Value::Object(kept);
    return true;
  }

  bool ReadKey(Value* key) {
    if (Peek() != '"') {
      return Refuse(Here(), "expected a string as an object's key");
    }
    if (!ReadString(key)) {
      return false;
    }
    if (Peek() != ':') {
      return Refuse(Here(), "expected ':' after an object's key");
    }
    ++at_;
    return true;
  }

  // Sorts the members from `base` on by key, and treats repeated keys as asked.
  bool Sort(std::size_t base) {
    const std::span<Member> members = std::span(members_).subspan(base);
    const auto less = [](const Member& a, const Member& b) {
      return a.key.string() < b.key.string();
    };
    constexpr std::size_t kFew = 24;  // Up to here insertion beats a sort that takes memory.
    if (members.size() <= kFew) {
      for (auto next = members.begin() + 1; next != members.end(); ++next) {
        std::rotate(std::upper_bound(members.begin(), next, *next, less), next, next + 1);
      }
    } else {
      std::ranges::stable_sort(members, less);
    }
    std::size_t kept = 1;
    for (const Member& member : members.subspan(1)) {
      if (members[kept - 1].key.string() == member.key.string()) {
        if (options_.duplicates == DuplicateKeys::kReject) {
          return Refuse(static_cast<std::size_t>(member.key.string().data() - text_) - 1,
                        "the key " + ToJson(member.key) + " is there twice");
        }
        --kept;
      }
      members[kept++] = member;
    }
    members_.resize(base + kept);
    return true;
  }

  bool ReadString(Value* value) {
    const std::string_view token = Token();
    if (token.size() < 2 || token.back() != '"') {
      return Refuse(Here(), "a string is followed by something else");
    }
    std::string_view inner = token.substr(1, token.size() - 2);
    if (!inner.empty() && std::memchr(inner.data(), '\\', inner.size()) != nullptr &&
        !Unescape(&inner)) {
      return false;
    }
    *value = Value::String(inner);
    ++at_;
    return true;
  }

  // Replaces the escapes of a slice of the copy; what is shorter stays where it begins.
  bool Unescape(std::string_view* text) {
    char* const begin = text_ + (text->data() - text_);
    char* to = begin;
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::size_t plain = std::min(rest.find('\\'), rest.size());
      std::memmove(to, rest.data(), plain);
      to += plain;
      rest.remove_prefix(plain);
      if (rest.size() < 2) {
        break;
      }
      if (const char simple = SimpleEscape(rest[1]); simple != 0) {
        *to++ = simple;
        rest.remove_prefix(2);
      } else if (!UnescapeUnicode(&rest, &to)) {
        return false;
      }
    }
    *text = {begin, static_cast<std::size_t>(to - begin)};
    return true;
  }

  bool UnescapeUnicode(std::string_view* rest, char** to) {
    const auto offset = static_cast<std::size_t>(rest->data() - text_);
    const std::int32_t first = (*rest)[1] == 'u' ? ParseHex4(rest->substr(2)) : -1;
    if (first < 0) {
      return Refuse(offset, "no such escape in a string");
    }
    rest->remove_prefix(6);
    auto code = static_cast<std::uint32_t>(first);
    if (code >= 0xD800 && code <= 0xDFFF) {
      const std::int32_t second =
          code < 0xDC00 && rest->starts_with("\\u") ? ParseHex4(rest->substr(2)) : -1;
      if (second >= 0xDC00 && second <= 0xDFFF) {
        code = 0x10000 + ((code - 0xD800) << 10) + (static_cast<std::uint32_t>(second) - 0xDC00);
        rest->remove_prefix(6);
      } else if (options_.duplicates == DuplicateKeys::kKeepLast) {
        code = 0xFFFD;  // As Go's encoding/json does.
      } else {
        return Refuse(offset, "half a surrogate pair in a string");
      }
    }
    scratch_.clear();
    AppendRune(code, &scratch_);
    *to = std::copy(scratch_.begin(), scratch_.end(), *to);
    return true;
  }

  bool ReadScalar(Value* value) {
    const std::string_view token = Token();
    if (token == "true" || token == "false") {
      *value = Value::Boolean(token == "true");
    } else if (token == "null") {
      *value = Value::Null();
    } else if (!ReadNumber(token, value)) {
      return false;
    }
    ++at_;
    return true;
  }

  bool ReadNumber(std::string_view token, Value* value) {
    const auto whole = CanonicalInt64(token);
    if (whole) {
      *value = options_.numbers == NumberMode::kExact ? Value::Int(*whole)
                                                      : Value::Float(static_cast<double>(*whole));
      return true;
    }
    if (!IsJsonNumber(token)) {
      return Refuse(Here(), "expected a value");
    }
    if (options_.numbers == NumberMode::kExact) {
      *value = Value::Decimal(token);
      return true;
    }
    const double nearest = DecimalToDouble(token);
    if (!std::isfinite(nearest)) {
      return Refuse(Here(), "the number is too large for float64");
    }
    *value = Value::Float(nearest);
    return true;
  }

  const std::string_view original_;
  char* const text_;
  const std::uint32_t* const starts_;
  const std::uint32_t count_;
  Arena& arena_;
  const ParseOptions& options_;
  std::uint32_t at_ = 0;
  // Of the containers that are open.
  std::vector<Value> items_;
  std::vector<Member> members_;
  std::string scratch_;
  bool failed_ = false;
  std::size_t failed_at_ = 0;
  std::string message_;
  ErrorCode code_ = ErrorCode::kInvalidArgument;
};

std::size_t FindInvalidUtf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::uint32_t size = DecodeRune(text.substr(at)).size;
    if (size == 0) {
      break;
    }
    at += size;
  }
  return at;
}

// Offset of the first control character within a string, or of the quote of a string that does not
// end.
std::size_t FindBadString(std::string_view text) {
  std::size_t opened = 0;
  bool inside = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') {
      inside = !inside;
      opened = at;
    } else if (inside && text[at] == '\\') {
      ++at;
    } else if (inside && static_cast<unsigned char>(text[at]) < 0x20) {
      return at;
    }
  }
  return inside ? opened : text.size();
}

Error TokenizerError(std::string_view text, simdjson::error_code code, const std::string& file) {
  const auto error = [&](std::string message, std::size_t offset) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .message = "invalid JSON: " + std::move(message),
                 .position = Reader::PositionOf(text, offset, file)};
  };
  switch (code) {
    case simdjson::UTF8_ERROR:
      return error("not UTF-8", FindInvalidUtf8(text));
    case simdjson::UNCLOSED_STRING:
      return error("a string does not end", FindBadString(text));
    case simdjson::UNESCAPED_CHARS:
      return error("a control character in a string", FindBadString(text));
    case simdjson::EMPTY:
      return error("the text is empty", text.size());
    case simdjson::MEMALLOC:
    case simdjson::CAPACITY:
      return Error{.code = ErrorCode::kExhausted, .message = "out of memory", .position = {}};
    default:
      return Error{
          .code = ErrorCode::kInternal, .message = simdjson::error_message(code), .position = {}};
  }
}

}  // namespace

Result<Value> ParseJson(std::string_view text, Arena& arena, const ParseOptions& options) {
  if (text.size() > options.max_bytes) {
    return Fail(ErrorCode::kExhausted, "JSON of " + std::to_string(text.size()) +
                                           " bytes: at most " + std::to_string(options.max_bytes) +
                                           " are read");
  }
  std::unique_ptr<Tokenizer> tokens;
  simdjson::error_code error =
      simdjson::get_active_implementation()->create_dom_parser_implementation(
          std::max<std::size_t>(text.size(), 1), 1, tokens);
  if (error != simdjson::SUCCESS) {
    return std::unexpected(TokenizerError(text, error, options.file));
  }
  char* const copy =
      static_cast<char*>(arena.Allocate(text.size() + simdjson::SIMDJSON_PADDING, 1));
  if (!text.empty()) {
    std::memcpy(copy, text.data(), text.size());
  }
  std::memset(copy + text.size(), ' ', simdjson::SIMDJSON_PADDING);
  error = tokens->stage1(reinterpret_cast<const std::uint8_t*>(copy), text.size(),
                         simdjson::stage1_mode::regular);
  if (error == simdjson::UTF8_ERROR && options.duplicates == DuplicateKeys::kKeepLast) {
    return ParseJson(ReplaceInvalidUtf8(text), arena, options);  // As Go's encoding/json does.
  }
  if (error != simdjson::SUCCESS) {
    return std::unexpected(TokenizerError(text, error, options.file));
  }
  return Reader(text, copy, *tokens, arena, options).Read();
}

}  // namespace portcullis::document
