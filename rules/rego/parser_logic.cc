// Negation of bodies, and the operators `and` and `or` (import future.keywords.{not,and,or}).

#include <algorithm>

#include "rules/rego/parser.h"
#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

// The value that an operand's leading brace opens: of `{1, 2} & s` the set.
const Term& BraceLed(const Term& term) {
  if (term.kind == TermKind::kCall && term.items.size() == 3 &&
      !InfixOf(ToString(*term.items[0])).empty()) {
    return BraceLed(*term.items[1]);
  }
  return term;
}

bool IsLogical(const Body& body) {
  return body.size() == 1 && (body[0]->kind == ExprKind::kAnd || body[0]->kind == ExprKind::kOr);
}

bool IsNegated(const Body& body) {
  return body.size() == 1 && (body[0]->negated || body[0]->kind == ExprKind::kNot);
}

Body OneExpr(ExprPtr expr) {
  Body body;
  expr->index = 0;
  body.push_back(std::move(expr));
  return body;
}

std::string Quoted(std::string_view text) {
  return "`" + std::string(text) + "`";
}

}  // namespace

bool Parser::AtNegation() {
  if (!At(Token::kNot)) {
    return false;
  }
  Token next = TokenAfterSpace();
  return next != Token::kDot && next != Token::kLBrack;
}

ExprPtr Parser::NewNot(Body body, bool explicit_body, const Location& location) const {
  auto expr = std::make_unique<Expr>();
  expr->kind = ExprKind::kNot;
  expr->body = std::move(body);
  expr->explicit_body = explicit_body;
  expr->location = location;
  return expr;
}

ExprPtr Parser::NewLogical(ExprKind kind, Operand left, Operand right) {
  std::string_view name = kind == ExprKind::kAnd ? "and" : "or";
  CheckVoidOperand(*left.body, name);
  CheckVoidOperand(*right.body, name);
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->location = Spanned(left.location);
  expr->body = std::move(*left.body);
  expr->right = std::move(*right.body);
  expr->explicit_body = left.explicit_body;
  expr->explicit_right = right.explicit_body;
  return expr;
}

ExprPtr Parser::ParseNotBody(const Location& not_location) {
  Location brace = Here();
  State before = state_;
  Scan();
  bool empty = At(Token::kRBrace);
  std::optional<Body> body = ParseBody(Token::kRBrace);
  if (!body) {
    if (empty) {
      return nullptr;
    }
    // The braces may hold a value instead.
    State failed = state_;
    Restore(before);
    if (TermPtr term = ParseInfix()) {
      FailOperandBrace(brace, TextOf(brace.offset, state_.last_end), *term, "not ");
      return nullptr;
    }
    Restore(failed);
    return nullptr;
  }
  Scan();
  if (IsAmbiguousUnion(*body)) {
    FailAmbiguousUnion(brace, *body, "not ");
    return nullptr;
  }
  return NewNot(std::move(*body), true, Spanned(not_location));
}

// `{ body } and …` at the start of a literal. Not committed: the state is as before.
ExprPtr Parser::ParseBracedOperand(bool& committed) {
  State before = state_;
  const std::uint64_t failures = failures_;
  Location brace = Here();
  Scan();
  std::optional<Body> body = ParseBody(Token::kRBrace);
  if (body) {
    Scan();
    if (AtAny({Token::kLogicalAnd, Token::kLogicalOr})) {
      committed = true;
      if (IsAmbiguousUnion(*body)) {
        FailAmbiguousUnion(brace, *body, "");
        return nullptr;
      }
      return AttachWith(ParseOrChain({std::move(body), true, brace}));
    }
  }
  Restore(before);
  put_back_.clear();
  std::erase_if(failed_, [&](const auto& entry) { return entry.second.number > failures; });
  return nullptr;
}

ExprPtr Parser::ParseOrChain(Operand left) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  if (At(Token::kLogicalAnd)) {
    ExprPtr expr = ParseAndChain(std::move(left));
    if (!expr) {
      return nullptr;
    }
    Location location = expr->location;
    left = {OneExpr(std::move(expr)), false, location};
  }
  while (At(Token::kLogicalOr)) {
    Scan();
    Operand right = ParseOperand("or");
    if (!right.body) {
      return nullptr;
    }
    if (At(Token::kLogicalAnd)) {
      ExprPtr expr = ParseAndChain(std::move(right));
      if (!expr) {
        return nullptr;
      }
      Location location = expr->location;
      right = {OneExpr(std::move(expr)), false, location};
    }
    ExprPtr expr = NewLogical(ExprKind::kOr, std::move(left), std::move(right));
    Location location = expr->location;
    left = {OneExpr(std::move(expr)), false, location};
  }
  return std::move(left.body->front());
}

ExprPtr Parser::ParseAndChain(Operand left) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  while (At(Token::kLogicalAnd)) {
    Scan();
    Operand right = ParseOperand("and");
    if (!right.body) {
      return nullptr;
    }
    ExprPtr expr = NewLogical(ExprKind::kAnd, std::move(left), std::move(right));
    Location location = expr->location;
    left = {OneExpr(std::move(expr)), false, location};
  }
  return std::move(left.body->front());
}

ExprPtr Parser::FoldTail(Operand operand) {
  if (AtAny({Token::kLogicalAnd, Token::kLogicalOr})) {
    return AttachWith(ParseOrChain(std::move(operand)));
  }
  return AttachWith(std::move(operand.body->front()));
}

ExprPtr Parser::ContinueLiteral(ExprPtr expr, const State& before, const Location& not_location,
                                const Location& with_location) {
  if (!AtAny({Token::kLogicalAnd, Token::kLogicalOr})) {
    return expr;
  }
  std::string_view name = TokenName(state_.token);
  if (with_location.row != 0) {
    FailWithOnOperand(with_location, name);
    return nullptr;
  }
  if (expr->location.row == 0) {
    expr->location = Spanned({file_, before.row, before.column, before.begin, 0});
  }
  std::string_view text =
      TextOf(expr->location.offset, expr->location.offset + expr->location.length);
  if (not_location.row == 0 && text.starts_with('{')) {
    bool empty = expr->kind == ExprKind::kTerm && expr->with.empty() &&
                 expr->terms[0]->kind == TermKind::kObject && expr->terms[0]->items.empty();
    if (empty) {
      Fail(expr->location, "found empty body");
    } else {
      FailBraceLed(expr->location, text, name);
    }
    return nullptr;
  }
  Location location = expr->location;
  return AttachWith(ParseOrChain({OneExpr(std::move(expr)), false, location}));
}

Location Parser::TakeNegation() {
  Location location;
  if (AtNegation()) {
    location = Here();
    Scan();
  }
  return location;
}

Parser::Operand Parser::ParseNotBodyOperand(const Location& not_location) {
  ExprPtr expr = ParseNotBody(not_location);
  if (!expr) {
    return {};
  }
  Location location = expr->location;
  return {OneExpr(std::move(expr)), false, location};
}

Parser::Operand Parser::ParseOperand(std::string_view operator_name) {
  if (At(Token::kLBrace)) {
    return ParseBracedOperandBody(operator_name);
  }
  const Location not_location = TakeNegation();
  const bool negated = not_location.row != 0;
  if (negated && not_bodies_ && At(Token::kLBrace)) {
    return ParseNotBodyOperand(not_location);
  }
  if (At(Token::kLParen) && LogicalKeywordsActive() && (!negated || not_bodies_)) {
    Group group = ParseGroup(true, negated ? "not " : "");
    if (group.committed) {
      if (!group.operand.body || !negated) {
        return std::move(group.operand);
      }
      Location location = Spanned(not_location);
      return {
          OneExpr(NewNot(std::move(*group.operand.body), group.operand.explicit_body, location)),
          false, location};
    }
  }
  Location start = Here();
  ExprPtr expr = ParseExpr();
  if (!expr) {
    return {};
  }
  if (expr->location.row == 0) {
    expr->location = Spanned(start);
  }
  if (negated && not_bodies_) {
    expr = NewNot(OneExpr(std::move(expr)), false, Spanned(not_location));
  } else if (negated) {
    expr->negated = true;
  }
  Location location = expr->location;
  return {OneExpr(std::move(expr)), false, location};
}

Parser::Operand Parser::ParseBracedOperandBody(std::string_view operator_name) {
  Location brace = Here();
  State before = state_;
  Scan();
  bool empty = At(Token::kRBrace);
  std::optional<Body> body = ParseBody(Token::kRBrace);
  if (!body) {
    if (empty || operator_name.empty()) {
      return {};
    }
    State failed = state_;
    Restore(before);
    if (ParseInfix()) {
      FailBraceLed(brace, TextOf(brace.offset, state_.last_end), operator_name);
      return {};
    }
    Restore(failed);
    return {};
  }
  Scan();
  // A caller that goes back takes the error back too.
  if (IsAmbiguousUnion(*body)) {
    FailAmbiguousUnion(brace, *body, "");
  }
  return {std::move(body), true, brace};
}

// `(a or b)`, `(not x)`, and redundant parentheses around them. `in_operand`: it stands where only
// an operand can.
Parser::Group Parser::ParseGroup(bool in_operand, std::string_view prefix) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return {{}, true};
  }
  State before = state_;
  Location open = Here();
  Scan();
  if (At(Token::kRParen)) {
    if (in_operand) {
      Fail(open, "empty parenthesized group");
      return {{}, true};
    }
    Restore(before);
    return {};
  }
  Operand left = ParseOperand("");
  if (!left.body) {
    Restore(before);
    return {};
  }
  if (AtAny({Token::kLogicalAnd, Token::kLogicalOr})) {
    ExprPtr expr = AttachWith(ParseOrChain(std::move(left)));
    if (!expr) {
      return {{}, true};
    }
    return CloseGroup({OneExpr(std::move(expr)), false, {}}, open);
  }
  if (At(Token::kWith) && !left.explicit_body && left.body->size() == 1) {
    return ParseGroupWith(std::move(left), open, in_operand, before);
  }
  if (left.explicit_body) {
    std::string braces(TextOf(left.location.offset, state_.last_end));
    Restore(before);
    Scan();
    TermPtr term = ParseTerm();
    Restore(before);
    if (term) {
      return {};
    }
    Hint("drop the parens to keep the body: `" + std::string(prefix) + braces + "`");
    Fail(open, "`(...)` in an operand position cannot contain a body");
    return {{}, true};
  }
  if (IsLogical(*left.body) || IsNegated(*left.body)) {
    return CloseGroup(std::move(left), open);
  }
  Restore(before);  // `(a == b)` is a term.
  return {};
}

Parser::Group Parser::ParseGroupWith(Operand left, const Location& open, bool in_operand,
                                     const State& before) {
  Location with = Here();
  ExprPtr expr = AttachWith(std::move(left.body->front()));
  if (!expr) {
    return {{}, true};
  }
  if (AtAny({Token::kLogicalAnd, Token::kLogicalOr})) {
    FailWithOnOperand(with, TokenName(state_.token));
    return {{}, true};
  }
  Group group = CloseGroup({OneExpr(std::move(expr)), false, {}}, open);
  if (!group.operand.body) {
    return group;
  }
  if (in_operand || AtAny({Token::kLogicalAnd, Token::kLogicalOr})) {
    return group;
  }
  Restore(before);
  return {};
}

Parser::Group Parser::CloseGroup(Operand operand, const Location& open) {
  if (!At(Token::kRParen)) {
    Fail(Here(), "expected ) to close parenthesized group");
    return {{}, true};
  }
  Scan();
  return {{std::move(operand.body), false, Spanned(open)}, true};
}

void Parser::FailWithOnOperand(const Location& location, std::string_view name) {
  Hint("Wrap the operand in `(...)` or `{...}` to scope, or move `with` after the " + Quoted(name) +
       " expression to apply it to the whole expression");
  Fail(location, "`with` modifier is not allowed on operand of " + Quoted(name));
}

void Parser::FailOperandBrace(const Location& location, std::string_view text, const Term& term,
                              std::string_view prefix) {
  std::string start(prefix);
  Hint("write `" + start + "(" + std::string(text) + ")` to negate the value, or `" + start + "{" +
       std::string(text) + "}` for a body holding it");
  Fail(location, "`{...}` in an operand position must contain expression(s), got: " +
                     std::string(KindName(BraceLed(term).kind)));
}

void Parser::FailBraceLed(const Location& location, std::string_view text, std::string_view name) {
  Hint("wrap the operand to keep the value: `(" + std::string(text) + ") " + std::string(name) +
       " ...`");
  Fail(location,
       "operand of " + Quoted(name) + " cannot begin with `{` unless the braces hold a body");
}

// `{ a | b }` cannot be told from a comprehension.
bool Parser::IsAmbiguousUnion(const Body& body) const {
  const Expr& first = *body[0];
  if (first.kind != ExprKind::kCall || ToString(*first.terms[0]) != "or") {
    return false;
  }
  const Location& op = first.terms[0]->location;
  if (TextOf(op.offset, op.offset + op.length) != "|") {
    return false;
  }
  return !TextOf(first.location.offset, first.location.offset + first.location.length)
              .starts_with('(');
}

void Parser::FailAmbiguousUnion(const Location& location, const Body& body,
                                std::string_view prefix) {
  std::string braces(TextOf(location.offset, state_.last_end));
  std::string wrapped = braces;
  const Location& first = body[0]->location;
  if (first.offset > location.offset) {
    std::size_t at = first.offset - location.offset;
    if (at + first.length <= braces.size()) {
      wrapped.insert(at + first.length, ")");
      wrapped.insert(at, "(");
    }
  }
  std::string start(prefix);
  Hint("write `" + start + "(" + braces + ")` for the comprehension, or `" + start + wrapped +
       "` for the set union");
  Fail(location,
       "ambiguous `{ ... | ... }` operand: read as a body holding a set-union expression, not as a "
       "comprehension");
}

// print() has no value and never fails.
void Parser::CheckVoidOperand(const Body& body, std::string_view name) {
  for (const ExprPtr& expr : body) {
    if (expr->negated || expr->kind != ExprKind::kCall || ToString(*expr->terms[0]) != "print") {
      return;
    }
  }
  Hint(
      "`print` produces no value and always succeeds, so the operand can never fail; move it out "
      "of the operand, or "
      "add an expression that can fail");
  Fail(body[0]->location,
       "operand of " + Quoted(name) + " cannot consist only of calls to `print`");
}

}  // namespace portcullis::rego
