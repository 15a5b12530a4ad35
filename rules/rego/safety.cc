// Safety: every variable is bound before it is needed. Bodies are put in an order in which that holds, with as few moves as
// possible; where there is none, the variables that stay unbound are reported.

#include <algorithm>
#include <set>

#include "rules/rego/compilation.h"
#include "rules/rego/lexer.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

using Unsafe = std::map<const Expr*, VarSet>;

// The variables of closures inside of an expression.
VarSet ClosureVars(Expr& expr) {
  VarSet vars;
  Visitor visitor;
  visitor.term = [&](Term& term) {
    if (!IsComprehension(term)) {
      return true;
    }
    Insert(vars, VarsOf(term));
    return false;
  };
  visitor.expr = [&](Expr& inner) {
    switch (inner.kind) {
      case ExprKind::kEvery:
      case ExprKind::kNot:
      case ExprKind::kAnd:
      case ExprKind::kOr:
        Insert(vars, VarsOf(inner.body));
        Insert(vars, VarsOf(inner.right));
        break;
      default:
        return true;
    }
    for (With& with : inner.with) {
      Walk(*with.target, visitor);
      Walk(*with.value, visitor);
    }
    return false;
  };
  Walk(expr, visitor);
  return vars;
}

class BodyOrderer {
 public:
  explicit BodyOrderer(const Arity& arity) : arity_(arity), params_(VarWalk::Safety()) {
    params_.arity = &arity_;
  }

  // What stays unsafe, by expression. The body changes only where nothing does.
  Unsafe Order(Body& body, const VarSet& globals) {
    VarSet body_vars = VarsOf(body, params_);
    VarSet safe = Intersection(body_vars, globals);
    Unsafe unsafe;
    for (const ExprPtr& expr : body) {
      VarSet vars = Difference(VarsOf(*expr, params_), safe);
      if (!vars.empty()) {
        unsafe[expr.get()] = std::move(vars);
      }
    }
    std::vector<std::size_t> order = Schedule(body, body_vars, globals, safe, unsafe);

    VarSet seen = globals;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0) {
        Insert(seen, VarsOf(*body[order[i - 1]], params_));
      }
      OrderClosures(*body[order[i]], seen, unsafe);
    }
    if (!unsafe.empty()) {
      return unsafe;
    }
    Body ordered;
    for (std::size_t i : order) {
      ordered.push_back(std::move(body[i]));
    }
    body = std::move(ordered);
    Renumber(body);
    return unsafe;
  }

 private:
  // Rounds through the body: each expression is taken as soon as what it needs is bound.
  std::vector<std::size_t> Schedule(const Body& body, const VarSet& body_vars,
                                    const VarSet& globals, VarSet& safe, Unsafe& unsafe) const {
    std::vector<std::size_t> order;
    std::vector<bool> taken(body.size());
    std::vector<VarSet> closures;
    for (const ExprPtr& expr : body) {
      closures.push_back(Difference(Intersection(ClosureVars(*expr), body_vars), globals));
    }
    VarSet left_over;
    for (bool progress = true; progress;) {
      progress = false;
      for (std::size_t i = 0; i < body.size(); ++i) {
        if (taken[i]) {
          continue;
        }
        const Expr* expr = body[i].get();
        VarSet outputs = OutputVars(*expr, arity_, safe, left_over);
        if (!closures[i].empty()) {
          VarSet missing = Difference(closures[i], BoundBy(body, order, safe));
          if (!missing.empty()) {
            if (missing == outputs) {
              continue;
            }
            unsafe[expr] = std::move(missing);
          }
        }
        if (auto found = unsafe.find(expr); found != unsafe.end()) {
          std::erase_if(found->second, [&](const std::string& v) {
            return outputs.contains(v) || safe.contains(v);
          });
          if (!found->second.empty()) {
            continue;
          }
          unsafe.erase(found);
        }
        taken[i] = true;
        order.push_back(i);
        Insert(safe, outputs);
        progress = true;
      }
    }
    return order;
  }

  // What the expressions taken so far bind, beyond `safe`.
  VarSet BoundBy(const Body& body, const std::vector<std::size_t>& order,
                 const VarSet& safe) const {
    VarSet bound = safe;
    VarSet left_over;
    for (std::size_t i : order) {
      Insert(bound, OutputVars(*body[i], arity_, bound, left_over));
    }
    return Difference(bound, safe);
  }

  void OrderClosures(Expr& current, VarSet& globals, Unsafe& unsafe) {
    Visitor visitor;
    visitor.term = [&](Term& term) {
      if (!IsComprehension(term)) {
        return true;
      }
      VarSet terms;
      for (const TermPtr& item : term.items) {
        Insert(terms, VarsOf(*item));
      }
      OrderClosure(current, terms, term.body, globals, unsafe);
      return false;
    };
    visitor.expr = [&](Expr& expr) {
      switch (expr.kind) {
        case ExprKind::kEvery:
          Insert(globals, EveryVars(expr));
          break;
        case ExprKind::kNot:
        case ExprKind::kAnd:
        case ExprKind::kOr:
          break;
        default:
          return true;
      }
      OrderClosure(current, {}, expr.body, globals, unsafe);
      if (expr.kind == ExprKind::kAnd || expr.kind == ExprKind::kOr) {
        OrderClosure(current, {}, expr.right, globals, unsafe);
      }
      return false;
    };
    Walk(current, visitor);
  }

  void OrderClosure(const Expr& current, const VarSet& terms, Body& body, const VarSet& globals,
                    Unsafe& unsafe) {
    VarSet vars = VarsOf(body, params_);
    Insert(vars, globals);
    VarSet missing = Difference(terms, vars);
    if (!missing.empty()) {
      Insert(unsafe[&current], missing);
    }
    for (auto& [expr, left] : Order(body, globals)) {
      Insert(unsafe[expr], left);
    }
  }

  const Arity& arity_;
  VarWalk params_;
};

bool IsBefore(const Location& a, const Location& b) {
  if (a.row == 0 || b.row == 0) {
    return a.row != 0 && b.row == 0;
  }
  return a.row != b.row ? a.row < b.row : a.column < b.column;
}

bool IsGeneratedName(std::string_view name) {
  return name.starts_with("__local");
}

class SafetyErrors {
 public:
  SafetyErrors(const Compilation& compilation, std::string scope)
      : compilation_(compilation), scope_(std::move(scope)) {}

  std::vector<Diagnostic> Make(const Unsafe& unsafe) const {
    std::vector<Diagnostic> errors = OfVariables(unsafe);
    return errors.empty() ? OfExpressions(unsafe) : errors;
  }

 private:
  Diagnostic Error(const Location& location, std::string message) const {
    return {"rego_unsafe_var_error", std::move(message), location, {}};
  }

  // What := would bind is unsafe because its right side is: the latter is what to report.
  VarSet AssignedVars(const Unsafe& unsafe) const {
    VarSet assigned;
    for (const auto& [expr, vars] : unsafe) {
      if (!expr->from_assignment || expr->terms.size() != 3) {
        continue;
      }
      for (const std::string& var : VarsOf(*expr->terms[1])) {
        assigned.insert(var);
        assigned.insert(compilation_.Written(var));
      }
    }
    return assigned;
  }

  std::vector<Diagnostic> OfVariables(const Unsafe& unsafe) const {
    std::map<std::string, Location> places;
    for (const auto& [expr, vars] : unsafe) {
      for (const std::string& var : vars) {
        auto [place, added] = places.emplace(var, expr->location);
        if (!added && IsBefore(expr->location, place->second)) {
          place->second = expr->location;
        }
      }
    }
    VarSet assigned = AssignedVars(unsafe);
    auto is_assigned = [&](const std::string& var) {
      return assigned.contains(var) || assigned.contains(compilation_.Written(var));
    };
    bool others = std::ranges::any_of(places, [&](const auto& place) {
      return !IsGeneratedName(compilation_.Written(place.first)) && !is_assigned(place.first);
    });
    std::vector<Diagnostic> errors;
    for (const auto& [var, location] : places) {
      std::string name = compilation_.Written(var);
      if (IsGeneratedName(name) || (others && is_assigned(var))) {
        continue;
      }
      std::string shown = name.starts_with('$') ? "_" : name;
      std::string message = "var " + shown + " is unsafe" + scope_;
      bool keyword = std::ranges::any_of(
          kAllFutureKeywords, [&](FutureKeyword k) { return FutureKeywordName(k) == name; });
      if (keyword) {
        message += " (hint: `import future.keywords." + name + "` to import a future keyword)";
      }
      errors.push_back(Error(location, std::move(message)));
    }
    // Where the limit of errors cuts them off, the first places are left.
    std::ranges::stable_sort(errors, IsBefore, &Diagnostic::location);
    return errors;
  }

  std::vector<Diagnostic> OfExpressions(const Unsafe& unsafe) const {
    std::vector<std::pair<const Expr*, const VarSet*>> pairs;
    for (const auto& [expr, vars] : unsafe) {
      pairs.emplace_back(expr, &vars);
    }
    std::ranges::sort(pairs, [](const auto& a, const auto& b) {
      return IsBefore(a.first->location, b.first->location);
    });
    std::vector<Diagnostic> errors;
    VarSet seen;
    for (const auto& [expr, vars] : pairs) {
      std::size_t before = seen.size();
      for (const std::string& var : *vars) {
        if (IsGeneratedName(var)) {
          seen.insert(var);
        }
      }
      if (seen.size() > before) {
        errors.push_back(Error(expr->location, "expression is unsafe" + scope_));
      }
    }
    return errors;
  }

  const Compilation& compilation_;
  std::string scope_;
};

std::string NameOf(const Rule& rule) {
  std::vector<TermPtr> items;
  for (std::size_t i = 0; i < GroundPrefixSize(*rule.reference); ++i) {
    items.push_back(Clone(*rule.reference->items[i]));
  }
  return ToString(*NewRef(std::move(items), rule.location));
}

// " in rule p" where several rules share the line, so that the line alone does not tell which one is meant.
class Scopes {
 public:
  explicit Scopes(const Module& module) {
    std::map<std::uint32_t, std::string> first;
    for (const std::unique_ptr<Rule>& top : module.rules) {
      for (const Rule* rule = top.get(); rule != nullptr; rule = rule->else_rule.get()) {
        std::string name = NameOf(*rule);
        auto [entry, added] = first.emplace(rule->location.row, name);
        if (!added && entry->second != name) {
          shared_.insert(rule->location.row);
        }
      }
    }
  }
  [[nodiscard]] std::string Of(const Rule& rule) const {
    return shared_.contains(rule.location.row) ? " in rule " + NameOf(rule) : "";
  }

 private:
  std::set<std::uint32_t> shared_;
};

// The name of an `else` is copied from the first rule, without its places.
VarCollector HeadVars(const Rule& rule, const Rule& first) {
  VarCollector head;
  for (const TermPtr& argument : rule.arguments) {
    head.Add(*argument);
  }
  const bool is_copy = &rule != &first;
  if (rule.key && !is_copy) {
    head.Add(*rule.key);
  }
  if (rule.value) {
    head.Add(*rule.value);
  }
  const VarSet placed = head.vars;
  for (std::size_t i = 1; i < rule.reference->items.size(); ++i) {
    head.Add(*rule.reference->items[i]);
  }
  for (auto& [var, location] : head.locations) {
    if (is_copy && !placed.contains(var)) {
      location = {};
    }
  }
  return head;
}

}  // namespace

void CheckHeadSafety(Compilation& compilation) {
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    Scopes scopes(*module);
    for (const std::unique_ptr<Rule>& top : module->rules) {
      for (const Rule* rule = top.get(); rule != nullptr; rule = rule->else_rule.get()) {
        VarCollector head = HeadVars(*rule, *top);
        VarSet bound = VarsOf(rule->body, VarWalk::Safety());
        for (const TermPtr& argument : rule->arguments) {
          Insert(bound, VarsOf(*argument));
        }
        for (const std::string& var : Difference(head.vars, bound)) {
          std::string name = compilation.Written(var);
          if (IsGeneratedName(name)) {
            continue;
          }
          if (name.starts_with('$')) {
            name = "_";
          }
          compilation.errors.Add({"rego_unsafe_var_error",
                                  "var " + name + " is unsafe" + scopes.Of(*rule),
                                  head.locations[var],
                                  {}});
        }
      }
    }
  }
}

void OrderBodies(Compilation& compilation) {
  BodyOrderer orderer(compilation.arity);
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    Scopes scopes(*module);
    for (const std::unique_ptr<Rule>& top : module->rules) {
      for (Rule* rule = top.get(); rule != nullptr; rule = rule->else_rule.get()) {
        VarSet safe = RootVars();
        for (const TermPtr& argument : rule->arguments) {
          Insert(safe, VarsOf(*argument));
        }
        Unsafe unsafe = orderer.Order(rule->body, safe);
        if (!unsafe.empty()) {
          compilation.errors.Add(SafetyErrors(compilation, scopes.Of(*rule)).Make(unsafe));
        }
      }
    }
  }
}

void OrderBody(Compilation& compilation, Body& query) {
  Unsafe unsafe = BodyOrderer(compilation.arity).Order(query, RootVars());
  if (!unsafe.empty()) {
    compilation.errors.Add(SafetyErrors(compilation, "").Make(unsafe));
  }
}

}  // namespace portcullis::rego
