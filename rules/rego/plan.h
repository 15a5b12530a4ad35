// The executable form of a policy: procedures made of blocks of steps over numbered slots. Made once by the planner
// (rules/rego/planner.h), run by the evaluator (rules/rego/evaluator.h). Nothing here is looked up by name at run time.
//
// A block is a list of steps and ends with one that yields. A step either fails (the block goes back to the step
// before that can give another solution), or goes on with the step after it, once for each solution.

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/arena.h"
#include "document/value.h"
#include "index/definition.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/ast.h"
#include "store/object_key.h"

namespace portcullis::rego {

// Where a step finds a value: a slot of the frame (0 and up), or a constant of the program (below 0).
struct Operand {
  std::int32_t at = 0;
  [[nodiscard]] bool is_constant() const { return at < 0; }
  friend bool operator==(const Operand&, const Operand&) = default;
};

using Slot = std::int32_t;
inline constexpr Slot kNoSlot = -1;

struct Block;
struct Procedure;
struct DocumentNode;
struct InventoryAccess;
struct Grouping;
struct WithTargets;
struct RuleTree;
class RuleIndex;

enum class Op : std::uint8_t {
  // No solution.
  kFail,

  // One solution at most.
  kMove,         // to = a
  kWalkInput,    // to = input[operands…]
  kWalkBase,     // to = base documents[operands…]: what `data` has without rules
  kWalk,         // to = a[operands…]
  kEqual,        // a equals b
  kCompare,      // a `comparison` b
  kTrue,         // a is not false
  kArray,        // to = [operands…]
  kSet,          // to = {operands…}
  kObject,       // to = {operands: key, value, …}
  kUnpackArray,  // a is an array of operand_count items: they go to slots to, to + 1, …
  kUnpackObject,  // a is an object of exactly the keys operands: their values go to slots to, to + 1, …
  kBuiltin,       // to = builtin(operands…)
  kCall,          // to = procedure(operands…)
  kNot,           // block has no solution
  kEvery,         // for each key (to), value (to2) of a: block has a solution
  kBoth,          // block and other_block have a solution each
  kEither,        // block or other_block has a solution
  kArrayOf,       // to = [… for each solution of block]
  kSetOf,         // to = {… for each solution of block}
  kObjectOf,      // to = {key: value for each solution of block}
  kPrint,         // writes the cross product of the sets in a

  // Any number of solutions.
  kEach,       // key (to) and value (to2) of each item of a
  kRelation,   // to = each item of builtin(operands…)
  kDocument,   // to = data[path][operands…] where rules and base documents mix; see DocumentAccess
  kInventory,  // see InventoryAccess

  // `with`: the steps up to the kWithEnd see the changed context.
  kWith,
  kWithEnd,

  // The ends of blocks.
  kYieldExists,  // One solution is enough: stops.
  kYieldResult,  // a is the value of a complete rule or function; two that differ are a conflict
  kYieldItem,    // a is an item of what is collected
  kYieldMember,  // a: key, b: value
  kYieldGroup,   // operands: keys; then as kYieldItem, or, if to is 1, as kYieldMember
  kYieldPath,  // operands: the keys on the way down; a: value; to: 1 where the value is a member of a set
  kYieldQuery,  // operands: the variables' values
};

enum class Comparison : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual
};

// One level of a reference into documents or the inventory.
struct Level {
  enum class Kind : std::uint8_t {
    kKey,   // `key` is bound
    kFree,  // every key; it goes to `slot` unless that is kNoSlot
  };
  Kind kind = Kind::kKey;
  Operand key;
  Slot slot = kNoSlot;
};

// A reference into `data` whose keys are not all known when the plan is made, or that asks for a whole package.
struct DocumentAccess {
  const DocumentNode* node = nullptr;  // Where the walk begins.
  std::vector<document::Value> path;   // From `data` to there.
  std::vector<Level> levels;
};

struct Step {
  Op op = Op::kFail;
  Comparison comparison = Comparison::kEqual;
  // Of yields: one solution is enough. Of kCall: the result is not kept for later calls. Of kEqual: two references are compared.
  bool stop = false;
  Slot to = kNoSlot;
  Slot to2 = kNoSlot;
  Operand a;
  Operand b;
  std::span<const Operand> operands;
  const Block* block = nullptr;
  union {
    const Block* other_block = nullptr;
    const builtins::Builtin* builtin;
    const Procedure* procedure;
    const DocumentAccess* document;
    const InventoryAccess* inventory;
    const WithTargets* with;
    const Grouping* grouping;  // Of comprehensions; null: they run for the values at hand only.
  };
  const Location* location = nullptr;
};

struct Block {
  std::vector<Step> steps;
};

// One definition of a rule: its body, then its `else`.
struct Branch {
  const Block* block = nullptr;
  const Rule* rule = nullptr;  // Null: of a plan for a document.
  const Branch* otherwise = nullptr;
  bool only_first =
      false;  // Of this and what follows, OPA tries only the first that its index does not leave out.
};

// What can be called: a function, a complete rule, the whole of a partial rule, or a partial rule asked for one key or for the
// keys of one shape. Arguments come in slots 0, 1, …
struct Procedure {
  enum class Kind : std::uint8_t {
    kValue,  // A complete rule or function: one value.
    kEntry,  // The value of a partial object at one key: one value, or "object keys must be unique".
    kSet,    // All items.
    kObject,  // All members.
    kNested,  // Objects in objects, from rules such as a[x].b[y] := z.
  };
  Kind kind = Kind::kValue;
  bool is_function = false;
  bool one_solution =
      false;  // Every definition gives the same constant: the first solution decides.
  bool keep_by_arguments = false;  // Results are kept for later calls.
  bool root_is_set = false;
  std::uint32_t id = 0;  // Counts from 0 in the program: the place of the result among those kept.
  std::uint32_t argument_count = 0;
  Slot result = kNoSlot;         // Of kValue and kEntry.
  std::uint32_t frame_size = 0;  // Slots.
  std::vector<const Branch*> branches;
  const RuleIndex* index = nullptr;  // Finds the branches that can match; null: try all.
  const Block* default_block = nullptr;
  std::vector<document::Value> path;  // Below `data`: a `with` on it or above replaces the rule.
  std::string name;                   // "data.template.violation"
};

// The rules below `data` as a tree, for references that walk it at run time.
struct DocumentNode {
  // By key; rules and packages below it.
  std::map<std::string, std::unique_ptr<DocumentNode>, std::less<>> children;
  const Procedure* whole = nullptr;  // The value of the rules at this path.
  bool is_function = false;
  bool hidden = false;  // Left out where a whole package is read.
};

// A reference below data.inventory: `levels` go down the tree (namespace, group version, kind, name, or without the
// namespace), as far as the reference does.
struct InventoryAccess {
  std::uint32_t id = 0;  // Counts from 0 in the program.
  store::Scope scope = store::Scope::kNamespaced;
  std::vector<Level> levels;
  // Where the object goes, or what hangs below the last level when there are fewer levels than the tree has; kNoSlot: only
  // whether it exists is asked.
  Slot value = kNoSlot;
  // Conditions on the keys bound so far, by level: each a block over the same frame that ends with kYieldExists; null:
  // none. They are tried before anything below that level is read.
  std::vector<const Block*> filters;
  // Where indexes serve: any one choice finds all candidates, those of its probes together.
  struct Probe {
    index::Definition definition;
    const Block* keys = nullptr;   // Over the same frame; yields each key to look up.
    document::Value extra;         // One more key; undefined: none.
    const Block* guard = nullptr;  // The choice serves only if this has a solution; null: always.
  };
  std::vector<std::vector<Probe>> choices;
  // What the rule wants of an object is in its entry in the one index that there is: the object is not read.
  bool index_only = false;
  // The first object is enough: nothing is wanted but that there is one.
  bool first_only = false;

  [[nodiscard]] std::size_t depth() const { return scope == store::Scope::kNamespaced ? 4 : 3; }
  [[nodiscard]] bool reaches_objects() const { return levels.size() == depth(); }
};

// The replacements of one expression's `with` clauses.
struct WithTargets {
  struct Document {
    bool is_input = false;
    std::vector<document::Value> path;  // Below `input` or `data`.
    Operand value;
  };
  struct Mock {
    // What is replaced: one of these.
    const builtins::Builtin* builtin = nullptr;
    const Procedure* procedure = nullptr;
    // By what: one of these, or a value.
    const builtins::Builtin* by_builtin = nullptr;
    const Procedure* by_procedure = nullptr;
    Operand value;
  };
  std::vector<Document> documents;
  std::vector<Mock> mocks;
};

// How a comprehension runs for all values of some outer variables at once: rules/rego/grouping.h.
struct Grouping {
  std::uint32_t id = 0;  // Counts from 0 in the program.
  const Block* block =
      nullptr;  // Its body without the equalities with the keys; ends with kYieldGroup.
  std::span<const Operand> keys;   // Outer values that solutions are grouped by.
  std::span<const Operand> fixed;  // Other outer values that the body reads.
  std::size_t yield_width = 0;     // Values that a solution yields beside its keys.
};

// Owns all that steps point to. Immutable once made.
struct Program {
  Program();
  ~Program();

  document::Arena arena;  // Of constants and lists of operands.
  std::vector<document::Value> constants;
  std::deque<Block> blocks;
  std::deque<Branch> branches;
  std::deque<Procedure> procedures;
  std::deque<DocumentAccess> document_accesses;
  std::deque<InventoryAccess> inventory_accesses;
  std::deque<WithTargets> with_targets;
  const RuleTree* rules = nullptr;  // Of the policy.
  std::deque<Body> written;         // Expressions that the planner wrote, for their locations.
  std::deque<Grouping> groupings;
  std::vector<std::unique_ptr<const RuleIndex>> rule_indexes;
  std::unique_ptr<DocumentNode> documents;  // Null unless some step needs it.

  const Procedure* entry = nullptr;  // Of a plan for a document.
  TermPtr entry_reference;           // That document, as a reference.
  const Block* query = nullptr;      // Of a plan for a query.
  std::uint32_t query_frame_size = 0;
  std::vector<std::string> query_variables;
  bool reads_inventory = false;
};

}  // namespace portcullis::rego
