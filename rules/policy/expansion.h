// ExpansionTemplates: the objects that a controller would make of an object under review (the Pod of a Deployment), so that
// constraints see them before they exist (gatekeeper.md 6.7). Mutators of what is made are the caller's: this layer knows none.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/object.h"
#include "document/value.h"

namespace portcullis::policy {

struct Verdict;

struct ExpansionTemplate {
  std::string name;
  std::string source;              // "spec.template"
  std::string enforcement_action;  // In place of the constraint's; empty: the constraint's.
  document::GroupVersionKind makes;
  std::vector<document::GroupVersionKind> applies_to;
  std::string text;  // What it was made of: equal for equal templates.

  // ERRORS: kInvalidArgument with Gatekeeper's text: a field is missing, it applies to what it makes.
  static Result<ExpansionTemplate> Parse(const document::Value& object);
  [[nodiscard]] bool AppliesTo(const document::GroupVersionKind& type) const;
};

// What one template made of an object.
struct Resultant {
  document::Value object;
  std::string template_name;
  std::string enforcement_action;  // As the template's.
};

// What becomes of an object that was made, before anything is made of it in turn.
using ResultantChange = std::function<Result<document::Value>(const document::Value& resultant)>;

// Immutable. THREADS: may be read in parallel.
class Expander {
 public:
  // No template.
  Expander() = default;
  // REQUIRES: no two of a name, none of them in a circle.
  explicit Expander(std::vector<ExpansionTemplate> templates);
  // As gator takes them: of templates of one name the last counts. ERRORS: kInvalidArgument with gator's text: a template that
  // is refused, several that form a circle.
  static Result<Expander> Make(std::span<const document::Value> templates);

  // Whether anything is made of objects of this type.
  [[nodiscard]] bool AppliesTo(const document::GroupVersionKind& type) const;

  // What is made of `object`, and of what is made of it: those first. LIFETIME: that of `object` and `arena`.
  // ERRORS: kInvalidArgument with Gatekeeper's text: the template's source is not there.
  [[nodiscard]] Result<std::vector<Resultant>> Expand(const document::Value& object,
                                                      document::Arena& arena,
                                                      const ResultantChange& change = {}) const;

  // What it was made of: equal for equal templates.
  [[nodiscard]] const std::string& source() const { return source_; }

 private:
  Result<void> ExpandInto(const document::Value& object, int depth,
                          std::vector<Resultant>* resultants, document::Arena& arena,
                          const ResultantChange& change) const;

  std::vector<ExpansionTemplate> templates_;  // By name.
  std::string source_;
};

// What the status of an ExpansionTemplate says.
struct ExpansionStatus {
  std::string name;
  std::string uid;
  std::int64_t generation = 0;
  std::string error;  // Empty: it is in force.
  friend bool operator==(const ExpansionStatus&, const ExpansionStatus&) = default;
};

// Takes ExpansionTemplates as they come and go, in any order. All that form a circle are out of force. THREADS: any.
class ExpansionStore {
 public:
  // ERRORS: kInvalidArgument with Gatekeeper's text; one of that name that was good before stays.
  Result<void> Put(const document::Value& object);
  void Remove(const std::string& name);

  // Those in force; null: there are none. The same pointer until one changes.
  [[nodiscard]] std::shared_ptr<const Expander> current() const;
  // Of every template that was put, by name.
  [[nodiscard]] std::vector<ExpansionStatus> Statuses() const;

 private:
  struct Entry {
    std::string uid;
    std::int64_t generation = 0;
    std::string refusal;
    bool good = false;  // `parsed` is there: the last that was good.
    bool in_a_circle = false;
    ExpansionTemplate parsed;
  };
  void Update();  // REQUIRES: mutex_ held.

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::map<std::string, Entry> entries_;
  std::shared_ptr<const Expander> current_;
};

// "[Implied by <template>] <message>"
[[nodiscard]] std::string ImpliedMessage(const Resultant& resultant, std::string_view message);

// What takes the place of `own`, the actions of a constraint, on an object that a template of this action made.
[[nodiscard]] std::vector<std::string> ImpliedActions(std::string_view template_action,
                                                      std::string_view constraint_action,
                                                      std::vector<std::string> own);

// Adds what was said of an object that was made to what was said of the one that it was made of: the messages tell the
// template, whose enforcement action takes the place of the constraints'. LIFETIME: `arena` has the messages.
void AddImplied(const Resultant& resultant, Verdict implied, document::Arena& arena, Verdict* to);

// "apps/v1, Kind=Deployment", as Go prints it.
[[nodiscard]] std::string GoTypeText(const document::GroupVersionKind& type);

}  // namespace portcullis::policy
