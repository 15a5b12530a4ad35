// From statements to a module: bodies at the top become rules, and v1's demands on rules are
// checked.

#include <algorithm>

#include "rules/rego/annotations.h"
#include "rules/rego/parser.h"
#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

Diagnostic ParseError(const Location& location, std::string message) {
  return {"rego_parse_error", std::move(message), location, {}};
}

// The rule that a body at the top of a module stands for, or why it is none.
class BodyRule {
 public:
  std::unique_ptr<Rule> Make(Body body) {
    if (body.size() != 1) {
      return Refuse("multiple expressions cannot be used for rule head");
    }
    Expr& expr = *body[0];
    if (!expr.with.empty()) {
      return Refuse("expressions using with keyword cannot be used for rule head");
    }
    if (expr.negated) {
      return Refuse("negated expressions cannot be used for rule head");
    }
    switch (expr.kind) {
      case ExprKind::kSome:
        return Refuse("'some' declarations cannot be used for rule head");
      case ExprKind::kTerm:
        return FromTerm(std::move(expr.terms[0]));
      case ExprKind::kCall:
        return FromCall(expr);
      default:
        return Refuse("expression cannot be used for rule head");
    }
  }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  std::unique_ptr<Rule> Refuse(std::string why) {
    refusal_ = std::move(why);
    return nullptr;
  }

  static std::unique_ptr<Rule> NewRule(TermPtr reference, TermPtr value, const Location& body) {
    auto rule = std::make_unique<Rule>();
    rule->location = reference->location;
    rule->head_location = reference->location;
    if (reference->IsVar()) {
      auto ref = std::make_unique<Term>();
      ref->kind = TermKind::kRef;
      ref->location = reference->location;
      ref->items.push_back(std::move(reference));
      reference = std::move(ref);
    }
    rule->reference = std::move(reference);
    rule->value = std::move(value);
    auto expr = std::make_unique<Expr>();
    expr->terms.push_back(True(body));
    expr->generated = true;
    expr->location = body;
    rule->body.push_back(std::move(expr));
    rule->generated_body = true;
    return rule;
  }

  static TermPtr True(const Location& location) {
    auto term = std::make_unique<Term>();
    term->kind = TermKind::kBoolean;
    term->boolean = true;
    term->location = location;
    return term;
  }

  std::unique_ptr<Rule> FromTerm(TermPtr term) {
    if (term->kind != TermKind::kRef) {
      return Refuse(std::string(KindName(term->kind)) + " cannot be used for rule name");
    }
    if (term->items.size() == 1) {
      return Refuse("refs cannot be used for rule head");
    }
    if (!term->items[0]->IsVar()) {
      return Refuse("invalid rule head: " + ToString(*term));
    }
    Location location = term->location;
    if (term->items.size() > 2) {
      std::unique_ptr<Rule> rule = NewRule(std::move(term), True(location), location);
      rule->generated_value = true;
      return rule;
    }
    TermPtr key = std::move(term->items[1]);
    std::unique_ptr<Rule> rule = NewRule(std::move(term->items[0]), nullptr, location);
    rule->key = std::move(key);
    rule->location = rule->head_location = location;
    return rule;
  }

  std::unique_ptr<Rule> FromCall(Expr& expr) {
    std::string op = ToString(*expr.terms[0]);
    if (op == "eq" || op == "assign") {
      if (expr.terms.size() != 3) {
        return Refuse("assignment requires two operands");
      }
      std::unique_ptr<Rule> rule = FromEquality(std::move(expr.terms[1]), std::move(expr.terms[2]));
      if (!rule) {
        return nullptr;
      }
      rule->location = rule->head_location = expr.location;
      rule->assigned = op == "assign";
      return rule;
    }
    if (IsBuiltinName(op)) {
      return Refuse("rule name conflicts with built-in function");
    }
    if (expr.terms.size() <= 1) {
      return Refuse("rule argument list must take at least one argument");
    }
    if (!expr.terms[0]->items[0]->IsVar()) {
      return Refuse("invalid rule head: " + op);
    }
    Location location = expr.terms[0]->location;
    std::unique_ptr<Rule> rule = NewRule(std::move(expr.terms[0]), True(location), location);
    for (std::size_t i = 1; i < expr.terms.size(); ++i) {
      rule->arguments.push_back(std::move(expr.terms[i]));
    }
    return rule;
  }

  std::unique_ptr<Rule> FromEquality(TermPtr left, TermPtr right) {
    Location body = right->location;
    if (left->kind == TermKind::kCall) {
      TermPtr op = std::move(left->items[0]);
      if (op->kind != TermKind::kRef) {
        return Refuse(std::string(KindName(op->kind)) + "s cannot be used in function signature");
      }
      if (!op->items[0]->IsVar()) {
        return Refuse("invalid rule head: " + ToString(*op));
      }
      std::unique_ptr<Rule> rule = NewRule(std::move(op), std::move(right), body);
      for (std::size_t i = 1; i < left->items.size(); ++i) {
        rule->arguments.push_back(std::move(left->items[i]));
      }
      return rule;
    }
    if (left->kind == TermKind::kRef && !left->items[0]->IsVar()) {
      return Refuse("invalid rule head: " + ToString(*left));
    }
    if (left->kind != TermKind::kRef && !left->IsVar()) {
      return Refuse(std::string(KindName(left->kind)) + " cannot be used for rule name");
    }
    return NewRule(std::move(left), std::move(right), body);
  }

  std::string refusal_;
};

RuleKind KindOf(const Rule& rule) {
  if (rule.IsFunction()) {
    return RuleKind::kFunction;
  }
  if (!rule.value) {
    return RuleKind::kPartialSet;
  }
  return IsGround(*rule.reference) ? RuleKind::kComplete : RuleKind::kPartialObject;
}

void CheckV1(const Rule& rule, std::vector<Diagnostic>& errors) {
  std::string what = rule.IsFunction() ? "function" : "rule";
  const std::string& name = rule.reference->items[0]->text;
  if (rule.reference->items.size() < 2 && IsKeyword(name, Version::kV1)) {
    errors.push_back(ParseError(rule.location, name + " keyword cannot be used for rule name"));
  }
  if (rule.generated_body && rule.generated_value) {
    errors.push_back(
        ParseError(rule.location, what + " must have value assignment and/or body declaration"));
  }
  if (!rule.generated_body && !rule.uses_if && !rule.is_default) {
    errors.push_back(
        ParseError(rule.location, "`if` keyword is required before " + what + " body"));
  }
  if (!rule.value && !rule.uses_contains) {
    errors.push_back(
        ParseError(rule.location, "`contains` keyword is required for partial set rules"));
  }
}

// Without its import, a keyword of heads is a name: `p if { … }` reads as the body `p` and a rule
// named `if`.
std::string_view HeadKeyword(const Statement& statement) {
  std::string_view name;
  if (const auto* rule = std::get_if<std::unique_ptr<Rule>>(&statement)) {
    if ((*rule)->reference->items.size() == 1) {
      name = (*rule)->reference->items[0]->text;
    }
  } else if (const auto* body = std::get_if<Body>(&statement)) {
    if (body->size() != 1 || (*body)[0]->kind != ExprKind::kTerm ||
        !(*body)[0]->terms[0]->IsVar()) {
      return {};
    }
    name = (*body)[0]->terms[0]->text;
  }
  return name == "if" || name == "contains" ? name : std::string_view();
}

std::uint32_t RowOf(const Statement& statement) {
  if (const auto* rule = std::get_if<std::unique_ptr<Rule>>(&statement)) {
    return (*rule)->location.row;
  }
  if (const auto* body = std::get_if<Body>(&statement)) {
    return (*body)[0]->location.row;
  }
  if (const auto* import = std::get_if<Import>(&statement)) {
    return import->location.row;
  }
  return std::get<PackageStatement>(statement).location.row;
}

std::string KeywordHint(const Module& module, std::span<const Statement> statements,
                        std::size_t i) {
  if (module.FollowsV1()) {
    return {};
  }
  std::string_view keyword = HeadKeyword(statements[i]);
  if (keyword.empty() && i + 1 < statements.size() &&
      RowOf(statements[i + 1]) == RowOf(statements[i])) {
    keyword = HeadKeyword(statements[i + 1]);
  }
  if (keyword.empty()) {
    return {};
  }
  std::string name(keyword);
  return " (hint: `import future.keywords." + name + "` for `" +
         (name == "if" ? "p if { ... }" : "p contains x") + "` rules)";
}

Location StartOf(const Statement& statement) {
  if (const auto* rule = std::get_if<std::unique_ptr<Rule>>(&statement)) {
    return (*rule)->location;
  }
  if (const auto* body = std::get_if<Body>(&statement)) {
    return (*body)[0]->location;
  }
  if (const auto* import = std::get_if<Import>(&statement)) {
    return import->location;
  }
  return std::get<PackageStatement>(statement).location;
}

void Assemble(Module& module, std::vector<Statement> statements, std::vector<Diagnostic>& errors) {
  if (auto* package = std::get_if<PackageStatement>(statements.data())) {
    module.package = std::move(package->path);
    module.package_location = package->location;
  } else {
    errors.push_back(ParseError(StartOf(statements[0]), "package expected"));
  }
  for (std::size_t i = 1; i < statements.size(); ++i) {
    Statement& statement = statements[i];
    if (auto* import = std::get_if<Import>(&statement)) {
      module.imports.push_back(std::move(*import));
    } else if (auto* rule = std::get_if<std::unique_ptr<Rule>>(&statement)) {
      module.rules.push_back(std::move(*rule));
    } else if (auto* package = std::get_if<PackageStatement>(&statement)) {
      errors.push_back(ParseError(package->location, "unexpected package"));
    } else {
      Location location = StartOf(statement);
      std::string hint = KeywordHint(module, statements, i);
      BodyRule maker;
      std::unique_ptr<Rule> made = maker.Make(std::move(std::get<Body>(statement)));
      if (!made) {
        errors.push_back(ParseError(location, maker.refusal() + hint));
        continue;
      }
      module.rules.push_back(std::move(made));
    }
  }
}

}  // namespace

Checked<std::unique_ptr<Module>> ParseModule(std::string file, std::string text, Version version,
                                             Annotations annotations) {
  auto module = std::make_unique<Module>();
  module->file = std::make_shared<const std::string>(std::move(file));
  module->text = std::make_shared<const std::string>(std::move(text));
  module->version = version;
  Location whole{module->file, 0, 0, 0, 0};
  if (module->text->size() > kMaximumTextBytes) {
    return std::unexpected(std::vector{ParseError(whole, "module is larger than 4 MiB")});
  }
  Parser parser(module->file, *module->text, {.version = version});
  std::vector<Statement> statements = parser.Parse();
  std::vector<Diagnostic> errors = parser.errors();
  module->comments = parser.comments();
  if (annotations == Annotations::kRead) {
    const std::size_t before = errors.size();
    module->annotations = ReadAnnotations(module->comments, errors);
    for (std::size_t i = before; i < errors.size(); ++i) {
      errors[i].details = parser.Details(errors[i].location.offset);
    }
  }
  if (!errors.empty()) {
    return std::unexpected(std::move(errors));
  }
  if (statements.empty()) {
    return std::unexpected(
        std::vector{module->annotations.empty()
                        ? ParseError(whole, "empty module")
                        : ParseError(module->annotations.front().location, "package expected")});
  }
  Assemble(*module, std::move(statements), errors);
  for (const std::unique_ptr<Rule>& first : module->rules) {
    for (Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
      rule->kind = KindOf(*rule);
      rule->module = module.get();
      if (module->FollowsV1()) {
        CheckV1(*rule, errors);
      }
    }
  }
  if (errors.empty()) {
    AttachAnnotations(*module, errors);
  }
  if (!errors.empty()) {
    return std::unexpected(std::move(errors));
  }
  return module;
}

Checked<Body> ParseQuery(std::string text, Version version) {
  if (text.size() > kMaximumTextBytes) {
    return std::unexpected(std::vector{ParseError({}, "query is larger than 4 MiB")});
  }
  auto file = std::make_shared<const std::string>();
  Parser parser(file, text, {.version = version, .skip_rules = true});
  std::vector<Statement> statements = parser.Parse();
  std::vector<Diagnostic> errors = parser.errors();
  if (!errors.empty()) {
    return std::unexpected(std::move(errors));
  }
  Body query;
  for (Statement& statement : statements) {
    auto* body = std::get_if<Body>(&statement);
    if (body == nullptr) {
      return std::unexpected(
          std::vector{ParseError(StartOf(statement), "expected body but got another statement")});
    }
    for (ExprPtr& expr : *body) {
      expr->index = static_cast<std::uint32_t>(query.size());
      query.push_back(std::move(expr));
    }
  }
  return query;
}

}  // namespace portcullis::rego
