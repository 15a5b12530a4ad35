// spec.match: which objects a constraint (or a mutator) concerns (gatekeeper.md section 2).

#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

// A target made ready to be compared with any number of matches. LIFETIME: that of the target's values.
class MatchSubject {
 public:
  explicit MatchSubject(const MatchTarget& target);

  // The namespace that a mutator's `namespaces` are compared with; none: they are not looked at.
  [[nodiscard]] std::optional<std::string_view> name_space() const;

 private:
  friend class Match;
  // One object as the criteria see it.
  struct Candidate {
    std::string_view field;  // "object" or "oldObject"
    document::Value object;
    std::string_view kind;
    std::string_view group;
    std::string_view own_namespace;  // metadata.namespace
    // What `namespaces` are compared with; not `lies_in_one`: the object is of the cluster.
    std::string_view namespace_name;
    bool lies_in_one = false;
    bool is_namespace = false;
  };
  std::array<Candidate, 2> candidates_;
  std::size_t count_ = 0;
  document::Value name_space_;
  std::string_view source_;
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

  // As Parse, for a mutator: a selector that Kubernetes would refuse is an error of each object that it is asked about.
  static Match ParseForMutator(const document::Value& spec_match);

  // As Matches, for a mutator: `subject` is one object, and the text of an error is that of the criteria alone.
  [[nodiscard]] Result<bool> MatchesObject(const MatchSubject& subject) const;

  // ERRORS: kInvalidArgument with Gatekeeper's text (2.8): the constraint then rejects by itself.
  [[nodiscard]] Result<bool> Matches(const MatchSubject& subject) const;
  [[nodiscard]] Result<bool> Matches(const MatchTarget& target) const {
    return Matches(MatchSubject(target));
  }

  // False when no object of this group and kind can match.
  [[nodiscard]] bool CouldMatchKind(std::string_view group, std::string_view kind) const;
  // The kinds that match.kinds names, sorted; empty: any kind may match.
  [[nodiscard]] std::vector<std::string> KindsNamed() const;
  // The namespaces that match.namespaces names, sorted; empty: it is absent, or has a glob.
  [[nodiscard]] std::vector<std::string> NamespacesNamed() const;
  // True if labels of the Namespace object decide.
  [[nodiscard]] bool ReadsNamespace() const;

 private:
  struct State;
  static State ParseCriteria(const document::Value& spec_match);
  std::unique_ptr<const State> state_;
};

}  // namespace portcullis::policy
