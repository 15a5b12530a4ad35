// The syntax tree of Rego, in OPA's shape (v1/ast/term.go, policy.go): what the parser makes, what
// the compiler's stages rewrite in place, and what the planner reads.
//
// What is left of it after compilation is written in rules/rego/compile.h.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::rego {

enum class Version : std::uint8_t { kV0, kV1 };

// Rows and columns count from 1; columns are in bytes. `file` outlives the tree (it is the
// module's).
struct Location {
  std::shared_ptr<const std::string> file;
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  std::uint32_t offset = 0;  // Into the module's text.
  std::uint32_t length = 0;  // Bytes of text that the node covers.
};

struct Term;
struct Expr;
struct Rule;
struct Module;
using TermPtr = std::unique_ptr<Term>;
using ExprPtr = std::unique_ptr<Expr>;
using Body = std::vector<ExprPtr>;

enum class TermKind : std::uint8_t {
  kNull,
  kBoolean,
  kNumber,  // `text` is the spelling.
  kString,  // `text` is the unescaped content.
  kVar,     // `text` is the name. Wildcards are "$0", "$1", … each its own.
  kRef,  // items[0] is the head (a kVar, or any term: {"a": 1}.a, f(x).b), the others the operands.
  kCall,  // items[0] is the operator (a kRef of kVar and kStrings), the others the arguments.
  kArray,
  kObject,  // items: key, value, key, value, …
  kSet,
  kArrayComprehension,   // items[0] is the term.
  kSetComprehension,     // items[0] is the term.
  kObjectComprehension,  // items[0] is the key, items[1] the value.
  kTemplateString,  // items: kStrings and the scalars and kTemplateExpressions between them. Gone
                    // after compilation.
  kTemplateExpression,  // body[0], inside a kTemplateString.
};

struct Term {
  TermKind kind = TermKind::kNull;
  bool boolean = false;    // The value of a kBoolean; of a kTemplateString: it has backquotes.
  bool generated = false;  // Made by the compiler, not written by the author.
  std::string text;
  std::vector<TermPtr> items;
  Body body;  // Of comprehensions.
  Location location;

  [[nodiscard]] bool IsVar() const { return kind == TermKind::kVar; }
  [[nodiscard]] bool IsWildcard() const { return IsVar() && text.starts_with('$'); }
  [[nodiscard]] bool IsScalar() const { return kind <= TermKind::kString; }
};

struct With {
  TermPtr target;  // A kRef that starts at `input` or `data`, or names a function.
  TermPtr value;
  Location location;
};

enum class ExprKind : std::uint8_t {
  kTerm,   // terms[0]
  kCall,   // terms[0] is the operator, the others its operands: x := 1 is assign, x = y is eq, x ==
           // y is equal.
  kSome,   // `some x, y`: terms are kVars. `some k, v in xs`: terms[0] is a kCall of
           // internal.member_2 or _3.
  kEvery,  // `every key, value in domain { body }`: terms are key (or null), value, domain.
  kNot,    // `not { body }`, and with import future.keywords.not also `not x`: body.
  kAnd,    // `lhs and rhs`: body and right.
  kOr,     // `lhs or rhs`: body and right.
};

struct Expr {
  ExprKind kind = ExprKind::kTerm;
  bool negated = false;
  bool generated = false;
  bool from_assignment = false;  // It was written with :=.
  std::uint32_t index = 0;       // Position in the body as written.
  std::vector<TermPtr> terms;
  Body body;   // Of kEvery, kNot, kAnd and kOr.
  Body right;  // Of kAnd and kOr.
  // Which bodies the author wrote in braces: matters to printing alone.
  bool explicit_body = false;
  bool explicit_right = false;
  std::vector<With> with;
  Location location;
};

enum class RuleKind : std::uint8_t {
  kComplete,       // p := v, p { … }, a.b.c := v
  kFunction,       // f(x) := v
  kPartialSet,     // p[x] { … } (v0), p contains x
  kPartialObject,  // p[k] = v, a.b[k] := v
};

struct Rule {
  RuleKind kind = RuleKind::kComplete;
  bool is_default = false;
  bool assigned = false;         // The head was written with := rather than =.
  bool generated_body = false;   // There was none: it is `true`.
  bool generated_value = false;  // There was none: it is `true`.
  bool uses_if = false;
  bool uses_contains = false;
  // The name as written: `p`, or a.b[x]: a kRef whose head is a kVar. Includes the keys of partial
  // objects, not the key of partial sets.
  TermPtr reference;
  std::vector<TermPtr> arguments;  // Of functions.
  TermPtr key;    // Of partial sets, and of partial objects the last operand of `reference`.
  TermPtr value;  // Of all but partial sets; `true` where none was written.
  Body body;
  std::unique_ptr<Rule> else_rule;
  const Module* module = nullptr;  // Set by the compiler.
  Location head_location;
  Location location;

  [[nodiscard]] bool IsFunction() const { return !arguments.empty(); }
};

struct Import {
  TermPtr path;       // A kRef: data.lib.x, input.y, future.keywords.in, rego.v1.
  std::string alias;  // Empty: none was written.
  Location alias_location;
  Location location;
  // The name by which the module's rules refer to it.
  [[nodiscard]] std::string_view Name() const;
};

struct Comment {
  std::string text;  // After the '#'.
  Location location;
};

// What a METADATA comment says.
struct Annotation {
  std::string scope;  // "rule", "document", "package" or "subpackages".
  bool entrypoint = false;
  TermPtr content;  // A kObject: all but the scope, as rego.metadata.rule() gives it.
  Location location;
  const Rule* rule = nullptr;  // What it stands above; null: the package.
};

struct Module {
  std::shared_ptr<const std::string> file;
  std::shared_ptr<const std::string> text;
  Version version = Version::kV0;
  std::vector<std::string> package;  // Without `data`: {"k8suniqueingresshost"}.
  Location package_location;
  std::vector<Import> imports;
  std::vector<std::unique_ptr<Rule>> rules;
  std::vector<Comment> comments;
  std::vector<Annotation> annotations;  // Where they were read.

  // True if the rules of v1 hold: the text is v1, or imports rego.v1 (or v2).
  [[nodiscard]] bool FollowsV1() const;
};

// Deep copies.
[[nodiscard]] TermPtr Clone(const Term& term);
[[nodiscard]] ExprPtr Clone(const Expr& expr);
[[nodiscard]] Body Clone(const Body& body);
[[nodiscard]] std::unique_ptr<Rule> Clone(const Rule& rule);

// OPA's order of terms: null < boolean < number < string < template string < var < ref < array <
// object < set < comprehensions < call. Locations do not count.
[[nodiscard]] int Compare(const Term& a, const Term& b);
[[nodiscard]] int Compare(const Expr& a, const Expr& b);
[[nodiscard]] int Compare(const Body& a, const Body& b);
[[nodiscard]] int Compare(const Rule& a, const Rule& b);

// True if no variable, reference, call or comprehension is in it. A reference is ground if all but
// its head is.
[[nodiscard]] bool IsGround(const Term& term);

// Sorts the members of an object or set and drops doubles: of equal keys the last value stays.
void Normalize(Term& collection);

// OPA's name of a term's kind: "var", "arraycomprehension", …
[[nodiscard]] std::string_view KindName(TermKind kind);

// As OPA prints them: used in error texts.
[[nodiscard]] std::string ToString(const Term& term);
[[nodiscard]] std::string ToString(const Expr& expr);
[[nodiscard]] std::string ToString(const Body& body);

}  // namespace portcullis::rego
