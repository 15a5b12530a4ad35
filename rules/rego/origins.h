// Where values in a body come from, seen from a scan of the inventory: from the scanned object, from what the scan does not change,
// or from both. What the planner needs to tell the two sides of a join apart.

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/definition.h"
#include "rules/rego/ast.h"
#include "rules/rego/variables.h"

namespace portcullis::rego {

// A path into the scanned object. What is no constant name may be any item: that covers more.
struct ObjectPath {
  std::vector<index::PathStep> steps;
  const Term* entry = nullptr;  // The operand at the kEntry step, if there is one.
};

struct Origin {
  enum class Kind : std::uint8_t {
    kConstant,
    kInvariant,  // The same for every object of the scan.
    kObject,     // Of the object alone.
    kMixed,
  };
  Kind kind = Kind::kConstant;
  std::optional<ObjectPath> path;  // Of kObject, where it is one.
  std::vector<const Expr*>
      given_by;  // Expressions after the scan that give it its value, in their order.
};

class Origins {
 public:
  // `bound`: variables that have a value before the scan. LIFETIME: it outlives this.
  explicit Origins(const VarSet& bound) : bound_(&bound) {}

  void Define(const std::string& variable, Origin origin) {
    known_.insert_or_assign(variable, std::move(origin));
  }
  [[nodiscard]] bool IsKnown(const std::string& variable) const;
  // Everything that has a value by now, for OutputVars.
  [[nodiscard]] VarSet Safe() const;

  // Of what the term is made; variables that have no value yet do not count. Operators of calls do not either.
  [[nodiscard]] Origin Of(const Term& term) const;
  // True if matching the term with a value gives some variable its value.
  [[nodiscard]] bool Binds(const Term& term) const;
  // `path` and the operands of a reference from `begin` on.
  [[nodiscard]] std::optional<ObjectPath> Extend(ObjectPath path, const Term& reference,
                                                 std::size_t begin) const;

 private:
  void Join(const std::string& variable, Origin* into) const;

  const VarSet* bound_;
  std::map<std::string, Origin, std::less<>> known_;
};

}  // namespace portcullis::rego
