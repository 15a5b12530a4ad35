// Random policies that join what is reviewed with the inventory, and the objects that they are tried on.

#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tests/differential/random.h"

namespace portcullis::differential {

inline constexpr std::array<std::string_view, 3> kNames = {"a", "b", "c"};
inline constexpr std::array<std::string_view, 2> kSpaces = {"n1", "n2"};

[[nodiscard]] std::string Quoted(std::string_view text);

// Objects that share names, labels and values, and lack this or that.
class Shape {
 public:
  explicit Shape(Random& random) : random_(random) {}

  // JSON.
  [[nodiscard]] std::string Metadata(std::string_view name, std::string_view name_space);
  [[nodiscard]] std::string Spec();
  [[nodiscard]] std::string List();

 private:
  std::string Mostly(std::string value);
  std::string Map();
  std::vector<std::string> Pairs();

  Random& random_;
};

// A module of package t, v0, whose document `violation` is asked for. Its input is {object, objects, labels, wanted}.
[[nodiscard]] std::string JoinPolicy(Random& random);

}  // namespace portcullis::differential
