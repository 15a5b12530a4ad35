// `with`: what may be replaced, and values that must be computed first.

#include <algorithm>
#include <optional>

#include "rules/rego/compilation.h"
#include "rules/rego/text.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

bool StartsWith(const Term& term, std::string_view root) {
  return term.kind == TermKind::kRef && term.items[0]->IsVar() && term.items[0]->text == root;
}

bool HasFunction(const RuleNode* node) {
  return node != nullptr &&
         std::ranges::any_of(node->rules, [](const Rule* rule) { return rule->IsFunction(); });
}

// A builtin's name becomes a reference, as other functions' names are.
void MakeReference(TermPtr& term) {
  if (!term->IsVar()) {
    return;
  }
  Location location = term->location;
  std::vector<TermPtr> items;
  term->location = {};  // As in OPA, which shows where the reference is checked.
  items.push_back(std::move(term));
  term = NewRef(std::move(items), location);
}

class WithRewriter {
 public:
  explicit WithRewriter(Compilation& compilation) : compilation_(compilation) {}

  void Rewrite(Body& body) {
    Body result;
    std::vector<Hoisted> hoisted;
    for (ExprPtr& expr : body) {
      for (std::size_t i = 0; i < expr->with.size(); ++i) {
        const Verdict verdict = Check(expr->with[i]);
        if (verdict == Verdict::kRefused) {
          return;  // One error is enough of a body.
        }
        if (verdict == Verdict::kCompute) {
          RewriteValue(expr->with[i], i, hoisted, result);
        }
      }
      result.push_back(std::move(expr));
    }
    body = std::move(result);
    Renumber(body);
    Visitor visitor = Nested();
    for (ExprPtr& expr : body) {
      Walk(*expr, visitor);
    }
  }

  void Rewrite(Rule& rule) {
    Visitor visitor = Nested();
    for (TermPtr& argument : rule.arguments) {
      Walk(*argument, visitor);
    }
    if (rule.key) {
      Walk(*rule.key, visitor);
    }
    if (rule.value) {
      Walk(*rule.value, visitor);
    }
    Rewrite(rule.body);
  }

 private:
  // The expressions that were made of one literal share its modifiers: their values are computed once.
  struct Hoisted {
    TermPtr value;
    std::size_t number;  // Among the literal's.
    std::string variable;
  };

  Visitor Nested() {
    Visitor visitor;
    visitor.term = [this](Term& term) {
      if (term.body.empty()) {
        return true;
      }
      for (TermPtr& item : term.items) {
        Walk(*item, Nested());
      }
      Rewrite(term.body);
      return false;
    };
    visitor.expr = [this](Expr& expr) {
      if (expr.body.empty()) {
        return true;
      }
      for (TermPtr& term : expr.terms) {
        if (term) {
          Walk(*term, Nested());
        }
      }
      Rewrite(expr.body);
      if (!expr.right.empty()) {
        Rewrite(expr.right);
      }
      return false;
    };
    return visitor;
  }

  void RewriteValue(With& with, std::size_t number, std::vector<Hoisted>& hoisted, Body& result) {
    auto known = std::ranges::find_if(hoisted, [&](const Hoisted& h) {
      // One clause on several expressions that were made of one; variables inside may have got names of their own. All parts of
      // an `else` without braces are in one place.
      const Location& location = h.value->location;
      return location.row != 0 && h.number == number &&
             location.offset == with.value->location.offset &&
             location.row == with.value->location.row && h.value->kind == with.value->kind;
    });
    if (known != hoisted.end()) {
      with.value = NewVar(known->variable, with.value->location);
      return;
    }
    TermPtr value = Clone(*with.value);
    ExprPtr expr = compilation_.NewEquality(std::move(with.value));
    with.value = Clone(*expr->terms[1]);
    hoisted.push_back({std::move(value), number, with.value->text});
    result.push_back(std::move(expr));
  }

  enum class Verdict : std::uint8_t {
    kRefused,
    kKeep,
    kCompute,  // The value must be computed before the expression.
  };

  Verdict Fail(Diagnostic error) {
    compilation_.errors.Add(std::move(error));
    return Verdict::kRefused;
  }

  static Verdict OfValue(const Term& value) {
    return RequiresEvaluation(value) ? Verdict::kCompute : Verdict::kKeep;
  }

  [[nodiscard]] bool IsBuiltin(const Term& term) const {
    return (term.kind == TermKind::kRef || term.IsVar()) &&
           compilation_.FindBuiltin(term) != nullptr;
  }

  // A value that names a function stays as it is.
  [[nodiscard]] bool IsFunctionName(const Term& value) const {
    if (value.kind == TermKind::kRef && compilation_.tree->Find(value) != nullptr) {
      return true;
    }
    return IsBuiltin(value);
  }

  Verdict Check(With& with) {
    if (with.value->IsVar() && IsBuiltin(*with.value)) {
      MakeReference(with.value);
    }
    if (StartsWith(*with.target, "data")) {
      return CheckData(with);
    }
    if (StartsWith(*with.target, "input")) {
      return OfValue(*with.value);
    }
    if (!IsBuiltin(*with.target)) {
      return Fail(
          TypeError(with.target->location,
                    "with keyword target must reference existing input, data, or a function"));
    }
    MakeReference(with.target);
    const builtins::Builtin& builtin = *compilation_.FindBuiltin(*with.target);
    if (std::optional<std::string> refusal = Refusal(builtin, *with.target)) {
      return Fail(CompileError(with.target->location,
                               "with keyword replacing built-in function: " + *refusal));
    }
    return IsFunctionName(*with.value) ? Verdict::kKeep : OfValue(*with.value);
  }

  static std::optional<std::string> Refusal(const builtins::Builtin& builtin, const Term& target) {
    if (builtin.name == "eq" || builtin.name == "rego.metadata.chain" ||
        builtin.name == "rego.metadata.rule") {
      return "replacement of " + Quote(builtin.name) + " invalid";
    }
    if (target.items[0]->text == "internal") {
      return "replacement of internal function " + Quote(ToString(target)) + " invalid";
    }
    if (builtin.relation) {
      return "target must not be a relation";
    }
    if (builtin.type.ends_with("-> nothing")) {
      return "target must not be a void function";
    }
    return std::nullopt;
  }

  Verdict CheckData(const With& with) {
    const std::vector<TermPtr>& path = with.target->items;
    const RuleNode* node = compilation_.tree.get();
    const RuleNode* last = nullptr;
    for (std::size_t i = 0; i < path.size(); ++i) {
      const RuleNode* child = node->Child(*path[i]);
      if (i + 1 == path.size()) {
        last = child;
        break;
      }
      if (child == nullptr) {
        last = node->Child(*path.back());
        break;
      }
      if (!child->rules.empty()) {
        return Fail(CompileError(with.target->location,
                                 "with keyword cannot partially replace virtual document(s)"));
      }
      node = child;
    }
    if (HasFunction(last) && IsFunctionName(*with.value)) {
      return Verdict::kKeep;
    }
    if (with.value->kind == TermKind::kRef && HasFunction(compilation_.tree->Find(*with.value))) {
      return Verdict::kKeep;
    }
    return OfValue(*with.value);
  }

  Compilation& compilation_;
};

}  // namespace

void RewriteWith(Compilation& compilation) {
  WithRewriter rewriter(compilation);
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        rewriter.Rewrite(*rule);
      }
    }
  }
}

void RewriteWith(Compilation& compilation, Body& query) {
  WithRewriter(compilation).Rewrite(query);
}

}  // namespace portcullis::rego
