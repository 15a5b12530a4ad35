// ExpansionTemplates: the objects that a controller would make of an object under review (the Pod of a Deployment), so that
// constraints see them before they exist (gatekeeper.md 6.7). Mutators of what is made are the caller's: this layer knows none.

#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/object.h"
#include "document/value.h"

namespace portcullis::policy {

// What one template made of an object.
struct Resultant {
  document::Value object;
  std::string template_name;
  std::string enforcement_action;  // In place of the constraint's; empty: the constraint's.
};

// What becomes of an object that was made, before anything is made of it in turn.
using ResultantChange = std::function<Result<document::Value>(const document::Value& resultant)>;

// THREADS: may be read in parallel.
class Expander {
 public:
  // Of templates of one name the last counts. ERRORS: kInvalidArgument with Gatekeeper's text: a field is missing, a
  // template applies to what it makes, several do so in a circle.
  static Result<Expander> Make(std::span<const document::Value> templates);

  // What is made of `object`, and of what is made of it: those first. LIFETIME: that of `object` and `arena`.
  // ERRORS: kInvalidArgument with gator's text: the template's source is not there.
  [[nodiscard]] Result<std::vector<Resultant>> Expand(const document::Value& object,
                                                      document::Arena& arena,
                                                      const ResultantChange& change = {}) const;

  // What it was made of: equal for equal templates.
  [[nodiscard]] const std::string& source() const { return source_; }

 private:
  struct Template {
    std::string name;
    std::string source;  // "spec.template"
    std::string enforcement_action;
    document::GroupVersionKind makes;
    std::vector<document::GroupVersionKind> applies_to;
  };
  static Result<Template> ParseTemplate(const document::Value& object);
  static Result<document::Value> MakeResultant(const document::Value& parent, const Template& of,
                                               document::Arena& arena);
  [[nodiscard]] bool Leads(const document::GroupVersionKind& from, const Template& to) const;
  Result<void> ExpandInto(const document::Value& object, int depth,
                          std::vector<Resultant>* resultants, document::Arena& arena,
                          const ResultantChange& change) const;

  std::vector<Template> templates_;  // By name.
  std::string source_;
};

// "[Implied by <template>] <message>"
[[nodiscard]] std::string ImpliedMessage(const Resultant& resultant, std::string_view message);

// "apps/v1, Kind=Deployment", as Go prints it.
[[nodiscard]] std::string GoTypeText(const document::GroupVersionKind& type);

}  // namespace portcullis::policy
