// Terms without operators: scalars, strings, templates, references and calls.

#include <charconv>
#include <cmath>

#include "rules/rego/parser.h"
#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

// A number's binary exponent may not exceed this: larger ones take too long to print.
constexpr double kMaximumExponent = 1e5;

bool IsTooBig(std::string_view text) {
  std::size_t mark = text.find_first_of("eE");
  std::string_view mantissa = text.substr(0, mark);
  double exponent = 0;
  if (mark != std::string_view::npos) {
    std::string_view digits = text.substr(mark + 1);
    if (digits.starts_with('+')) {
      digits.remove_prefix(1);
    }
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error != std::errc()) {
      return true;
    }
  }
  std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) {
    return false;
  }
  std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  double leading =
      point > first ? static_cast<double>(point - first) : -static_cast<double>(first - point - 1);
  double binary = (leading + exponent) * std::log2(10);
  // What is smaller than any number that can be held is 0.
  return std::abs(binary) > kMaximumExponent + 4 && binary > -std::pow(2, 31);
}

// A template's literal text, in which `\{` stands for a brace.
std::string WithoutEscapedBraces(std::string_view text, bool raw) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      if (text[i + 1] == '{') {
        continue;
      }
      if (!raw) {
        out += text[i++];
      }
    }
    out += text[i];
  }
  return out;
}

bool MayHeadReference(TermKind kind) {
  switch (kind) {
    case TermKind::kVar:
    case TermKind::kArray:
    case TermKind::kObject:
    case TermKind::kSet:
    case TermKind::kArrayComprehension:
    case TermKind::kObjectComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kCall:
      return true;
    default:
      return false;
  }
}

bool IsRootDocument(const Term& term) {
  return term.IsVar() && (term.text == "data" || term.text == "input");
}

}  // namespace

TermPtr Parser::NewWildcard(const Location& location) {
  TermPtr term = NewTerm(TermKind::kVar, location);
  term->text = '$' + std::to_string(state_.wildcards++);
  return term;
}

TermPtr Parser::ParseVar() {
  if (Text() == "_") {
    return NewWildcard(Here());
  }
  TermPtr term = NewTerm(TermKind::kVar, Here());
  term->text = Word();
  return term;
}

TermPtr Parser::ParseTerm() {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  while (!put_back_.empty() && put_back_.back().begin > state_.begin) {
    put_back_.pop_back();
  }
  if (!put_back_.empty() && put_back_.back().begin == state_.begin) {
    TermPtr term = std::move(put_back_.back().term);
    Restore(put_back_.back().after);
    put_back_.pop_back();
    return term;
  }
  if (auto failed = failed_.find(state_.begin); failed != failed_.end()) {
    Restore(failed->second.after);  // Its errors are there already.
    return nullptr;
  }
  const std::uint32_t begin = state_.begin;
  TermPtr term = ParseNewTerm();
  failed_.erase(failed_.lower_bound(begin), failed_.end());  // Those inside it are forgotten.
  if (!term) {
    failed_.emplace(begin, Failure{++failures_, state_});
  }
  return term;
}

TermPtr Parser::ParseNewTerm() {
  // Where a term is expected, and(…) and or(…) are calls.
  if (AtAny({Token::kLogicalAnd, Token::kLogicalOr}) && TokenAfterSpace() == Token::kLParen) {
    state_.token = Token::kIdent;
  }
  if (At(Token::kSub)) {
    std::optional<Location> minus;
    TermPtr term = ParseTermFinish(ParseMinus(minus));
    if (!minus || !term) {
      return term;
    }
    TermPtr zero = NewTerm(TermKind::kNumber, *minus);
    zero->text = "0";
    TermPtr op = NewTerm(TermKind::kRef, *minus);
    op->items.push_back(NewTerm(TermKind::kVar, *minus));
    op->items[0]->text = "minus";
    TermPtr call = NewTerm(TermKind::kCall, Spanned(*minus));
    call->items.push_back(std::move(op));
    call->items.push_back(std::move(zero));
    call->items.push_back(std::move(term));
    return call;
  }
  return ParseTermFinish(ParsePrimary());
}

TermPtr Parser::ParsePrimary() {
  switch (state_.token) {
    case Token::kNull:
      return NewTerm(TermKind::kNull, Here());
    case Token::kTrue:
    case Token::kFalse: {
      TermPtr term = NewTerm(TermKind::kBoolean, Here());
      term->boolean = At(Token::kTrue);
      return term;
    }
    case Token::kDot:
    case Token::kNumber:
      return ParseNumber();
    case Token::kString:
      return ParseString();
    case Token::kTemplatePart:
    case Token::kTemplateEnd:
      return ParseTemplate(false);
    case Token::kRawTemplatePart:
    case Token::kRawTemplateEnd:
      return ParseTemplate(true);
    case Token::kIdent:
    case Token::kContains:
      return ParseVar();  // Outside of heads `contains` is a name like others.
    case Token::kLBrack:
      return ParseArray();
    case Token::kLBrace:
      return ParseSetOrObject();
    case Token::kLParen:
      return ParseParenthesized();
    default:
      Illegal();
      return nullptr;
  }
}

// A negative number, or -x, which is 0 - x.
TermPtr Parser::ParseMinus(std::optional<Location>& minus) {
  Location location = Here();
  State before = state_;
  Scan();
  if (AtAny({Token::kIdent, Token::kContains})) {
    minus = location;
    return ParseVar();
  }
  Restore(before);
  return ParseNumber();
}

TermPtr Parser::ParseParenthesized() {
  Location open = Here();
  Scan();
  TermPtr term = ParseInfix();
  if (!term) {
    return nullptr;
  }
  if (!At(Token::kRParen)) {
    Fail(Here(), "non-terminated expression");
    return nullptr;
  }
  term->location.offset = open.offset;
  term->location.length = state_.end - open.offset;
  return term;
}

TermPtr Parser::ParseTermFinish(TermPtr head) {
  if (!head) {
    return nullptr;
  }
  ScanSpace();
  if (AtAny({Token::kLParen, Token::kDot, Token::kLBrack})) {
    return ParseRef(std::move(head));
  }
  if (At(Token::kWhitespace)) {
    Scan();
  }
  if (!IsRootDocument(*head)) {
    return head;
  }
  TermPtr ref = NewTerm(TermKind::kRef, head->location);
  ref->items.push_back(std::move(head));
  return ref;
}

TermPtr Parser::ParseHeadFinish(TermPtr head) {
  ScanSpace();
  if (AtAny({Token::kAdd, Token::kSub, Token::kMul, Token::kQuo, Token::kRem, Token::kAnd,
             Token::kOr, Token::kEqual, Token::kNeq, Token::kGt, Token::kGte, Token::kLt,
             Token::kLte})) {
    Illegal();
  } else if (At(Token::kWhitespace)) {
    Scan();
  }
  if (AtAny({Token::kLParen, Token::kDot, Token::kLBrack})) {
    return ParseRef(std::move(head));
  }
  if (!IsRootDocument(*head)) {
    return head;
  }
  TermPtr ref = NewTerm(TermKind::kRef, head->location);
  ref->items.push_back(std::move(head));
  return ref;
}

TermPtr Parser::ParseNumber() {
  Location location = Here();
  std::string text;
  if (At(Token::kSub)) {
    text = "-";
    Scan();
    if (!AtAny({Token::kNumber, Token::kDot})) {
      Illegal("expected number");
      return nullptr;
    }
  }
  if (At(Token::kDot)) {
    text += '.';
    Scan();
    if (!At(Token::kNumber)) {
      Illegal("expected number");
      return nullptr;
    }
  }
  std::string_view digits = Text();
  bool zero = !text.ends_with('.') && digits.size() > 1 && digits[0] == '0';
  if (zero && digits[1] != '.' && !(digits.size() > 2 && (digits[1] == 'e' || digits[1] == 'E'))) {
    Illegal("expected number without leading zero");
    return nullptr;
  }
  text += digits;
  if (text.find('.') != text.rfind('.') || state_.excess != 0) {
    Illegal("invalid float");
    return nullptr;
  }
  if (IsTooBig(text)) {
    Fail(Here(), "number too big");
    return nullptr;
  }
  TermPtr term = NewTerm(TermKind::kNumber, location);
  term->text = std::move(text);
  return term;
}

TermPtr Parser::ParseString() {
  TermPtr term = NewTerm(TermKind::kString, Here());
  std::string_view literal = Text();
  if (literal.starts_with('`')) {
    term->text = literal.substr(1, literal.size() - 2);
    return term;
  }
  if (literal.find('\\') == std::string_view::npos) {
    term->text = literal.substr(1, literal.size() - 2);
    return term;
  }
  if (!Unquote(literal, term->text)) {
    Fail(Here(), "illegal string literal: " + std::string(literal));
    return nullptr;
  }
  return term;
}

TermPtr Parser::ParseTemplate(bool raw) {
  TermPtr term = NewTerm(TermKind::kTemplateString, Here());
  term->boolean = raw;
  if (options_.version == Version::kV0) {
    Fail(Here(), "template strings are not supported by current capabilities");
    return nullptr;
  }
  std::size_t opening = 2;  // The $ and the quote.
  while (true) {
    std::string_view inner = Text();
    if (inner.size() <= opening) {
      Fail(Here(), "expected template-string part");
      return nullptr;
    }
    inner = inner.substr(opening, inner.size() - opening - 1);
    opening = 0;
    TermPtr part = NewTerm(TermKind::kString, Here());
    part->text = WithoutEscapedBraces(inner, raw);
    if (!raw && part->text.find('\\') != std::string::npos &&
        !Unquote('"' + part->text + '"', part->text)) {
      Fail(Here(), "illegal template-string part: " + std::string(Text()));
      return nullptr;
    }
    if (!part->text.empty()) {
      term->items.push_back(std::move(part));
    }
    if (AtAny({Token::kTemplateEnd, Token::kRawTemplateEnd})) {
      break;
    }
    if (!ParseTemplatePart(term->items)) {
      return nullptr;
    }
    Scan(false, raw ? Lexer::Mode::kRawTemplate : Lexer::Mode::kTemplate);
    if (!AtAny({Token::kTemplatePart, Token::kTemplateEnd, Token::kRawTemplatePart,
                Token::kRawTemplateEnd})) {
      Fail(Here(), "expected template-string part");
      return nullptr;
    }
  }
  term->location.length = state_.end - term->location.offset;
  return term;
}

bool Parser::ParseTemplatePart(std::vector<TermPtr>& parts) {
  std::int32_t comments = state_.comments;
  Scan();
  bool commented = comments != state_.comments;
  ExprPtr expr = ParseLiteral();
  if (!expr) {
    Fail(Here(), "invalid template-string expression");
    return false;
  }
  std::string refused;
  std::string op = expr->kind == ExprKind::kCall ? ToString(*expr->terms[0]) : "";
  if (expr->negated) {
    refused = "negation ('not')";
  } else if (op == "eq") {
    refused = "unification ('=')";
  } else if (op == "assign") {
    refused = "assignment (':=')";
  } else if (expr->kind == ExprKind::kEvery) {
    refused = "'every'";
  } else if (expr->kind == ExprKind::kSome) {
    refused = "'some'";
  }
  if (!refused.empty()) {
    Fail(expr->location, "unexpected " + refused + " in template-string expression");
    return false;
  }
  if (!At(Token::kRBrace)) {
    Fail(Here(), "expected } to end template string expression");
    return false;
  }
  bool scalar = expr->kind == ExprKind::kTerm && expr->terms[0]->IsScalar() && !commented;
  if (scalar && expr->with.empty()) {
    parts.push_back(std::move(expr->terms[0]));
    return true;
  }
  TermPtr part = NewTerm(TermKind::kTemplateExpression, expr->location);
  part->body.push_back(std::move(expr));
  parts.push_back(std::move(part));
  return true;
}

TermPtr Parser::ParseCall(TermPtr op) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  TermPtr call = NewTerm(TermKind::kCall, op->location);
  Scan();
  if (At(Token::kRParen)) {
    call->location.length = state_.end - call->location.offset;
    ScanSpace();
    if (op->items.size() == 1 && op->items[0]->IsVar() && op->items[0]->text == "set") {
      call->kind = TermKind::kSet;
      return call;
    }
    call->items.push_back(std::move(op));
    return call;
  }
  call->items.push_back(std::move(op));
  if (!ParseTermList(Token::kRParen, call->items)) {
    return nullptr;
  }
  call->location.length = state_.end - call->location.offset;
  ScanSpace();
  return call;
}

TermPtr Parser::ParseRef(TermPtr head) {
  Depth depth(*this);
  if (depth.exceeded()) {
    return nullptr;
  }
  if (!MayHeadReference(head->kind)) {
    Fail(head->location, "illegal ref (head cannot be " + std::string(KindName(head->kind)) + ")");
  }
  TermPtr ref = NewTerm(TermKind::kRef, head->location);
  ref->items.push_back(std::move(head));
  while (true) {
    if (At(Token::kDot)) {
      ScanSpace();
      if (!At(Token::kIdent) && !IsRefKeyword(state_.token)) {
        Illegal("expected identifier");
        return nullptr;
      }
      TermPtr operand = NewTerm(TermKind::kString, Here());
      operand->text = Word();
      ref->items.push_back(std::move(operand));
      ScanSpace();
    } else if (At(Token::kLParen)) {
      ref->location.length = state_.begin - ref->location.offset;
      TermPtr call = ParseCall(std::move(ref));
      if (!call) {
        return nullptr;
      }
      if (At(Token::kWhitespace)) {
        Scan();
      } else if (AtAny({Token::kDot, Token::kLBrack})) {
        return ParseRef(std::move(call));
      }
      return call;
    } else if (At(Token::kLBrack)) {
      Scan();
      TermPtr operand = ParseInfix();
      if (!operand) {
        return nullptr;
      }
      if (!At(Token::kRBrack)) {
        Illegal("expected [");
        return nullptr;
      }
      ref->items.push_back(std::move(operand));
      ScanSpace();
    } else {
      ref->location.length = std::max(state_.last_end, ref->location.offset) - ref->location.offset;
      if (At(Token::kWhitespace)) {
        Scan();
      }
      return ref;
    }
  }
}

}  // namespace portcullis::rego
