#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "rules/builtins/go_format.h"
#include "rules/builtins/go_template_parser.h"

namespace portcullis::builtins {
namespace {

// A number without its underscores, which may stand between digits and after a base prefix; else nothing.
std::optional<std::string> WithoutUnderscores(std::string_view text) {
  std::string plain;
  const std::size_t sign = text.starts_with('+') || text.starts_with('-') ? 1 : 0;
  const bool prefixed = text.size() > sign + 1 && text[sign] == '0' &&
                        std::string_view("xXbBoO").contains(text[sign + 1]);
  const bool hex = prefixed && (text[sign + 1] | 0x20) == 'x';
  const auto is_digit = [&](std::size_t i) {
    const auto c = static_cast<unsigned char>(text[i]);
    return i < sign + 2 && prefixed ? true : (hex ? std::isxdigit(c) : std::isdigit(c)) != 0;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      plain.push_back(text[i]);
    } else if (i == sign || !is_digit(i - 1) || i + 1 == text.size() || !is_digit(i + 1)) {
      return std::nullopt;
    }
  }
  return plain;
}

struct Whole {
  bool negative = false;
  std::uint64_t magnitude = 0;
};

std::optional<Whole> ParseWhole(std::string_view written) {
  const auto plain = WithoutUnderscores(written);
  if (!plain) {
    return std::nullopt;
  }
  std::string_view text = *plain;
  Whole whole;
  if (text.starts_with('+') || text.starts_with('-')) {
    whole.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char letter = static_cast<char>(text[1] | 0x20);
    base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
    text.remove_prefix(letter == 'x' || letter == 'b' || letter == 'o' ? 2 : 1);
  }
  const auto read = std::from_chars(text.data(), text.data() + text.size(), whole.magnitude, base);
  return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size()
             ? std::optional(whole)
             : std::nullopt;
}

std::optional<double> ParseReal(std::string_view written) {
  const auto text = WithoutUnderscores(written);
  if (!text || text->empty()) {
    return std::nullopt;
  }
  char* end = nullptr;
  const double number = std::strtod(text->c_str(), &end);
  return end == text->c_str() + text->size() && std::isfinite(number) ? std::optional(number)
                                                                      : std::nullopt;
}

}  // namespace

void TemplateParser::Declarations(std::string_view where, TemplateNode* pipe) {
  while (ok() && PeekNonSpace().kind == Token::Kind::kVariable) {
    const Token variable = Next();
    const Token after = Peek();
    const Token next = PeekNonSpace();
    if (next.kind == Token::Kind::kAssign || next.kind == Token::Kind::kDeclare) {
      pipe->assigns = next.kind == Token::Kind::kAssign;
      NextNonSpace();
      pipe->declared.push_back(variable.value);
      variables_.push_back(variable.value);
      return;
    }
    if (next.kind == Token::Kind::kChar && next.value == ",") {
      NextNonSpace();
      pipe->declared.push_back(variable.value);
      variables_.push_back(variable.value);
      if (where != "range" || pipe->declared.size() >= 2) {
        Fail("too many declarations in " + std::string(where));
        return;
      }
      const Token::Kind following = PeekNonSpace().kind;
      if (following != Token::Kind::kVariable && following != Token::Kind::kRightDelimiter &&
          following != Token::Kind::kRightParen) {
        Fail("range can only initialize variables");
      }
      continue;
    }
    if (after.kind == Token::Kind::kSpace) {
      BackUp3(variable, after);
    } else {
      BackUp2(variable);
    }
    return;
  }
}

TemplateParser::Owned TemplateParser::Pipeline(std::string_view where, Token::Kind end) {
  Owned pipe = Make(Kind::kPipe, PeekNonSpace().position);
  Declarations(where, pipe.get());
  while (ok()) {
    const Token token = NextNonSpace();
    if (token.kind == end) {
      CheckPipeline(*pipe, where);
      break;
    }
    switch (token.kind) {
      case Token::Kind::kBool:
      case Token::Kind::kCharConstant:
      case Token::Kind::kComplex:
      case Token::Kind::kDot:
      case Token::Kind::kField:
      case Token::Kind::kIdentifier:
      case Token::Kind::kNumber:
      case Token::Kind::kNil:
      case Token::Kind::kRawString:
      case Token::Kind::kString:
      case Token::Kind::kVariable:
      case Token::Kind::kLeftParen:
        BackUp();
        pipe->items.push_back(Command());
        break;
      default:
        Unexpected(token, where);
    }
  }
  return ok() ? std::move(pipe) : nullptr;
}

void TemplateParser::CheckPipeline(const TemplateNode& pipe, std::string_view where) {
  if (pipe.items.empty()) {
    Fail("missing value for " + std::string(where));
    return;
  }
  for (std::size_t i = 1; i < pipe.items.size(); ++i) {
    switch (pipe.items[i]->items.front()->kind) {
      case Kind::kBool:
      case Kind::kDot:
      case Kind::kNil:
      case Kind::kNumber:
      case Kind::kString:
        Fail("non executable command in pipeline stage " + std::to_string(i + 1));
        return;
      default:
        break;
    }
  }
}

TemplateParser::Owned TemplateParser::Command() {
  Owned command = Make(Kind::kCommand, PeekNonSpace().position);
  while (ok()) {
    PeekNonSpace();
    Owned operand = Operand();
    if (!ok()) {
      return nullptr;
    }
    if (operand) {
      command->items.push_back(std::move(operand));
    }
    const Token token = Next();
    if (token.kind == Token::Kind::kSpace) {
      continue;
    }
    if (token.kind == Token::Kind::kRightDelimiter || token.kind == Token::Kind::kRightParen) {
      BackUp();
    } else if (token.kind != Token::Kind::kPipe) {
      return Unexpected(token, "operand");
    }
    break;
  }
  return command->items.empty() ? Fail("empty command") : std::move(command);
}

TemplateParser::Owned TemplateParser::Operand() {
  Owned node = Term();
  if (!node || Peek().kind != Token::Kind::kField) {
    return node;
  }
  const std::size_t position = Peek().position;
  std::vector<std::string> names;
  while (Peek().kind == Token::Kind::kField) {
    names.push_back(Next().value.substr(1));
  }
  switch (node->kind) {
    case Kind::kField:
    case Kind::kVariable:
      node->position = position;
      node->names.insert(node->names.end(), names.begin(), names.end());
      return node;
    case Kind::kBool:
    case Kind::kString:
    case Kind::kNumber:
    case Kind::kNil:
    case Kind::kDot:
      return Fail("unexpected . after term " + QuotedInTemplate(TemplateText(*node)));
    default: {
      Owned chain = Make(Kind::kChain, position);
      chain->pipe = std::move(node);
      chain->names = std::move(names);
      return chain;
    }
  }
}

TemplateParser::Owned TemplateParser::Term() {
  const Token token = NextNonSpace();
  switch (token.kind) {
    case Token::Kind::kIdentifier: {
      if (!IsTemplateFunction(token.value)) {
        return Fail("function " + QuotedInTemplate(token.value) + " not defined");
      }
      Owned node = Make(Kind::kIdentifier, token.position);
      node->text = token.value;
      return node;
    }
    case Token::Kind::kDot:
      return Make(Kind::kDot, token.position);
    case Token::Kind::kNil:
      return Make(Kind::kNil, token.position);
    case Token::Kind::kVariable: {
      if (std::ranges::find(variables_, token.value) == variables_.end()) {
        return Fail("undefined variable " + QuotedInTemplate(token.value));
      }
      Owned node = Make(Kind::kVariable, token.position);
      node->names = {token.value};
      return node;
    }
    case Token::Kind::kField: {
      Owned node = Make(Kind::kField, token.position);
      node->names = {token.value.substr(1)};
      return node;
    }
    case Token::Kind::kBool: {
      Owned node = Make(Kind::kBool, token.position);
      node->truth = token.value == "true";
      return node;
    }
    case Token::Kind::kCharConstant:
    case Token::Kind::kComplex:
    case Token::Kind::kNumber:
      return Number(token);
    case Token::Kind::kLeftParen: {
      const Nesting nesting(&depth_);
      if (depth_ > kMaxNesting) {
        return Fail("max expression depth exceeded");
      }
      return Pipeline("parenthesized pipeline", Token::Kind::kRightParen);
    }
    case Token::Kind::kString:
    case Token::Kind::kRawString: {
      auto value = UnquoteGo(token.value);
      if (!value) {
        return Fail("invalid syntax");
      }
      Owned node = Make(Kind::kString, token.position);
      node->text = token.value;
      node->name = *std::move(value);
      return node;
    }
    default:
      BackUp();
      return nullptr;
  }
}

TemplateParser::Owned TemplateParser::Number(const Token& token) {
  Owned node = Make(Kind::kNumber, token.position);
  node->text = token.value;
  if (token.kind == Token::Kind::kCharConstant) {
    const auto rune = UnquoteGoRune(token.value);
    if (!rune) {
      const bool escaped = token.value.starts_with("'\\") || token.value == "''";
      return Fail(escaped ? "invalid syntax" : "malformed character constant: " + token.value);
    }
    node->integer = *rune;
    node->real = static_cast<double>(*rune);
    return node;
  }
  if (token.kind == Token::Kind::kComplex || token.value.ends_with('i')) {
    return Complex(token.value, std::move(node));
  }
  if (const auto whole = ParseWhole(token.value)) {
    constexpr std::uint64_t kLimit = std::uint64_t{1} << 63;
    if (whole->negative ? whole->magnitude <= kLimit : whole->magnitude < kLimit) {
      node->integer =
          static_cast<std::int64_t>(whole->negative ? ~whole->magnitude + 1 : whole->magnitude);
      node->real = static_cast<double>(*node->integer);
      return node;
    }
    if (!whole->negative) {
      node->beyond_int = true;
      node->real = static_cast<double>(whole->magnitude);
      return node;
    }
  }
  const auto real = ParseReal(token.value);
  if (!real) {
    return Fail("illegal number syntax: " + QuotedInTemplate(token.value));
  }
  if (token.value.find_first_of(".eEpP") == std::string::npos) {
    return Fail("integer overflow: " + QuotedInTemplate(token.value));
  }
  node->real = *real;
  return node;
}

TemplateParser::Owned TemplateParser::Complex(const std::string& text, Owned node) {
  std::size_t split = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if ((text[i] == '+' || text[i] == '-') && (text[i - 1] | 0x20) != 'e' &&
        (text[i - 1] | 0x20) != 'p') {
      split = i;
    }
  }
  const auto real = split == 0 ? std::optional(0.0) : ParseReal(text.substr(0, split));
  const auto imaginary = ParseReal(text.substr(split, text.size() - split - 1));
  if (!real || !imaginary) {
    return Fail("illegal number syntax: " + QuotedInTemplate(text));
  }
  node->complex = std::complex(*real, *imaginary);
  return node;
}

}  // namespace portcullis::builtins
