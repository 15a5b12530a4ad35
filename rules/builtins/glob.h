// Globs: * ** ? [abc] [!a-z] {a,b} and \ before any of them.

#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

// A glob as a nondeterministic automaton. Immutable.
class Glob {
 public:
  // "*" and "?" stop at a delimiter, "**" and classes do not. ERRORS: what is wrong with the pattern and where.
  static std::expected<Glob, std::string> Compile(std::string_view pattern,
                                                  std::u32string_view delimiters);

  // COST: the length of the text times the length of the pattern. False where `context` halts.
  [[nodiscard]] bool Matches(CallContext& context, std::string_view text) const;

 private:
  friend class GlobCompiler;
  enum class Kind : std::uint8_t { kRunes, kSplit, kMatch };
  struct State {
    Kind kind = Kind::kMatch;
    bool negated = false;                                    // Of kRunes: all but the ranges.
    std::vector<std::pair<char32_t, char32_t>> ranges = {};  // Both ends included.
    std::vector<std::uint32_t> next = {};                    // One of kRunes, any number of kSplit.
  };
  // Small automata, as most are, run on sets of states that are bits of a word. The highest bit: the text matches.
  static constexpr std::size_t kMostSmall = 63;
  static constexpr std::uint64_t kAccepts = std::uint64_t{1} << 63;

  static bool Takes(const State& state, char32_t rune);
  // The states that are entered with `first`, and kAccepts.
  [[nodiscard]] std::uint64_t Closure(std::uint32_t first) const;
  [[nodiscard]] bool MatchesSmall(CallContext& context, std::string_view text) const;

  std::vector<State> states_;
  std::uint32_t start_ = 0;
  std::uint64_t first_ = 0;  // Closure(start_) of a small automaton.
  std::vector<std::uint64_t>
      follow_;  // By state: the closure of what follows it. Empty: not small.
};

}  // namespace portcullis::builtins
