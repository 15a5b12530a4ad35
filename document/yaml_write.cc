#include <algorithm>
#include <string>

#include "document/number.h"
#include "document/utf8.h"
#include "document/yaml.h"
#include "document/yaml_scalar.h"

namespace portcullis::document {
namespace {

// A parser need not look further for the colon after a key.
constexpr std::size_t kLongestSimpleKey = 128;

bool IsWord(char c) {
  return c > ' ' && c < 0x7F;
}

// Characters that only a double-quoted string can show.
bool HasSpecial(std::string_view text, bool line_breaks_too) {
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    const bool shown = (rune.code == '\n' && !line_breaks_too) || rune.code == ' ' ||
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

bool ReadsAsString(std::string_view text) {
  return ResolveYamlScalar(text).kind == YamlScalar::Kind::kString && !LooksLikeBase60(text);
}

// A literal block shows the text line by line; it cannot show all.
bool FitsLiteral(std::string_view text) {
  return text.find('\n') != std::string_view::npos && text.front() != ' ' && text.front() != '\n' &&
         text.find(" \n") == std::string_view::npos && text.back() != ' ' &&
         !HasSpecial(text, false);
}

class YamlWriter {
 public:
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

  std::string Take() { return std::move(out_); }

 private:
  // With `begun`, the first line's indentation is there already.
  void WriteMembers(const Value& value, std::size_t indent, bool begun) {
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      if (i > 0 || !begun) {
        out_.append(indent, ' ');
      }
      const std::string key = KeyText(value.KeyAt(i));
      if (key.size() <= kLongestSimpleKey) {
        out_ += key;
        out_ += ':';
        WriteMemberValue(value.ValueAt(i), indent, 0);
      } else {
        out_ += "? " + key + '\n';
        out_.append(indent, ' ');
        out_ += ':';
        WriteMemberValue(value.ValueAt(i), indent, 2);
      }
    }
  }

  void WriteMemberValue(const Value& value, std::size_t indent, std::size_t items_indent) {
    if (value.is_object() && value.size() > 0) {
      out_ += '\n';
      WriteMembers(value, indent + 2, false);
    } else if ((value.is_array() || value.is_set()) && value.size() > 0) {
      out_ += '\n';
      WriteItems(value, indent + items_indent, false);
    } else {
      out_ += ' ';
      WriteScalar(value, indent + 2);
      out_ += '\n';
    }
  }

  void WriteItems(const Value& value, std::size_t indent, bool begun) {
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
  void WriteScalar(const Value& value, std::size_t indent) {
    if (!value.is_string()) {
      AppendJson(value, JsonStyle::kCompact, &out_);
    } else if (FitsLiteral(value.string())) {
      WriteLiteral(value.string(), indent);
    } else {
      out_ += Quoted(value.string());
    }
  }

  static std::string KeyText(const Value& key) {
    return Quoted(key.is_string() ? std::string(key.string()) : ToJson(key));
  }

  static std::string Quoted(std::string_view text) {
    if (!ReadsAsString(text) || HasSpecial(text, true)) {
      std::string quoted;
      AppendJsonString(text, JsonStyle::kGo, &quoted);
      return EscapeUnprintable(quoted);
    }
    if (!HasIndicator(text)) {
      return std::string(text);
    }
    std::string quoted = "'";
    for (const char c : text) {
      quoted.append(c == '\'' ? 2 : 1, c);
    }
    return quoted + '\'';
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
    if (!text.ends_with('\n')) {
      out_ += '-';
    } else if (text.ends_with("\n\n")) {
      out_ += '+';
    }
    if (text.ends_with('\n')) {
      text.remove_suffix(1);
    }
    while (true) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      out_ += '\n';
      if (end > 0) {
        out_.append(indent, ' ');
        out_ += text.substr(0, end);
      }
      if (end == text.size()) {
        return;
      }
      text.remove_prefix(end + 1);
    }
  }

  std::string out_;
};

}  // namespace

std::string ToYaml(const Value& value) {
  YamlWriter writer;
  writer.WriteBlock(value, 0);
  return writer.Take();
}

}  // namespace portcullis::document
