// Arrays, sets, objects and comprehensions.

#include "rules/rego/parser.h"

namespace portcullis::rego {
namespace {

std::string QuotedToken(Token token) {
  return "\"" + std::string(TokenName(token)) + "\"";
}

}  // namespace

TermPtr Parser::ParseArray() {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  TermPtr array = NewTerm(TermKind::kArray, Here());
  auto finish = [&] {
    array->location.length = state_.end - array->location.offset;
    return std::move(array);
  };
  Scan();
  if (At(Token::kRBrack)) {
    return finish();
  }
  bool may_be_comprehension = true;
  if (At(Token::kComma)) {  // Allowed for old texts.
    may_be_comprehension = false;
    Scan();
  }
  State start = state_;
  // Not an operator's operand: [a | b] is a comprehension.
  TermPtr head = ParseTerm();
  if (!head) {
    return nullptr;
  }
  State after_head = state_;
  if (At(Token::kRBrack)) {
    array->items.push_back(std::move(head));
    return finish();
  }
  if (At(Token::kComma)) {
    Scan();
    array->items.push_back(std::move(head));
    return ParseTermList(Token::kRBrack, array->items) ? finish() : nullptr;
  }
  if (At(Token::kOr) && may_be_comprehension) {
    Scan();
    if (std::optional<Body> body = ParseBody(Token::kRBrack)) {
      array->kind = TermKind::kArrayComprehension;
      array->items.push_back(std::move(head));
      array->body = std::move(*body);
      return finish();
    }
    if (!At(Token::kComma)) {
      return nullptr;
    }
  }
  RestoreWith(start, std::move(head), after_head);
  return ParseTermList(Token::kRBrack, array->items) ? finish() : nullptr;
}

TermPtr Parser::ParseSetOrObject() {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  Location location = Here();
  auto finish = [&](TermPtr term) {
    if (!term) {
      return term;
    }
    term->location = location;
    term->location.length = state_.end - location.offset;
    if (term->kind == TermKind::kSet || term->kind == TermKind::kObject) {
      Normalize(*term);
    }
    return term;
  };
  Scan();
  if (At(Token::kRBrace)) {
    return finish(NewTerm(TermKind::kObject, location));
  }
  bool may_be_comprehension = true;
  if (At(Token::kComma)) {  // Allowed for old texts.
    may_be_comprehension = false;
    Scan();
  }
  State start = state_;
  TermPtr head = ParseTerm();
  if (!head) {
    return nullptr;
  }
  State after_head = state_;
  if (At(Token::kColon)) {
    return finish(ParseObject(std::move(head), may_be_comprehension));
  }
  if (AtAny({Token::kRBrace, Token::kComma}) || (At(Token::kOr) && may_be_comprehension)) {
    return finish(ParseSet(start, std::move(head), after_head, may_be_comprehension));
  }
  RestoreWith(start, std::move(head), after_head);
  head = ParseInfixInList();
  if (!head) {
    return nullptr;
  }
  if (AtAny({Token::kRBrace, Token::kComma})) {
    State after = state_;
    return finish(ParseSet(start, std::move(head), after, false));
  }
  if (At(Token::kColon)) {
    return finish(ParseObject(std::move(head), may_be_comprehension));
  }
  Illegal("non-terminated set");
  return nullptr;
}

TermPtr Parser::ParseSet(const State& start, TermPtr head, State after_head,
                         bool may_be_comprehension) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  TermPtr set = NewTerm(TermKind::kSet, head->location);
  if (At(Token::kRBrace)) {
    set->items.push_back(std::move(head));
    return set;
  }
  if (At(Token::kComma)) {
    Scan();
    set->items.push_back(std::move(head));
    return ParseTermList(Token::kRBrace, set->items) ? std::move(set) : nullptr;
  }
  if (may_be_comprehension) {
    Scan();
    if (std::optional<Body> body = ParseBody(Token::kRBrace)) {
      set->kind = TermKind::kSetComprehension;
      set->items.push_back(std::move(head));
      set->body = std::move(*body);
      return set;
    }
    if (!At(Token::kComma)) {
      return nullptr;
    }
  }
  RestoreWith(start, std::move(head), after_head);
  return ParseTermList(Token::kRBrace, set->items) ? std::move(set) : nullptr;
}

// After the first key, at its colon.
TermPtr Parser::ParseObject(TermPtr key, bool may_be_comprehension) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  Scan();
  State start = state_;
  TermPtr value = ParseTerm();
  if (!value) {
    return nullptr;
  }
  State after_value = state_;
  if (may_be_comprehension) {
    if (AtAny({Token::kRBrace, Token::kComma})) {
      return ParseObjectFinish(key, value, true);
    }
    if (At(Token::kOr)) {
      if (TermPtr object = ParseObjectFinish(key, value, true)) {
        return object;
      }
    }
  }
  RestoreWith(start, std::move(value), after_value);
  value = ParseInfixInList();
  if (!value) {
    return nullptr;
  }
  if (AtAny({Token::kRBrace, Token::kComma})) {
    return ParseObjectFinish(key, value, false);
  }
  Illegal("non-terminated object");
  return nullptr;
}

// Takes key and value only where it succeeds.
TermPtr Parser::ParseObjectFinish(TermPtr& key, TermPtr& value, bool may_be_comprehension) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  TermPtr object = NewTerm(TermKind::kObject, key->location);
  if (At(Token::kOr)) {
    if (!may_be_comprehension) {
      Illegal("non-terminated object");
      return nullptr;
    }
    Scan();
    std::optional<Body> body = ParseBody(Token::kRBrace);
    if (!body) {
      return nullptr;
    }
    object->kind = TermKind::kObjectComprehension;
    object->body = std::move(*body);
    object->items.push_back(std::move(key));
    object->items.push_back(std::move(value));
    return object;
  }
  object->items.push_back(std::move(key));
  object->items.push_back(std::move(value));
  if (At(Token::kRBrace)) {
    return object;
  }
  if (!At(Token::kComma)) {
    return nullptr;
  }
  Scan();
  return ParsePairList(Token::kRBrace, object->items) ? std::move(object) : nullptr;
}

bool Parser::ParseTermList(Token end, std::vector<TermPtr>& terms) {
  while (!At(end)) {
    TermPtr term = ParseInfixInList();
    if (!term) {
      return false;
    }
    terms.push_back(std::move(term));
    if (At(end)) {
      return true;
    }
    if (!At(Token::kComma)) {
      Illegal("expected \",\" or " + QuotedToken(end));
      return false;
    }
    Scan();
  }
  return true;
}

bool Parser::ParsePairList(Token end, std::vector<TermPtr>& terms) {
  while (!At(end)) {
    TermPtr key = ParseInfixInList();
    if (!key) {
      return false;
    }
    if (!At(Token::kColon)) {
      Illegal("expected \":\"");
      return false;
    }
    Scan();
    TermPtr value = ParseInfixInList();
    if (!value) {
      return false;
    }
    terms.push_back(std::move(key));
    terms.push_back(std::move(value));
    if (At(end)) {
      return true;
    }
    if (!At(Token::kComma)) {
      Illegal("expected \",\" or " + QuotedToken(end));
      return false;
    }
    Scan();
  }
  return true;
}

}  // namespace portcullis::rego
