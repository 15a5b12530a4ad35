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
  explicit Renamer(std::uint32_t* next_name) : next_name_(next_name) {}

  void Substitute(const std::string& parameter, const Term& argument) {
    arguments_.emplace(parameter, &argument);
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
