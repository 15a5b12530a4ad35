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
  std::vector<State> states_;
  std::uint32_t start_ = 0;
};

}  // namespace portcullis::builtins
