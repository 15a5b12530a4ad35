// Types of rules and expressions, and the errors that they show before anything runs.

#pragma once

#include <span>

#include "rules/rego/compilation.h"
#include "rules/rego/type_environment.h"

namespace portcullis::rego {

struct BuiltinNames {
  std::string_view builtin;
  std::string_view arguments;  // "x,y"
  std::string_view result;
};
// Sorted by builtin.
[[nodiscard]] std::span<const BuiltinNames> NamesOfBuiltins();

// The type of a builtin, with the names of its arguments.
[[nodiscard]] TypePtr TypeOfBuiltin(const builtins::Builtin& builtin);

// The number of arguments that a builtin takes.
[[nodiscard]] int ArityOf(const builtins::Builtin& builtin);

// The call has `given` arguments where `wanted` belong.
[[nodiscard]] Diagnostic ArityError(Compilation& compilation, const Expr& call, int wanted,
                                    int given);

// An error, and whether it may only be there because something else was not understood.
struct TypeFault {
  Diagnostic error;
  bool from_unknown = false;
};

[[nodiscard]] TypeFault MatchFault(const Location& location, const TypePtr& left,
                                   const TypePtr& right);
[[nodiscard]] TypeFault ArgumentFault(const Location& location, const std::string& function,
                                      std::string_view what, const std::vector<TypePtr>& have,
                                      const Type& want, bool with_result);

// Errors in references, for CheckBody.
class ReferenceChecker {
 public:
  ReferenceChecker(const Compilation& compilation, TypeEnvironment& environment)
      : compilation_(compilation), environment_(environment) {}
  // Of all references in the expression, less those in comprehensions.
  [[nodiscard]] std::vector<Diagnostic> Check(const Expr& expr);

 private:
  void CheckReference(const Term& ref);
  void CheckAgainst(const TypeEnvironment& environment, const TypeNode& node, const Term& ref,
                    std::size_t i);
  void CheckValue(const TypePtr& type, const Term& ref, std::size_t i);
  void CheckEmpty(const TypePtr& type, const Term& ref, std::size_t i);
  void FailUnsupported(const Term& ref, std::size_t i, const TypePtr& have);
  void FailInvalid(const Term& ref, std::size_t i, const TypePtr& have, const TypePtr& want,
                   const std::vector<const Term*>& choices);
  [[nodiscard]] TermPtr Shown(const Term& ref) const;

  const Compilation& compilation_;
  TypeEnvironment& environment_;
  std::vector<Diagnostic> errors_;
};

}  // namespace portcullis::rego
