#include "rules/rego/parser.h"

#include <algorithm>

#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

// Each byte may be read so many times on average before the text is refused: it bounds
// backtracking.
constexpr std::uint64_t kAttemptsPerByte = 64;
constexpr std::uint64_t kAttempts = 100'000;

bool IsFutureKeyword(Token token) {
  switch (token) {
    case Token::kIn:
    case Token::kEvery:
    case Token::kContains:
    case Token::kIf:
    case Token::kNot:
    case Token::kLogicalAnd:
    case Token::kLogicalOr:
      return true;
    default:
      return false;
  }
}

bool IsNewline(char c) {
  return c == '\r' || c == '\n';
}
bool IsSpace(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

Parser::Depth::Depth(Parser& parser) : parser_(parser), exceeded_(++parser.depth_ > kMaximumDepth) {
  if (exceeded_) {
    parser_.Fail(parser_.Here(), "max parsing recursion depth exceeded");
  }
}

Parser::Parser(std::shared_ptr<const std::string> file, std::string_view text,
               ParserOptions options)
    : file_(std::move(file)),
      text_(text),
      options_(options),
      attempts_left_(kAttempts + kAttemptsPerByte * text.size()) {
  KeywordSet keywords;
  if (options_.version == Version::kV1) {
    for (FutureKeyword keyword : kKeywordsOfV1) {
      keywords.Add(keyword);
    }
  }
  if (options_.all_future_keywords) {
    keywords = KeywordSet::All();
  }
  not_bodies_ = keywords.Has(FutureKeyword::kNot);
  state_.lexer = Lexer(text_, keywords);
}

std::vector<Diagnostic> Parser::errors() const {
  std::vector<Diagnostic> errors;
  for (std::int32_t i = state_.errors; i != kNothing;
       i = error_nodes_[static_cast<std::size_t>(i)].previous) {
    errors.push_back(error_nodes_[static_cast<std::size_t>(i)].error);
  }
  std::ranges::reverse(errors);
  return errors;
}

std::vector<Comment> Parser::comments() const {
  std::vector<Comment> comments;
  for (std::int32_t i = state_.comments; i != kNothing;
       i = comment_nodes_[static_cast<std::size_t>(i)].previous) {
    comments.push_back(comment_nodes_[static_cast<std::size_t>(i)].comment);
  }
  std::ranges::reverse(comments);
  return comments;
}

void Parser::Scan(bool skip_space, Lexer::Mode mode) {
  if (state_.token != Token::kWhitespace) {
    state_.last_end = state_.end;
    state_.skipped_newline = false;
  }
  while (true) {
    Lexeme lexeme = state_.lexer.Scan(mode);
    state_.token = lexeme.token;
    state_.row = lexeme.row;
    state_.column = lexeme.column;
    state_.begin = lexeme.begin;
    state_.end = lexeme.end;
    state_.excess = lexeme.excess;
    for (std::uint8_t i = 0; i < lexeme.error_count; ++i) {
      Fail(Here(), lexeme.errors[i]);
    }
    if (lexeme.error_count != 0) {
      state_.token = Token::kIllegal;
    }
    if (attempts_left_ == 0) {
      state_.token = Token::kIllegal;
      return;
    }
    if (--attempts_left_ == 0) {
      Fail(Here(), "text is too ambiguous to be parsed");
    }

    if (state_.token == Token::kWhitespace) {
      if (text_[lexeme.begin] == '\n') {
        state_.skipped_newline = true;
      }
      if (skip_space) {
        continue;
      }
    }
    if (state_.token != Token::kComment) {
      return;
    }
    std::string_view comment = TextOf(lexeme.begin + 1, lexeme.end);
    while (comment.ends_with('\r')) {
      comment.remove_suffix(1);
    }
    comment_nodes_.push_back({{std::string(comment), Here()}, state_.comments});
    state_.comments = static_cast<std::int32_t>(comment_nodes_.size() - 1);
  }
}

bool Parser::AtAny(std::initializer_list<Token> tokens) const {
  return std::ranges::find(tokens, state_.token) != tokens.end();
}

std::string_view Parser::TextOf(std::uint32_t begin, std::uint32_t end) const {
  if (begin > end || end > text_.size()) {
    return {};
  }
  return text_.substr(begin, end - begin);
}

std::string Parser::Word() const {
  std::string word(Text());
  for (std::uint8_t i = 0; i < state_.excess; ++i) {
    word += "\uFFFD";
  }
  return word;
}

Location Parser::Here() const {
  return {file_, state_.row, state_.column, state_.begin, state_.end - state_.begin};
}

Location Parser::Spanned(const Location& start) const {
  Location location = start;
  location.length = std::max(state_.last_end, start.offset) - start.offset;
  return location;
}

void Parser::Fail(const Location& location, std::string reason) {
  std::vector<std::string_view> hints;
  for (std::int32_t i = state_.hints; i != kNothing;
       i = hint_nodes_[static_cast<std::size_t>(i)].previous) {
    hints.push_back(hint_nodes_[static_cast<std::size_t>(i)].hint);
  }
  if (!hints.empty()) {
    reason += hints.size() == 1 ? " (hint: " : " (hints: ";
    for (std::size_t i = hints.size(); i-- > 0;) {
      reason += hints[i];
      if (i != 0) {
        reason += ", ";
      }
    }
    reason += ')';
  }
  state_.hints = kNothing;
  error_nodes_.push_back(
      {{"rego_parse_error", std::move(reason), location, Details(location.offset)}, state_.errors});
  state_.errors = static_cast<std::int32_t>(error_nodes_.size() - 1);
}

void Parser::Hint(std::string hint) {
  hint_nodes_.push_back({std::move(hint), state_.hints});
  state_.hints = static_cast<std::int32_t>(hint_nodes_.size() - 1);
}

void Parser::Illegal(std::string_view note) {
  if (At(Token::kIllegal)) {
    return Fail(Here(), "illegal token");
  }
  std::string reason = "unexpected " + std::string(TokenName(state_.token));
  reason += IsReserved(state_.token) || IsFutureKeyword(state_.token) ? " keyword" : " token";
  if (!note.empty()) {
    reason += ": " + std::string(note);
  }
  Fail(Here(), std::move(reason));
}

std::vector<std::string> Parser::Details(std::uint32_t offset) const {
  if (text_.empty()) {
    return {"", "^"};
  }
  std::size_t at = std::min<std::size_t>(offset, text_.size() - 1);
  while (at > 0 && IsSpace(text_[at])) {
    --at;
  }
  std::size_t begin = at;
  while (begin > 0 && !IsNewline(text_[begin])) {
    --begin;
  }
  if (IsNewline(text_[begin])) {
    ++begin;
  }
  std::size_t end = at;
  while (end < text_.size() && !IsNewline(text_[end])) {
    ++end;
  }
  begin = std::min(begin, end);

  std::string_view line = text_.substr(begin, end - begin);
  std::size_t indent = at > begin ? at - begin : 0;
  std::size_t tabs = std::min(line.find_first_not_of('\t'), line.size());
  line.remove_prefix(tabs);
  return {std::string(line), std::string(indent > tabs ? indent - tabs : 0, ' ') + '^'};
}

Token Parser::TokenAfterSpace() {
  State before = state_;
  ScanSpace();
  Token token = state_.token;
  state_ = before;
  return token;
}

// Keywords may stand in references: input.package, not.x.
bool Parser::IsRefKeyword(Token token) const {
  std::string_view name = TokenName(token);
  return IsKeyword(name, options_.version) || state_.lexer.IsKeyword(name);
}

bool Parser::TakeKeywordAsIdent() {
  if (At(Token::kIdent)) {
    return true;
  }
  if (!IsRefKeyword(state_.token)) {
    return false;
  }
  state_.token = Token::kIdent;
  return true;
}

bool Parser::TakeKeywordBeforeRef() {
  if (!IsRefKeyword(state_.token)) {
    return false;
  }
  Token next = TokenAfterSpace();
  if (next != Token::kDot && next != Token::kLBrack) {
    return false;
  }
  state_.token = Token::kIdent;
  return true;
}

bool Parser::LogicalKeywordsActive() const {
  return state_.lexer.keywords.Has(FutureKeyword::kAnd) ||
         state_.lexer.keywords.Has(FutureKeyword::kOr);
}

// True (with an error) if the statement that begins here can only be a rule whose name is a
// keyword: `every := 1`.
bool Parser::FailKeywordAsRuleName(bool is_default) {
  Token keyword = state_.token;
  std::vector<Token> followers;
  switch (keyword) {
    case Token::kEvery:
    case Token::kIf:
    case Token::kIn:
    case Token::kSome:
    case Token::kAs:
      followers = {Token::kAssign, Token::kUnify, Token::kIf, Token::kContains, Token::kLParen};
      break;
    case Token::kPackage:
    case Token::kImport:
      followers = {Token::kAssign, Token::kUnify, Token::kLParen};
      break;
    case Token::kNot:
    case Token::kLogicalAnd:
    case Token::kLogicalOr:
      followers = {Token::kAssign, Token::kUnify, Token::kIf, Token::kContains};
      break;
    case Token::kContains:
      followers = {Token::kIf, Token::kContains};
      break;
    default:
      return false;
  }
  Location location = Here();
  if (!is_default) {
    State before = state_;
    Scan();
    Token next = state_.token;
    state_ = before;
    if (std::ranges::find(followers, next) == followers.end()) {
      return false;
    }
  }
  Fail(location, std::string(TokenName(keyword)) + " keyword cannot be used for rule name");
  return true;
}

TermPtr Parser::NewTerm(TermKind kind, Location location) const {
  auto term = std::make_unique<Term>();
  term->kind = kind;
  term->location = std::move(location);
  return term;
}

void Parser::RestoreWith(const State& start, TermPtr term, const State& after) {
  Restore(start);
  while (!put_back_.empty() && put_back_.back().begin >= start.begin) {
    put_back_.pop_back();
  }
  put_back_.push_back({start.begin, std::move(term), after});
}

}  // namespace portcullis::rego
