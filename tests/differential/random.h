// A seeded source of choices: the same seed makes the same choices.

#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace portcullis::differential {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // REQUIRES: below > 0.
  unsigned Below(std::size_t below) { return static_cast<unsigned>(engine_() % below); }
  bool Chance(unsigned percent) { return Below(100) < percent; }
  // REQUIRES: the list is not empty.
  template <class List>
  const auto& Pick(const List& list) {
    return *(std::begin(list) + Below(std::size(list)));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace portcullis::differential
