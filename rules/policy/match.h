// spec.match: which objects a constraint (or a mutator) concerns (gatekeeper.md section 2).

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "document/value.h"

namespace portcullis::policy {

// What is matched. Undefined values are absent.
struct MatchTarget {
  document::Value object;
  document::Value old_object;
  // The Namespace object of a namespaced object, where it is known.
  document::Value name_space;
  // "Original", "Generated" or "" (unknown).
  std::string_view source;
};

// THREADS: may be read in parallel.
class Match {
 public:
  Match();
  ~Match();
  Match(Match&&) noexcept;
  Match& operator=(Match&&) noexcept;

  // `spec_match` is the constraint's spec.match, or undefined: matches everything.
  // ERRORS: kInvalidArgument: a selector that Kubernetes would refuse.
  static Result<Match> Parse(const document::Value& spec_match);

  // ERRORS: kInvalidArgument with Gatekeeper's text (2.8): the constraint then rejects by itself.
  [[nodiscard]] Result<bool> Matches(const MatchTarget& target) const;

  // False when no object of this group and kind can match.
  [[nodiscard]] bool CouldMatchKind(std::string_view group, std::string_view kind) const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace portcullis::policy
