// Terms under evaluation: parts of the policy with the variables that are bound in them, or values.
// Internal to rules/rego/trace.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "document/arena.h"
#include "document/value.h"
#include "rules/rego/ast.h"

namespace portcullis::rego::trace {

using document::Value;

struct ValueLess {
  bool operator()(const Value& a, const Value& b) const { return document::Compare(a, b) < 0; }
};
struct PathLess {
  bool operator()(const std::vector<Value>& a, const std::vector<Value>& b) const;
};

// Either a term of the policy, or a value.
struct Operand {
  const Term* term = nullptr;
  Value value;

  [[nodiscard]] bool is_value() const { return term == nullptr; }
  [[nodiscard]] bool is_var() const { return term != nullptr && term->kind == TermKind::kVar; }
  [[nodiscard]] bool is_ref() const { return term != nullptr && term->kind == TermKind::kRef; }
  [[nodiscard]] bool is_comprehension() const {
    return term != nullptr && term->kind >= TermKind::kArrayComprehension &&
           term->kind <= TermKind::kObjectComprehension;
  }
};

// The variables that are bound in one rule's evaluation, and the closures in it.
class Bindings {
 public:
  struct Bound {
    std::string_view name;
    Operand to;
    Bindings* in = nullptr;
    const Location* location = nullptr;  // Where the variable stands that was bound.
  };
  // What a variable leads to: through variables to the last that is not bound, or to what it is bound to.
  static Operand Apply(Operand operand, Bindings*& in);
  void Bind(const Term& variable, const Operand& to, Bindings* in);
  void Unbind(std::string_view name);
  [[nodiscard]] const std::vector<Bound>& all() const { return bound_; }

 private:
  [[nodiscard]] const Bound* Find(std::string_view name) const;
  std::vector<Bound> bound_;
};

// The policy's constants as values, made once. LIFETIME: of the arena.
class Constants {
 public:
  explicit Constants(document::Arena& arena) : arena_(arena) {}
  // The term, as a value if it is one. LIFETIME: it is remembered by its address, so it must stay.
  [[nodiscard]] Operand Of(const Term& term);
  // REQUIRES: a constant. Nothing is remembered.
  [[nodiscard]] Value ValueOf(const Term& term);
  [[nodiscard]] document::Arena& arena() { return arena_; }

 private:
  [[nodiscard]] Operand Make(const Term& term);

  document::Arena& arena_;
  std::unordered_map<const Term*, Operand> known_;
};

[[nodiscard]] Term MakeTerm(TermKind kind, std::string text);

// With all its variables replaced; undefined: one of them is not bound, or there is something to evaluate in it.
[[nodiscard]] Value Plug(Operand operand, Bindings* in, Constants& constants);

}  // namespace portcullis::rego::trace
