#include "rules/rego/inline_call.h"

#include <map>
#include <string>
#include <utility>

#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

constexpr std::size_t kMostDefinitions = 8;

// Copies bodies with other names for their variables.
class Renamer {
 public:
  explicit Renamer(std::uint32_t* next_name, const VarSet* kept = nullptr)
      : next_name_(next_name), kept_(kept) {}

  void Substitute(const std::string& parameter, const Term& argument) {
    arguments_.emplace(parameter, &argument);
  }

  TermPtr Copy(const Term& term) {
    TermPtr copy = Clone(term);
    RenameTerm(*copy);
    return copy;
  }

  Body Copy(const Body& body) {
    Body copy = Clone(body);
    for (ExprPtr& expr : copy) {
      Rename(*expr);
    }
    return copy;
  }

 private:
  void Rename(Expr& expr) {
    Walk(expr, {.term =
                    [this](Term& term) {
                      if (!term.IsVar() || term.text == "input" || term.text == "data") {
                        return !IsOperator(term);
                      }
                      Replace(term);
                      return false;
                    },
                .expr =
                    [this](Expr& inner) {
                      if (inner.kind != ExprKind::kCall) {
                        return true;
                      }
                      // Operators are names too.
                      for (std::size_t i = 1; i < inner.terms.size(); ++i) {
                        RenameTerm(*inner.terms[i]);
                      }
                      return false;
                    },
                .rule = {}});
  }

  void RenameTerm(Term& term) {
    Walk(term, {.term =
                    [this](Term& inner) {
                      if (inner.kind == TermKind::kCall) {
                        for (std::size_t i = 1; i < inner.items.size(); ++i) {
                          RenameTerm(*inner.items[i]);
                        }
                        return false;
                      }
                      if (!inner.IsVar() || inner.text == "input" || inner.text == "data") {
                        return true;
                      }
                      Replace(inner);
                      return false;
                    },
                .expr =
                    [this](Expr& inner) {
                      Rename(inner);
                      return false;
                    },
                .rule = {}});
  }

  // A call as a term: its operator is not renamed.
  bool IsOperator(Term& term) {
    if (term.kind != TermKind::kCall) {
      return false;
    }
    for (std::size_t i = 1; i < term.items.size(); ++i) {
      RenameTerm(*term.items[i]);
    }
    return true;
  }

  void Replace(Term& variable) {
    if (kept_ != nullptr && kept_->contains(variable.text)) {
      return;
    }
    const auto argument = arguments_.find(variable.text);
    if (argument != arguments_.end()) {
      const Location location = variable.location;
      variable = std::move(*Clone(*argument->second));
      variable.location = location;
      return;
    }
    auto [name, is_new] = names_.try_emplace(variable.text);
    if (is_new) {
      name->second = (variable.IsWildcard() ? "$inlined" : "__inlined") +
                     std::to_string((*next_name_)++) + "__";
    }
    variable.text = name->second;
  }

  std::map<std::string, const Term*> arguments_;
  std::map<std::string, std::string> names_;
  std::uint32_t* next_name_;
  const VarSet* kept_;
};

}  // namespace

const RuleSet* FunctionNamed(const CompiledPolicy& policy, const Term& op) {
  if (op.kind != TermKind::kRef || !op.items[0]->IsVar() || op.items[0]->text != "data") {
    return nullptr;
  }
  const RuleTree* node = &policy.root;
  for (std::size_t i = 1; i < op.items.size() && node != nullptr; ++i) {
    node = op.items[i]->kind == TermKind::kString ? node->Child(op.items[i]->text) : nullptr;
  }
  return node != nullptr && node->rules != nullptr && node->rules->kind == RuleKind::kFunction
             ? node->rules.get()
             : nullptr;
}

bool InlineValue(const CompiledPolicy& policy, const Expr& call, std::uint32_t* next_name,
                 Body* body) {
  const RuleSet* rules = FunctionNamed(policy, *call.terms[0]);
  if (rules == nullptr || rules->rules.size() != 1) {
    return false;
  }
  const Rule& rule = *rules->rules.front();
  if (rule.is_default || rule.else_rule != nullptr || rule.value->IsScalar() ||
      rule.arguments.size() + 2 != call.terms.size()) {
    return false;
  }
  Renamer renamer(next_name);
  for (std::size_t i = 0; i < rule.arguments.size(); ++i) {
    if (!rule.arguments[i]->IsVar()) {
      return false;
    }
    renamer.Substitute(rule.arguments[i]->text, *call.terms[i + 1]);
  }
  *body = renamer.Copy(rule.body);
  body->push_back(
      MakeEquality(Clone(*call.terms.back()), renamer.Copy(*rule.value), call.location));
  return true;
}

TermPtr CopyRenamed(const Term& term, const VarSet& kept, std::uint32_t* next_name) {
  return Renamer(next_name, &kept).Copy(term);
}

ExprPtr MakeEquality(TermPtr left, TermPtr right, const Location& location) {
  auto expr = std::make_unique<Expr>();
  expr->kind = ExprKind::kCall;
  expr->generated = true;
  expr->location = location;
  auto op = std::make_unique<Term>();
  op->kind = TermKind::kRef;
  auto name = std::make_unique<Term>();
  name->kind = TermKind::kVar;
  name->text = "eq";
  op->items.push_back(std::move(name));
  expr->terms.push_back(std::move(op));
  expr->terms.push_back(std::move(left));
  expr->terms.push_back(std::move(right));
  return expr;
}

ExprPtr SomeHolds(std::vector<Body> bodies, const Location& location) {
  const auto make = [&location](ExprKind kind) {
    auto expr = std::make_unique<Expr>();
    expr->kind = kind;
    expr->generated = true;
    expr->location = location;
    return expr;
  };
  // `or` of what is not absent.
  const auto exists = [&make](Body body) {
    ExprPtr absent = make(ExprKind::kNot);
    absent->body = std::move(body);
    ExprPtr holds = make(ExprKind::kNot);
    holds->body.push_back(std::move(absent));
    return holds;
  };
  ExprPtr some = exists(std::move(bodies.back()));
  for (bodies.pop_back(); !bodies.empty(); bodies.pop_back()) {
    ExprPtr either = make(ExprKind::kOr);
    either->body.push_back(exists(std::move(bodies.back())));
    either->right.push_back(std::move(some));
    some = std::move(either);
  }
  return some;
}

bool InlineCall(const CompiledPolicy& policy, const Expr& call, std::uint32_t* next_name,
                std::vector<Body>* bodies) {
  const RuleSet* rules = FunctionNamed(policy, *call.terms[0]);
  if (rules == nullptr || rules->rules.size() > kMostDefinitions) {
    return false;
  }
  for (const Rule* rule : rules->rules) {
    const bool plain = !rule->is_default && rule->else_rule == nullptr &&
                       rule->value->kind == TermKind::kBoolean && rule->value->boolean &&
                       rule->arguments.size() + 1 == call.terms.size();
    if (!plain) {
      return false;
    }
    Renamer renamer(next_name);
    for (std::size_t i = 0; i < rule->arguments.size(); ++i) {
      if (!rule->arguments[i]->IsVar()) {
        return false;
      }
      renamer.Substitute(rule->arguments[i]->text, *call.terms[i + 1]);
    }
    bodies->push_back(renamer.Copy(rule->body));
  }
  return true;
}

}  // namespace portcullis::rego
