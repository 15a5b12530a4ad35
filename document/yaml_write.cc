#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "document/number.h"
#include "document/utf8.h"
#include "document/walk_guard.h"
#include "document/yaml.h"
#include "document/yaml_scalar.h"

namespace portcullis::document {
namespace {

// A parser need not look further for the colon after a key.
constexpr std::size_t kLongestSimpleKey = 128;

bool IsWord(char c) {
  return c > ' ' && c < 0x7F;
}

enum class Tabs : std::uint8_t { kSpecial, kShown };

// Characters that only a double-quoted string can show.
bool HasSpecial(std::string_view text, bool line_breaks_too, Tabs tabs = Tabs::kSpecial) {
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    const bool shown = (rune.code == '\n' && !line_breaks_too) || rune.code == ' ' ||
                       (rune.code == '\t' && tabs == Tabs::kShown) ||
                       (rune.size > 0 && IsPrintable(rune.code));
    if (!shown || rune.code == 0xFEFF) {
      return true;
    }
    text.remove_prefix(rune.size);
  }
  return false;
}

// Whether the scalar would be taken for an indicator when written without quotes in block style.
bool HasIndicator(std::string_view text) {
  constexpr std::string_view kNeverFirst = "#,[]{}&*!|>'\"%@`";
  constexpr std::string_view kNotFirstAlone = "-?:";
  const char first = text.front();
  const bool alone = text.size() == 1 || !IsWord(text[1]);
  return kNeverFirst.find(first) != std::string_view::npos ||
         (kNotFirstAlone.find(first) != std::string_view::npos && alone) || text.front() == ' ' ||
         text.back() == ' ' || text.back() == ':' || text.starts_with("---") ||
         text.starts_with("...") || text.find(": ") != std::string_view::npos ||
         text.find(" #") != std::string_view::npos;
}

// 1:30 is a number of base 60 to some parsers.
bool LooksLikeBase60(std::string_view text) {
  return text.find(':') != std::string_view::npos &&
         text.find_first_not_of("+-0123456789_:.") == std::string_view::npos;
}

// A scalar of a flow collection: what divides its items may not stand in it bare.
bool HasFlowIndicator(std::string_view text) {
  constexpr std::string_view kIndicators = ",?[]{}";
  return text.find_first_of(kIndicators) != std::string_view::npos || text.front() == '?' ||
         (text.front() == '-' && (text.size() == 1 || !IsWord(text[1]))) ||
         text.find(':') != std::string_view::npos;
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// The digits of `text` from `at`, without leading zeros.
std::string_view NumberAt(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && IsDigit(text[end])) {
    ++end;
  }
  return text.substr(at, end - at);
}

// The order of yaml.v3's keys: numbers in them by their value, letters after all else, but before it behind a digit.
bool NaturalLess(std::string_view a, std::string_view b) {
  bool digits = false;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] == b[i]) {
      digits = IsDigit(a[i]);
      continue;
    }
    const bool a_letter = IsLetter(a[i]);
    const bool b_letter = IsLetter(b[i]);
    if (a_letter && b_letter) {
      return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i]);
    }
    if (a_letter || b_letter) {
      return digits ? a_letter : b_letter;
    }
    const std::string_view a_number = NumberAt(a, i);
    const std::string_view b_number = NumberAt(b, i);
    if (a_number.size() != b_number.size()) {
      return a_number.size() < b_number.size();
    }
    return a_number != b_number ? a_number < b_number : a[i] < b[i];
  }
  return a.size() < b.size();
}

class YamlWriter {
 public:
  explicit YamlWriter(YamlDialect dialect) : version3_(dialect == YamlDialect::kVersion3) {}

  // Writes what stands at `indent`, from the start of a line.
  void WriteBlock(const Value& value, std::size_t indent) {
    if (value.is_object() && value.size() > 0) {
      WriteMembers(value, indent, false);
    } else if ((value.is_array() || value.is_set()) && value.size() > 0) {
      WriteItems(value, indent, false);
    } else {
      out_.append(indent, ' ');
      WriteScalar(value, indent + 2);
      out_ += '\n';
    }
  }

  // Writes " scalar" or the lines of a collection after "key:" at `indent`.
  void WriteAfterKey(const Value& value, std::size_t indent) { WriteMemberValue(value, indent, 0); }

  void WriteFlow(const Value& value) {
    const bool object = value.is_object();
    if (!object && !value.is_array() && !value.is_set()) {
      WriteScalar(value, 0, Place::kFlow);
      return;
    }
    out_ += object ? '{' : '[';
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      out_ += i > 0 ? ", " : "";
      if (object) {
        const std::uint32_t at = MemberAt(value, i);
        out_ += KeyText(value.KeyAt(at), Place::kFlow) + ": ";
        WriteFlow(value.ValueAt(at));
      } else {
        WriteFlow(value.ItemAt(i));
      }
    }
    out_ += object ? '}' : ']';
  }

  std::string Take() { return std::move(out_); }

 private:
  enum class Place : std::uint8_t { kBlock, kFlow };

  // The indentation of what a mapping's member, or an item of a list, holds.
  [[nodiscard]] std::size_t InMapping(std::size_t indent) const {
    constexpr std::size_t kWide = 4;
    return version3_ ? kWide * ((indent + kWide) / kWide) : indent + 2;
  }

  // Which member comes i-th: yaml.v3 takes the digits in keys for numbers.
  std::uint32_t MemberAt(const Value& value, std::uint32_t i) {
    if (!version3_) {
      return i;
    }
    if (i == 0) {
      orders_.emplace_back(value.size());
      std::iota(orders_.back().begin(), orders_.back().end(), 0);
      std::ranges::stable_sort(orders_.back(), [&value](std::uint32_t a, std::uint32_t b) {
        return NaturalLess(value.KeyAt(a).string(), value.KeyAt(b).string());
      });
    }
    const std::uint32_t at = orders_.back()[i];
    if (i + 1 == value.size()) {
      orders_.pop_back();
    }
    return at;
  }

  // With `begun`, the first line's indentation is there already.
  void WriteMembers(const Value& value, std::size_t indent, bool begun) {
    if (!MayWalk(value.size(), out_.size())) {
      return;
    }
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      if (i > 0 || !begun) {
        out_.append(indent, ' ');
      }
      const std::uint32_t at = MemberAt(value, i);
      const std::string key = KeyText(value.KeyAt(at), Place::kBlock);
      if (key.size() <= kLongestSimpleKey) {
        out_ += key;
        out_ += ':';
        WriteMemberValue(value.ValueAt(at), indent, 0);
      } else {
        out_ += "? " + key + '\n';
        out_.append(indent, ' ');
        out_ += ':';
        WriteMemberValue(value.ValueAt(at), indent, 2);
      }
    }
  }

  void WriteMemberValue(const Value& value, std::size_t indent, std::size_t items_indent) {
    if (value.is_object() && value.size() > 0) {
      out_ += '\n';
      WriteMembers(value, InMapping(indent), false);
    } else if ((value.is_array() || value.is_set()) && value.size() > 0) {
      out_ += '\n';
      WriteItems(value, version3_ ? InMapping(indent) : indent + items_indent, false);
    } else {
      out_ += ' ';
      WriteScalar(value, InMapping(indent));
      out_ += '\n';
    }
  }

  void WriteItems(const Value& value, std::size_t indent, bool begun) {
    if (!MayWalk(value.size(), out_.size())) {
      return;
    }
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      if (i > 0 || !begun) {
        out_.append(indent, ' ');
      }
      out_ += "- ";
      const Value item = value.ItemAt(i);
      if (item.is_object() && item.size() > 0) {
        WriteMembers(item, indent + 2, true);
      } else if ((item.is_array() || item.is_set()) && item.size() > 0) {
        WriteItems(item, indent + 2, true);
      } else {
        WriteScalar(item, indent + 2);
        out_ += '\n';
      }
    }
  }

  // A scalar or an empty container, without the line break after it. `indent` is that of further lines.
  void WriteScalar(const Value& value, std::size_t indent, Place place = Place::kBlock) {
    if (value.is_number() && version3_) {
      out_ += NumberText(value);
    } else if (!value.is_string()) {
      AppendJson(value, JsonStyle::kCompact, &out_);
    } else if (place == Place::kBlock && FitsLiteral(value.string())) {
      WriteLiteral(value.string(), indent);
    } else {
      out_ += version3_ ? Version3Quoted(value.string(), place) : Quoted(value.string());
    }
  }

  [[nodiscard]] std::string KeyText(const Value& key, Place place) const {
    const std::string text = key.is_string() ? std::string(key.string()) : ToJson(key);
    return version3_ ? Version3Quoted(text, place) : Quoted(text);
  }

  // A literal block shows the text line by line; it cannot show all.
  [[nodiscard]] bool FitsLiteral(std::string_view text) const {
    if (text.find('\n') == std::string_view::npos || text.find(" \n") != std::string_view::npos ||
        text.back() == ' ') {
      return false;
    }
    if (version3_) {
      return !HasSpecial(text, false, Tabs::kShown);
    }
    return text.front() != ' ' && text.front() != '\n' && !HasSpecial(text, false);
  }

  static std::string Version3Quoted(std::string_view text, Place place) {
    if (ReadsAsYamlString(text) && !HasSpecial(text, true) && place == Place::kFlow &&
        HasFlowIndicator(text)) {
      return SingleQuoted(text);
    }
    if (ReadsAsYamlString(text) && !HasSpecial(text, true)) {
      return Quoted(text);
    }
    std::string quoted;
    AppendJsonString(text, JsonStyle::kCompact, &quoted);
    return EscapeUnprintable(quoted);
  }

  static std::string SingleQuoted(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) {
      quoted.append(c == '\'' ? 2 : 1, c);
    }
    return quoted + '\'';
  }

  static std::string Quoted(std::string_view text) {
    if (!ReadsAsYamlString(text) || HasSpecial(text, true)) {
      std::string quoted;
      AppendJsonString(text, JsonStyle::kGo, &quoted);
      return EscapeUnprintable(quoted);
    }
    if (!HasIndicator(text)) {
      return std::string(text);
    }
    return SingleQuoted(text);
  }

  // YAML refuses some characters that JSON shows.
  static std::string EscapeUnprintable(std::string_view text) {
    std::string escaped;
    while (!text.empty()) {
      const Rune rune = DecodeRune(text);
      if (IsPrintable(rune.code) && rune.code != 0xFEFF) {
        escaped += text.substr(0, rune.size);
      } else {
        constexpr std::string_view kHex = "0123456789abcdef";
        escaped += "\\U";
        for (int shift = 28; shift >= 0; shift -= 4) {
          escaped += kHex[rune.code >> shift & 0xF];
        }
      }
      text.remove_prefix(rune.size);
    }
    return escaped;
  }

  void WriteLiteral(std::string_view text, std::size_t indent) {
    out_ += '|';
    if (text.front() == ' ' || text.front() == '\n') {
      out_ += '4';  // yaml.v3 says how wide its steps are.
    }
    if (!text.ends_with('\n')) {
      out_ += '-';
    } else if (text.ends_with("\n\n")) {
      out_ += '+';
    }
    if (text.ends_with('\n')) {
      text.remove_suffix(1);
    }
    AppendBlockLines(text, indent, &out_);
  }

  const bool version3_;
  std::vector<std::vector<std::uint32_t>> orders_;  // Of the objects being written.
  std::string out_;
};

}  // namespace

void AppendBlockLines(std::string_view text, std::size_t indent, std::string* out) {
  while (true) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    *out += '\n';
    if (end > 0) {
      out->append(indent, ' ');
      *out += text.substr(0, end);
    }
    if (end == text.size()) {
      return;
    }
    text.remove_prefix(end + 1);
  }
}

bool ReadsAsYamlString(std::string_view text) {
  return ResolveYamlScalar(text).kind == YamlScalar::Kind::kString && !LooksLikeBase60(text);
}

std::string ToYaml(const Value& value) {
  YamlWriter writer(YamlDialect::kKubernetes);
  writer.WriteBlock(value, 0);
  return writer.Take();
}

void AppendVersion3Member(std::string_view key, const Value& value, std::size_t indent,
                          std::string* out) {
  YamlWriter writer(YamlDialect::kVersion3);
  writer.WriteAfterKey(value, indent);
  out->append(indent, ' ').append(key).append(":") += writer.Take();
}

std::string ToVersion3Flow(const Value& value) {
  YamlWriter writer(YamlDialect::kVersion3);
  writer.WriteFlow(value);
  return writer.Take();
}

}  // namespace portcullis::document
