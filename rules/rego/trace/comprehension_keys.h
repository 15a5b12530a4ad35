// Which comprehensions OPA evaluates once for all that the variables around them can be, and by which variables it tells their
// solutions apart. Internal to rules/rego/trace.
// SOURCE: OPA's v1/ast/compile.go, buildComprehensionIndices.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "rules/rego/compile.h"
#include "rules/rego/variables.h"

namespace portcullis::rego::trace {

class ComprehensionKeys {
 public:
  ComprehensionKeys(const CompiledPolicy& policy, const Body& query);
  // Null: it is evaluated where it stands.
  [[nodiscard]] const std::vector<std::string>* Of(const Term& comprehension) const {
    const auto found = keys_.find(&comprehension);
    return found == keys_.end() ? nullptr : &found->second;
  }

 private:
  void Read(const Body& body, VarSet candidates, const Arity& arity);
  void ReadExpr(const Expr& expr, const VarSet& candidates, const Arity& arity);
  std::map<const Term*, std::vector<std::string>> keys_;
};

}  // namespace portcullis::rego::trace
