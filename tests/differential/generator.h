// Random programs, well-typed nearly always: rules call and read only what is above them or in packages made before, and
// terms are made for the shape that their place wants, so that most programs give something.
//
// One Generator makes one program. The parts are in generate_program.cc (packages, documents, query), generate_rule.cc,
// generate_body.cc (expressions), generate_term.cc and generate_call.cc.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/differential/program.h"
#include "tests/differential/random.h"
#include "tests/differential/shape.h"

namespace portcullis::differential {

enum class Flavour : std::uint8_t {
  kLanguage,   // All of Rego.
  kInventory,  // Programs over data.inventory.
};

[[nodiscard]] Program GenerateProgram(std::uint64_t seed, Flavour flavour = Flavour::kLanguage);

// A constraint template over input.review, input.parameters and data.inventory: its Rego is the only module, the input a
// constraint's parameters, the data the inventory.
[[nodiscard]] Program GenerateTemplate(std::uint64_t seed);

// How a module is spelt.
struct Dialect {
  std::string version;
  std::string imports;    // Lines.
  bool if_bodies = true;  // `r if { … }`, `s contains x`; else `r { … }`, `s[x] { … }`.
  bool in = true;         // `in` and `every`
  bool logic = false;     // `and`, `or`, `not { … }`
  bool templates = true;  // $"…{x}…"
};

struct Variable {
  std::string name;
  ShapePtr shape;
};

// Where a term or an expression stands.
struct Scope {
  std::vector<Variable> variables;
  // Variables that the lines before this one bind: terms mostly keep to these, since what one line binds and uses is often unsafe.
  std::size_t settled = 0;
  int depth = 3;      // How much deeper terms may nest.
  bool binds = true;  // References may have free variables, which are then bound for what follows.
};

class Generator {
 public:
  Generator(std::uint64_t seed, Flavour flavour) : random_(seed), flavour_(flavour) {}
  Program Run();
  Program RunTemplate();  // generate_template.cc

 private:
  struct Function {
    std::size_t package = 0;
    std::string name;
    std::vector<ShapePtr> arguments;
    ShapePtr result;
  };
  // Something that a reference can begin with: a document, a rule.
  struct Root {
    std::size_t package = 0;  // Of rules.
    std::string name;         // "input", "data.base", or the rule's name.
    ShapePtr shape;
    bool rule = false;
  };
  struct Package {
    std::string path;   // "p0", "q.sub"
    std::string alias;  // What it is imported as.
  };

  // generate_program.cc
  void MakeDocuments();
  void MakePackage(std::size_t number);
  std::string Query();
  std::string Imports();
  Dialect RandomDialect(const std::string& version);
  std::string Fault();

  // generate_rule.cc, generate_rare_rule.cc: each gives the text of one rule in all its parts.
  std::string Rule();
  std::string PlainRule();
  std::string CompleteRule();
  std::string PartialSet();
  std::string PartialObject();
  std::string ReferenceHead();
  std::string FunctionRule();
  std::string ChainedRule();
  std::string Annotation(std::string_view scope);
  std::string Head(const std::string& head, const std::string& value) const;
  std::string BodyBlock(const std::vector<std::string>& body);
  std::string Argument(const ShapePtr& shape, Scope& scope);
  std::string NewRuleName(std::string_view kind);

  // generate_body.cc
  std::vector<std::string> Body(Scope& scope, unsigned binders, unsigned filters);
  std::string Block(Scope& scope);  // "e1; e2" for closures.
  std::string Binder(Scope& scope);
  std::string ObjectBinder(Scope& scope);  // An object of data.inventory.
  std::string Filter(Scope& scope);
  std::string Comparison(Scope& scope);
  // `declares`: for `:=` and `some`, which take no terms but variables and constants.
  std::string Pattern(const ShapePtr& shape, Scope& scope, bool declares);
  std::string Every(Scope& scope);
  std::string Withs(Scope& scope);
  std::string With(Scope& scope);

  // generate_term.cc
  std::string Term(const ShapePtr& want, Scope& scope);
  std::string Made(const ShapePtr& want, Scope& scope);
  std::optional<std::string> Reference(const ShapePtr& want, Scope& scope);
  std::string Path(const Root& root, const ShapePtr& want, Scope& scope);
  std::string Key(const ShapePtr& shape, Scope& scope, const Shape& holder, bool known);
  std::string Literal(const ShapePtr& want, Scope& scope);
  std::string Comprehension(const ShapePtr& want, Scope& scope);
  std::string Shadowing(Scope& scope);
  std::string Template(Scope& scope);
  std::string NewVariable(Scope& scope, const ShapePtr& shape);
  std::size_t Visible(const Scope& scope);
  Scope Inside(const Scope& scope);
  std::string FreshName(Scope& scope);
  std::string NameOf(const Root& root) const;
  std::string NameOf(const Function& function) const;
  std::string QualifiedName(std::size_t package, const std::string& name) const;

  // generate_call.cc
  std::optional<std::string> Call(const ShapePtr& want, Scope& scope);
  std::string BooleanCall(Scope& scope);
  std::string NumberCall(Scope& scope);
  std::string StringCall(Scope& scope);
  std::string ArrayCall(const ShapePtr& want, Scope& scope);
  std::string SetCall(const ShapePtr& want, Scope& scope);
  std::string MapCall(const ShapePtr& want, Scope& scope);
  std::string Arithmetic(Scope& scope);

  // generate_rare_call.cc
  std::optional<std::string> RareCall(const ShapePtr& want, Scope& scope);
  std::string RareText(Scope& scope);
  std::string RareNumber(Scope& scope);
  std::string RareBoolean(Scope& scope);
  std::string Patch(const ShapePtr& want, Scope& scope);
  std::string Pointer(const Shape& map);

  ShapePtr SmallShape() { return RandomShape(random_, 2, true); }
  // A scalar, or now and then more.
  ShapePtr MemberShape() {
    return random_.Chance(75) ? RandomScalar(random_) : RandomShape(random_, 1, true);
  }
  ShapePtr AnyCollection();

  Random random_;
  Flavour flavour_;
  Program program_;
  Dialect dialect_;
  std::vector<Package> packages_;
  std::vector<std::size_t> imported_;  // By the module being made.
  std::size_t package_ = 0;            // That is being made.
  std::vector<Root> roots_;
  std::vector<Root> aliases_;  // Parts of documents and rules that the module being made imports.
  std::vector<Function> functions_;
  bool withs_ = true;
  unsigned names_ = 0;
  unsigned rules_ = 0;
};

}  // namespace portcullis::differential
