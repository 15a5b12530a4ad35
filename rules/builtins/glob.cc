// glob.match and glob.quote_meta. SOURCE: OPA's policy reference, "Glob"; rego.md 7.6.

#include "rules/builtins/glob.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <optional>

#include "rules/builtins/families.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/prepared_cache.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {

// Reads a pattern and builds its automaton piece by piece: each piece is entered at one state, and its open ends are
// led to where the next piece begins.
class GlobCompiler {
 public:
  GlobCompiler(std::string_view pattern, std::u32string_view delimiters) : pattern_(pattern) {
    for (const char32_t delimiter : delimiters) {
      delimiters_.emplace_back(delimiter, delimiter);
    }
  }

  std::expected<Glob, std::string> Compile() {
    Piece whole = ReadSequence(0);
    if (error_.empty() && at_ < pattern_.size()) {
      Fail("unexpected `}`");
    }
    if (!error_.empty()) {
      return std::unexpected(error_);
    }
    Connect(whole, Add({.kind = Glob::Kind::kMatch}));
    glob_.start_ = whole.begin;
    return std::move(glob_);
  }

 private:
  struct Piece {
    std::uint32_t begin = 0;
    std::vector<std::uint32_t> ends;  // States that still want a successor.
  };

  void Fail(std::string_view reason) {
    if (error_.empty()) {
      error_ = "glob: syntax error at " + std::to_string(at_) + ": " + std::string(reason);
    }
    at_ = pattern_.size();
  }

  std::uint32_t Add(Glob::State state) {
    glob_.states_.push_back(std::move(state));
    return static_cast<std::uint32_t>(glob_.states_.size() - 1);
  }
  void Connect(const Piece& piece, std::uint32_t to) {
    for (const std::uint32_t end : piece.ends) {
      glob_.states_[end].next.push_back(to);
    }
  }
  Piece Runes(std::vector<std::pair<char32_t, char32_t>> ranges, bool negated) {
    const std::uint32_t state =
        Add({.kind = Glob::Kind::kRunes, .negated = negated, .ranges = std::move(ranges)});
    return {state, {state}};
  }
  // Any number of runes other than `stops`.
  Piece Star(const std::vector<std::pair<char32_t, char32_t>>& stops) {
    const std::uint32_t split = Add({.kind = Glob::Kind::kSplit});
    const Piece rune = Runes(stops, true);
    Connect(rune, split);
    glob_.states_[split].next.push_back(rune.begin);
    return {split, {split}};
  }

  std::optional<char32_t> Next() {
    if (at_ >= pattern_.size()) {
      return std::nullopt;
    }
    const Rune rune = DecodeRune(pattern_.substr(at_));
    if (rune.value == kReplacementRune && rune.width == 1) {
      Fail("invalid UTF-8 sequence");
      return std::nullopt;
    }
    at_ += rune.width;
    return rune.value;
  }
  // A rune that may follow a backslash.
  std::optional<char32_t> NextEscaped(char32_t rune) {
    if (rune != U'\\') {
      return rune;
    }
    const auto escaped = Next();
    if (!escaped) {
      Fail("trailing backslash");
    }
    return escaped;
  }

  // Up to the end, or within braces (`depth` of them) up to "," or "}".
  Piece ReadSequence(int depth) {
    const std::uint32_t start = Add({.kind = Glob::Kind::kSplit});
    Piece sequence{start, {start}};
    while (at_ < pattern_.size()) {
      if (depth > 0 && (pattern_[at_] == ',' || pattern_[at_] == '}')) {
        break;
      }
      const auto piece = ReadPiece(depth);
      if (!piece) {
        return sequence;
      }
      Connect(sequence, piece->begin);
      sequence.ends = piece->ends;
    }
    return sequence;
  }

  std::optional<Piece> ReadPiece(int depth) {
    const auto rune = Next();
    if (!rune) {
      return std::nullopt;
    }
    switch (*rune) {
      case U'{':
        return ReadAlternatives(depth);
      case U'[':
        return ReadClass();
      case U'?':
        return Runes(delimiters_, true);
      case U'*':
        if (pattern_.substr(at_).starts_with('*')) {
          ++at_;
          return Star({});
        }
        return Star(delimiters_);
      default:
        break;
    }
    const auto literal = NextEscaped(*rune);
    if (!literal) {
      return std::nullopt;
    }
    return Runes({{*literal, *literal}}, false);
  }

  std::optional<Piece> ReadAlternatives(int depth) {
    constexpr int kMaxDepth = 200;
    if (depth >= kMaxDepth) {
      Fail("braces within each other too deeply");
      return std::nullopt;
    }
    const std::uint32_t split = Add({.kind = Glob::Kind::kSplit});
    Piece result{split, {}};
    while (true) {
      const Piece alternative = ReadSequence(depth + 1);
      glob_.states_[split].next.push_back(alternative.begin);
      result.ends.insert(result.ends.end(), alternative.ends.begin(), alternative.ends.end());
      if (at_ >= pattern_.size()) {
        Fail("unclosed `{`");
        return std::nullopt;
      }
      if (pattern_[at_++] == '}') {
        return result;
      }
    }
  }

  // After "[": a range, or a list of runes, up to "]".
  std::optional<Piece> ReadClass() {
    const bool negated = pattern_.substr(at_).starts_with('!');
    if (negated) {
      ++at_;
    }
    const std::size_t begin = at_;
    const auto low = Next();
    if (!low) {
      return Unclosed();
    }
    if (pattern_.substr(at_).starts_with('-')) {
      ++at_;
      const auto high = Next();
      if (!high) {
        return Unclosed();
      }
      if (!Close()) {
        return std::nullopt;
      }
      if (*high < *low) {
        Fail("range hi character is less than lo");
        return std::nullopt;
      }
      return Runes({{*low, *high}}, negated);
    }
    at_ = begin;
    std::vector<std::pair<char32_t, char32_t>> runes;
    while (at_ < pattern_.size() && pattern_[at_] != ']') {
      const auto rune = Next();
      if (rune == U'\\' && at_ == pattern_.size()) {
        return Unclosed();
      }
      const auto literal = rune ? NextEscaped(*rune) : std::nullopt;
      if (!literal) {
        return std::nullopt;
      }
      runes.emplace_back(*literal, *literal);
    }
    if (!Close()) {
      return std::nullopt;
    }
    if (runes.empty()) {
      Fail("could not parse range");
      return std::nullopt;
    }
    return Runes(std::move(runes), negated);
  }
  // Reads the "]"; false where there is none.
  bool Close() {
    const auto rune = Next();
    if (!rune) {
      Unclosed();
    } else if (*rune != U']') {
      Fail("expected close range character");
    }
    return rune == U']';
  }
  std::optional<Piece> Unclosed() {
    Fail("unexpected end of input");
    return std::nullopt;
  }

  const std::string_view pattern_;
  std::vector<std::pair<char32_t, char32_t>> delimiters_;
  std::size_t at_ = 0;
  std::string error_;
  Glob glob_;
};

std::expected<Glob, std::string> Glob::Compile(std::string_view pattern,
                                               std::u32string_view delimiters) {
  auto glob = GlobCompiler(pattern, delimiters).Compile();
  if (glob && glob->states_.size() <= kMostSmall) {
    glob->first_ = glob->Closure(glob->start_);
    for (const State& state : glob->states_) {
      glob->follow_.push_back(state.kind == Kind::kRunes ? glob->Closure(state.next.front()) : 0);
    }
  }
  return glob;
}

bool Glob::Takes(const State& state, char32_t rune) {
  const bool listed = std::ranges::any_of(state.ranges, [rune](const auto& range) {
    return range.first <= rune && rune <= range.second;
  });
  return listed != state.negated;
}

std::uint64_t Glob::Closure(std::uint32_t first) const {
  std::uint64_t states = 0;
  std::uint64_t seen = 0;
  std::vector<std::uint32_t> open = {first};
  while (!open.empty()) {
    const std::uint32_t number = open.back();
    open.pop_back();
    const std::uint64_t bit = std::uint64_t{1} << number;
    if ((seen & bit) != 0) {
      continue;
    }
    seen |= bit;
    const State& state = states_[number];
    if (state.kind == Kind::kMatch) {
      states |= kAccepts;
    } else if (state.kind == Kind::kRunes) {
      states |= bit;
    } else {
      open.insert(open.end(), state.next.begin(), state.next.end());
    }
  }
  return states;
}

bool Glob::MatchesSmall(CallContext& context, std::string_view text) const {
  std::uint64_t current = first_;
  for (std::size_t i = 0; i < text.size();) {
    if ((current & ~kAccepts) == 0 || context.ShouldHalt()) {
      return false;
    }
    const Rune rune = DecodeRune(text.substr(i));
    i += rune.width;
    std::uint64_t next = 0;
    for (std::uint64_t left = current & ~kAccepts; left != 0; left &= left - 1) {
      const auto number = static_cast<std::size_t>(std::countr_zero(left));
      if (Takes(states_[number], rune.value)) {
        next |= follow_[number];
      }
    }
    current = next;
  }
  return (current & kAccepts) != 0;
}

bool Glob::Matches(CallContext& context, std::string_view text) const {
  if (!follow_.empty()) {
    return MatchesSmall(context, text);
  }
  // The states that the text so far leads to; `seen` has the number of the step that last added a state.
  std::vector<std::uint32_t> current;
  std::vector<std::uint32_t> next;
  std::vector<std::size_t> seen(states_.size(), 0);
  std::vector<std::uint32_t> open;
  std::size_t step = 1;
  bool accepted = false;
  const auto enter = [&](std::uint32_t first, std::vector<std::uint32_t>& into) {
    open.push_back(first);
    while (!open.empty()) {
      const std::uint32_t number = open.back();
      open.pop_back();
      if (seen[number] == step) {
        continue;
      }
      seen[number] = step;
      const State& state = states_[number];
      if (state.kind == Kind::kMatch) {
        accepted = true;
      }
      if (state.kind == Kind::kRunes) {
        into.push_back(number);
      }
      if (state.kind == Kind::kSplit) {
        open.insert(open.end(), state.next.begin(), state.next.end());
      }
    }
  };
  enter(start_, current);
  for (std::size_t i = 0; i < text.size();) {
    if (context.ShouldHalt(1 + current.size() / 16) || current.empty()) {
      return false;
    }
    const Rune rune = DecodeRune(text.substr(i));
    i += rune.width;
    ++step;
    accepted = false;
    next.clear();
    for (const std::uint32_t number : current) {
      const State& state = states_[number];
      if (Takes(state, rune.value)) {
        enter(state.next.front(), next);
      }
    }
    current.swap(next);
  }
  return accepted;
}

namespace {

std::optional<std::u32string> DelimitersOperand(CallContext& context, Arguments arguments) {
  const Value& value = arguments[1];
  std::u32string delimiters;
  if (value.is_null()) {
    return delimiters;
  }
  if (!value.is_array()) {
    context.FailOperand(2, "one of {array, null}", value);
    return std::nullopt;
  }
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    const Value item = value.ItemAt(i);
    if (!item.is_string()) {
      FailElement(context, 2, value, "string", item);
      return std::nullopt;
    }
    const Rune rune = DecodeRune(item.string());
    if (rune.width == 0 || rune.width != item.string().size()) {
      FailElement(context, 2, value, "rune", item);
      return std::nullopt;
    }
    delimiters.push_back(rune.value);
  }
  if (delimiters.empty()) {
    delimiters = U".";
  }
  return delimiters;
}

Value Match(CallContext& context, Arguments arguments) {
  const auto pattern = StringOperand(context, arguments, 1);
  const auto delimiters = pattern ? DelimitersOperand(context, arguments) : std::nullopt;
  const auto text = delimiters ? StringOperand(context, arguments, 3) : std::nullopt;
  if (!text) {
    return {};
  }
  std::string key(*pattern);
  key.push_back('\0');
  for (const char32_t delimiter : *delimiters) {
    AppendRune(delimiter, &key);
  }
  std::string error;
  const auto glob = context.prepared.Get<Glob>("glob", key, [&]() -> std::shared_ptr<const Glob> {
    auto compiled = Glob::Compile(*pattern, *delimiters);
    if (compiled) {
      return std::make_shared<const Glob>(*std::move(compiled));
    }
    error = std::move(compiled).error();
    return nullptr;
  });
  if (!glob) {
    return context.Fail(std::move(error));
  }
  const bool matches = glob->Matches(context, *text);
  return context.failure == FailureKind::kHalt ? Value() : Value::Boolean(matches);
}

Value QuoteMeta(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  std::string quoted;
  for (const char c : *text) {
    if (std::string_view("*?\\[]{}").contains(c)) {
      quoted.push_back('\\');
    }
    quoted.push_back(c);
  }
  return MakeString(context, quoted);
}

constexpr Builtin kBuiltins[] = {
    {.name = "glob.match",
     .type = "(string, null | array[string], string) -> boolean",
     .function = Match},
    {.name = "glob.quote_meta", .type = "(string) -> string", .function = QuoteMeta},
};

}  // namespace

std::span<const Builtin> GlobBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
