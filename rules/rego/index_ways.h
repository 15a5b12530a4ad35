// What both readers of rule bodies, rule_needs.h and trace/definition_needs.h, make of them as OPA's rule index does.

#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portcullis::rego {

// With more ways than this the index looks at what all of them need alone.
inline constexpr std::size_t kMostWays = 32;

// The ways through a body: what it always needs, with one of each choice.
template <class Need>
std::vector<std::vector<Need>> CombineWays(
    const std::vector<Need>& always,
    const std::vector<std::vector<std::vector<Need>>>& all_choices) {
  std::vector<std::vector<Need>> ways = {always};
  for (const std::vector<std::vector<Need>>& choices : all_choices) {
    if (ways.size() * choices.size() > kMostWays) {
      return {always};
    }
    std::vector<std::vector<Need>> combined;
    for (const std::vector<Need>& way : ways) {
      for (const std::vector<Need>& choice : choices) {
        combined.push_back(way);
        std::ranges::copy(choice, std::back_inserter(combined.back()));
      }
    }
    ways = std::move(combined);
  }
  return ways;
}

// The parts of a text between delimiters that no backslash stands before.
[[nodiscard]] std::vector<std::string> SplitEscaped(std::string_view text,
                                                    std::string_view delimiters);

}  // namespace portcullis::rego
