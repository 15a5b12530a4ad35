#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "rules/builtins/go_format.h"
#include "rules/builtins/go_template.h"
#include "rules/builtins/go_template_lexer.h"

namespace portcullis::builtins {
namespace {

using Kind = TemplateNode::Kind;
using Owned = TemplateNode::Owned;
using Token = TemplateToken;

// Actions and parentheses within each other, beyond which a template is refused: the parser and the renderer recurse.
constexpr int kMaxNesting = 500;

std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendGoQuoted(text, &quoted);
  return quoted;
}

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
                 ? Quoted(token.value.substr(0, ByteOffset(token.value, 10))) + "..."
                 : Quoted(token.value);
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

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) { parsed_.text = text; }

  std::expected<ParsedTemplate, std::string> Run() {
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

 private:
  struct Nesting {
    explicit Nesting(int* depth) : depth_(depth) { ++*depth_; }
    ~Nesting() { --*depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    int* depth_;
  };

  [[nodiscard]] bool ok() const { return !error_; }
  static Owned Make(Kind kind, std::size_t position) {
    auto node = std::make_unique<TemplateNode>();
    node->kind = kind;
    node->position = position;
    return node;
  }
  // The first failure stays. Everything after it gives nothing.
  Owned Fail(const std::string& message) {
    if (!error_) {
      error_ = "template: template:" + std::to_string(tokens_[0].line) + ": " + message;
    }
    return nullptr;
  }
  Owned Unexpected(const Token& token, std::string_view where) {
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

  const Token& Next() {
    if (peeked_ > 0) {
      --peeked_;
    } else {
      tokens_[0] = ok() ? lexer_.Next() : Token{};
    }
    return tokens_[peeked_];
  }
  void BackUp() { ++peeked_; }
  void BackUp2(const Token& before) {
    tokens_[1] = before;
    peeked_ = 2;
  }
  void BackUp3(const Token& second, const Token& first) {
    tokens_[1] = first;
    tokens_[2] = second;
    peeked_ = 3;
  }
  const Token& Peek() {
    if (peeked_ > 0) {
      return tokens_[peeked_ - 1];
    }
    peeked_ = 1;
    tokens_[0] = ok() ? lexer_.Next() : Token{};
    return tokens_[0];
  }
  const Token& NextNonSpace() {
    while (true) {
      const Token& token = Next();
      if (token.kind != Token::Kind::kSpace) {
        return token;
      }
    }
  }
  const Token& PeekNonSpace() {
    const Token& token = NextNonSpace();
    BackUp();
    return token;
  }
  static bool IsKeyword(const Token& token, std::string_view word) {
    return token.kind == Token::Kind::kKeyword && token.value == word;
  }
  bool ExpectRightDelimiter(std::string_view where) {
    const Token token = NextNonSpace();
    if (token.kind != Token::Kind::kRightDelimiter) {
      Unexpected(token, where);
    }
    return ok();
  }

  void AddTree(std::string name, Owned root) {
    Owned& place = parsed_.trees[std::move(name)];
    if (!place || IsEmpty(*place)) {
      place = std::move(root);
    } else if (!IsEmpty(*root)) {
      for (const auto& [known, tree] : parsed_.trees) {
        if (&tree == &place) {
          Fail("template: multiple definition of template " + Quoted(known));
        }
      }
    }
  }

  // Inside a definition variables are its own.
  Owned Body(std::string_view where) {
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

  void Define() {
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

  std::optional<std::string> TemplateName(const Token& token, std::string_view where) {
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

  Owned ItemList(Owned* end) {
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

  Owned TextOrAction() {
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

  Owned Action() {
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

  Owned Leave(const Token& word) {
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

  Owned Else() {
    const Token next = PeekNonSpace();
    if (IsKeyword(next, "if") || IsKeyword(next, "with")) {
      return Make(Kind::kElse, next.position);
    }
    const Token token = NextNonSpace();
    return token.kind == Token::Kind::kRightDelimiter ? Make(Kind::kElse, token.position)
                                                      : Unexpected(token, "else");
  }

  Owned Control(Kind kind, std::string_view word) {
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

  Owned Block() {
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

  Owned Call() {
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

  // Reads "$x :=", "$x =" and "$i, $x :=".
  void Declarations(std::string_view where, TemplateNode* pipe) {
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

  Owned Pipeline(std::string_view where, Token::Kind end) {
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

  void CheckPipeline(const TemplateNode& pipe, std::string_view where) {
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

  Owned Command() {
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

  Owned Operand() {
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
        return Fail("unexpected . after term " + Quoted(TemplateText(*node)));
      default: {
        Owned chain = Make(Kind::kChain, position);
        chain->pipe = std::move(node);
        chain->names = std::move(names);
        return chain;
      }
    }
  }

  // Nothing where the next word is none.
  Owned Term() {
    const Token token = NextNonSpace();
    switch (token.kind) {
      case Token::Kind::kIdentifier: {
        if (!IsTemplateFunction(token.value)) {
          return Fail("function " + Quoted(token.value) + " not defined");
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
          return Fail("undefined variable " + Quoted(token.value));
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

  Owned Number(const Token& token) {
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
      return Fail("illegal number syntax: " + Quoted(token.value));
    }
    if (token.value.find_first_of(".eEpP") == std::string::npos) {
      return Fail("integer overflow: " + Quoted(token.value));
    }
    node->real = *real;
    return node;
  }

  // "2i" or "1+2i".
  Owned Complex(const std::string& text, Owned node) {
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
      return Fail("illegal number syntax: " + Quoted(text));
    }
    node->complex = std::complex(*real, *imaginary);
    return node;
  }

  TemplateLexer lexer_;
  ParsedTemplate parsed_;
  std::optional<std::string> error_;
  std::array<Token, 3> tokens_;
  std::size_t peeked_ = 0;
  std::vector<std::string> variables_ = {"$"};
  int range_depth_ = 0;
  int action_line_ = 0;  // Where the action that is read began; 0 outside of one.
  int depth_ = 0;
};

std::string Joined(const std::vector<std::string>& names, std::string_view separator) {
  std::string text;
  for (const std::string& name : names) {
    text.append(text.empty() ? "" : separator).append(name);
  }
  return text;
}

std::string ControlText(const TemplateNode& node, std::string_view word) {
  std::string text =
      "{{" + std::string(word) + " " + TemplateText(*node.pipe) + "}}" + TemplateText(*node.list);
  if (node.other) {
    text.append("{{else}}").append(TemplateText(*node.other));
  }
  return text + "{{end}}";
}

}  // namespace

std::string TemplateText(const TemplateNode& node) {
  const auto joined = [&](std::string_view separator) {
    std::string text;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const bool wrapped = node.kind == Kind::kCommand && node.items[i]->kind == Kind::kPipe;
      const std::string item = TemplateText(*node.items[i]);
      text.append(i == 0 ? "" : separator).append(wrapped ? "(" + item + ")" : item);
    }
    return text;
  };
  switch (node.kind) {
    case Kind::kText:
    case Kind::kIdentifier:
    case Kind::kNumber:
    case Kind::kString:
      return node.text;
    case Kind::kAction:
      return "{{" + TemplateText(*node.pipe) + "}}";
    case Kind::kIf:
      return ControlText(node, "if");
    case Kind::kRange:
      return ControlText(node, "range");
    case Kind::kWith:
      return ControlText(node, "with");
    case Kind::kTemplate:
      return "{{template " + Quoted(node.name) + (node.pipe ? " " + TemplateText(*node.pipe) : "") +
             "}}";
    case Kind::kBreak:
      return "{{break}}";
    case Kind::kContinue:
      return "{{continue}}";
    case Kind::kEnd:
      return "{{end}}";
    case Kind::kElse:
      return "{{else}}";
    case Kind::kList:
      return joined("");
    case Kind::kPipe:
      return (node.declared.empty()
                  ? ""
                  : Joined(node.declared, ", ") + (node.assigns ? " = " : " := ")) +
             joined(" | ");
    case Kind::kCommand:
      return joined(" ");
    case Kind::kDot:
      return ".";
    case Kind::kNil:
      return "nil";
    case Kind::kField:
      return "." + Joined(node.names, ".");
    case Kind::kVariable:
      return Joined(node.names, ".");
    case Kind::kChain: {
      const std::string inner = TemplateText(*node.pipe);
      return (node.pipe->kind == Kind::kPipe ? "(" + inner + ")" : inner) + "." +
             Joined(node.names, ".");
    }
    case Kind::kBool:
      return node.truth ? "true" : "false";
  }
  return {};
}

std::expected<ParsedTemplate, std::string> ParseGoTemplate(std::string_view text) {
  return Parser(text).Run();
}

}  // namespace portcullis::builtins
