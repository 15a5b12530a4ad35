// When the entries of an index say all that a rule wants of the objects under them, so that the objects are not read.

#pragma once

#include <string>

#include "rules/rego/access_path.h"
#include "rules/rego/ast.h"

namespace portcullis::rego {

// Where a reference to the objects stands.
struct EntryUse {
  const Term* reference = nullptr;
  std::size_t object_end = 0;  // Its items from here on lead into the object.
  std::string variable;        // What is given the object; "" if nothing is.
  const Rule* rule = nullptr;
  bool in_rule_body = false;  // At the top of the rule's body: of a rule, equal solutions are one.
  const Expr* expression = nullptr;
};

// True if nothing is taken from the object but what its entry in the index tells: that the path of the probe reaches the key, in the
// one equality that the look-up serves, and its name and namespace, which are in its key. The number of ways in which the path
// reaches the key is not seen.
[[nodiscard]] bool WantsOnlyTheEntry(const EntryUse& use, const Probe& probe);

}  // namespace portcullis::rego
