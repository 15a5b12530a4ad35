// Where a mutator changes an object (gatekeeper.md 6.2):
//   path    := [ field { "." field } ]
//   field   := name [ "[" name ":" ( name | integer | "*" ) "]" ]
//   name    := letters, digits, "_" and "-", no digit first, or any text in ' or ", where a backslash quotes
// White space between tokens counts for nothing.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace portcullis::mutation {

struct LocationStep {
  enum class Kind : std::uint8_t {
    kField,  // A member of an object.
    kList,   // Items of a list whose member `name` has the value `key`; with `glob`, all items.
  };
  Kind kind = Kind::kField;
  std::string name;
  bool glob = false;
  std::variant<std::string, std::int64_t> key;

  [[nodiscard]] bool is_list() const { return kind == Kind::kList; }
  // As Gatekeeper shows it: quoted where there are blanks, quotes, brackets, colons or points in it.
  [[nodiscard]] std::string ToString() const;
  friend bool operator==(const LocationStep&, const LocationStep&) = default;
};

// A list step always follows the field that holds the list, and no list step follows another.
struct Location {
  std::vector<LocationStep> steps;

  [[nodiscard]] std::string ToString() const;
  [[nodiscard]] bool IsPrefixOf(const Location& longer) const;
  friend bool operator==(const Location&, const Location&) = default;
};

// Objects are not nested deeper either.
inline constexpr std::size_t kMaxSteps = 1000;

// ERRORS: kInvalidArgument with Gatekeeper's text; the position is the place in `text`.
[[nodiscard]] Result<Location> ParseLocation(std::string_view text);

}  // namespace portcullis::mutation
