#include "rules/rego/program_text.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "rules/rego/inline_call.h"
#include "rules/rego/key_programs.h"
#include "rules/rego/variables.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

constexpr std::size_t kMostFunctions = 32;
constexpr std::size_t kLongestProgram = 16 << 10;

bool IsRoot(const Term& term, std::string_view name) {
  return term.IsVar() && term.text == name;
}

class Writer {
 public:
  Writer(const CompiledPolicy& policy, const ProgramSource& source)
      : policy_(policy), source_(source) {}

  std::optional<std::string> Write(std::string* reason) {
    Body body;
    for (const Expr* expr : source_.expressions) {
      if (!IsPure(*expr)) {
        *reason = reason_;
        return std::nullopt;
      }
      body.push_back(CloneOf(*expr));
    }
    TermPtr key = Clone(*source_.key);
    for (ExprPtr& expr : body) {
      Rename(*expr);
    }
    Rename(*key);
    std::string text = "# " + Title() + "\n# " + std::string(kKeyProgramVersion) + "\npackage " +
                       std::string(kKeyProgramPackage) + "\n";
    const std::string given = ToString(body);
    const std::string value = ToString(*key);
    const std::string when = given.empty() ? "" : given + "; ";
    switch (source_.keys) {
      case ProgramSource::Keys::kValue:
        text += "keys contains k if { " + when + "k = " + value + " }\n";
        break;
      case ProgramSource::Keys::kItems:
        text += "keys contains k if { " + when + "k = " + value + "[_] }\n";
        break;
      case ProgramSource::Keys::kLeastMember:
        text += "keys contains k if { " + when + "k = min(" + value + ") }\n";
        text += "keys contains set() if { " + when + "count(" + value + ") == 0 }\n";
        break;
      case ProgramSource::Keys::kLeastName:
        text += "keys contains k if { " + when + "k = min(object.keys(" + value + ")) }\n";
        text += "keys contains {} if { " + when + "count(" + value + ") == 0 }\n";
        break;
      case ProgramSource::Keys::kLeastKey:
      case ProgramSource::Keys::kLeastItem:
        AddLeast(when, value, &text);
        break;
    }
    // Writing one function may find others.
    for (std::size_t i = 0; i < functions_.size(); ++i) {
      if (!WriteFunction(*functions_[i], i, &text)) {
        *reason = reason_;
        return std::nullopt;
      }
      if (functions_.size() > kMostFunctions || text.size() > kLongestProgram) {
        *reason = "what computes the key is too long";
        return std::nullopt;
      }
    }
    return text;
  }

 private:
  void AddLeast(const std::string& when, const std::string& value, std::string* text) const {
    const bool is_key = source_.keys == ProgramSource::Keys::kLeastKey;
    const std::string item = when + "d = " + value + "; ";
    *text += "keys contains k if { " + item + "k = min([" + (is_key ? "i" : "x") +
             " | x = d[i]]) }\nkeys contains {} if { " + (source_.or_undefined ? "" : item) +
             "not has_items }\nhas_items if { " + item + "x = d[i] }\n";
  }

  // What people call the keys.
  [[nodiscard]] std::string Title() const {
    std::string title;
    for (const Expr* expr : source_.expressions) {
      if (expr->kind == ExprKind::kCall && expr->terms[0]->items.size() > 1 &&
          IsRoot(*expr->terms[0]->items[0], "data")) {
        title = expr->terms[0]->items.back()->text + "(object)";
      }
    }
    if (title.empty()) {
      title = "an expression";
    }
    switch (source_.keys) {
      case ProgramSource::Keys::kValue:
        return title;
      case ProgramSource::Keys::kItems:
        return title + "[_]";
      case ProgramSource::Keys::kLeastMember:
      case ProgramSource::Keys::kLeastName:
        return "least member of " + title;
      case ProgramSource::Keys::kLeastKey:
        return "least key of " + title;
      case ProgramSource::Keys::kLeastItem:
        return "least item of " + title;
    }
    return title;
  }

  bool Refuse(std::string reason) {
    if (reason_.empty()) {
      reason_ = std::move(reason);
    }
    return false;
  }

  bool IsPure(const Body& body) {
    return std::ranges::all_of(body, [this](const ExprPtr& expr) { return IsPure(*expr); });
  }

  bool IsPure(const Expr& expr) {
    switch (expr.kind) {
      case ExprKind::kTerm:
      case ExprKind::kCall:
      case ExprKind::kEvery:
        break;
      default:
        return Refuse("`not`, `and` or `or` with a body is in what computes the key");
    }
    if (!expr.with.empty()) {
      return Refuse("a `with` is in what computes the key");
    }
    if (expr.kind == ExprKind::kCall && !IsPureOperator(*expr.terms[0])) {
      return false;
    }
    for (std::size_t i = expr.kind == ExprKind::kCall ? 1 : 0; i < expr.terms.size(); ++i) {
      if (expr.terms[i] != nullptr && !IsPure(*expr.terms[i])) {
        return false;
      }
    }
    return IsPure(expr.body);
  }

  bool IsPure(const Term& term) {
    if (&term == source_.object) {
      return true;
    }
    if (IsRoot(term, "input") || IsRoot(term, "data")) {
      return Refuse("what computes the key reads " + term.text);
    }
    if (term.kind == TermKind::kCall && !IsPureOperator(*term.items[0])) {
      return false;
    }
    for (std::size_t i = term.kind == TermKind::kCall ? 1 : 0; i < term.items.size(); ++i) {
      if (!IsPure(*term.items[i])) {
        return false;
      }
    }
    return IsPure(term.body);
  }

  bool IsPureOperator(const Term& op) {
    if (op.kind == TermKind::kRef && IsRoot(*op.items[0], "data")) {
      return FunctionNamed(policy_, op) != nullptr ||
             Refuse("what computes the key calls " + ToString(op));
    }
    const std::string name = ToString(op);
    const builtins::Builtin* builtin = policy_.catalog->Find(name);
    if (name == "eq" || name == "equal") {
      return true;
    }
    if (builtin == nullptr || builtin->function == nullptr || builtin->nondeterministic ||
        name == "opa.runtime" || name == "trace" || name == "http.send") {
      return Refuse("what computes the key calls " + name);
    }
    return true;
  }

  std::string FunctionName(const Term& op) {
    const RuleSet* rules = FunctionNamed(policy_, op);
    auto found = std::ranges::find(functions_, rules);
    if (found == functions_.end()) {
      functions_.push_back(rules);
      found = functions_.end() - 1;
    }
    return "f" + std::to_string(found - functions_.begin());
  }

  // A copy in which the object is `input`.
  ExprPtr CloneOf(const Expr& expr) {
    ExprPtr copy = Clone(expr);
    for (std::size_t i = 0; i < expr.terms.size(); ++i) {
      if (expr.terms[i].get() == source_.object) {
        Term& reference = *copy->terms[i];
        reference.items.erase(
            reference.items.begin() + 1,
            reference.items.begin() + static_cast<std::ptrdiff_t>(source_.object_end));
        reference.items[0]->text = "input";
      }
    }
    return copy;
  }

  // Numbers variables and functions in the order in which they come.
  template <class Node>
  void Rename(Node& node) {
    Walk(node, {.term =
                    [this](Term& term) {
                      if (term.IsVar() && !term.IsWildcard() && term.text != "input" &&
                          term.text != "data") {
                        term.text = Variable(term.text);
                      }
                      if (term.kind == TermKind::kCall) {
                        RenameOperator(*term.items[0]);
                        for (std::size_t i = 1; i < term.items.size(); ++i) {
                          Rename(*term.items[i]);
                        }
                        return false;
                      }
                      return true;
                    },
                .expr =
                    [this](Expr& expr) {
                      if (expr.kind != ExprKind::kCall) {
                        return true;
                      }
                      RenameOperator(*expr.terms[0]);
                      for (std::size_t i = 1; i < expr.terms.size(); ++i) {
                        Rename(*expr.terms[i]);
                      }
                      return false;
                    },
                .rule = {}});
  }

  void RenameOperator(Term& op) {
    if (op.kind == TermKind::kRef && IsRoot(*op.items[0], "data")) {
      const std::string name = FunctionName(op);
      op.kind = TermKind::kVar;
      op.text = name;
      op.items.clear();
    }
  }

  const std::string& Variable(const std::string& name) {
    return variables_.try_emplace(name, "v" + std::to_string(variables_.size())).first->second;
  }

  bool WriteFunction(const RuleSet& rules, std::size_t number, std::string* text) {
    for (const Rule* rule : rules.rules) {
      variables_.clear();
      std::string head = (rule->is_default ? "default f" : "f") + std::to_string(number) + "(";
      for (std::size_t i = 0; i < rule->arguments.size(); ++i) {
        const TermPtr argument = Clone(*rule->arguments[i]);
        Rename(*argument);
        head += (i == 0 ? "" : ", ") + ToString(*argument);
      }
      *text += head + ")";
      for (const Rule* part = rule; part != nullptr; part = part->else_rule.get()) {
        if (!IsPure(part->body) || !IsPure(*part->value)) {
          return false;
        }
        const TermPtr value = Clone(*part->value);
        Body body = Clone(part->body);
        for (ExprPtr& expr : body) {
          Rename(*expr);
        }
        Rename(*value);
        *text += part == rule ? " := " : " else := ";
        *text += ToString(*value);
        if (!rule->is_default) {
          *text += " if { " + ToString(body) + " }";
        }
      }
      *text += "\n";
    }
    return true;
  }

  const CompiledPolicy& policy_;
  const ProgramSource& source_;
  std::vector<const RuleSet*> functions_;
  std::map<std::string, std::string> variables_;
  std::string reason_;
};

}  // namespace

std::optional<std::string> ProgramText(const CompiledPolicy& policy, const ProgramSource& source,
                                       std::string* reason) {
  auto text = Writer(policy, source).Write(reason);
  // What is written out must be a program: names of builtins that a version has as keywords, and the like.
  if (text && !RegoKeyPrograms(policy.catalog).Make(*text)) {
    *reason = "what computes the key cannot be written out";
    return std::nullopt;
  }
  return text;
}

}  // namespace portcullis::rego
