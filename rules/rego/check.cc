#include "rules/rego/check.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <set>

#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

std::vector<std::string> SplitNames(std::string_view names) {
  std::vector<std::string> parts;
  while (!names.empty()) {
    std::size_t comma = std::min(names.find(','), names.size());
    parts.emplace_back(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return parts;
}

std::vector<TypePtr> OperandTypes(TypeEnvironment& environment, const Expr& expr) {
  std::vector<TypePtr> types;
  for (std::size_t i = 1; i < expr.terms.size(); ++i) {
    types.push_back(environment.Get(*expr.terms[i]));
  }
  return types;
}

// Closures inside closures of one rule that are checked once more: of a hostile one that would take exponential time.
constexpr std::size_t kMostClosuresInside = 1000;

// Types of bodies and rules. One for a compilation: comprehensions are typed once each, in the environment they stand in.
class TypeChecker {
 public:
  explicit TypeChecker(Compilation& compilation) : compilation_(compilation) {}

  std::vector<Diagnostic> errors;

  // The environment of a body, over another; errors are added.
  std::unique_ptr<TypeEnvironment> CheckBody(const TypeEnvironment& outer, const Body& body,
                                             std::vector<Diagnostic>& found) {
    auto environment = std::make_unique<TypeEnvironment>(TypeEnvironment::Over(outer));
    environment->closure = Closures();
    for (const ExprPtr& expr : body) {
      CheckInBody(*environment, *expr, found);
    }
    return environment;
  }

  // Of a call that has not the arguments it wants.
  std::vector<TypePtr> TypesOfArguments(TypeEnvironment& environment, const Expr& call) {
    environment.closure = Closures();
    return OperandTypes(environment, call);
  }

  void CheckRule(TypeEnvironment& environment, Rule& rule) {
    closures_inside_ = 0;
    std::vector<Diagnostic> found;
    std::unique_ptr<TypeEnvironment> inner = CheckBody(environment, rule.body, found);
    TermPtr path = FullReference(rule);
    if (!found.empty()) {
      for (Diagnostic& error : found) {
        errors.push_back(std::move(error));
      }
      // What refers to it shall not fail too.
      environment.tree->Put(*path, AnyType());
      return;
    }
    TypePtr type = rule.IsFunction() ? FunctionTypeOf(rule, *inner) : DocumentTypeOf(rule, *inner);
    if (!type) {
      return;
    }
    std::size_t ground = GroundPrefixSize(*path);
    for (std::size_t i = path->items.size(); i-- > ground;) {
      TypePtr key = inner->Get(*path->items[i]);
      if (!key) {
        return;
      }
      type = ObjectType({}, std::move(key), std::move(type));
    }
    path->items.resize(ground);
    environment.tree->Insert(*path, std::move(type));
  }

 private:
  std::function<TypePtr(TypeEnvironment&, const Term&)> Closures() {
    return [this](TypeEnvironment& environment, const Term& term) {
      return TypeOfClosure(environment, term).type;
    };
  }

  struct Closure {
    TypePtr type;
    std::vector<Diagnostic> errors;
  };

  // Once for each place: nested closures would take exponential time otherwise.
  const Closure& TypeOfClosure(TypeEnvironment& environment, const Term& term) {
    auto [entry, added] = closures_.try_emplace({environment.tree.get(), &term});
    if (!added) {
      return entry->second;
    }
    Closure closure;
    std::unique_ptr<TypeEnvironment> inner = CheckBody(environment, term.body, closure.errors);
    if (closure.errors.empty()) {
      TypePtr first = inner->Get(*term.items[0]);
      if (term.kind == TermKind::kArrayComprehension) {
        closure.type = ArrayType({}, std::move(first));
      } else if (term.kind == TermKind::kSetComprehension) {
        closure.type = SetType(std::move(first));
      } else {
        closure.type = ObjectType({}, std::move(first), inner->Get(*term.items[1]));
      }
    }
    Forget(inner->tree.get());
    return closures_[{environment.tree.get(), &term}] = std::move(closure);
  }

  // Before an environment goes, and its address may be another's.
  void Forget(const TypeNode* tree) {
    closures_.erase(closures_.lower_bound({tree, nullptr}),
                    closures_.upper_bound({tree + 1, nullptr}));
  }

  std::vector<Diagnostic> CheckClosures(TypeEnvironment& environment, const Expr& expr) {
    std::vector<Diagnostic> found;
    ConstVisitor visitor;
    visitor.term = [&](const Term& term) {
      if (!IsComprehension(term)) {
        return true;
      }
      const Closure& closure = TypeOfClosure(environment, term);
      if (!closure.errors.empty()) {
        found = closure.errors;
        return false;
      }
      // OPA goes on to the closures inside, and knows of them only what is known out here.
      return closures_inside_ < kMostClosuresInside && ++closures_inside_ > 0;
    };
    Walk(expr, visitor);
    return found;
  }

  void CheckInBody(TypeEnvironment& environment, const Expr& expr, std::vector<Diagnostic>& found) {
    if (expr.with.empty()) {
      return CheckOne(environment, expr, found);
    }
    TypeEnvironment relaxed = TypeEnvironment::Over(environment);
    relaxed.variables = environment.variables;
    if (Relax(environment, expr, relaxed)) {
      CheckOne(relaxed, expr, found);
      Forget(relaxed.tree.get());
    } else {
      CheckOne(environment, expr, found);
    }
  }

  void CheckOne(TypeEnvironment& environment, const Expr& expr, std::vector<Diagnostic>& found) {
    std::vector<Diagnostic> closures = CheckClosures(environment, expr);
    std::vector<Diagnostic> references = ReferenceChecker(compilation_, environment).Check(expr);
    bool explained = !closures.empty() || !references.empty();
    std::ranges::move(closures, std::back_inserter(found));
    std::ranges::move(references, std::back_inserter(found));
    std::optional<TypeFault> fault = CheckExpr(environment, expr);
    if (fault && !(explained && fault->from_unknown)) {
      found.push_back(std::move(fault->error));
    }
  }

  std::optional<TypeFault> CheckExpr(TypeEnvironment& environment, const Expr& expr) {
    for (const With& with : expr.with) {
      TypePtr target = environment.Get(*with.target);
      TypePtr value = environment.Get(*with.value);
      bool functions = target && value && target->kind == TypeKind::kFunction &&
                       value->kind == TypeKind::kFunction;
      if (!functions || Unifies(target, value)) {
        continue;
      }
      return ArgumentFault(with.location, ToString(*with.target), "arity mismatch", value->items,
                           *target, false);
    }
    if (expr.kind != ExprKind::kCall) {
      return std::nullopt;
    }
    if (IsEquality(expr)) {
      return CheckEquality(environment, expr);
    }
    std::string name = ToString(*expr.terms[0]);
    if (const builtins::Builtin* builtin = compilation_.catalog.Find(name)) {
      compilation_.calls_deprecated = compilation_.calls_deprecated || builtin->deprecated;
    }
    if (name == "internal.member_2" || name == "internal.member_3") {
      std::optional<TypeFault> fault = CheckMember(environment, expr, name.ends_with('3') ? 3 : 2);
      if (fault) {
        return fault;
      }
    }
    return CheckCall(environment, expr, name);
  }

  static std::optional<TypeFault> CheckEquality(TypeEnvironment& environment, const Expr& expr) {
    std::vector<TypePtr> types = OperandTypes(environment, expr);
    if (types.size() != 2) {
      TypePtr want = FunctionType({AnyType(), AnyType()}, nullptr);
      return ArgumentFault(expr.location, "eq",
                           types.size() < 2 ? "too few arguments" : "too many arguments", types,
                           *want, false);
    }
    if (UnifyTerms(environment, *expr.terms[1], types[0], *expr.terms[2], types[1])) {
      return std::nullopt;
    }
    return MatchFault(expr.location, types[0], types[1]);
  }

  static std::optional<TypeFault> CheckMember(TypeEnvironment& environment, const Expr& expr,
                                              std::size_t arity) {
    if (expr.terms.size() <= arity) {
      return std::nullopt;
    }
    TypePtr collection = environment.Get(*expr.terms[arity]);
    TypePtr values = Values(collection);
    if (!values) {
      return std::nullopt;
    }
    if (arity == 3) {
      auto fault = CheckMemberOperand(environment, expr, *expr.terms[1], Keys(collection));
      if (fault) {
        return fault;
      }
    }
    return CheckMemberOperand(environment, expr, *expr.terms[arity - 1], values);
  }

  static std::optional<TypeFault> CheckMemberOperand(TypeEnvironment& environment, const Expr& expr,
                                                     const Term& term, const TypePtr& type) {
    if (IsUnknown(type)) {
      return std::nullopt;
    }
    TypePtr have = environment.Get(term);
    bool fits = IsUnknown(have) || Unifies(have, type);
    if (fits && UnifyTerm(environment, term, type, false)) {
      return std::nullopt;
    }
    return MatchFault(expr.location, have, type);
  }

  static std::optional<TypeFault> CheckCall(TypeEnvironment& environment, const Expr& expr,
                                            const std::string& name) {
    TypePtr type = environment.GetReference(*expr.terms[0]);
    if (IsAnything(type)) {
      return std::nullopt;
    }
    if (!type || type->kind != TypeKind::kFunction) {
      return TypeFault{TypeError(expr.location, "undefined function " + name)};
    }
    std::vector<TypePtr> wanted = type->items;
    if (type->result) {
      wanted.push_back(type->result);
    }
    std::vector<TypePtr> have = OperandTypes(environment, expr);
    if (have.size() > wanted.size() && !type->dynamic) {
      return ArgumentFault(expr.location, name, "too many arguments", have, *type, true);
    }
    if (have.size() < type->items.size()) {
      return ArgumentFault(expr.location, name, "too few arguments", have, *type, true);
    }
    for (std::size_t i = 0; i < have.size(); ++i) {
      const TypePtr& want = i < wanted.size() ? wanted[i] : type->dynamic;
      if (!IsUnknown(have[i]) && !Unifies(have[i], want)) {
        return ArgumentFault(expr.location, name, "invalid argument(s)", have, *type, true);
      }
      if (!UnifyTerm(environment, *expr.terms[i + 1], want, false)) {
        return ArgumentFault(expr.location, name, "invalid argument(s)",
                             OperandTypes(environment, expr), *type, true);
      }
    }
    return std::nullopt;
  }

  // What `with` replaces may have other types, and so may what depends on it. False: it replaces functions alone, on
  // which nothing depends.
  bool Relax(TypeEnvironment& environment, const Expr& expr, TypeEnvironment& relaxed) {
    bool changed = false;
    std::vector<std::pair<TermPtr, TypePtr>> targets;
    for (const With& with : expr.with) {
      if (with.target->kind != TermKind::kRef) {
        continue;
      }
      TypePtr target = environment.GetReference(*with.target);
      bool function = target && target->kind == TypeKind::kFunction;
      changed = RelaxDependents(*with.target, function, *relaxed.tree) || changed;
      if (function) {
        continue;
      }
      TypePtr type = AnyType();
      if (target && IsGround(*with.target)) {
        TypePtr value = environment.Get(*with.value);
        TypePtr either = value ? Or(target, value) : nullptr;
        if (either) {
          type = either;
        }
      }
      TermPtr prefix = Clone(*with.target);
      prefix->items.resize(GroundPrefixSize(*prefix));
      targets.emplace_back(std::move(prefix), std::move(type));
    }
    // After the dependents: the replaced document keeps the replacement's type.
    for (auto& [target, type] : targets) {
      relaxed.tree->Put(*target, std::move(type));
    }
    return changed || !targets.empty();
  }

  bool RelaxDependents(const Term& target, bool function, TypeNode& tree) const {
    if (!compilation_.graph) {
      return false;
    }
    bool changed = false;
    std::set<const Rule*> seen;
    std::vector<const Rule*> queue;
    for (const Rule* rule : RulesOf(*compilation_.tree, target)) {
      queue.push_back(rule);
    }
    while (!queue.empty()) {
      const Rule* rule = queue.back();
      queue.pop_back();
      if (!seen.insert(rule).second) {
        continue;
      }
      TermPtr path = FullReference(*rule);
      path->items.resize(GroundPrefixSize(*path));
      if (!function || Compare(*path, target) != 0) {
        tree.Put(*path, AnyType());
        changed = true;
      }
      auto dependents = compilation_.graph->dependents.find(rule);
      if (dependents == compilation_.graph->dependents.end()) {
        continue;
      }
      queue.insert(queue.end(), dependents->second.begin(), dependents->second.end());
    }
    return changed;
  }

  static TypePtr FunctionTypeOf(const Rule& rule, TypeEnvironment& environment) {
    std::vector<TypePtr> arguments;
    for (const TermPtr& argument : rule.arguments) {
      for (const std::string& name : VarsOf(*argument)) {
        TermPtr variable = NewVar(name, argument->location);
        if (!environment.GetVariable(*variable)) {
          environment.PutVariable(*variable, AnyType());
        }
      }
    }
    for (const TermPtr& argument : rule.arguments) {
      arguments.push_back(environment.Get(*argument));
    }
    return FunctionType(std::move(arguments), environment.Get(*rule.value));
  }

  static TypePtr DocumentTypeOf(const Rule& rule, TypeEnvironment& environment) {
    if (rule.value) {
      return environment.Get(*rule.value);
    }
    TypePtr member = environment.Get(*rule.key);
    return member ? SetType(std::move(member)) : nullptr;
  }

  Compilation& compilation_;
  std::map<std::pair<const TypeNode*, const Term*>, Closure> closures_;
  std::size_t closures_inside_ = 0;  // Of this rule, that were gone into.
};

}  // namespace

TypePtr TypeOfBuiltin(const builtins::Builtin& builtin) {
  Type type = *ParseFunctionType(builtin.type);
  std::span<const BuiltinNames> names = NamesOfBuiltins();
  auto found = std::ranges::lower_bound(names, builtin.name, {}, &BuiltinNames::builtin);
  if (found != names.end() && found->builtin == builtin.name) {
    type.names = SplitNames(found->arguments);
    type.result_name = found->result;
  }
  return Bounded(std::move(type));
}

int ArityOf(const builtins::Builtin& builtin) {
  return static_cast<int>(ParseFunctionType(builtin.type)->items.size());
}

namespace {

// The types of the builtins that are named under a node: of most policies a few of all there are.
ConstVisitor BuiltinFinder(const Compilation& compilation, TypeNode& tree) {
  ConstVisitor visitor;
  visitor.term = [&](const Term& term) {
    if (term.kind != TermKind::kRef && !term.IsVar()) {
      return true;
    }
    // OPA takes a variable with the name of a builtin for it too.
    const builtins::Builtin* builtin = compilation.FindBuiltin(term);
    if (builtin == nullptr) {
      return true;
    }
    if (term.IsVar()) {
      tree.Make(term).type = TypeOfBuiltin(*builtin);
    } else if (tree.Find(term) == nullptr) {
      tree.Put(term, TypeOfBuiltin(*builtin));
    }
    return true;
  };
  return visitor;
}

}  // namespace

Diagnostic ArityError(Compilation& compilation, const Expr& call, int wanted, int given) {
  TermPtr shown = compilation.WithWrittenNames(*call.terms[0]);
  if (const builtins::Builtin* builtin = compilation.FindBuiltin(*shown)) {
    TypeEnvironment environment =
        compilation.types ? TypeEnvironment::Over(*compilation.types) : TypeEnvironment();
    Walk(call, BuiltinFinder(compilation, *environment.tree));
    std::vector<TypePtr> have = TypeChecker(compilation).TypesOfArguments(environment, call);
    return ArgumentFault(call.location, ToString(*shown), "arity mismatch", have,
                         *TypeOfBuiltin(*builtin), false)
        .error;
  }
  return TypeError(call.location, "function " + ToString(*shown) + " has arity " +
                                      std::to_string(wanted) + ", got " + std::to_string(given) +
                                      (given == 1 ? " argument" : " arguments"));
}

void CheckTypes(Compilation& compilation) {
  auto builtins = std::make_shared<TypeEnvironment>();
  for (Rule* rule : compilation.graph->rules) {
    Walk(std::as_const(rule->body), BuiltinFinder(compilation, *builtins->tree));
  }
  auto rules = std::make_shared<TypeEnvironment>(TypeEnvironment::Over(*builtins));
  compilation.builtin_types = builtins;
  TypeChecker checker(compilation);
  for (Rule* rule : compilation.graph->rules) {
    checker.CheckRule(*rules, *rule);
  }
  compilation.errors.Add(std::move(checker.errors), ErrorList::Kind::kRecoverable);
  rules->closure = nullptr;
  compilation.types = std::move(rules);
}

void CheckTypes(Compilation& compilation, Body& query) {
  TypeEnvironment environment = TypeEnvironment::Over(*compilation.types);
  Walk(std::as_const(query), BuiltinFinder(compilation, *environment.tree));
  TypeChecker checker(compilation);
  std::vector<Diagnostic> errors;
  checker.CheckBody(environment, query, errors);
  compilation.errors.Add(std::move(errors));
}

}  // namespace portcullis::rego
