#include "rules/builtins/go_template_parser.h"

#include <algorithm>
#include <utility>

#include "rules/builtins/go_format.h"

namespace portcullis::builtins {
namespace {

using Kind = TemplateNode::Kind;
using Owned = TemplateNode::Owned;
using Token = TemplateToken;

std::string Describe(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kEnd:
    case Token::Kind::kError:
      return token.value;
    case Token::Kind::kKeyword:
    case Token::Kind::kDot:
    case Token::Kind::kNil:
      return "<" + token.value + ">";
    default:
      return token.value.size() > 10
                 ? QuotedInTemplate(token.value.substr(0, ByteOffset(token.value, 10))) + "..."
                 : QuotedInTemplate(token.value);
  }
}

// White space alone.
bool IsEmpty(const TemplateNode& node) {
  if (node.kind == Kind::kList) {
    return std::ranges::all_of(node.items, [](const Owned& item) { return IsEmpty(*item); });
  }
  return node.kind == Kind::kText &&
         node.text.find_first_not_of(" \t\n\v\f\r") == std::string::npos;
}

}  // namespace

std::expected<ParsedTemplate, std::string> TemplateParser::Run() {
  Owned root = Make(Kind::kList, Peek().position);
  while (ok() && Peek().kind != Token::Kind::kEnd) {
    if (Peek().kind == Token::Kind::kLeftDelimiter) {
      const Token delimiter = Next();
      if (IsKeyword(NextNonSpace(), "define")) {
        Define();
        continue;
      }
      BackUp2(delimiter);
    }
    Owned node = TextOrAction();
    if (node && (node->kind == Kind::kEnd || node->kind == Kind::kElse)) {
      Fail("unexpected " + TemplateText(*node));
    }
    if (ok()) {
      root->items.push_back(std::move(node));
    }
  }
  if (ok()) {
    AddTree(std::string(kTemplateName), std::move(root));
  }
  if (!ok()) {
    return std::unexpected(*std::move(error_));
  }
  return std::move(parsed_);
}

TemplateParser::Owned TemplateParser::Make(Kind kind, std::size_t position) {
  auto node = std::make_unique<TemplateNode>();
  node->kind = kind;
  node->position = position;
  return node;
}

TemplateParser::Owned TemplateParser::Fail(const std::string& message) {
  if (!error_) {
    error_ = "template: template:" + std::to_string(tokens_[0].line) + ": " + message;
  }
  return nullptr;
}

TemplateParser::Owned TemplateParser::Unexpected(const Token& token, std::string_view where) {
  if (token.kind != Token::Kind::kError) {
    return Fail("unexpected " + Describe(token) + " in " + std::string(where));
  }
  std::string extra;
  if (action_line_ != 0 && action_line_ != token.line) {
    extra = token.value.ends_with(" action") ? " started at " : " in action started at ";
    extra.append("template:" + std::to_string(action_line_));
  }
  return Fail(token.value + extra);
}

const TemplateParser::Token& TemplateParser::Next() {
  if (peeked_ > 0) {
    --peeked_;
  } else {
    tokens_[0] = ok() ? lexer_.Next() : Token{};
  }
  return tokens_[peeked_];
}

void TemplateParser::BackUp2(const Token& before) {
  tokens_[1] = before;
  peeked_ = 2;
}

void TemplateParser::BackUp3(const Token& second, const Token& first) {
  tokens_[1] = first;
  tokens_[2] = second;
  peeked_ = 3;
}

const TemplateParser::Token& TemplateParser::Peek() {
  if (peeked_ > 0) {
    return tokens_[peeked_ - 1];
  }
  peeked_ = 1;
  tokens_[0] = ok() ? lexer_.Next() : Token{};
  return tokens_[0];
}

const TemplateParser::Token& TemplateParser::NextNonSpace() {
  while (true) {
    const Token& token = Next();
    if (token.kind != Token::Kind::kSpace) {
      return token;
    }
  }
}

const TemplateParser::Token& TemplateParser::PeekNonSpace() {
  const Token& token = NextNonSpace();
  BackUp();
  return token;
}

bool TemplateParser::IsKeyword(const Token& token, std::string_view word) {
  return token.kind == Token::Kind::kKeyword && token.value == word;
}

bool TemplateParser::ExpectRightDelimiter(std::string_view where) {
  const Token token = NextNonSpace();
  if (token.kind != Token::Kind::kRightDelimiter) {
    Unexpected(token, where);
  }
  return ok();
}

void TemplateParser::AddTree(std::string name, Owned root) {
  Owned& place = parsed_.trees[std::move(name)];
  if (!place || IsEmpty(*place)) {
    place = std::move(root);
  } else if (!IsEmpty(*root)) {
    for (const auto& [known, tree] : parsed_.trees) {
      if (&tree == &place) {
        Fail("template: multiple definition of template " + QuotedInTemplate(known));
      }
    }
  }
}

TemplateParser::Owned TemplateParser::Body(std::string_view where) {
  std::vector<std::string> outer = std::exchange(variables_, {"$"});
  const int ranges = std::exchange(range_depth_, 0);
  const int line = std::exchange(action_line_, 0);
  Owned end;
  Owned list = ItemList(&end);
  if (ok() && end->kind != Kind::kEnd) {
    Fail("unexpected " + TemplateText(*end) + " in " + std::string(where));
  }
  variables_ = std::move(outer);
  range_depth_ = ranges;
  action_line_ = line;
  return list;
}

void TemplateParser::Define() {
  constexpr std::string_view kWhere = "define clause";
  const Token token = NextNonSpace();
  auto name = TemplateName(token, kWhere);
  if (!ok() || !ExpectRightDelimiter(kWhere)) {
    return;
  }
  Owned body = Body(kWhere);
  if (ok()) {
    AddTree(*std::move(name), std::move(body));
  }
}

std::optional<std::string> TemplateParser::TemplateName(const Token& token,
                                                        std::string_view where) {
  if (token.kind != Token::Kind::kString && token.kind != Token::Kind::kRawString) {
    Unexpected(token, where);
    return std::nullopt;
  }
  auto name = UnquoteGo(token.value);
  if (!name) {
    Fail("invalid syntax");
  }
  return name;
}

TemplateParser::Owned TemplateParser::ItemList(Owned* end) {
  const Nesting nesting(&depth_);
  Owned list = Make(Kind::kList, PeekNonSpace().position);
  if (depth_ > kMaxNesting) {
    return Fail("max expression depth exceeded");
  }
  while (ok() && PeekNonSpace().kind != Token::Kind::kEnd) {
    Owned node = TextOrAction();
    if (!ok()) {
      return nullptr;
    }
    if (node->kind == Kind::kEnd || node->kind == Kind::kElse) {
      *end = std::move(node);
      return list;
    }
    list->items.push_back(std::move(node));
  }
  return Fail("unexpected EOF");
}

TemplateParser::Owned TemplateParser::TextOrAction() {
  const Token token = NextNonSpace();
  if (token.kind == Token::Kind::kText) {
    Owned node = Make(Kind::kText, token.position);
    node->text = token.value;
    return node;
  }
  if (token.kind != Token::Kind::kLeftDelimiter) {
    return Unexpected(token, "input");
  }
  action_line_ = token.line;
  Owned node = Action();
  action_line_ = 0;
  return node;
}

TemplateParser::Owned TemplateParser::Action() {
  const Token token = NextNonSpace();
  if (token.kind == Token::Kind::kKeyword) {
    if (token.value == "block") {
      return Block();
    }
    if (token.value == "break" || token.value == "continue") {
      return Leave(token);
    }
    if (token.value == "else") {
      return Else();
    }
    if (token.value == "end") {
      const Token delimiter = NextNonSpace();
      return delimiter.kind == Token::Kind::kRightDelimiter ? Make(Kind::kEnd, delimiter.position)
                                                            : Unexpected(delimiter, "end");
    }
    if (token.value == "if") {
      return Control(Kind::kIf, "if");
    }
    if (token.value == "range") {
      return Control(Kind::kRange, "range");
    }
    if (token.value == "with") {
      return Control(Kind::kWith, "with");
    }
    if (token.value == "template") {
      return Call();
    }
  }
  BackUp();
  Owned node = Make(Kind::kAction, Peek().position);
  node->pipe = Pipeline("command", Token::Kind::kRightDelimiter);
  return node;
}

TemplateParser::Owned TemplateParser::Leave(const Token& word) {
  const std::string name = "{{" + word.value + "}}";
  const Token token = NextNonSpace();
  if (token.kind != Token::Kind::kRightDelimiter) {
    return Unexpected(token, name);
  }
  if (range_depth_ == 0) {
    return Fail(name + " outside {{range}}");
  }
  return Make(word.value == "break" ? Kind::kBreak : Kind::kContinue, word.position);
}

TemplateParser::Owned TemplateParser::Else() {
  const Token next = PeekNonSpace();
  if (IsKeyword(next, "if") || IsKeyword(next, "with")) {
    return Make(Kind::kElse, next.position);
  }
  const Token token = NextNonSpace();
  return token.kind == Token::Kind::kRightDelimiter ? Make(Kind::kElse, token.position)
                                                    : Unexpected(token, "else");
}

TemplateParser::Owned TemplateParser::Control(Kind kind, std::string_view word) {
  const Nesting nesting(&depth_);
  if (depth_ > kMaxNesting) {
    return Fail("max expression depth exceeded");
  }
  const std::size_t outer = variables_.size();
  Owned node = Make(kind, 0);
  node->pipe = Pipeline(word, Token::Kind::kRightDelimiter);
  if (!ok()) {
    return nullptr;
  }
  node->position = node->pipe->position;
  range_depth_ += kind == Kind::kRange ? 1 : 0;
  Owned end;
  node->list = ItemList(&end);
  range_depth_ -= kind == Kind::kRange ? 1 : 0;
  if (ok() && end->kind == Kind::kElse) {
    const bool chained = (kind == Kind::kIf && IsKeyword(Peek(), "if")) ||
                         (kind == Kind::kWith && IsKeyword(Peek(), "with"));
    if (chained) {
      Next();
      node->other = Make(Kind::kList, end->position);
      node->other->items.push_back(Control(kind, word));
    } else {
      node->other = ItemList(&end);
      if (ok() && end->kind != Kind::kEnd) {
        Fail("expected end; found " + TemplateText(*end));
      }
    }
  }
  variables_.resize(std::min(outer, variables_.size()));
  return node;
}

TemplateParser::Owned TemplateParser::Block() {
  constexpr std::string_view kWhere = "block clause";
  const Nesting nesting(&depth_);
  const Token token = NextNonSpace();
  const auto name = TemplateName(token, kWhere);
  if (!name) {
    return nullptr;
  }
  Owned node = Make(Kind::kTemplate, token.position);
  node->name = *name;
  node->pipe = Pipeline(kWhere, Token::Kind::kRightDelimiter);
  Owned body = ok() ? Body(kWhere) : nullptr;
  if (ok()) {
    AddTree(*name, std::move(body));
  }
  return node;
}

TemplateParser::Owned TemplateParser::Call() {
  constexpr std::string_view kWhere = "template clause";
  const Token token = NextNonSpace();
  auto name = TemplateName(token, kWhere);
  if (!name) {
    return nullptr;
  }
  Owned node = Make(Kind::kTemplate, token.position);
  node->name = *std::move(name);
  if (NextNonSpace().kind != Token::Kind::kRightDelimiter) {
    BackUp();
    node->pipe = Pipeline(kWhere, Token::Kind::kRightDelimiter);
  }
  return node;
}

std::expected<ParsedTemplate, std::string> ParseGoTemplate(std::string_view text) {
  return TemplateParser(text).Run();
}

}  // namespace portcullis::builtins
