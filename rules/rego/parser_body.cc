// Bodies and what stands in them: literals, some, every, with.

#include "rules/rego/parser.h"
#include "rules/rego/text.h"

namespace portcullis::rego {

bool Parser::IsMember(const Term& term) {
  if (term.kind != TermKind::kCall) {
    return false;
  }
  std::string name = ToString(*term.items[0]);
  return name == "internal.member_2" || name == "internal.member_3";
}

std::optional<Body> Parser::ParseBody(Token end) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return std::nullopt;
  }
  return ParseQuery(false, end);
}

// Literals up to `end`, which is not consumed. With `one_literal`, literals are only joined by
// semicolons.
std::optional<Body> Parser::ParseQuery(bool one_literal, Token end) {
  if (At(end)) {
    Fail(Here(), "found empty body");
    return std::nullopt;
  }
  Body body;
  while (true) {
    ExprPtr expr = ParseLiteral();
    if (!expr) {
      return std::nullopt;
    }
    expr->index = static_cast<std::uint32_t>(body.size());
    body.push_back(std::move(expr));
    if (At(Token::kSemicolon)) {
      Scan();
      continue;
    }
    if (At(end) || one_literal) {
      return body;
    }
    if (state_.skipped_newline) {
      continue;
    }
    if (!HasErrors()) {
      HintMissingInfixKeyword();
      Illegal("expected \\n or ; or " + std::string(TokenName(end)));
    }
    return std::nullopt;
  }
}

ExprPtr Parser::ParseLiteral() {
  Location location = Here();
  ExprPtr expr = ParseLiteralUnplaced();
  if (!expr) {
    return nullptr;
  }
  expr->location = Spanned(location);
  if (expr->kind == ExprKind::kNot && !expr->explicit_body) {
    for (ExprPtr& inner : expr->body) {
      inner->location = expr->location;
    }
  }
  return expr;
}

ExprPtr Parser::ParseLiteralUnplaced() {
  if (LogicalKeywordsActive()) {
    if (At(Token::kLBrace)) {
      bool committed = false;
      ExprPtr expr = ParseBracedOperand(committed);
      if (committed) {
        return expr;
      }
    }
    if (At(Token::kLParen)) {
      Group group = ParseGroup(false, "");
      if (group.committed) {
        return group.operand.body ? FoldTail(std::move(group.operand)) : nullptr;
      }
    }
  }
  if (TakeKeywordBeforeRef()) {
    return ParseLiteralExpr(false, {});
  }

  const Location not_location = TakeNegation();
  const bool negated = not_location.row != 0;
  if (negated && not_bodies_ && At(Token::kLBrace)) {
    Operand operand = ParseNotBodyOperand(not_location);
    return operand.body ? FoldTail(std::move(operand)) : nullptr;
  }
  if (At(Token::kSome)) {
    if (!negated) {
      return ParseSome();
    }
    Illegal("illegal negation of 'some'");
    return nullptr;
  }
  if (At(Token::kEvery)) {
    if (!negated) {
      return ParseEvery();
    }
    Illegal("illegal negation of 'every'");
    return nullptr;
  }
  return ParseLiteralExpr(negated, not_location);
}

ExprPtr Parser::ParseLiteralExpr(bool negated, const Location& not_location) {
  State before = state_;
  if (negated && not_bodies_ && At(Token::kLParen)) {
    Group group = ParseGroup(true, "not ");
    if (group.committed) {
      if (!group.operand.body) {
        return nullptr;
      }
      Operand operand;
      operand.location = Spanned(not_location);
      operand.body.emplace();
      operand.body->push_back(
          NewNot(std::move(*group.operand.body), group.operand.explicit_body, operand.location));
      return FoldTail(std::move(operand));
    }
  }
  ExprPtr expr = ParseExpr();
  if (!expr) {
    return nullptr;
  }
  Location with_location;
  if (At(Token::kWith)) {
    with_location = Here();
    if (!ParseWith(expr->with)) {
      return nullptr;
    }
  }
  HintEvery(*expr, before);
  if (negated && not_bodies_) {
    // The modifiers are those of the whole negation.
    std::vector<With> with = std::move(expr->with);
    expr->with.clear();
    Location location = not_location.row != 0 ? Spanned(not_location) : Location{};
    Body body;
    body.push_back(std::move(expr));
    expr = NewNot(std::move(body), false, location);
    expr->with = std::move(with);
  } else {
    expr->negated = negated;
  }
  return ContinueLiteral(std::move(expr), before, not_location, with_location);
}

bool Parser::ParseWith(std::vector<With>& with) {
  while (true) {
    With next;
    next.location = Here();
    Scan();
    if (!At(Token::kIdent)) {
      Illegal("expected ident");
      return false;
    }
    next.target = ParseTerm();
    if (!next.target) {
      return false;
    }
    if (next.target->kind != TermKind::kRef && !next.target->IsVar()) {
      Illegal("expected with target path");
    }
    if (!At(Token::kAs)) {
      Illegal("expected as keyword");
      return false;
    }
    Scan();
    next.value = ParseInfix();
    if (!next.value) {
      return false;
    }
    next.location = Spanned(next.location);
    with.push_back(std::move(next));
    if (!At(Token::kWith)) {
      return true;
    }
  }
}

ExprPtr Parser::AttachWith(ExprPtr expr) {
  if (expr && At(Token::kWith)) {
    expr->with.clear();
    if (!ParseWith(expr->with)) {
      return nullptr;
    }
  }
  return expr;
}

// A body that goes on with a plain `in`, `and` or `or`, or with the comma of `k, v in xs`: the
// import is missing.
void Parser::HintMissingInfixKeyword() {
  if (state_.hints != kNothing) {
    return;
  }
  std::string keyword = "in";
  if (At(Token::kIdent)) {
    keyword = Text();
    if (keyword != "in" && keyword != "and" && keyword != "or") {
      return;
    }
  } else if (At(Token::kComma)) {
    State before = state_;
    Scan();
    state_.lexer.keywords = KeywordSet::All();
    const Aside aside(*this);
    TermPtr term = ParseInfix();
    Restore(before);
    if (!term || !IsMember(*term)) {
      return;
    }
  } else {
    return;
  }
  std::string example = keyword == "in" ? "x in xs" : "x " + keyword + " y";
  Hint("`import future.keywords." + keyword + "` for `" + example + "` expressions");
}

void Parser::HintEvery(const Expr& expr, const State& before) {
  if (options_.version != Version::kV0 || expr.kind != ExprKind::kTerm) {
    return;
  }
  if (!expr.terms[0]->IsVar() || expr.terms[0]->text != "every") {
    return;
  }
  State after = state_;
  Restore(before);
  state_.lexer.keywords = KeywordSet::All();
  const Aside aside(*this);
  ExprPtr every = ParseEvery();
  Restore(after);
  if (every) {
    Hint("`import future.keywords.every` for `every x in xs { ... }` expressions");
  }
}

void Parser::HintSomeIn() {
  State before = state_;
  Scan();
  state_.lexer.keywords = KeywordSet::All();
  const Aside aside(*this);
  TermPtr term = ParseInfix();
  Restore(before);
  if (term && IsMember(*term)) {
    Hint("`import future.keywords.in` for `some x in xs` expressions");
  }
}

ExprPtr Parser::ParseSome() {
  State before = state_;
  bool failed = false;
  ExprPtr expr = ParseSomeIn(failed);
  if (expr || failed) {
    return expr;
  }
  Restore(before);
  if (options_.version == Version::kV0) {
    HintSomeIn();
  }

  expr = std::make_unique<Expr>();
  expr->kind = ExprKind::kSome;
  expr->location = Here();
  do {
    Scan();
    if (!At(Token::kIdent)) {
      Illegal("expected var");
      return nullptr;
    }
    expr->terms.push_back(ParseVar());
    Scan();
  } while (At(Token::kComma));
  return expr;
}

// `some x in xs` and `some k, v in xs`. Null without `failed`: it is neither.
ExprPtr Parser::ParseSomeIn(bool& failed) {
  auto expr = std::make_unique<Expr>();
  expr->kind = ExprKind::kSome;
  expr->location = Here();
  Scan();
  TermPtr term = ParseInfix();
  if (!term || term->kind != TermKind::kCall) {
    return nullptr;
  }
  failed = true;
  if (!IsMember(*term)) {
    Illegal("expected `x in xs` or `x, y in xs` expression");
    return nullptr;
  }
  std::size_t wanted = ToString(*term->items[0]) == "internal.member_2" ? 3 : 4;
  if (term->items.size() != wanted) {
    Illegal("illegal domain");
    return nullptr;
  }
  expr->terms.push_back(std::move(term));
  if (At(Token::kWith) && !ParseWith(expr->with)) {
    return nullptr;
  }
  return expr;
}

ExprPtr Parser::ParseEvery() {
  auto expr = std::make_unique<Expr>();
  expr->kind = ExprKind::kEvery;
  expr->location = Here();
  Scan();
  TermPtr term = ParseInfix();
  if (!term) {
    return nullptr;
  }
  if (!IsMember(*term)) {
    Illegal("expected `x[, y] in xs { ... }` expression");
    return nullptr;
  }
  std::size_t wanted = ToString(*term->items[0]) == "internal.member_2" ? 3 : 4;
  if (term->items.size() != wanted) {
    Illegal("illegal domain");
    return nullptr;
  }
  if (wanted == 3) {
    expr->terms.push_back(nullptr);
  }
  for (std::size_t i = 1; i < wanted; ++i) {
    expr->terms.push_back(std::move(term->items[i]));
  }
  if (expr->terms[0] && !expr->terms[0]->IsVar()) {
    Illegal("expected key to be a variable");
    return nullptr;
  }
  if (!expr->terms[1]->IsVar()) {
    Illegal("expected value to be a variable");
    return nullptr;
  }
  if (!At(Token::kLBrace)) {
    Illegal("missing body");
    return nullptr;
  }
  Scan();
  std::optional<Body> body = ParseBody(Token::kRBrace);
  if (!body) {
    return nullptr;
  }
  Scan();
  expr->body = std::move(*body);
  if (At(Token::kWith) && !ParseWith(expr->with)) {
    return nullptr;
  }
  return expr;
}

ExprPtr Parser::ParseExpr() {
  TermPtr left = ParseInfix();
  if (!left) {
    return nullptr;
  }
  auto expr = std::make_unique<Expr>();
  if (TermPtr op = ParseOperator({Token::kAssign, Token::kUnify})) {
    TermPtr right = ParseInfix();
    if (!right) {
      return nullptr;
    }
    expr->kind = ExprKind::kCall;
    expr->terms.push_back(std::move(op));
    expr->terms.push_back(std::move(left));
    expr->terms.push_back(std::move(right));
    return expr;
  }
  if (left->kind == TermKind::kCall) {
    expr->kind = ExprKind::kCall;
    expr->terms = std::move(left->items);
    return expr;
  }
  expr->terms.push_back(std::move(left));
  return expr;
}

}  // namespace portcullis::rego
