#include "rules/rego/planner.h"

#include <algorithm>
#include <utility>

#include "rules/rego/body_planner.h"
#include "rules/rego/compilation.h"
#include "rules/rego/fold.h"
#include "rules/rego/rule_index.h"
#include "rules/rego/semi_join.h"
#include "rules/rego/subtree.h"
#include "rules/rego/view.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

using document::Value;

TermPtr MakeTerm(TermKind kind, std::string text) {
  auto term = std::make_unique<Term>();
  term->kind = kind;
  term->text = std::move(text);
  return term;
}

std::string PathText(std::span<const std::string> path) {
  std::vector<TermPtr> items;
  items.push_back(NewVar("data", {}));
  for (const std::string& name : path) {
    items.push_back(NewString(name, {}));
  }
  return ToString(*NewRef(std::move(items), {}));
}

// True if some `with` in the policy names something else than a document.
bool ReplacesBuiltins(const CompiledPolicy& policy) {
  bool found = false;
  for (const std::unique_ptr<Module>& module : policy.modules) {
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      const Rule& each = *rule;
      Walk(each, ConstVisitor{.term = {},
                              .expr =
                                  [&found](const Expr& expr) {
                                    for (const With& with : expr.with) {
                                      const Term& target = *with.target;
                                      const Term& head =
                                          target.kind == TermKind::kRef ? *target.items[0] : target;
                                      found =
                                          found || (head.text != "input" && head.text != "data");
                                    }
                                    return true;
                                  },
                              .rule = {}});
    }
  }
  return found;
}

// True if some `with` names a part of `data` other than the inventory.
template <class Node>
bool ReplacesRules(const Node& node) {
  bool found = false;
  Walk(node, ConstVisitor{.term = {},
                          .expr =
                              [&found](const Expr& expr) {
                                for (const With& with : expr.with) {
                                  const auto& items = with.target->items;
                                  found = found ||
                                          (!items.empty() && items[0]->text == "data" &&
                                           (items.size() < 2 || items[1]->text != "inventory"));
                                }
                                return true;
                              },
                          .rule = {}});
  return found;
}

bool HasWith(const Rule& rule) {
  bool found = false;
  Walk(rule, ConstVisitor{.term = {},
                          .expr =
                              [&found](const Expr& expr) {
                                found = found || !expr.with.empty();
                                return true;
                              },
                          .rule = {}});
  return found;
}

}  // namespace

Planner::Planner(const CompiledPolicy& policy, Program& program,
                 std::vector<RuleExplanation>& explanations, PlanOptions options)
    : policy_(policy),
      program_(program),
      explanations_(explanations),
      options_(std::move(options)),
      errors_(policy) {
  program_.rules = &policy.root;
}

Planner::~Planner() = default;

Program::Program() = default;
Program::~Program() = default;

void Planner::Fail(std::string message, const Location& location) {
  if (!error_) {
    error_ = Error{.code = ErrorCode::kInternal,
                   .message = std::move(message),
                   .position = Position{.file = location.file ? *location.file : "",
                                        .line = location.row,
                                        .column = location.column}};
  }
}

std::string_view Planner::SourceText(const Location& location) const {
  for (const std::unique_ptr<Module>& module : policy_.modules) {
    if (module->file == location.file && module->text != nullptr &&
        location.offset + location.length <= module->text->size()) {
      return std::string_view(*module->text).substr(location.offset, location.length);
    }
  }
  return {};
}

Operand Planner::Constant(Value value) {
  program_.constants.push_back(value);
  return {.at = ~static_cast<std::int32_t>(program_.constants.size() - 1)};
}

Value Planner::StringValue(std::string_view text) {
  return Value::String(program_.arena.CopyString(text));
}

Value Planner::ValueOf(const Term& ground) {
  switch (ground.kind) {
    case TermKind::kBoolean:
      return Value::Boolean(ground.boolean);
    case TermKind::kNumber:
      return Value::Decimal(program_.arena.CopyString(ground.text));
    case TermKind::kString:
      return StringValue(ground.text);
    case TermKind::kArray: {
      document::ArrayBuilder array(program_.arena);
      for (const TermPtr& item : ground.items) {
        array.Add(ValueOf(*item));
      }
      return array.Finish();
    }
    case TermKind::kSet: {
      document::SetBuilder set(program_.arena);
      for (const TermPtr& item : ground.items) {
        set.Add(ValueOf(*item));
      }
      return set.Finish();
    }
    case TermKind::kObject: {
      document::ObjectBuilder object(program_.arena);
      for (std::size_t i = 0; i + 1 < ground.items.size(); i += 2) {
        object.Add(ValueOf(*ground.items[i]), ValueOf(*ground.items[i + 1]));
      }
      return object.Finish();
    }
    default:
      return Value::Null();
  }
}

Operand Planner::ConstantOf(const Term& ground) {
  if (ground.kind != TermKind::kString) {
    return Constant(ValueOf(ground));
  }
  const auto found = strings_.find(ground.text);
  if (found != strings_.end()) {
    return found->second;
  }
  return strings_.emplace(ground.text, Constant(StringValue(ground.text))).first->second;
}

std::optional<Operand> Planner::Fold(const builtins::Builtin& builtin,
                                     std::span<const Operand> operands) {
  if (!std::ranges::all_of(operands, &Operand::is_constant)) {
    return std::nullopt;
  }
  if (!replaces_builtins_) {
    replaces_builtins_ = ReplacesBuiltins(policy_);
  }
  if (*replaces_builtins_) {
    return std::nullopt;
  }
  std::vector<Value> values;
  for (const Operand operand : operands) {
    values.push_back(ConstantAt(operand));
  }
  const auto result = rego::Fold(builtin, values, program_.arena);
  return result ? std::optional(Constant(*result)) : std::nullopt;
}

std::optional<Body> Planner::SeeThrough(const Rule& rule) {
  if (!replaces_rules_) {
    replaces_rules_ = std::ranges::any_of(policy_.modules, [](const auto& module) {
      return std::ranges::any_of(module->rules,
                                 [](const auto& each) { return ReplacesRules(*each); });
    });
  }
  const bool as_written = *replaces_rules_ || HasWith(rule);
  std::uint32_t next_name = 0;
  std::unique_ptr<Rule> seen = as_written ? nullptr : Clone(rule);
  bool changed = false;
  if (seen != nullptr) {
    changed = WalkFromTheRoot(seen.get(), policy_, errors_, &next_name);
    changed = MergeViews(seen.get(), policy_, errors_, &next_name) || changed;
    if (const auto unfolded = UnfoldViews(*seen, policy_, errors_, &next_name)) {
      std::optional<Body> body = AskInsteadOfCollecting(*unfolded, errors_);
      if (body && !HasUnfolded(*body)) {
        return body;
      }
    }
  }
  if (auto body = AskInsteadOfCollecting(seen != nullptr ? *seen : rule, errors_)) {
    return body;
  }
  return changed ? std::optional(std::move(seen->body)) : std::nullopt;
}

std::span<const Operand> Planner::Operands(std::span<const Operand> operands) {
  const auto copy = program_.arena.AllocateArray<Operand>(operands.size());
  std::uninitialized_copy(operands.begin(), operands.end(), copy.begin());
  return copy;
}

RuleGroup& Planner::GroupOf(const RuleTree& node, std::span<const std::string> path) {
  std::unique_ptr<RuleGroup>& group = groups_[&node];
  if (group != nullptr) {
    return *group;
  }
  group = std::make_unique<RuleGroup>();
  group->node = &node;
  group->path.assign(path.begin(), path.end());
  AddDefinitions(*group, node);
  const auto& definitions = group->definitions;
  const bool has_keys = std::ranges::any_of(
      definitions, [](const auto& definition) { return !definition.keys.empty(); });
  if (has_keys) {
    // Rules below this path are part of its objects.
    for (const auto& [name, child] : node.children) {
      AddDefinitions(*group, *child);
    }
    const bool flat = std::ranges::all_of(definitions, [](const RuleGroup::Definition& definition) {
      return definition.keys.size() == 1 && definition.rule->kind != RuleKind::kPartialSet;
    });
    group->kind = flat ? RuleGroup::Kind::kObject : RuleGroup::Kind::kNested;
    return *group;
  }
  switch (node.rules->kind) {
    case RuleKind::kFunction:
      group->kind = RuleGroup::Kind::kFunction;
      break;
    case RuleKind::kPartialSet:
      group->kind = RuleGroup::Kind::kSet;
      break;
    case RuleKind::kComplete:
    case RuleKind::kPartialObject:
      group->kind = RuleGroup::Kind::kComplete;
      break;
  }
  group->one_constant = GivesOneConstant(*node.rules);
  return *group;
}

void Planner::AddDefinitions(RuleGroup& group, const RuleTree& node) {
  if (node.rules != nullptr) {
    for (const Rule* rule : node.rules->rules) {
      RuleGroup::Definition definition{.rule = rule, .keys = {}};
      const std::size_t package = rule->module == nullptr ? 0 : rule->module->package.size();
      const std::size_t names = group.path.size() - std::min(package, group.path.size());
      for (std::size_t i = names; i < rule->reference->items.size(); ++i) {
        definition.keys.push_back(rule->reference->items[i].get());
      }
      group.definitions.push_back(std::move(definition));
    }
  }
  if (&node != group.node) {
    for (const auto& [name, child] : node.children) {
      AddDefinitions(group, *child);
    }
  }
}

Procedure* Planner::NewProcedure(RuleGroup& group, Procedure::Kind kind, Use use) {
  Procedure& procedure = program_.procedures.emplace_back();
  procedure.kind = kind;
  procedure.id = static_cast<std::uint32_t>(program_.procedures.size() - 1);
  procedure.is_function = group.kind == RuleGroup::Kind::kFunction;
  procedure.name = PathText(group.path);
  for (const std::string& name : group.path) {
    procedure.path.push_back(StringValue(name));
  }
  work_.push_back({.group = &group, .procedure = &procedure, .use = use, .shape = {}});
  return &procedure;
}

const Procedure* Planner::Whole(RuleGroup& group) {
  if (group.whole == nullptr) {
    Procedure::Kind kind = Procedure::Kind::kValue;
    if (group.kind == RuleGroup::Kind::kSet) {
      kind = Procedure::Kind::kSet;
    } else if (group.kind == RuleGroup::Kind::kObject) {
      kind = Procedure::Kind::kObject;
    } else if (group.kind == RuleGroup::Kind::kNested) {
      kind = Procedure::Kind::kNested;
    }
    group.whole = NewProcedure(group, kind, Use::kWhole);
    if (group.kind == RuleGroup::Kind::kFunction) {
      group.whole->argument_count =
          static_cast<std::uint32_t>(group.definitions.front().rule->arguments.size());
    }
  }
  return group.whole;
}

const Procedure* Planner::Entry(RuleGroup& group) {
  if (group.entry == nullptr) {
    group.entry = NewProcedure(group, Procedure::Kind::kEntry, Use::kEntry);
    group.entry->argument_count = 1;
  }
  return group.entry;
}

const Procedure* Planner::ByShape(RuleGroup& group, const std::string& shape,
                                  std::size_t arguments) {
  Procedure*& procedure = group.by_shape[shape];
  if (procedure == nullptr) {
    procedure = NewProcedure(
        group,
        group.kind == RuleGroup::Kind::kSet ? Procedure::Kind::kSet : Procedure::Kind::kObject,
        Use::kShape);
    procedure->argument_count = static_cast<std::uint32_t>(arguments);
    work_.back().shape = shape;
  }
  return procedure;
}

const Procedure* Planner::Below(RuleGroup& group, std::size_t keys) {
  Procedure*& procedure = group.below[keys];
  if (procedure == nullptr) {
    procedure = NewProcedure(group, Procedure::Kind::kNested, Use::kBelow);
    procedure->argument_count = static_cast<std::uint32_t>(keys);
  }
  return procedure;
}

std::unique_ptr<DocumentNode> Planner::MakeDocuments(const RuleTree& tree,
                                                     std::vector<std::string>& path) {
  auto node = std::make_unique<DocumentNode>();
  if (tree.rules != nullptr) {
    RuleGroup& group = GroupOf(tree, path);
    node->is_function = group.kind == RuleGroup::Kind::kFunction;
    if (!node->is_function) {
      node->whole = Whole(group);
    }
    return node;
  }
  for (const auto& [name, child] : tree.children) {
    path.push_back(name);
    auto& made = node->children[name] = MakeDocuments(*child, path);
    made->hidden = path.size() == 1 && name == "system";
    path.pop_back();
  }
  return node;
}

const DocumentNode* Planner::DocumentAt(std::span<const std::string> path) {
  if (program_.documents == nullptr) {
    std::vector<std::string> root;
    program_.documents = MakeDocuments(policy_.root, root);
  }
  const DocumentNode* node = program_.documents.get();
  for (const std::string& name : path) {
    node = node->children.find(name)->second.get();
  }
  return node;
}

Result<void> Planner::PlanDocument(std::span<const std::string> path) {
  // The entry is a reference like any other, so that a path to a package or a base document is one too.
  program_.entry_reference = MakeTerm(TermKind::kRef, "");
  Term& reference = *program_.entry_reference;
  reference.items.push_back(MakeTerm(TermKind::kVar, "data"));
  for (const std::string& name : path) {
    reference.items.push_back(MakeTerm(TermKind::kString, name));
  }
  Procedure& entry = program_.procedures.emplace_back();
  entry.kind = Procedure::Kind::kValue;
  entry.id = static_cast<std::uint32_t>(program_.procedures.size() - 1);
  entry.name = PathText(path);
  entry.result = 0;
  entry.one_solution = true;
  Block* block = NewBlock();
  BodyPlanner body(*this, block, 1, nullptr);
  const Operand value = body.Eval(reference);
  Step& step = body.Add(Op::kYieldResult);
  step.a = value;
  step.to = 0;
  step.stop = true;
  step.procedure = &entry;
  Branch& branch = program_.branches.emplace_back();
  branch.block = block;
  entry.branches.push_back(&branch);
  entry.frame_size = static_cast<std::uint32_t>(body.slots());
  program_.entry = &entry;
  Finish();
  if (error_) {
    return std::unexpected(*error_);
  }
  return {};
}

Result<void> Planner::PlanQuery(const Body& query) {
  replaces_builtins_ = true;  // A query's `with` may.
  replaces_rules_ = true;
  Block* block = NewBlock();
  BodyPlanner body(*this, block, 0, nullptr);
  body.PlanBody(query);
  std::vector<Operand> operands;
  for (const std::string& name : body.BoundVariables()) {
    program_.query_variables.push_back(name);
    operands.push_back(body.Eval(*MakeTerm(TermKind::kVar, name)));
  }
  const auto copy = Operands(operands);
  body.Add(Op::kYieldQuery).operands = copy;
  program_.query = block;
  program_.query_frame_size = static_cast<std::uint32_t>(body.slots());
  Finish();
  if (error_) {
    return std::unexpected(*error_);
  }
  return {};
}

void Planner::Finish() {
  while (!work_.empty()) {
    const Work work = std::move(work_.front());
    work_.pop_front();
    PlanProcedure(work);
  }
}

void Planner::PlanProcedure(const Work& work) {
  Procedure& procedure = *work.procedure;
  const RuleGroup& group = *work.group;
  const bool gives_value =
      procedure.kind == Procedure::Kind::kValue || procedure.kind == Procedure::Kind::kEntry;
  if (gives_value) {
    procedure.result = static_cast<Slot>(procedure.argument_count);
  }
  procedure.one_solution = procedure.kind == Procedure::Kind::kValue && group.one_constant;
  procedure.frame_size = procedure.argument_count + 1;
  std::size_t steps = 0;
  for (const RuleGroup::Definition& definition : group.definitions) {
    const Branch* branch = PlanBranch(work, definition, *definition.rule);
    if (definition.rule->is_default) {
      procedure.default_block = branch->block;
    } else {
      procedure.branches.push_back(branch);
      for (const Branch* part = branch; part != nullptr; part = part->otherwise) {
        steps += part->block->steps.size();
      }
    }
  }
  if (auto index = RuleIndex::Make(program_, procedure)) {
    procedure.index = program_.rule_indexes.emplace_back(std::move(index)).get();
  }
  // Keeping a result costs about as much as a handful of steps.
  constexpr std::size_t kCheapSteps = 6;
  procedure.keep_by_arguments = procedure.argument_count > 0 && steps > kCheapSteps;
}

const Branch* Planner::PlanBranch(const Work& work, const RuleGroup::Definition& definition,
                                  const Rule& rule) {
  Procedure& procedure = *work.procedure;
  RuleExplanation explanation{
      .rule = procedure.name + " (line " + std::to_string(rule.location.row) + ")", .steps = {}};

  Block* block = NewBlock();
  BodyPlanner body(*this, block, static_cast<Slot>(procedure.argument_count) + 1, &explanation);
  if (procedure.is_function) {
    const Rule& declared = rule.arguments.empty() ? *definition.rule : rule;
    for (std::size_t i = 0; i < declared.arguments.size(); ++i) {
      body.Match({.at = static_cast<Slot>(i)}, *declared.arguments[i]);
    }
  }
  const Term* head_key = work.group->kind == RuleGroup::Kind::kSet ? rule.key.get()
                         : definition.keys.empty()                 ? nullptr
                                                                   : definition.keys.front();
  // What the head computes is not known before the body.
  const auto is_pattern = [](const Term& key) {
    return IsGround(key) || key.IsVar() || key.kind == TermKind::kArray ||
           key.kind == TermKind::kObject;
  };
  const bool key_is_pattern = head_key != nullptr && is_pattern(*head_key);
  const auto match_keys = [&](bool patterns) {
    for (std::size_t i = 0;
         work.use == Use::kBelow && i < definition.keys.size() && i < procedure.argument_count;
         ++i) {
      if (is_pattern(*definition.keys[i]) == patterns) {
        body.Match({.at = static_cast<Slot>(i)}, *definition.keys[i]);
      }
    }
  };
  match_keys(true);
  if (work.use == Use::kEntry && key_is_pattern) {
    body.Match({.at = 0}, *head_key);
  }
  if (work.use == Use::kShape && key_is_pattern) {
    std::size_t at = 0;
    Slot argument = 0;
    body.MatchShape(*head_key, work.shape, &at, &argument);
  }
  body.PlanRuleBody(rule);
  if (work.use == Use::kEntry && !key_is_pattern) {
    body.Match({.at = 0}, *head_key);
  }
  match_keys(false);
  PlanYield(body, work, definition, rule);
  procedure.frame_size = std::max(procedure.frame_size, static_cast<std::uint32_t>(body.slots()));
  explanations_.push_back(std::move(explanation));

  Branch& branch = program_.branches.emplace_back();
  branch.block = block;
  branch.rule = &rule;
  branch.only_first = !definition.keys.empty();
  // OPA does not evaluate the keys of an `else`.
  if (rule.else_rule != nullptr &&
      std::ranges::all_of(definition.keys, [](const Term* key) { return IsGround(*key); })) {
    branch.otherwise = PlanBranch(work, definition, *rule.else_rule);
  }
  return &branch;
}

void Planner::PlanYield(BodyPlanner& body, const Work& work,
                        const RuleGroup::Definition& definition, const Rule& rule) {
  const Procedure& procedure = *work.procedure;
  const Location* location = &rule.location;
  switch (procedure.kind) {
    case Procedure::Kind::kValue:
    case Procedure::Kind::kEntry: {
      const bool is_member = work.group->kind == RuleGroup::Kind::kSet;
      const Operand value = is_member ? Operand{.at = 0} : body.Eval(*rule.value);
      // More solutions could only repeat a constant; they matter where they could fail.
      const bool constant = is_member || IsGround(*rule.value);
      Step& step = body.Add(Op::kYieldResult, location);
      step.a = value;
      step.to = procedure.result;
      step.procedure = &procedure;
      step.stop = procedure.one_solution || (constant && !errors_.MayFail(rule.body));
      return;
    }
    case Procedure::Kind::kSet: {
      const Operand key = body.Eval(*rule.key);
      body.Add(Op::kYieldItem, location).a = key;
      return;
    }
    case Procedure::Kind::kObject: {
      const Operand key = body.Eval(*definition.keys.front());
      const Operand value = body.Eval(*rule.value);
      Step& step = body.Add(Op::kYieldMember, location);
      step.a = key;
      step.b = value;
      return;
    }
    case Procedure::Kind::kNested: {
      std::vector<Operand> keys;
      for (const Term* key : definition.keys) {
        keys.push_back(body.Eval(*key));
      }
      const bool is_set = rule.kind == RuleKind::kPartialSet;
      const Operand value = body.Eval(is_set ? *rule.key : *rule.value);
      const auto operands = Operands(keys);
      Step& step = body.Add(Op::kYieldPath, location);
      step.operands = operands;
      step.a = value;
      step.to = is_set ? 1 : 0;
      return;
    }
  }
}

}  // namespace portcullis::rego
