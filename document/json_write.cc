#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "document/json.h"
#include "document/number.h"
#include "document/utf8.h"
#include "document/walk_guard.h"

namespace portcullis::document {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// For bytes below 0x80: 0 as it is, 1 as \u00XX, 2 as \u00XX in kGo only, else the letter after a
// backslash.
constexpr char kPlain = 0;
constexpr char kUnicodeEscape = 1;
constexpr char kGoEscape = 2;
constexpr char kBeyondAscii = 3;

constexpr std::array<char, 256> MakeEscapes() {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < 0x20; ++i) {
    table[i] = kUnicodeEscape;
  }
  for (std::size_t i = 0x80; i < 0x100; ++i) {
    table[i] = kBeyondAscii;
  }
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  table['<'] = table['>'] = table['&'] = kGoEscape;
  return table;
}

constexpr std::array<char, 256> kEscapes = MakeEscapes();

void AppendHex(std::uint32_t code, int digits, std::string* out) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out->push_back(kHex[code >> shift & 0xF]);
  }
}

void AppendUnicodeEscape(std::uint32_t code, std::string* out) {
  *out += "\\u";
  AppendHex(code, 4, out);
}

// Appends the character beyond ASCII that `text` begins with; returns how many bytes it took.
std::size_t AppendBeyondAscii(std::string_view text, JsonStyle style, std::string* out) {
  const Rune rune = DecodeRune(text);
  if (rune.size == 0) {
    *out += style == JsonStyle::kGo ? "\\ufffd" : "\xEF\xBF\xBD";
    return 1;
  }
  if (style == JsonStyle::kGo && (rune.code == 0x2028 || rune.code == 0x2029)) {
    AppendUnicodeEscape(rune.code, out);
  } else {
    *out += text.substr(0, rune.size);
  }
  return rune.size;
}

class JsonWriter {
 public:
  JsonWriter(JsonStyle style, std::string* out) : style_(style), out_(*out) {}

  void Write(const Value& value, std::uint32_t depth) {
    if (!MayWalk(value.size(), out_.size())) {
      return;
    }
    switch (value.type()) {
      case Type::kUndefined:
      case Type::kNull:
        out_ += "null";
        return;
      case Type::kBoolean:
        out_ += value.is_true() ? "true" : "false";
        return;
      case Type::kNumber:
        AppendJsonNumber(value, &out_);
        return;
      case Type::kString:
        AppendJsonString(value.string(), style_, &out_);
        return;
      case Type::kArray:
      case Type::kSet:
        WriteItems(value, depth);
        return;
      case Type::kObject:
        WriteMembers(value, depth);
        return;
    }
  }

 private:
  void NewLine(std::uint32_t depth) {
    if (style_ == JsonStyle::kPretty) {
      out_ += '\n';
      out_.append(std::size_t{2} * depth, ' ');
    }
  }

  void Separate(bool first, std::uint32_t depth) {
    if (!first) {
      out_ += ',';
    }
    NewLine(depth + 1);
  }

  void WriteItems(const Value& value, std::uint32_t depth) {
    out_ += '[';
    const std::uint32_t size = value.size();
    for (std::uint32_t i = 0; i < size; ++i) {
      Separate(i == 0, depth);
      Write(value.ItemAt(i), depth + 1);
    }
    if (size > 0) {
      NewLine(depth);
    }
    out_ += ']';
  }

  void WriteMember(std::string_view key, const Value& value, bool first, std::uint32_t depth) {
    Separate(first, depth);
    AppendJsonString(key, style_, &out_);
    out_ += style_ == JsonStyle::kPretty ? ": " : ":";
    Write(value, depth + 1);
  }

  void WriteMembers(const Value& value, std::uint32_t depth) {
    const std::uint32_t size = value.size();
    // Keys are sorted and strings come late in the order of types: the outer two tell for all.
    const bool all_strings =
        size == 0 || (value.KeyAt(0).is_string() && value.KeyAt(size - 1).is_string());
    out_ += '{';
    if (all_strings) {
      for (std::uint32_t i = 0; i < size; ++i) {
        WriteMember(value.KeyAt(i).string(), value.ValueAt(i), i == 0, depth);
      }
    } else {
      WriteSpeltMembers(value, depth);
    }
    if (size > 0) {
      NewLine(depth);
    }
    out_ += '}';
  }

  // Keys that are not strings are spelt, which changes their order and may make two of them alike.
  void WriteSpeltMembers(const Value& value, std::uint32_t depth) {
    std::vector<std::pair<std::string, Value>> members;
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const Value key = value.KeyAt(i);
      const JsonStyle style = style_ == JsonStyle::kPretty ? JsonStyle::kCompact : style_;
      members.emplace_back(key.is_string() ? std::string(key.string()) : ToJson(key, style),
                           value.ValueAt(i));
    }
    std::ranges::stable_sort(members, {}, [](const auto& member) { return member.first; });
    bool first = true;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i + 1 == members.size() || members[i].first != members[i + 1].first) {
        WriteMember(members[i].first, members[i].second, first, depth);
        first = false;
      }
    }
  }

  JsonStyle style_;
  std::string& out_;
};

void AppendRegoEscape(std::uint32_t code, std::string* out) {
  constexpr std::string_view kFrom = "\a\b\f\n\r\t\v\"\\";
  constexpr std::string_view kTo = "abfnrtv\"\\";
  const std::size_t short_form =
      code < 0x80 ? kFrom.find(static_cast<char>(code)) : std::string_view::npos;
  out->push_back('\\');
  if (short_form != std::string_view::npos) {
    out->push_back(kTo[short_form]);
  } else if (code < 0x80) {
    out->push_back('x');
    AppendHex(code, 2, out);
  } else if (code < 0x10000) {
    out->push_back('u');
    AppendHex(code, 4, out);
  } else {
    out->push_back('U');
    AppendHex(code, 8, out);
  }
}

void AppendRegoItems(const Value& value, char open, char close, std::string* out) {
  out->push_back(open);
  const std::uint32_t size = value.size();
  for (std::uint32_t i = 0; i < size; ++i) {
    if (i > 0) {
      *out += ", ";
    }
    AppendRego(value.ItemAt(i), out);
  }
  out->push_back(close);
}

}  // namespace

void AppendJsonString(std::string_view text, JsonStyle style, std::string* out) {
  out->push_back('"');
  std::size_t done = 0;
  std::size_t at = 0;
  const auto flush = [&] { out->append(text.data() + done, at - done); };
  while (at < text.size()) {
    const char escape = kEscapes[static_cast<unsigned char>(text[at])];
    if (escape == kPlain || (escape == kGoEscape && style != JsonStyle::kGo)) {
      ++at;
      continue;
    }
    flush();
    if (escape == kBeyondAscii) {
      at += AppendBeyondAscii(text.substr(at), style, out);
      done = at;
      continue;
    }
    if (escape == kUnicodeEscape || escape == kGoEscape) {
      AppendUnicodeEscape(static_cast<unsigned char>(text[at]), out);
    } else {
      out->push_back('\\');
      out->push_back(escape);
    }
    done = ++at;
  }
  flush();
  out->push_back('"');
}

void AppendJson(const Value& value, JsonStyle style, std::string* out) {
  JsonWriter(style, out).Write(value, 0);
}

std::string ToJson(const Value& value, JsonStyle style) {
  std::string text;
  AppendJson(value, style, &text);
  return text;
}

void AppendRegoString(std::string_view text, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    if (rune.size == 0) {
      *out += "\\x";
      AppendHex(static_cast<unsigned char>(text.front()), 2, out);
      text.remove_prefix(1);
      continue;
    }
    if (rune.code != '"' && rune.code != '\\' && IsPrintable(rune.code)) {
      *out += text.substr(0, rune.size);
    } else {
      AppendRegoEscape(rune.code, out);
    }
    text.remove_prefix(rune.size);
  }
  out->push_back('"');
}

void AppendRego(const Value& value, std::string* out) {
  if (!MayWalk(value.size(), out->size())) {
    return;
  }
  switch (value.type()) {
    case Type::kUndefined:
      *out += "undefined";
      return;
    case Type::kNull:
      *out += "null";
      return;
    case Type::kBoolean:
      *out += value.is_true() ? "true" : "false";
      return;
    case Type::kNumber:
      AppendNumber(value, out);
      return;
    case Type::kString:
      AppendRegoString(value.string(), out);
      return;
    case Type::kArray:
      AppendRegoItems(value, '[', ']', out);
      return;
    case Type::kSet:
      if (value.size() == 0) {
        *out += "set()";
      } else {
        AppendRegoItems(value, '{', '}', out);
      }
      return;
    case Type::kObject:
      out->push_back('{');
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        if (i > 0) {
          *out += ", ";
        }
        AppendRego(value.KeyAt(i), out);
        *out += ": ";
        AppendRego(value.ValueAt(i), out);
      }
      out->push_back('}');
      return;
  }
}

std::string ToRego(const Value& value) {
  std::string text;
  AppendRego(value, &text);
  return text;
}

}  // namespace portcullis::document
