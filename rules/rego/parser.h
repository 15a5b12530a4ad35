// The recursive descent from tokens to the syntax tree, with OPA's order of attempts, so that
// ambiguous texts mean the same and wrong texts give the same errors. Used by
// rules/rego/compile.h's ParseModule and ParseQuery.
//
// LIMITS: a text of at most kMaximumTextBytes; nesting (and chains of operators) of kMaximumDepth
// steps of the grammar; a number of attempts that grows with the size of the text, so that no text
// takes more than linear time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rules/rego/ast.h"
#include "rules/rego/compile.h"
#include "rules/rego/lexer.h"

namespace portcullis::rego {

inline constexpr std::size_t kMaximumTextBytes = 4U << 20;
inline constexpr int kMaximumDepth = 6000;

struct ParserOptions {
  Version version = Version::kV1;
  bool skip_rules = false;  // Read a query: only bodies.
  bool all_future_keywords = false;
};

// What stands at the top of a text, in its order.
struct PackageStatement {
  std::vector<std::string> path;
  Location location;
};
using Statement = std::variant<PackageStatement, Import, std::unique_ptr<Rule>, Body>;

class Parser {
 public:
  // LIFETIME: `text` outlives the parser.
  Parser(std::shared_ptr<const std::string> file, std::string_view text, ParserOptions options);
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // REQUIRES: called once. The statements count only if errors() is empty.
  std::vector<Statement> Parse();
  [[nodiscard]] std::vector<Diagnostic> errors() const;
  [[nodiscard]] std::vector<Comment> comments() const;
  // The line at an offset, and a caret under it.
  [[nodiscard]] std::vector<std::string> Details(std::uint32_t offset) const;

 private:
  // Errors, hints and comments are lists whose tails are shared by saved states: indexes of nodes
  // that are never removed.
  static constexpr std::int32_t kNothing = -1;
  struct ErrorNode {
    Diagnostic error;
    std::int32_t previous = kNothing;
  };
  struct HintNode {
    std::string hint;
    std::int32_t previous = kNothing;
  };
  struct CommentNode {
    Comment comment;
    std::int32_t previous = kNothing;
  };

  // All that a failed attempt takes back.
  struct State {
    Lexer lexer;
    Token token = Token::kEof;
    std::uint32_t row = 1;
    std::uint32_t column = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t last_end = 0;  // Where the token before this one ended.
    std::uint8_t excess = 0;     // As in Lexeme.
    std::uint32_t wildcards = 0;
    bool skipped_newline = false;
    std::int32_t errors = kNothing;
    std::int32_t hints = kNothing;
    std::int32_t comments = kNothing;
  };

  // A term that was read and then put back, because the text around it turned out to be something
  // else.
  struct PutBack {
    std::uint32_t begin;
    TermPtr term;
    State after;
  };

  // A term that could not be read. A second attempt at its place has the same end and says nothing new.
  struct Failure {
    std::uint64_t number;
    State after;
  };

  // Counts one step of nesting for as long as it lives.
  class Depth {
   public:
    explicit Depth(Parser& parser);
    ~Depth() { --parser_.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    [[nodiscard]] bool exceeded() const { return exceeded_; }

   private:
    Parser& parser_;
    bool exceeded_;
  };

  // An attempt whose terms and failures do not count outside it. Restore the state before it ends.
  class Aside {
   public:
    explicit Aside(Parser& parser)
        : parser_(parser),
          put_back_(std::exchange(parser.put_back_, {})),
          failed_(std::exchange(parser.failed_, {})) {}
    ~Aside() {
      parser_.put_back_ = std::move(put_back_);
      parser_.failed_ = std::move(failed_);
    }
    Aside(const Aside&) = delete;
    Aside& operator=(const Aside&) = delete;

   private:
    Parser& parser_;
    std::vector<PutBack> put_back_;
    std::map<std::uint32_t, Failure> failed_;
  };

  struct Operand {
    std::optional<Body> body;
    bool explicit_body = false;
    Location location;
  };
  struct Group {
    Operand operand;
    bool committed = false;  // False: it is no group, and the state is as before.
  };

  // parser.cc: tokens, errors, locations.
  void Scan() { Scan(true, Lexer::Mode::kNormal); }
  void ScanSpace() { Scan(false, Lexer::Mode::kNormal); }
  void Scan(bool skip_space, Lexer::Mode mode);
  [[nodiscard]] bool At(Token token) const { return state_.token == token; }
  [[nodiscard]] bool AtAny(std::initializer_list<Token> tokens) const;
  [[nodiscard]] std::string_view TextOf(std::uint32_t begin, std::uint32_t end) const;
  [[nodiscard]] std::string_view Text() const { return TextOf(state_.begin, state_.end); }
  [[nodiscard]] std::string Word() const;  // With what OPA takes of a character that follows.
  [[nodiscard]] Location Here() const;
  // `start`, made to reach to the end of what has been read.
  [[nodiscard]] Location Spanned(const Location& start) const;
  [[nodiscard]] bool HasErrors() const { return state_.errors != kNothing; }
  void Fail(const Location& location, std::string reason);
  void Hint(std::string hint);
  void Illegal(std::string_view note = {});
  [[nodiscard]] Token
  TokenAfterSpace();  // The next token, white space counting as one; the state stays.
  [[nodiscard]] bool IsRefKeyword(Token token) const;
  bool TakeKeywordAsIdent();
  bool TakeKeywordBeforeRef();
  bool FailKeywordAsRuleName(bool is_default);
  [[nodiscard]] bool LogicalKeywordsActive() const;

  // parser_statement.cc: packages and imports.
  bool ParsePackage(PackageStatement& package);
  bool ParseImport(Import& import);
  bool ParseImportAlias(Import& import);
  void CheckImportEnd(const Import& import);
  void ActivateImport(const Import& import);
  void ActivateRegoImport(const Import& import);
  void ActivateFutureImport(const Import& import);
  void ReclassifyKeyword();

  // parser_rule.cc
  std::vector<std::unique_ptr<Rule>> ParseRules();
  bool ParseRuleHead(Rule& rule);
  bool ApplyHeadRef(Rule& rule, TermPtr head);
  void ParseHeadValue(Rule& rule, const std::string& name);
  bool ParseRuleBody(Rule& rule);
  bool ParseIfBody(Rule& rule);
  bool ParseElseOf(Rule& rule);
  std::unique_ptr<Rule> ParseElse(const Rule& head);
  bool ParseElseBody(Rule& rule);
  bool ParseChained(std::vector<std::unique_ptr<Rule>>& rules);
  void RenewWildcards(Rule& rule);
  bool CheckDefault(const Rule& rule);
  Body ImplicitBody(const Location& location) const;

  // parser_body.cc: bodies and their literals.
  std::optional<Body> ParseBody(Token end);
  std::optional<Body> ParseQuery(bool one_literal, Token end);
  ExprPtr ParseLiteral();
  ExprPtr ParseLiteralUnplaced();  // Without its location.
  ExprPtr ParseBracedOperand(bool& committed);
  ExprPtr ParseLiteralExpr(bool negated, const Location& not_location);
  ExprPtr ParseExpr();
  ExprPtr ParseSome();
  ExprPtr ParseSomeIn(bool& failed);
  ExprPtr ParseEvery();
  bool ParseWith(std::vector<With>& with);
  ExprPtr AttachWith(ExprPtr expr);
  void HintMissingInfixKeyword();
  void HintSomeIn();
  void HintEvery(const Expr& expr, const State& before);
  // The symbols of `x in xs` and `k, v in xs`; false of every other call.
  static bool IsMember(const Term& term);

  // parser_logic.cc: and, or, not with bodies.
  ExprPtr ParseNotBody(const Location& not_location);
  Operand ParseNotBodyOperand(const Location& not_location);
  ExprPtr ParseOrChain(Operand left);
  ExprPtr ParseAndChain(Operand left);
  ExprPtr FoldTail(Operand operand);
  Operand ParseOperand(std::string_view operator_name);
  Operand ParseBracedOperandBody(std::string_view operator_name);
  Group ParseGroup(bool in_operand, std::string_view prefix);
  Group CloseGroup(Operand operand, const Location& open);
  Group ParseGroupWith(Operand left, const Location& open, bool in_operand, const State& before);
  ExprPtr ContinueLiteral(ExprPtr expr, const State& before, const Location& not_location,
                          const Location& with_location);
  bool AtNegation();
  Location TakeNegation();  // Row 0: there is none.
  void FailWithOnOperand(const Location& location, std::string_view name);
  void FailOperandBrace(const Location& location, std::string_view text, const Term& term,
                        std::string_view prefix);
  void FailBraceLed(const Location& location, std::string_view text, std::string_view name);
  void FailAmbiguousUnion(const Location& location, const Body& body, std::string_view prefix);
  [[nodiscard]] bool IsAmbiguousUnion(const Body& body) const;
  void CheckVoidOperand(const Body& body, std::string_view name);
  ExprPtr NewLogical(ExprKind kind, Operand left, Operand right);
  ExprPtr NewNot(Body body, bool explicit_body, const Location& location) const;

  // parser_term.cc: terms and their operators.
  TermPtr ParseInfix();
  TermPtr ParseInfixInList();
  TermPtr ParseIn(TermPtr left, bool key_value, std::uint32_t begin);
  TermPtr ParseRelation(TermPtr left, std::uint32_t begin);
  TermPtr ParseUnion(TermPtr left, std::uint32_t begin);
  TermPtr ParseIntersection(TermPtr left, std::uint32_t begin);
  TermPtr ParseSum(TermPtr left, std::uint32_t begin);
  TermPtr ParseProduct(TermPtr left, std::uint32_t begin);
  TermPtr ParseOperator(std::initializer_list<Token> tokens);
  TermPtr ParseMember(std::string_view name);
  TermPtr Combine(TermPtr op, std::vector<TermPtr> operands, std::uint32_t begin) const;

  // parser_primary.cc: terms without operators.
  TermPtr ParseTerm();
  TermPtr ParseNewTerm();  // Not one that was put back.
  TermPtr ParsePrimary();
  TermPtr ParseMinus(std::optional<Location>& minus);
  TermPtr ParseParenthesized();
  TermPtr ParseTermFinish(TermPtr head);
  TermPtr ParseHeadFinish(TermPtr head);
  TermPtr ParseNumber();
  TermPtr ParseString();
  TermPtr ParseTemplate(bool raw);
  bool ParseTemplatePart(std::vector<TermPtr>& parts);
  TermPtr ParseVar();
  TermPtr ParseRef(TermPtr head);
  TermPtr ParseCall(TermPtr op);

  // parser_collection.cc
  TermPtr ParseArray();
  TermPtr ParseSetOrObject();
  TermPtr ParseSet(const State& start, TermPtr head, State after_head, bool may_be_comprehension);
  TermPtr ParseObject(TermPtr key, bool may_be_comprehension);
  TermPtr ParseObjectFinish(TermPtr& key, TermPtr& value, bool may_be_comprehension);
  bool ParseTermList(Token end, std::vector<TermPtr>& terms);
  bool ParsePairList(Token end, std::vector<TermPtr>& terms);

  TermPtr NewTerm(TermKind kind, Location location) const;
  TermPtr NewWildcard(const Location& location);
  void Restore(const State& state) { state_ = state; }
  // Goes back to `start` and leaves `term`, which began there and ended at `after`, for the next
  // attempt to find.
  void RestoreWith(const State& start, TermPtr term, const State& after);

  std::shared_ptr<const std::string> file_;
  std::string_view text_;
  ParserOptions options_;
  State state_;
  bool not_bodies_ = false;
  int depth_ = 0;
  std::uint64_t attempts_left_ = 0;
  std::vector<PutBack> put_back_;            // By where they begin.
  std::map<std::uint32_t, Failure> failed_;  // By where they begin.
  std::uint64_t failures_ = 0;
  std::deque<ErrorNode> error_nodes_;
  std::deque<HintNode> hint_nodes_;
  std::deque<CommentNode> comment_nodes_;
};

}  // namespace portcullis::rego
