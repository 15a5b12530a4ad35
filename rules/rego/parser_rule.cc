// Rules: heads, bodies, else parts, further bodies.

#include <algorithm>
#include <set>

#include "rules/rego/parser.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

void SetLocations(Body& body, const Location& location) {
  Visitor visitor;
  visitor.term = [&](Term& term) { return term.location = location, true; };
  visitor.expr = [&](Expr& expr) {
    expr.location = location;
    for (With& with : expr.with) {
      with.location = location;
    }
    return true;
  };
  Walk(body, visitor);
}

void SetHeadLocations(Rule& rule, const Location& location) {
  Visitor visitor;
  visitor.term = [&](Term& term) { return term.location = location, true; };
  visitor.expr = [&](Expr& expr) { return expr.location = location, true; };
  // The reference stays where it is written, as OPA's.
  for (TermPtr& argument : rule.arguments) {
    Walk(*argument, visitor);
  }
  if (rule.key) {
    Walk(*rule.key, visitor);
  }
  if (rule.value) {
    Walk(*rule.value, visitor);
  }
  rule.head_location = location;
}

std::unique_ptr<Rule> CloneHead(const Rule& rule) {
  auto copy = std::make_unique<Rule>();
  copy->kind = rule.kind;
  copy->assigned = rule.assigned;
  copy->generated_value = rule.generated_value;
  copy->reference = Clone(*rule.reference);
  for (const TermPtr& argument : rule.arguments) {
    copy->arguments.push_back(Clone(*argument));
  }
  if (rule.key) {
    copy->key = Clone(*rule.key);
  }
  if (rule.value) {
    copy->value = Clone(*rule.value);
  }
  copy->head_location = rule.head_location;
  return copy;
}

}  // namespace

std::vector<std::unique_ptr<Rule>> Parser::ParseRules() {
  std::vector<std::unique_ptr<Rule>> rules;
  auto rule = std::make_unique<Rule>();
  rule->location = Here();
  TakeKeywordBeforeRef();
  if (At(Token::kDefault)) {
    Scan();
    rule->is_default = true;
    TakeKeywordBeforeRef();
  }
  if (!At(Token::kIdent)) {
    if (rule->is_default) {
      FailKeywordAsRuleName(true);
    }
    return rules;
  }
  if (!ParseRuleHead(*rule)) {
    return rules;
  }
  if (rule->is_default) {
    if (!CheckDefault(*rule)) {
      return rules;
    }
    rule->body = ImplicitBody(rule->location);
    rules.push_back(std::move(rule));
    return rules;
  }
  bool bare = rule->uses_contains && !AtAny({Token::kIf, Token::kLBrace});
  if (!ParseRuleBody(*rule)) {
    return rules;
  }
  rules.push_back(std::move(rule));
  if (!bare && !ParseChained(rules)) {
    rules.clear();
  }
  return rules;
}

bool Parser::ParseRuleHead(Rule& rule) {
  Location location = Here();
  TermPtr name = ParseVar();
  TermPtr head = ParseHeadFinish(std::move(name));
  if (!head) {
    Illegal("expected rule head name");
    return false;
  }
  if (!ApplyHeadRef(rule, std::move(head))) {
    return false;
  }
  ParseHeadValue(rule, ToString(*rule.reference));
  rule.head_location = Spanned(location);
  return true;
}

bool Parser::ApplyHeadRef(Rule& rule, TermPtr head) {
  if (head->kind == TermKind::kCall) {
    TermPtr op = std::move(head->items[0]);
    if (op->kind != TermKind::kRef || !op->items[0]->IsVar()) {
      Illegal("rule head ref " + ToString(*op) + " invalid");
      return false;
    }
    head->items.erase(head->items.begin());
    rule.arguments = std::move(head->items);
    head = std::move(op);
  }
  if (head->IsVar()) {
    rule.reference = NewTerm(TermKind::kRef, head->location);
    rule.reference->items.push_back(std::move(head));
    return true;
  }
  rule.reference = std::move(head);
  return rule.reference->kind == TermKind::kRef && rule.reference->items[0]->IsVar();
}

void Parser::ParseHeadValue(Rule& rule, const std::string& name) {
  if (At(Token::kContains)) {
    if (!rule.arguments.empty()) {
      Illegal("the contains keyword can only be used with multi-value rule definitions (e.g., " +
              name + " contains <VALUE> { ... })");
    }
    Scan();
    rule.uses_contains = true;
    rule.key = ParseInfix();
    if (!rule.key) {
      Illegal("expected rule key term (e.g., " + name + " contains <VALUE> { ... })");
    }
    return;
  }
  if (At(Token::kUnify)) {
    Scan();
    rule.value = ParseInfix();
    if (!rule.value) {
      Illegal("expected rule value term (e.g., " + name + "[<nil>] = <VALUE> { ... })");
    }
  } else if (At(Token::kAssign)) {
    Scan();
    rule.assigned = true;
    rule.value = ParseInfix();
    if (!rule.value) {
      if (!rule.arguments.empty()) {
        Illegal("expected function value term (e.g., " + name + "(...) := <VALUE> { ... })");
      } else if (rule.is_default) {
        Illegal("expected default rule value term (e.g., default " + name + " := <VALUE>)");
      } else {
        Illegal("expected rule value term (e.g., " + name + " := <VALUE> { ... })");
      }
    }
  }
  if (!rule.value && (rule.reference->items.size() != 2 || !rule.arguments.empty())) {
    rule.generated_value = true;
    rule.value = NewTerm(TermKind::kBoolean, rule.reference->location);
    rule.value->boolean = true;
  }
}

bool Parser::ParseRuleBody(Rule& rule) {
  bool has_if = At(Token::kIf);
  if (!rule.uses_contains && rule.arguments.empty() && rule.reference->items.size() == 2 &&
      !rule.value) {
    if (has_if) {
      // p[x] if … is an entry of an object, whose value is true; p[x] { … } is a member of a set.
      rule.generated_value = true;
      rule.value = NewTerm(TermKind::kBoolean, rule.head_location);
      rule.value->boolean = true;
    } else {
      rule.key = std::move(rule.reference->items.back());
      rule.reference->items.pop_back();
    }
  }
  if (has_if) {
    if (!ParseIfBody(rule)) {
      return false;
    }
  } else if (At(Token::kLBrace)) {
    Scan();
    std::optional<Body> body = ParseBody(Token::kRBrace);
    if (!body) {
      return false;
    }
    rule.body = std::move(*body);
    Scan();
  } else if (rule.uses_contains) {
    rule.location = rule.head_location;
    rule.body = ImplicitBody(rule.location);
    rule.generated_body = true;
    return true;
  } else {
    return false;
  }
  if (At(Token::kElse) && !TakeKeywordBeforeRef() && !ParseElseOf(rule)) {
    return false;
  }
  rule.location = Spanned(rule.location);
  return true;
}

bool Parser::ParseIfBody(Rule& rule) {
  rule.uses_if = true;
  Scan();
  State before = state_;
  bool brace = At(Token::kLBrace);
  ExprPtr expr = ParseLiteral();
  // A set is never false, so `p if { true }` cannot mean one.
  bool is_set =
      expr && expr->kind == ExprKind::kTerm && brace && expr->terms[0]->kind == TermKind::kSet;
  if (expr && !is_set) {
    rule.body.push_back(std::move(expr));
    return true;
  }
  if (!brace) {
    return false;
  }
  Restore(before);
  Scan();
  std::optional<Body> body = ParseBody(Token::kRBrace);
  if (!body) {
    return false;
  }
  rule.body = std::move(*body);
  Scan();
  return true;
}

bool Parser::ParseElseOf(Rule& rule) {
  if (rule.reference->items.size() > 1 && !IsGround(*rule.reference)) {
    Fail(Here(), "else keyword cannot be used on rules with variables in head");
    return false;
  }
  // p[k] = v { … } has a key too, but in the form with `if` only where that is not constant.
  const std::vector<TermPtr>& items = rule.reference->items;
  const bool entry = rule.arguments.empty() && !rule.uses_contains && items.size() == 2 &&
                     (!rule.uses_if || items[1]->kind == TermKind::kRef);
  if (rule.key || entry) {
    Fail(Here(), "else keyword cannot be used on multi-value rules");
    return false;
  }
  rule.else_rule = ParseElse(rule);
  return rule.else_rule != nullptr;
}

std::unique_ptr<Rule> Parser::ParseElse(const Rule& head) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  std::unique_ptr<Rule> rule = CloneHead(head);
  rule->location = Here();
  rule->head_location = Here();
  rule->generated_value = false;
  RenewWildcards(*rule);
  Scan();
  if (AtAny({Token::kLBrace, Token::kIf})) {
    rule->generated_value = true;
    rule->value = NewTerm(TermKind::kBoolean, rule->location);
    rule->value->boolean = true;
  } else if (AtAny({Token::kAssign, Token::kUnify})) {
    rule->assigned = At(Token::kAssign);
    Scan();
    rule->value = ParseInfix();
    if (!rule->value) {
      return nullptr;
    }
    rule->head_location = Spanned(rule->head_location);
  } else {
    Illegal("expected else value term or rule body");
    return nullptr;
  }
  if (!AtAny({Token::kLBrace, Token::kIf})) {
    rule->body = ImplicitBody(rule->location);
    rule->generated_body = true;
    return rule;
  }
  if (!ParseElseBody(*rule)) {
    return nullptr;
  }
  if (At(Token::kElse)) {
    rule->else_rule = ParseElse(head);
    if (!rule->else_rule) {
      return nullptr;
    }
  }
  rule->location = Spanned(rule->location);
  return rule;
}

bool Parser::ParseElseBody(Rule& rule) {
  if (At(Token::kIf)) {
    rule.uses_if = true;
    Scan();
  }
  if (At(Token::kLBrace)) {
    Scan();
    std::optional<Body> body = ParseBody(Token::kRBrace);
    if (!body) {
      return false;
    }
    rule.body = std::move(*body);
    Scan();
    return true;
  }
  if (At(Token::kEof)) {
    Illegal("rule body expected");
    return false;
  }
  ExprPtr expr = ParseLiteral();
  if (!expr) {
    return false;
  }
  rule.body.push_back(std::move(expr));
  SetLocations(rule.body, rule.location);
  return true;
}

// p { … } { … }: one more rule for each further body.
bool Parser::ParseChained(std::vector<std::unique_ptr<Rule>>& rules) {
  const Rule& first = *rules.front();
  while (At(Token::kLBrace)) {
    if (first.else_rule) {
      Fail(Here(), "expected else keyword");
      return false;
    }
    Location location = Here();
    Scan();
    std::optional<Body> body = ParseBody(Token::kRBrace);
    if (!body) {
      return false;
    }
    Scan();
    std::unique_ptr<Rule> next = CloneHead(first);
    next->uses_if = first.uses_if;
    next->uses_contains = first.uses_contains;
    next->body = std::move(*body);
    next->location = Spanned(location);
    RenewWildcards(*next);
    SetHeadLocations(*next, next->location);
    rules.push_back(std::move(next));
  }
  return true;
}

void Parser::RenewWildcards(Rule& rule) {
  for (TermPtr& argument : rule.arguments) {
    if (argument->IsWildcard()) {
      argument = NewWildcard(argument->location);
    }
  }
}

bool Parser::CheckDefault(const Rule& rule) {
  if (!rule.value) {
    Fail(rule.location, "illegal default rule (must have a value)");
    return false;
  }
  bool valid = true;
  Visitor values;
  values.term = [&](Term& term) {
    switch (term.kind) {
      case TermKind::kArrayComprehension:
      case TermKind::kObjectComprehension:
      case TermKind::kSetComprehension:
        return false;
      case TermKind::kRef:
      case TermKind::kVar:
      case TermKind::kCall:
        Fail(rule.location, "illegal default rule (value cannot contain " +
                                std::string(KindName(term.kind)) + ")");
        return valid = false;
      default:
        return true;
    }
  };
  Walk(*rule.value, values);
  if (!valid) {
    return false;
  }

  std::set<std::string_view> seen;
  for (const TermPtr& argument : rule.arguments) {
    if (!argument->IsVar()) {
      Fail(rule.location, "illegal default rule (arguments cannot contain " +
                              std::string(KindName(argument->kind)) + ")");
      valid = false;
    } else if (!seen.insert(argument->text).second) {
      Fail(rule.location,
           "illegal default rule (arguments cannot be repeated " + argument->text + ")");
      valid = false;
    }
  }
  return valid;
}

Body Parser::ImplicitBody(const Location& location) const {
  auto expr = std::make_unique<Expr>();
  expr->terms.push_back(NewTerm(TermKind::kBoolean, location));
  expr->terms[0]->boolean = true;
  expr->generated = true;
  expr->location = location;
  Body body;
  body.push_back(std::move(expr));
  return body;
}

}  // namespace portcullis::rego
