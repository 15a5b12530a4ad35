// Operators between terms, from the loosest (in) to the tightest (* / %).

#include <array>

#include "rules/rego/parser.h"

namespace portcullis::rego {

TermPtr Parser::ParseInfix() {
  Depth depth(*this);
  return depth.exceeded() ? nullptr : ParseIn(nullptr, true, state_.begin);
}

// In a list a comma separates items, so `k, v in xs` is not tried.
TermPtr Parser::ParseInfixInList() {
  Depth depth(*this);
  return depth.exceeded() ? nullptr : ParseIn(nullptr, false, state_.begin);
}

TermPtr Parser::Combine(TermPtr op, std::vector<TermPtr> operands, std::uint32_t begin) const {
  TermPtr call = NewTerm(TermKind::kCall, operands.front()->location);
  call->location.offset = begin;
  call->location = Spanned(call->location);
  call->items.push_back(std::move(op));
  for (TermPtr& operand : operands) {
    call->items.push_back(std::move(operand));
  }
  return call;
}

TermPtr Parser::ParseOperator(std::initializer_list<Token> tokens) {
  if (!AtAny(tokens)) {
    return nullptr;
  }
  TermPtr op = NewTerm(TermKind::kRef, Here());
  op->items.push_back(NewTerm(TermKind::kVar, Here()));
  op->items[0]->text = TokenName(state_.token);
  Scan();
  return op;
}

TermPtr Parser::ParseMember(std::string_view name) {
  if (!At(Token::kIn)) {
    return nullptr;
  }
  TermPtr op = NewTerm(TermKind::kRef, Here());
  op->items.push_back(NewTerm(TermKind::kVar, Here()));
  op->items[0]->text = "internal";
  op->items.push_back(NewTerm(TermKind::kString, Here()));
  op->items[1]->text = name;
  Scan();
  return op;
}

namespace {

template <class... T>
std::vector<TermPtr> Operands(T... terms) {
  std::vector<TermPtr> operands;
  (operands.push_back(std::move(terms)), ...);
  return operands;
}

}  // namespace

TermPtr Parser::ParseIn(TermPtr left, bool key_value, std::uint32_t begin) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  if (!left) {
    left = ParseRelation(nullptr, begin);
  }
  if (!left) {
    return nullptr;
  }
  if (key_value && At(Token::kComma)) {
    State before = state_;
    Scan();
    if (TermPtr middle = ParseRelation(nullptr, begin)) {
      if (TermPtr op = ParseMember("member_3")) {
        if (TermPtr right = ParseRelation(nullptr, state_.begin)) {
          TermPtr call = Combine(
              std::move(op), Operands(std::move(left), std::move(middle), std::move(right)), begin);
          return At(Token::kIn) ? ParseIn(std::move(call), key_value, begin) : std::move(call);
        }
      }
    }
    Restore(before);
  }
  TakeKeywordBeforeRef();
  if (TermPtr op = ParseMember("member_2")) {
    if (TermPtr right = ParseRelation(nullptr, state_.begin)) {
      TermPtr call = Combine(std::move(op), Operands(std::move(left), std::move(right)), begin);
      return At(Token::kIn) ? ParseIn(std::move(call), key_value, begin) : std::move(call);
    }
  }
  return left;
}

TermPtr Parser::ParseRelation(TermPtr left, std::uint32_t begin) {
  static constexpr std::initializer_list<Token> kOperators = {
      Token::kEqual, Token::kNeq, Token::kLt, Token::kGt, Token::kLte, Token::kGte};
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  if (!left) {
    left = ParseUnion(nullptr, begin);
  }
  if (!left) {
    return nullptr;
  }
  TermPtr op = ParseOperator(kOperators);
  if (!op) {
    return left;
  }
  TermPtr right = ParseUnion(nullptr, state_.begin);
  if (!right) {
    return left;
  }
  TermPtr call = Combine(std::move(op), Operands(std::move(left), std::move(right)), begin);
  return AtAny(kOperators) ? ParseRelation(std::move(call), begin) : std::move(call);
}

TermPtr Parser::ParseUnion(TermPtr left, std::uint32_t begin) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  if (!left) {
    left = ParseIntersection(nullptr, begin);
  }
  if (!left) {
    return nullptr;
  }
  TermPtr op = ParseOperator({Token::kOr});
  if (!op) {
    return left;
  }
  TermPtr right = ParseIntersection(nullptr, state_.begin);
  if (!right) {
    return left;
  }
  TermPtr call = Combine(std::move(op), Operands(std::move(left), std::move(right)), begin);
  return At(Token::kOr) ? ParseUnion(std::move(call), begin) : std::move(call);
}

TermPtr Parser::ParseIntersection(TermPtr left, std::uint32_t begin) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  if (!left) {
    left = ParseSum(nullptr, begin);
  }
  if (!left) {
    return nullptr;
  }
  TermPtr op = ParseOperator({Token::kAnd});
  if (!op) {
    return left;
  }
  TermPtr right = ParseSum(nullptr, state_.begin);
  if (!right) {
    return left;
  }
  TermPtr call = Combine(std::move(op), Operands(std::move(left), std::move(right)), begin);
  return At(Token::kAnd) ? ParseIntersection(std::move(call), begin) : std::move(call);
}

TermPtr Parser::ParseSum(TermPtr left, std::uint32_t begin) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  if (!left) {
    left = ParseProduct(nullptr, begin);
  }
  if (!left) {
    return nullptr;
  }
  TermPtr op = ParseOperator({Token::kAdd, Token::kSub});
  if (!op) {
    return left;
  }
  TermPtr right = ParseProduct(nullptr, state_.begin);
  if (!right) {
    return left;
  }
  TermPtr call = Combine(std::move(op), Operands(std::move(left), std::move(right)), begin);
  return AtAny({Token::kAdd, Token::kSub}) ? ParseSum(std::move(call), begin) : std::move(call);
}

TermPtr Parser::ParseProduct(TermPtr left, std::uint32_t begin) {
  static constexpr std::initializer_list<Token> kOperators = {Token::kMul, Token::kQuo,
                                                              Token::kRem};
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  if (!left) {
    left = ParseTerm();
  }
  if (!left) {
    return nullptr;
  }
  TermPtr op = ParseOperator(kOperators);
  if (!op) {
    return left;
  }
  TermPtr right = ParseTerm();
  if (!right) {
    return left;
  }
  TermPtr call = Combine(std::move(op), Operands(std::move(left), std::move(right)), begin);
  return AtAny(kOperators) ? ParseProduct(std::move(call), begin) : std::move(call);
}

}  // namespace portcullis::rego
