// How FindAccessPath (rules/rego/access_path.h) works: one search for the conditions that serve one reference.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rules/rego/access_path.h"
#include "rules/rego/ast.h"
#include "rules/rego/compile.h"
#include "rules/rego/error_analysis.h"
#include "rules/rego/inline_call.h"
#include "rules/rego/origins.h"
#include "rules/rego/program_text.h"
#include "rules/rego/variables.h"

namespace portcullis::rego {

// Calls within calls that are looked into.
inline constexpr std::size_t kMostInlined = 6;

[[nodiscard]] inline bool IsZero(const Term& term) {
  return term.kind == TermKind::kNumber && term.text == "0";
}

// Follows what is taken from the object through the rest of the body.
class JoinFinder {
 public:
  JoinFinder(const InventorySite& site, const CompiledPolicy& policy, ErrorAnalysis& errors,
             std::deque<Body>* written)
      : site_(site),
        options_(site.options == nullptr ? PlanOptions() : *site.options),
        policy_(policy),
        errors_(errors),
        written_(written),
        origins_(site.bound),
        arity_([this](const Term& op) { return ArityOfOperator(op); }) {}

  AccessPath Find();

 private:
  using Choices = std::vector<std::vector<Probe>>;

  // The variables that stand for keys of the tree: known, but not of the object.
  void NoteKeys();

  // The expression of the reference itself: `object = data.inventory…`, or a comparison with a path into it. What else it
  // takes from the object cannot be followed.
  void NoteOwnExpression(const Expr& own);
  void NoteCondition(const Expr& expr);

  // What an expression after the scan binds and asks for.
  void Look(const Expr& expr, Choices* choices, std::size_t depth);

  // Gives the variables that the expression binds their origins.
  void Bind(const Expr& expr, const Origin& from);

  // `collection[key]`
  void LookAtTerm(const Expr& expr, const Term& term, Choices* choices);

  // `not` of a path into the object; of something that every item of a collection in it passes.
  void LookAtNegation(const Expr& expr, Choices* choices, std::size_t depth);
  void LookAtEvery(const Expr& expr, Choices* choices);

  struct EachItem {
    const Term* collection = nullptr;
    const Term* key = nullptr;  // May be null.
    const Term* value = nullptr;
    bool or_undefined = false;  // There may be no collection.
  };
  static std::vector<const Expr*> Pointers(const Body& body);
  static Body BodyOf(const Expr& expr);
  void NoteItem(const EachItem& each);

  // No solution of `value = collection[key]; not …`: each item of the collection passes. Names may be given before it; `guards`
  // give those that the object does not: without them nothing follows.
  void LookAtAbsence(const Location& location, const std::vector<const Expr*>& body,
                     std::vector<const Expr*> guards, std::size_t depth, Choices* choices);

  // A function that does not hold: none of its definitions does.
  void LookAtAbsentCall(const Location& location, const Expr& call,
                        const std::vector<const Expr*>& guards, std::size_t depth,
                        Choices* choices);

  // Each item of a collection in the object passes `tests`, which hold only for keys or items of a collection that is known: then
  // the least does.
  void AddContainedItems(const Location& location, const EachItem& each,
                         const std::vector<const Expr*>& tests,
                         const std::vector<const Expr*>& guards, Choices* choices);

  // The object alone decides whether the condition holds.
  void AddTest(const Expr& expr, const Origin& origin, Choices* choices);

  // A call that the object alone decides, of which somebody declared an index.
  bool AddDeclaredTest(const Expr& call, const Origin& arguments, Choices* choices);
  // A declared index of the program's kind.
  [[nodiscard]] bool MayServe(const index::Definition& declared) const;
  // Puts the declared index of the same program in the place of this one.
  void UseDeclared(index::Definition* made) const;
  [[nodiscard]] bool IsDeclared(const std::vector<Probe>& choice) const;

  void LookAtReference(const Expr& expr, const Term& term, Choices* choices);
  void LookAtEquality(const Expr& expr, const Term& left, const Term& right, Choices* choices);
  void DefineBy(const Expr& expr, const Term& variable, const Origin& from);
  void LookAtCall(const Expr& expr, Choices* choices, std::size_t depth);

  // `minus(a, b, d); count(d, n); n = 0`: a is contained in b.
  void NoteDifference(const Expr& expr, const std::string& name,
                      const std::vector<Origin>& arguments, const Term& output, Choices* choices);
  void NoteCountOfCollected(const Expr& count, const Term& output, Choices* choices);
  void AddNothingCollected(const Location& location, const Term& comprehension, Choices* choices);

  // `and(a, b, c); c = a`: a is contained in b.
  bool AddIntersection(const Expr& expr, const Term& left, const Term& right, Choices* choices);
  void AddNoDifference(const Expr& minus, Choices* choices);

  // The body of a function that is asked whether it holds.
  void LookInside(const Expr& call, Choices* choices, std::size_t depth);
  static Origin JoinOf(const Origin& a, const Origin& b);
  void AddEquality(const Expr& expr, const Term& left, const Origin& of_left, const Term& right,
                   const Origin& of_right, Choices* choices);

  // `object.get(map, entry, default, x); x = key`, where the entry is known and the key is not the default.
  bool AddGet(const Expr& expr, const Expr& get, const Term& key, const Origin& of_key,
              Choices* choices);
  // The result of a call equals what is known.
  void AddCallEquality(const Expr& call, const Origin& of_arguments, const Term& output,
                       Choices* choices);

  // What is taken from the object is among the keys or items of a collection.
  void AddMembership(const Expr& expr, const Term& taken, const Origin& origin,
                     const Term* collection, const Origin& of_collection, Probe::Keys keys,
                     Choices* choices);

  // A collection taken from the object holds what is known.
  void AddHolds(const Expr& expr, const Term& collection, const Origin& origin, const Term& key,
                const Origin& of_key, Choices* choices);

  // A set or object taken from the object is contained in one that is known: then its least member is a member of that too.
  void AddContainment(const Expr& expr, const Term& contained, const Origin& origin, const Term& in,
                      const Origin& of_in, ProgramSource::Keys keys, Choices* choices);
  [[nodiscard]] index::Definition DefinitionOf(const ObjectPath& path) const;
  bool MakeProgram(const Term& key, const Origin& origin, ProgramSource::Keys keys, Probe* probe,
                   bool or_undefined = false);

  // Expressions were noted as they came, variable by variable; those that were inlined stand in their own bodies.
  [[nodiscard]] std::vector<const Expr*> InOrder(std::vector<const Expr*> expressions) const;
  void AddGivenBy(const Term& term, Probe* probe) const;

  // A reference without its last operand, or its first `count` items.
  static std::unique_ptr<Term> Prefix(const Term& reference);
  static std::unique_ptr<Term> Prefix(const Term& reference, std::size_t count);
  const Term* Keep(const Term& term, const Expr& of);

  // A probe may be made if what gives its key can be evaluated before the scan without an error.
  void Add(Probe probe, Choices* choices);

  // The most promising first; those with constants (`spec.type == "LoadBalancer"`) only where there is nothing else. What was
  // declared comes before all.
  void Choose();
  [[nodiscard]] int ArityOfOperator(const Term& op) const;

  const InventorySite& site_;
  const PlanOptions options_;
  const CompiledPolicy& policy_;
  ErrorAnalysis& errors_;
  std::deque<Body>* written_;
  AccessPath result_;
  Origins origins_;
  const Arity arity_;
  std::map<std::string, std::size_t, std::less<>> keys_;
  std::map<std::string, const Expr*, std::less<>> differences_;  // d of minus(a, b, d).
  std::map<std::string, const Expr*, std::less<>> counts_;       // n of count(d, n): the minus.
  std::map<std::string, const Expr*, std::less<>> intersections_;
  std::map<std::string, const Expr*, std::less<>> gets_;              // x of object.get(…, x).
  std::map<std::string, const Term*, std::less<>> collected_;         // Comprehensions by name.
  std::map<std::string, const Term*, std::less<>> collected_counts_;  // n of count(c, n).
  std::map<const Expr*, std::size_t> order_;
  std::uint32_t next_name_ = 0;
  bool direct_ = false;  // What is looked at stands in the body itself.
  std::string refused_;  // Why the last expression that could have been indexed was not.
};

}  // namespace portcullis::rego
