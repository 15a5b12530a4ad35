#include "rules/builtins/yaml_emit.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "document/json.h"
#include "document/yaml.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

// The longest key that stands in front of its colon.
constexpr std::size_t kLongestSimpleKey = 128;

bool IsDigit(char32_t rune) {
  return rune >= U'0' && rune <= U'9';
}

// Within a text: a line ends.
bool IsBreak(char32_t rune) {
  return rune == U'\n' || rune == U'\r' || rune == 0x85 || rune == 0x2028 || rune == 0x2029;
}

bool IsShown(char32_t rune) {
  return rune == U'\n' || (rune >= 0x20 && rune <= 0x7E) || (rune >= 0xA0 && rune <= 0xD7FF) ||
         (rune >= 0xE000 && rune <= 0xFFFD && rune != 0xFEFF);
}

// What a reader of YAML refuses to read at all.
bool IsControl(char32_t rune) {
  return (rune >= 0x7F && rune <= 0x9F && rune != 0x85) || rune == 0xFFFE || rune == 0xFFFF;
}

std::u32string Runes(std::string_view text) {
  std::u32string runes;
  for (std::size_t i = 0; i < text.size();) {
    const Rune rune = DecodeRune(text.substr(i));
    runes.push_back(rune.value);
    i += rune.width;
  }
  return runes;
}

// go-yaml's order of keys: numbers in them by their value, letters behind all else.
bool NaturallyLess(const std::u32string& a, const std::u32string& b) {
  const auto letter = [](char32_t rune) { return IsLetterOrDigit(rune) && !IsDigit(rune); };
  bool digits = false;
  const std::size_t size = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] == b[i]) {
      digits = IsDigit(a[i]);
      continue;
    }
    const bool a_letter = letter(a[i]);
    const bool b_letter = letter(b[i]);
    if (a_letter && b_letter) {
      return a[i] < b[i];
    }
    if (a_letter || b_letter) {
      return digits ? a_letter : b_letter;
    }
    // Zeros count behind a digit that is none.
    std::uint64_t a_number = 0;
    std::uint64_t b_number = 0;
    if (a[i] == U'0' || b[i] == U'0') {
      for (std::size_t j = i; j > 0 && IsDigit(a[j - 1]); --j) {
        if (a[j - 1] != U'0') {
          a_number = b_number = 1;
          break;
        }
      }
    }
    const auto read = [i](const std::u32string& text, std::uint64_t* number) {
      std::size_t end = i;
      for (; end < text.size() && IsDigit(text[end]); ++end) {
        *number = *number * 10 + (text[end] - U'0');
      }
      return end;
    };
    const std::size_t a_end = read(a, &a_number);
    const std::size_t b_end = read(b, &b_number);
    if (a_number != b_number) {
      return static_cast<std::int64_t>(a_number) < static_cast<std::int64_t>(b_number);
    }
    return a_end != b_end ? a_end < b_end : a[i] < b[i];
  }
  return a.size() < b.size();
}

// In which styles a text can be written.
struct Styles {
  bool lines = false;  // It has several.
  bool plain = true;
  bool single_quoted = true;
  bool literal = true;
};

bool HasIndicator(const std::u32string& text) {
  const auto blank = [&](std::size_t i) {
    return i >= text.size() || text[i] == U' ' || text[i] == U'\t';
  };
  if (text.starts_with(U"---") || text.starts_with(U"...") ||
      std::u32string_view(U"#,[]{}&*!|>'\"%@`").contains(text.front()) ||
      (std::u32string_view(U"?:-").contains(text.front()) && blank(1))) {
    return true;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool after_space = text[i - 1] == U' ' || text[i - 1] == U'\t' || IsBreak(text[i - 1]);
    if ((text[i] == U':' && blank(i + 1)) || (text[i] == U'#' && after_space)) {
      return true;
    }
  }
  return false;
}

Styles StylesOf(const std::u32string& text) {
  Styles styles;
  if (text.empty()) {
    styles.literal = false;
    return styles;
  }
  bool special = false;
  bool tab = false;
  bool break_space = false;
  bool space_break = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    tab = tab || text[i] == U'\t';
    special = special || (text[i] != U'\t' && !IsShown(text[i]));
    styles.lines = styles.lines || IsBreak(text[i]);
    break_space = break_space || (i > 0 && text[i] == U' ' && IsBreak(text[i - 1]));
    space_break = space_break || (i > 0 && IsBreak(text[i]) && text[i - 1] == U' ');
  }
  const bool edge =
      text.front() == U' ' || text.back() == U' ' || IsBreak(text.front()) || IsBreak(text.back());
  styles.single_quoted = !break_space && !space_break && !tab && !special;
  styles.literal = text.back() != U' ' && !space_break && !special;
  styles.plain = styles.single_quoted && !edge && !styles.lines && !HasIndicator(text);
  return styles;
}

std::string DoubleQuoted(const std::u32string& text) {
  std::string quoted = "\"";
  for (const char32_t rune : text) {
    if (IsShown(rune) && !IsBreak(rune) && rune != U'"' && rune != U'\\') {
      AppendRune(rune, &quoted);
      continue;
    }
    constexpr std::pair<char32_t, char> kShort[] = {
        {0, '0'},      {7, 'a'},    {8, 'b'},    {9, 't'},      {10, 'n'},
        {11, 'v'},     {12, 'f'},   {13, 'r'},   {27, 'e'},     {U'"', '"'},
        {U'\\', '\\'}, {0x85, 'N'}, {0xA0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
    quoted += '\\';
    const auto* const letter =
        std::ranges::find(kShort, rune, [](const auto& entry) { return entry.first; });
    if (letter != std::end(kShort)) {
      quoted += letter->second;
      continue;
    }
    quoted += rune <= 0xFF ? 'x' : rune <= 0xFFFF ? 'u' : 'U';
    for (int shift = rune <= 0xFF ? 4 : rune <= 0xFFFF ? 12 : 28; shift >= 0; shift -= 4) {
      quoted += "0123456789ABCDEF"[rune >> shift & 0xF];
    }
  }
  return quoted + '"';
}

std::string SingleQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted.append(c == '\'' ? 2 : 1, c);
  }
  return quoted + '\'';
}

class Emitter {
 public:
  explicit Emitter(CallContext& context) : context_(context) {}

  void EmitDocument(const Value& value) {
    Emit(value, 0);
    out_ += '\n';
  }

  [[nodiscard]] std::string TakeText() { return std::move(out_); }
  [[nodiscard]] std::string TakeError() { return std::move(error_); }

 private:
  struct Entry {
    std::u32string key;
    std::string text;
    Value value;
  };

  static bool IsBlock(const Value& value) { return value.size() > 0; }

  bool Stops() {
    return !error_.empty() || context_.ShouldHalt() || context_.HaltsBeyond(out_.size());
  }

  void NewLine(std::size_t indent) {
    out_ += '\n';
    out_.append(indent, ' ');
  }

  // From the current place on, which is `indent` for what spans lines; no line break at the end.
  void Emit(const Value& value, std::size_t indent) {
    if (Stops()) {
      return;
    }
    if (value.is_object() && IsBlock(value)) {
      EmitMembers(value, indent);
    } else if (IsBlock(value)) {
      for (std::uint32_t i = 0; i < value.size() && !Stops(); ++i) {
        if (i > 0) {
          NewLine(indent);
        }
        out_ += "- ";
        Emit(value.ItemAt(i), indent + 2);
      }
    } else {
      EmitScalar(value, indent);
    }
  }

  void EmitMembers(const Value& value, std::size_t indent) {
    std::vector<Entry> entries;
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const Value key = value.KeyAt(i);
      std::string text = key.is_string() ? std::string(key.string()) : document::ToJson(key);
      entries.push_back({Runes(text), std::move(text), value.ValueAt(i)});
    }
    std::ranges::sort(entries, NaturallyLess, &Entry::key);
    for (std::size_t i = 0; i < entries.size() && !Stops(); ++i) {
      if (i > 0) {
        NewLine(indent);
      }
      EmitMember(entries[i], indent);
    }
  }

  void EmitMember(const Entry& entry, std::size_t indent) {
    const Styles styles = StylesOf(entry.key);
    if (styles.lines || entry.text.size() > kLongestSimpleKey) {
      out_ += "? ";
      EmitText(entry.text, entry.key, styles, indent + 2);
      NewLine(indent);
      out_ += ": ";
      return Emit(entry.value, indent + 2);
    }
    EmitText(entry.text, entry.key, styles, indent + 2);
    out_ += ':';
    if (IsBlock(entry.value)) {
      NewLine(indent + 2);
    } else {
      out_ += ' ';
    }
    Emit(entry.value, indent + 2);
  }

  // `indent` is that of further lines.
  void EmitScalar(const Value& value, std::size_t indent) {
    if (value.is_string()) {
      const std::u32string runes = Runes(value.string());
      EmitText(value.string(), runes, StylesOf(runes), indent);
    } else if (value.is_number()) {
      out_ += NumberText(value);
    } else {
      document::AppendJson(value, document::JsonStyle::kCompact, &out_);
    }
  }

  // Whole numbers of 64 bits as they are, all others as Go shows a float64; those beyond it are texts to go-yaml.
  static std::string NumberText(const Value& number) {
    std::string text = document::NumberText(number);
    const char* const end = text.data() + text.size();
    std::int64_t whole = 0;
    std::uint64_t natural = 0;
    if (std::from_chars(text.data(), end, whole).ptr == end) {
      const bool fits = std::from_chars(text.data(), end, whole).ec == std::errc() ||
                        std::from_chars(text.data(), end, natural).ec == std::errc();
      if (fits) {
        return text == "-0" ? "0" : text;
      }
    }
    const double real = document::ToDouble(number);
    if (!std::isfinite(real)) {
      return text;
    }
    std::string shown;
    AppendGoFloat(real, 'g', -1, &shown);
    return shown;
  }

  void EmitText(std::string_view text, const std::u32string& runes, const Styles& styles,
                std::size_t indent) {
    if (std::ranges::any_of(runes, IsControl)) {
      error_ = "yaml: control characters are not allowed";
      return;
    }
    if (text.contains('\n')) {
      if (styles.literal) {
        EmitLiteral(text, runes, indent);
      } else {
        out_ += DoubleQuoted(runes);
      }
    } else if (!document::ReadsAsYamlString(text)) {
      out_ += DoubleQuoted(runes);
    } else if (styles.plain) {
      out_ += text;
    } else {
      out_ += styles.single_quoted ? SingleQuoted(text) : DoubleQuoted(runes);
    }
  }

  void EmitLiteral(std::string_view text, const std::u32string& runes, std::size_t indent) {
    out_ += '|';
    if (runes.front() == U' ' || IsBreak(runes.front())) {
      out_ += '2';
    }
    const bool ended = IsBreak(runes.back());
    if (!ended) {
      out_ += '-';
    } else if (runes.size() == 1 || IsBreak(runes[runes.size() - 2])) {
      out_ += '+';
    }
    if (ended) {
      text.remove_suffix(1);
    }
    document::AppendBlockLines(text, indent, &out_);
  }

  CallContext& context_;
  std::string out_;
  std::string error_;
};

}  // namespace

std::string EmitYaml(CallContext& context, const Value& value, std::string* error) {
  Emitter emitter(context);
  emitter.EmitDocument(value);
  *error = emitter.TakeError();
  return emitter.TakeText();
}

}  // namespace portcullis::builtins
