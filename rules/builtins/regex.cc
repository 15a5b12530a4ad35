// regex.*. SOURCE: OPA's policy reference, "Regex"; the documentation of Go's package regexp.

#include "rules/builtins/regex.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <re2/re2.h>

#include "rules/builtins/families.h"
#include "rules/builtins/globs_match.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

using Regex = std::shared_ptr<const re2::RE2>;

std::string_view GoErrorText(re2::RE2::ErrorCode code) {
  switch (code) {
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge:
      return "expression too large";
    case re2::RE2::NoError:
    case re2::RE2::ErrorInternal:
      break;
  }
  return "regexp/syntax: internal error";
}

// A pattern for RE2, and what Go finds wrong with it at its end that RE2 would not.
struct Translated {
  std::string pattern;
  std::string error;
};

// The group that `rest` begins: "(?P<name>" or "(?<name>" with a name that Go takes. Else Go's complaint, with all of `rest`
// where nothing closes the name.
std::expected<std::string_view, std::string> ReadNamedGroup(std::string_view rest) {
  const std::string complaint = "invalid named capture: `";
  const std::size_t end = rest.find('>');
  if (end == rest.npos) {
    return std::unexpected(complaint + std::string(rest) + "`");
  }
  const std::string_view group = rest.substr(0, end + 1);
  const std::string_view name = group.substr(group.find('<') + 1, end - group.find('<') - 1);
  const bool word = std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  });
  if (name.empty() || !word) {
    return std::unexpected(complaint + std::string(group) + "`");
  }
  return group;
}

// The count of repetition that `rest` begins, where one of its numbers is too large. RE2 takes the largest for text.
std::string_view LargeCount(std::string_view rest) {
  constexpr int kMost = 1000;
  std::size_t at = 1;
  int most = 0;
  const auto number = [&] {
    const std::size_t begin = at;
    int value = 0;
    for (; at < rest.size() && rest[at] >= '0' && rest[at] <= '9'; ++at) {
      value = std::min(value * 10 + (rest[at] - '0'), kMost + 1);
    }
    most = std::max(most, value);
    return at - begin == 1 || (at > begin && rest[begin] != '0');
  };
  if (!number()) {
    return {};
  }
  if (rest.substr(at).starts_with(',') && !rest.substr(++at).starts_with('}') && !number()) {
    return {};
  }
  return rest.substr(at).starts_with('}') && most > kMost ? rest.substr(0, at + 1)
                                                          : std::string_view();
}

// What Go writes and this RE2 does not read: (?<name>…), \pl. Ends where Go refuses what RE2 takes or refuses in other words.
Translated ToRe2(std::string_view pattern) {
  Translated result;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view rest = pattern.substr(i);
    if (rest.starts_with("\\Q")) {
      const std::size_t end = std::min(rest.find("\\E"), rest.size());
      result.pattern.append(rest.substr(0, end));
      i += end - 1;
      continue;
    }
    if (rest.front() == '\\' && rest.size() > 1) {
      if (rest[1] == 'C') {
        result.error = "invalid escape sequence: `\\C`";
        return result;
      }
      if (rest == "\\x{") {
        result.error = "invalid escape sequence: `\\x{`";
        return result;
      }
      result.pattern.append(rest.substr(0, 2));
      ++i;
      const std::size_t brace =
          std::string_view("pPx").contains(rest[1]) && rest.substr(2).starts_with('{')
              ? rest.find('}')
              : rest.npos;
      if (brace != rest.npos) {
        result.pattern.append(rest.substr(2, brace - 1));
        i += brace - 1;
        continue;
      }
      if ((rest[1] == 'p' || rest[1] == 'P') && rest.size() > 2 &&
          std::string_view("clmnpsz").contains(rest[2])) {
        result.pattern.push_back(static_cast<char>(rest[2] - 'a' + 'A'));
        ++i;
      }
      continue;
    }
    if (!in_class && rest.front() == '{') {
      if (const std::string_view count = LargeCount(rest); !count.empty()) {
        result.error = "invalid repeat count: `" + std::string(count) + "`";
        return result;
      }
    }
    if (!in_class && (rest == "(?<" || rest == "(?P<")) {
      result.error = "invalid or unsupported Perl syntax: `" + std::string(rest.substr(0, 3)) + "`";
      return result;
    }
    if (!in_class && (rest.starts_with("(?<") || rest.starts_with("(?P<"))) {
      const auto group = ReadNamedGroup(rest);
      if (!group) {
        result.error = group.error();
        return result;
      }
      result.pattern.append("(?P").append(group->substr(group->find('<')));
      i += group->size() - 1;
      continue;
    }
    result.pattern.push_back(rest.front());
    if (rest.front() == '[' && !in_class) {
      in_class = true;
      // A bracket that comes first stands for itself.
      if (rest.substr(1).starts_with('^')) {
        result.pattern.push_back(pattern[++i]);
      }
      if (pattern.substr(i + 1).starts_with(']')) {
        result.pattern.push_back(pattern[++i]);
      }
    } else if (rest.starts_with("[:") && in_class && rest.find(":]", 2) != rest.npos) {
      const std::size_t end = rest.find(":]", 2) + 2;
      result.pattern.append(rest.substr(1, end - 1));
      i += end - 1;
    } else if (rest.front() == ']') {
      in_class = false;
    }
  }
  return result;
}

re2::StringPiece Piece(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view View(const re2::StringPiece& piece) {
  return {piece.data(), piece.size()};
}

std::optional<Regex> RegexOperand(CallContext& context, std::string_view pattern) {
  auto regex = CachedRegex(context.prepared, pattern);
  if (regex) {
    return *std::move(regex);
  }
  context.Fail(regex.error());
  return std::nullopt;
}

// One match: the whole, then each group; a group that took no part is null.
using Groups = std::vector<re2::StringPiece>;

// Calls `visit(groups)` for each match from left to right, at most `limit` of them (all for a negative one). A match of
// nothing right after another match is none.
template <class Visit>
void ForEachMatch(CallContext& context, const re2::RE2& regex, std::string_view text,
                  std::int64_t limit, Visit visit) {
  Groups groups(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
  std::size_t previous_end = std::string_view::npos;
  std::size_t at = 0;
  for (std::int64_t count = 0; (limit < 0 || count < limit) && at <= text.size();) {
    // A match may look at all that is left.
    if (context.ShouldHalt(1 + (text.size() - at) / 1024)) {
      return;
    }
    if (!regex.Match(Piece(text), at, text.size(), re2::RE2::UNANCHORED, groups.data(),
                     static_cast<int>(groups.size()))) {
      return;
    }
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = begin + groups[0].size();
    const bool accept = end != at || begin != previous_end;
    if (end == at) {
      const std::uint32_t width = DecodeRune(text.substr(at)).width;
      at = width > 0 ? at + width : text.size() + 1;
    } else {
      at = end;
    }
    previous_end = end;
    if (accept) {
      visit(groups);
      ++count;
    }
  }
}

Value Match(CallContext& context, Arguments arguments) {
  const auto pattern = StringOperand(context, arguments, 1);
  const auto text = pattern ? StringOperand(context, arguments, 2) : std::nullopt;
  if (!text) {
    return {};
  }
  const auto regex = RegexOperand(context, *pattern);
  if (!regex) {
    return {};
  }
  return Value::Boolean(
      (*regex)->Match(Piece(*text), 0, text->size(), re2::RE2::UNANCHORED, nullptr, 0));
}

Value IsValid(CallContext& context, Arguments arguments) {
  if (!arguments[0].is_string()) {
    return Value::Boolean(false);
  }
  return Value::Boolean(CachedRegex(context.prepared, arguments[0].string()).has_value());
}

Value Halted(CallContext& context, const Value& result) {
  return context.failure == FailureKind::kHalt ? Value() : result;
}

Value Split(CallContext& context, Arguments arguments) {
  const auto pattern = StringOperand(context, arguments, 1);
  const auto text = pattern ? StringOperand(context, arguments, 2) : std::nullopt;
  if (!text) {
    return {};
  }
  const auto regex = RegexOperand(context, *pattern);
  if (!regex) {
    return {};
  }
  document::ArrayBuilder parts(context.arena);
  if (!pattern->empty() && text->empty()) {
    parts.Add(Value::String(*text));
    return parts.Finish();
  }
  std::size_t begin = 0;
  std::size_t end = 0;
  ForEachMatch(context, **regex, *text, -1, [&](const Groups& groups) {
    end = static_cast<std::size_t>(groups[0].data() - text->data());
    const std::size_t match_end = end + groups[0].size();
    if (match_end != 0) {
      parts.Add(Value::String(text->substr(begin, end - begin)));
      context.HaltsBeyond(parts.size() * sizeof(Value));
    }
    begin = match_end;
  });
  if (end != text->size()) {
    parts.Add(Value::String(text->substr(begin)));
  }
  return Halted(context, parts.Finish());
}

// The matches of pattern, text and limit, the arguments: of each what `item_of` makes of its groups.
template <class ItemOf>
Value CollectMatches(CallContext& context, Arguments arguments, const ItemOf& item_of) {
  const auto pattern = StringOperand(context, arguments, 1);
  const auto text = pattern ? StringOperand(context, arguments, 2) : std::nullopt;
  const auto limit = text ? IntOperand(context, arguments, 3) : std::nullopt;
  if (!limit) {
    return {};
  }
  const auto regex = RegexOperand(context, *pattern);
  if (!regex) {
    return {};
  }
  document::ArrayBuilder matches(context.arena);
  ForEachMatch(context, **regex, *text, *limit, [&](const Groups& groups) {
    matches.Add(item_of(groups));
    context.HaltsBeyond(matches.size() * sizeof(Value));
  });
  return Halted(context, matches.Finish());
}

Value FindN(CallContext& context, Arguments arguments) {
  return CollectMatches(context, arguments,
                        [](const Groups& groups) { return Value::String(View(groups[0])); });
}

Value FindAllGroups(CallContext& context, Arguments arguments) {
  return CollectMatches(context, arguments, [&context](const Groups& groups) {
    const std::span<Value> items = context.arena.AllocateArray<Value>(groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
      items[i] = Value::String(groups[i].data() == nullptr ? std::string_view() : View(groups[i]));
    }
    return Value::Array(items);
  });
}

bool IsNamePart(char32_t rune) {
  return rune == U'_' || IsLetterOrDigit(rune);
}

// The name after a "$": "1", "name" or "{name}"; how many bytes it takes, or 0 where there is none.
std::size_t ReadName(std::string_view text, std::string_view* name) {
  const bool brace = text.starts_with('{');
  const std::size_t begin = brace ? 1 : 0;
  std::size_t end = begin;
  while (end < text.size()) {
    const Rune rune = DecodeRune(text.substr(end));
    if (!IsNamePart(rune.value)) {
      break;
    }
    end += rune.width;
  }
  if (end == begin) {
    return 0;
  }
  *name = text.substr(begin, end - begin);
  if (!brace) {
    return end;
  }
  return end < text.size() && text[end] == '}' ? end + 1 : 0;
}

// The number of the group that `name` means, or -1.
int GroupNumber(const re2::RE2& regex, std::string_view name) {
  const bool digits = name.find_first_not_of("0123456789") == name.npos;
  if (digits && name.size() <= 8 && (name.front() != '0' || name.size() == 1)) {
    return std::stoi(std::string(name));
  }
  const auto& names = regex.NamedCapturingGroups();
  const auto found = names.find(std::string(name));
  return found == names.end() ? -1 : found->second;
}

// The replacement with $1, ${name} and $$ filled in. Stops where `context` halts.
void Expand(CallContext& context, const re2::RE2& regex, std::string_view replacement,
            const Groups& groups, std::string* out) {
  while (!context.HaltsBeyond(out->size())) {
    const std::size_t dollar = replacement.find('$');
    out->append(replacement.substr(0, dollar));
    if (dollar == std::string_view::npos) {
      return;
    }
    replacement.remove_prefix(dollar + 1);
    if (replacement.starts_with('$')) {
      out->push_back('$');
      replacement.remove_prefix(1);
      continue;
    }
    std::string_view name;
    const std::size_t length = ReadName(replacement, &name);
    if (length == 0) {
      out->push_back('$');
      continue;
    }
    replacement.remove_prefix(length);
    const int group = GroupNumber(regex, name);
    if (group >= 0 && static_cast<std::size_t>(group) < groups.size()) {
      out->append(View(groups[static_cast<std::size_t>(group)]));
    }
  }
}

Value Replace(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  const auto pattern = text ? StringOperand(context, arguments, 2) : std::nullopt;
  const auto replacement = pattern ? StringOperand(context, arguments, 3) : std::nullopt;
  if (!replacement) {
    return {};
  }
  const auto regex = RegexOperand(context, *pattern);
  if (!regex) {
    return {};
  }
  std::string result;
  std::size_t copied = 0;
  ForEachMatch(context, **regex, *text, -1, [&](const Groups& groups) {
    const auto begin = static_cast<std::size_t>(groups[0].data() - text->data());
    result.append(*text, copied, begin - copied);
    Expand(context, **regex, *replacement, groups, &result);
    copied = begin + groups[0].size();
  });
  if (context.failure == FailureKind::kHalt) {
    return {};
  }
  result.append(*text, copied);
  return result == *text ? arguments[0] : MakeString(context, result);
}

// "a{[0-9]+}b" with the delimiters { and } as a pattern: what is between them is a regex, the rest is itself.
std::expected<std::string, std::string> TemplatePattern(std::string_view text, char open,
                                                        char close) {
  const auto unbalanced = [&] {
    std::string message = "unbalanced braces in ";
    AppendGoQuoted(text, &message);
    return std::unexpected(message);
  };
  // The places of the delimiters of the outermost pairs, in turn.
  std::vector<std::size_t> places;
  int level = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == open) {
      if (++level == 1) {
        places.push_back(i);
      }
    } else if (text[i] == close) {
      if (--level == 0) {
        places.push_back(i);
      } else if (level < 0) {
        return unbalanced();
      }
    }
  }
  if (level != 0) {
    return unbalanced();
  }
  std::string pattern = "^";
  std::size_t copied = 0;
  for (std::size_t i = 0; i < places.size(); i += 2) {
    const std::string_view inner = text.substr(places[i] + 1, places[i + 1] - places[i] - 1);
    if (const auto regex = CompileRegex("^" + std::string(inner) + "$"); !regex) {
      return std::unexpected(regex.error());
    }
    pattern.append(QuoteRegex(text.substr(copied, places[i] - copied)))
        .append("(")
        .append(inner)
        .append(")");
    copied = places[i + 1] + 1;
  }
  return pattern + QuoteRegex(text.substr(copied)) + "$";
}

Value TemplateMatch(CallContext& context, Arguments arguments) {
  const auto pattern = StringOperand(context, arguments, 1);
  const auto text = pattern ? StringOperand(context, arguments, 2) : std::nullopt;
  const auto open = text ? StringOperand(context, arguments, 3) : std::nullopt;
  const auto close = open ? StringOperand(context, arguments, 4) : std::nullopt;
  if (!close) {
    return {};
  }
  for (const auto& [name, delimiter] : {std::pair{"start", *open}, std::pair{"end", *close}}) {
    if (delimiter.size() != 1) {
      return context.Fail(std::string(name) +
                          " delimiter has to be exactly one character long but is " +
                          std::to_string(open->size()) + " long");
    }
  }
  const auto generated = TemplatePattern(*pattern, open->front(), close->front());
  if (!generated) {
    return context.Fail(generated.error());
  }
  const auto regex = RegexOperand(context, *generated);
  if (!regex) {
    return {};
  }
  return Value::Boolean(
      (*regex)->Match(Piece(*text), 0, text->size(), re2::RE2::UNANCHORED, nullptr, 0));
}

Value GlobsMatch(CallContext& context, Arguments arguments) {
  const auto a = StringOperand(context, arguments, 1);
  const auto b = a ? StringOperand(context, arguments, 2) : std::nullopt;
  if (!b) {
    return {};
  }
  const auto common = GlobsIntersect(context, *a, *b);
  if (!common) {
    return context.failure == FailureKind::kHalt ? Value() : context.Fail(common.error());
  }
  return Value::Boolean(*common);
}

constexpr std::string_view kMatchType = "(string, string) -> boolean";
constexpr Builtin kBuiltins[] = {
    {.name = "regex.match", .type = kMatchType, .function = Match},
    {.name = "re_match", .type = kMatchType, .function = Match, .deprecated = true},
    {.name = "regex.is_valid", .type = "(string) -> boolean", .function = IsValid},
    {.name = "regex.split", .type = "(string, string) -> array[string]", .function = Split},
    {.name = "regex.find_n",
     .type = "(string, string, number) -> array[string]",
     .function = FindN},
    {.name = "regex.find_all_string_submatch_n",
     .type = "(string, string, number) -> array[array[string]]",
     .function = FindAllGroups},
    {.name = "regex.replace", .type = "(string, string, string) -> string", .function = Replace},
    {.name = "regex.template_match",
     .type = "(string, string, string, string) -> boolean",
     .function = TemplateMatch},
    {.name = "regex.globs_match", .type = kMatchType, .function = GlobsMatch},
};

}  // namespace

std::expected<Regex, std::string> CompileRegex(std::string_view pattern) {
  const Translated translated = ToRe2(pattern);
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(std::int64_t{32} << 20);
  auto regex = std::make_shared<const re2::RE2>(translated.pattern, options);
  const std::string prefix = "error parsing regexp: ";
  // A parenthesis that is not closed is seen at the end alone.
  if (!translated.error.empty() &&
      (regex->ok() || regex->error_code() == re2::RE2::ErrorMissingParen)) {
    return std::unexpected(prefix + translated.error);
  }
  if (regex->ok()) {
    return regex;
  }
  const bool whole = regex->error_code() == re2::RE2::ErrorMissingParen ||
                     regex->error_code() == re2::RE2::ErrorUnexpectedParen;
  return std::unexpected(prefix + std::string(GoErrorText(regex->error_code())) + ": `" +
                         (whole ? std::string(pattern) : regex->error_arg()) + "`");
}

std::expected<Regex, std::string> CachedRegex(PreparedCache& cache, std::string_view pattern) {
  std::string error;
  Regex regex = cache.Get<re2::RE2>("regex", pattern, [&]() -> Regex {
    auto compiled = CompileRegex(pattern);
    if (compiled) {
      return *std::move(compiled);
    }
    error = std::move(compiled).error();
    return nullptr;
  });
  if (!regex) {
    return std::unexpected(std::move(error));
  }
  return regex;
}

bool RegexMatches(PreparedCache& cache, std::string_view pattern, std::string_view text) {
  const auto regex = CachedRegex(cache, pattern);
  return regex && (*regex)->Match(Piece(text), 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

std::string QuoteRegex(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").contains(c)) {
      quoted.push_back('\\');
    }
    quoted.push_back(c);
  }
  return quoted;
}

std::span<const Builtin> RegexBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
