// Which mutators could match an object: found by its kind, and by the namespace that it lies in.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mutation/mutator.h"

namespace portcullis::mutation {

// THREADS: const methods may run in parallel.
class MutatorIndex {
 public:
  // REQUIRES: greater than every place before.
  void Add(std::uint32_t place, const Mutator& mutator);

  // The places of the mutators that could match an object of this kind, ascending. No namespace: the object lies in none, and
  // matches whatever `match.namespaces` says. COST: mutators that name other kinds, or only other namespaces (without a star),
  // are not looked at.
  void Find(std::string_view kind, std::optional<std::string_view> name_space,
            std::vector<std::uint32_t>* places) const;

  // Whether one that could match an object of this kind takes its value from a provider.
  [[nodiscard]] bool MayAskProviders(std::string_view kind) const;

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  template <class T>
  using ByText = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

  // Ascending places.
  struct Places {
    std::vector<std::uint32_t> all;
    std::vector<std::uint32_t> of_any_namespace;
    ByText<std::vector<std::uint32_t>> by_namespace;
    bool ask_providers = false;

    void Add(std::uint32_t place, const Mutator& mutator);
    void Append(std::optional<std::string_view> name_space, std::vector<std::uint32_t>* to) const;
  };

  Places of_any_kind_;
  ByText<Places> by_kind_;
};

}  // namespace portcullis::mutation
