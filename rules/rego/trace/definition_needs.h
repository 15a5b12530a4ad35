// What a body needs of the input, of base documents and of the arguments, as OPA's rule index reads it: enough to leave out
// definitions that cannot hold. Internal to rules/rego/trace.
// SOURCE: OPA's v1/ast/index.go, refindices.

#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/rego/trace/definitions.h"

namespace portcullis::rego::trace {

enum class Affix : std::uint8_t { kNone, kPrefix, kSuffix };

// One thing that must hold of what is at a reference.
struct Need {
  enum class Kind : std::uint8_t {
    kDefined,    // It is there; `variable` stands for it, if not empty.
    kScalar,     // It equals `value`, or starts or ends with it.
    kMember,     // It is a collection that holds `value`.
    kArray,      // An array with constants and variables.
    kPattern,    // A string whose parts between `delimiters` are these, or any where empty.
    kComposite,  // An object or set that cannot be looked up: as kDefined.
  };
  std::size_t ref = 0;
  Kind kind = Kind::kDefined;
  Affix affix = Affix::kNone;
  Value value;
  std::string variable;
  const Term* array = nullptr;
  std::vector<std::optional<std::string>> parts;
  std::string delimiters;

  [[nodiscard]] bool is_var() const { return kind == Kind::kDefined; }
  [[nodiscard]] bool SameValue(const Need& other) const {
    if (kind != other.kind) {
      return false;
    }
    switch (kind) {
      case Kind::kDefined:
        return variable == other.variable;
      case Kind::kScalar:
      case Kind::kMember:
      case Kind::kComposite:
        return document::Equal(value, other.value);
      case Kind::kArray:
        return Compare(*array, *other.array) == 0;
      case Kind::kPattern:
        return parts == other.parts;
    }
    return false;
  }
};
using Path = std::vector<Need>;

// What a reference's place among the levels hangs on.
struct Level {
  int count = 0;
  int alternated =
      0;  // 1: some definition has several values for it. 2: and nothing after it can be told apart.
  bool valued = false;
  Location location;
};

struct Membership {
  IndexedRef key;
  IndexedRef collection;
};

// What one definition needs.
struct Needs {
  Path always;
  std::vector<std::vector<Path>> choices;  // Of each, one of the paths.
  std::vector<Membership> memberships;
};

// What the bodies of one place's definitions ask about.
struct Questions {
  Release release;
  std::vector<IndexedRef> refs;
  std::vector<Level> levels;  // By number of the reference.
  std::deque<Term> terms;     // Arrays that are compared with.

  std::size_t NumberOf(const IndexedRef& ref, const Location& location) {
    const auto found = std::ranges::find(refs, ref);
    if (found != refs.end()) {
      return static_cast<std::size_t>(found - refs.begin());
    }
    refs.push_back(ref);
    levels.emplace_back();
    if (ref.root != IndexedRef::Root::kArgument) {
      levels.back().location = location;
    }
    return refs.size() - 1;
  }
};

[[nodiscard]] bool Matches(const Need& need, const Value& value, Release release);

// Reads a rule's body. What it asks about is added to `questions`.
[[nodiscard]] Needs NeedsOf(const Rule& rule, Questions& questions, const Definitions& definitions,
                            Constants& constants);
// The ways to a definition: what always holds, with one of each choice.
[[nodiscard]] std::vector<Path> PathsOf(const Needs& needs);

}  // namespace portcullis::rego::trace
