#include <algorithm>
#include <utility>

#include "rules/rego/body_planner.h"
#include "rules/rego/index_only.h"

namespace portcullis::rego {
namespace {

// What a set or object is asked for when it is asked for each of its keys.
struct EachSlots {
  Slot key = kNoSlot;
  Slot value = kNoSlot;
};

bool IsInventoryScope(const Term& term, store::Scope* scope) {
  if (term.kind != TermKind::kString || (term.text != "namespace" && term.text != "cluster")) {
    return false;
  }
  *scope = term.text == "namespace" ? store::Scope::kNamespaced : store::Scope::kCluster;
  return true;
}

}  // namespace

Operand BodyPlanner::EvalReference(const Term& reference, Need need) {
  const Term& head = reference.kind == TermKind::kRef ? *reference.items[0] : reference;
  if (head.IsVar() && !IsBound(head.text)) {
    if (head.text == "input") {
      return Walk(Op::kWalkInput, {}, reference, 1);
    }
    if (head.text == "data") {
      return EvalData(reference, need);
    }
  }
  return Walk(Op::kWalk, Eval(head), reference, 1);
}

Operand BodyPlanner::Walk(Op op, Operand base, const Term& reference, std::size_t next) {
  std::vector<Operand> keys;
  // `input` by itself is a step too: there may be none.
  bool pending = op != Op::kWalk;
  const auto flush = [&] {
    if (!pending) {
      return;
    }
    const Slot slot = NewSlot();
    Step& step = Add(op, &reference.location);
    step.a = base;
    step.operands = planner_.Operands(keys);
    step.to = slot;
    base = {.at = slot};
    op = Op::kWalk;
    keys.clear();
    pending = false;
  };
  for (std::size_t i = next; i < reference.items.size(); ++i) {
    const Term& item = *reference.items[i];
    if (CanEval(item)) {
      keys.push_back(Eval(item));
      pending = true;
      continue;
    }
    flush();
    const bool is_variable = item.IsVar();
    const EachSlots slots = {.key = is_variable && item.IsWildcard() ? kNoSlot : NewSlot(),
                             .value = NewSlot()};
    Step& step = Add(Op::kEach, &reference.location);
    step.a = base;
    step.to = slots.key;
    step.to2 = slots.value;
    if (slots.key != kNoSlot) {
      Match({.at = slots.key}, item);
    }
    base = {.at = slots.value};
  }
  flush();
  return base;
}

Operand BodyPlanner::EvalData(const Term& reference, Need need) {
  const auto& items = reference.items;
  const RuleTree* node = &planner_.policy().root;
  std::vector<std::string> path;
  std::size_t i = 1;
  for (; i < items.size(); ++i) {
    const Term& item = *items[i];
    if (item.kind != TermKind::kString) {
      if (IsGround(item)) {
        node = nullptr;
      }
      break;
    }
    const RuleTree* child = node->Child(item.text);
    if (child == nullptr) {
      node = nullptr;
      break;
    }
    path.push_back(item.text);
    node = child;
    if (node->rules != nullptr) {
      return EvalGroup(planner_.GroupOf(*node, path), reference, i + 1);
    }
  }
  if (node == nullptr) {
    if (i == 1 && items[1]->kind == TermKind::kString && items[1]->text == "inventory") {
      return EvalInventory(reference, need);
    }
    return Walk(Op::kWalkBase, {}, reference, 1);
  }
  if (path.empty()) {
    planner_.program().reads_inventory = true;
    ExplainAccess({.depth = 0,
                   .text = "read " + ToString(reference),
                   .access_path = "full scan",
                   .indexes = {},
                   .reason = "the whole of data is read",
                   .scanned = {{.scope = store::Scope::kCluster, .kind = {}},
                               {.scope = store::Scope::kNamespaced, .kind = {}}}});
  }
  return EvalDocument(planner_.DocumentAt(path), path, reference, i);
}

Operand BodyPlanner::EvalDocument(const DocumentNode* node, std::span<const std::string> path,
                                  const Term& reference, std::size_t next) {
  DocumentAccess& access = planner_.program().document_accesses.emplace_back();
  access.node = node;
  for (const std::string& name : path) {
    access.path.push_back(planner_.StringValue(name));
  }
  std::vector<std::pair<Slot, const Term*>> checks;
  std::set<std::string> seen;
  for (std::size_t i = next; i < reference.items.size(); ++i) {
    const Term& item = *reference.items[i];
    Level level;
    if (CanEval(item) && !(item.IsVar() && seen.contains(item.text))) {
      level = {.kind = Level::Kind::kKey, .key = Eval(item)};
    } else {
      level = {.kind = Level::Kind::kFree, .key = {}, .slot = NewSlot()};
      checks.emplace_back(level.slot, &item);
      if (item.IsVar()) {
        seen.insert(item.text);
      }
    }
    access.levels.push_back(level);
  }
  const Slot slot = NewSlot();
  Step& step = Add(Op::kDocument, &reference.location);
  step.document = &access;
  step.to = slot;
  for (const auto& [key, item] : checks) {
    Match({.at = key}, *item);
  }
  return {.at = slot};
}

Operand BodyPlanner::CallWhole(const Procedure* procedure, const Location* location) {
  const Slot slot = NewSlot();
  Step& step = Add(Op::kCall, location);
  step.procedure = procedure;
  step.to = slot;
  return {.at = slot};
}

// The part of the objects below the keys that are known: what is elsewhere cannot fail.
Operand BodyPlanner::CallBelow(RuleGroup& group, const Term& reference, std::size_t next) {
  std::vector<Operand> keys;
  for (std::size_t i = next; i < reference.items.size() && keys.size() < group.most_keys() &&
                             CanEval(*reference.items[i]);
       ++i) {
    keys.push_back(Eval(*reference.items[i]));
  }
  if (keys.empty()) {
    return CallWhole(planner_.Whole(group), &reference.location);
  }
  const Procedure* procedure = planner_.Below(group, keys.size());
  const Slot slot = NewSlot();
  Step& step = Add(Op::kCall, &reference.location);
  step.procedure = procedure;
  step.operands = planner_.Operands(keys);
  step.to = slot;
  return {.at = slot};
}

Operand BodyPlanner::EvalGroup(RuleGroup& group, const Term& reference, std::size_t next) {
  const Location* location = &reference.location;
  if (group.kind == RuleGroup::Kind::kFunction) {
    Add(Op::kFail);
    return planner_.Constant(document::Value::Null());
  }
  if (group.kind == RuleGroup::Kind::kNested) {
    return Walk(Op::kWalk, CallBelow(group, reference, next), reference, next);
  }
  const bool by_key = group.kind == RuleGroup::Kind::kSet || group.kind == RuleGroup::Kind::kObject;
  if (!by_key || next == reference.items.size()) {
    return Walk(Op::kWalk, CallWhole(planner_.Whole(group), location), reference, next);
  }
  const Term& key = *reference.items[next];
  Slot value = kNoSlot;
  if (CanEval(key)) {
    const Operand operand = Eval(key);
    value = NewSlot();
    const Procedure* procedure = planner_.Entry(group);
    Step& step = Add(Op::kCall, location);
    step.procedure = procedure;
    step.operands = planner_.Operands(std::span(&operand, 1));
    step.to = value;
    return Walk(Op::kWalk, {.at = value}, reference, next + 1);
  }
  if (key.IsVar()) {
    return Walk(Op::kWalk, CallWhole(planner_.Whole(group), location), reference, next);
  }
  EvalByShape(group, key, *location, &value);
  return Walk(Op::kWalk, {.at = value}, reference, next + 1);
}

// The members whose key may match `pattern`, which is then taken apart.
Operand BodyPlanner::EvalByShape(RuleGroup& group, const Term& pattern, const Location& location,
                                 Slot* value) {
  std::string shape;
  std::vector<const Term*> bound;
  AddShape(pattern, [this](const Term& term) { return CanEval(term); }, &shape, &bound);
  Operand members;
  if (bound.empty()) {
    members = CallWhole(planner_.Whole(group), &location);
  } else {
    std::vector<Operand> operands;
    for (const Term* leaf : bound) {
      operands.push_back(Eval(*leaf));
    }
    const Procedure* procedure = planner_.ByShape(group, shape, bound.size());
    const Slot slot = NewSlot();
    Step& step = Add(Op::kCall, &location);
    step.procedure = procedure;
    step.operands = planner_.Operands(operands);
    step.to = slot;
    members = {.at = slot};
  }
  const Slot key = NewSlot();
  *value = NewSlot();
  Step& each = Add(Op::kEach, &location);
  each.a = members;
  each.to = key;
  each.to2 = *value;
  Match({.at = key}, pattern);
  return {.at = *value};
}

// "namespace/*/*/Ingress"
std::string BodyPlanner::DescribeKeys(const Term& reference, std::size_t object_end) const {
  std::string text = reference.items[2]->text;
  while (object_end > 3 && !CanEval(*reference.items[object_end - 1])) {
    --object_end;
  }
  for (std::size_t i = 3; i < object_end; ++i) {
    const Term& item = *reference.items[i];
    text.append("/");
    if (item.kind == TermKind::kString) {
      text.append(item.text);
    } else if (CanEval(item)) {
      text.append("[").append(DescribeTerm(item)).append("]");
    } else {
      text.append("*");
    }
  }
  return text;
}

// The variable that the expression under way gives its other side to; "" if it is no such expression.
std::string BodyPlanner::AssignedVariable() const {
  const Expr& expr = *(*body_)[expression_];
  if (expr.kind != ExprKind::kCall || expr.terms.size() != 3 || expr.negated ||
      !expr.with.empty()) {
    return {};
  }
  for (const std::size_t side : {1, 2}) {
    const Term& term = *expr.terms[side];
    if (term.IsVar() && !IsBound(term.text)) {
      return term.text;
    }
  }
  return {};
}

// The look-ups of an access path, each with the block that gives its keys.
void BodyPlanner::PlanProbes(const AccessPath& path, InventoryAccess* access, PlanStep* explained) {
  for (const std::vector<Probe>& choice : path.choices) {
    std::vector<InventoryAccess::Probe>& probes = access->choices.emplace_back();
    explained->choices.push_back(0);
    for (const Probe& probe : choice) {
      const bool is_program = !probe.definition.program.empty();
      const std::string summary = probe.definition.Summary();
      const bool is_first = explained->indexes.empty();
      explained->text += is_first ? (access->index_only ? ", not read, where " : " where ")
                         : &probe == choice.data() ? ", or by "
                                                   : " or ";
      explained->text += summary.substr(summary.find(": ") + 2);
      const bool is_value = probe.keys == Probe::Keys::kValue || probe.keys == Probe::Keys::kPair;
      explained->text += is_value ? " == " : " in ";
      if (probe.keys == Probe::Keys::kPair) {
        explained->text += "[" + DescribeTerm(*probe.entry) + ", ";
      }
      explained->text += DescribeTerm(*probe.key);
      explained->text += probe.keys == Probe::Keys::kPair ? "]" : "";
      explained->indexes.push_back(probe.definition);
      ++explained->choices.back();

      InventoryAccess::Probe& made = probes.emplace_back();
      made.definition = probe.definition;
      if (probe.keys == Probe::Keys::kMembersOrNone || probe.keys == Probe::Keys::kItemsOrNone) {
        // As the program says of an empty set, or of an empty object.
        made.extra = is_program && probe.definition.program.contains("keys contains {}")
                         ? document::Value::Object({})
                         : document::Value::Set({});
      }
      made.keys = PlanKeys(probe);
      if (!probe.guards.empty()) {
        made.guard = SubBlock([&] {
          for (const Expr* guard : probe.guards) {
            PlanExpr(*guard);
          }
          Add(Op::kYieldExists, probe.location);
        });
      }
    }
  }
}

const Block* BodyPlanner::PlanKeys(const Probe& probe) {
  RuleExplanation* explanation = std::exchange(explanation_, nullptr);
  const Block* block = SubBlock([&] {
    for (const Expr* expr : probe.given_by) {
      PlanExpr(*expr);
    }
    Operand key = Eval(*probe.key);
    switch (probe.keys) {
      case Probe::Keys::kValue:
        break;
      case Probe::Keys::kPair: {
        const Operand pair[] = {Eval(*probe.entry), key};
        const auto operands = planner_.Operands(pair);
        key = {.at = NewSlot()};
        Step& step = Add(Op::kArray, probe.location);
        step.operands = operands;
        step.to = key.at;
        break;
      }
      case Probe::Keys::kItems:
      case Probe::Keys::kNames:
      case Probe::Keys::kMembersOrNone:
      case Probe::Keys::kItemsOrNone: {
        const Slot slot = NewSlot();
        Step& step = Add(Op::kEach, probe.location);
        step.a = key;
        const bool by_item =
            probe.keys == Probe::Keys::kItems || probe.keys == Probe::Keys::kItemsOrNone;
        (by_item ? step.to2 : step.to) = slot;
        key = {.at = slot};
        break;
      }
    }
    Add(Op::kYieldItem, probe.location).a = key;
  });
  explanation_ = explanation;
  return block;
}

Operand BodyPlanner::EvalInventory(const Term& reference, Need need) {
  const auto& items = reference.items;
  planner_.program().reads_inventory = true;
  store::Scope scope = store::Scope::kNamespaced;
  if (items.size() < 3 || !IsInventoryScope(*items[2], &scope)) {
    ExplainAccess({.depth = 0,
                   .text = "read data.inventory",
                   .access_path = "full scan",
                   .indexes = {},
                   .reason = items.size() < 3
                                 ? "the whole inventory is a value here"
                                 : "the scope (namespace or cluster) is not a constant",
                   .scanned = {{.scope = store::Scope::kCluster, .kind = {}},
                               {.scope = store::Scope::kNamespaced, .kind = {}}}});
    const std::string path[] = {"inventory"};
    const Operand inventory = EvalDocument(nullptr, path, reference, items.size());
    return Walk(Op::kWalk, inventory, reference, 2);
  }
  const std::size_t depth = scope == store::Scope::kNamespaced ? 4 : 3;
  const std::size_t object_end = std::min(items.size(), 3 + depth);
  const bool reaches_objects = object_end == 3 + depth;

  AccessPath path;
  bool any_free = false;
  for (std::size_t i = 3; i < object_end; ++i) {
    any_free = any_free || !CanEval(*items[i]);
  }
  if (reaches_objects && any_free && body_ != nullptr) {
    InventorySite site{.reference = &reference,
                       .scope = scope,
                       .object_end = object_end,
                       .body = body_,
                       .expression = expression_,
                       .bound = {},
                       .options = &planner_.options()};
    for (const auto& [name, operand] : bound_) {
      site.bound.insert(name);
    }
    path = FindAccessPath(site, planner_.policy(), planner_.errors(), &planner_.program().written);
  }
  PlanStep explained{.depth = 0,
                     .text = DescribeKeys(reference, object_end),
                     .access_path = {},
                     .indexes = {},
                     .reason = {}};

  InventoryAccess& access = planner_.program().inventory_accesses.emplace_back();
  access.scope = scope;
  access.id = static_cast<std::uint32_t>(planner_.program().inventory_accesses.size() - 1);
  explained.access = access.id;
  const std::size_t kind_at = 3 + depth - 2;
  const bool names_kind = kind_at < object_end && items[kind_at]->kind == TermKind::kString;
  explained.scanned.push_back({.scope = scope, .kind = names_kind ? items[kind_at]->text : ""});
  if (path.choices.size() == 1 && path.choices[0].size() == 1) {
    const EntryUse use{.reference = &reference,
                       .object_end = object_end,
                       .variable = object_end == items.size() ? AssignedVariable() : "",
                       .rule = rule_,
                       .in_rule_body = rule_ != nullptr && body_ == &rule_->body,
                       .expression = (*body_)[expression_].get()};
    access.index_only = WantsOnlyTheEntry(use, path.choices[0][0]);
  }
  PlanProbes(path, &access, &explained);
  std::vector<std::pair<Slot, const Term*>> checks;
  for (std::size_t i = 3; i < object_end; ++i) {
    const Term& item = *items[i];
    const bool repeated = item.IsVar() && std::ranges::any_of(checks, [&](const auto& check) {
                            return check.second->IsVar() && check.second->text == item.text;
                          });
    if (CanEval(item) && !repeated) {
      access.levels.push_back({.kind = Level::Kind::kKey, .key = Eval(item), .slot = kNoSlot});
      continue;
    }
    const Slot slot = item.IsVar() && item.IsWildcard() ? kNoSlot : NewSlot();
    access.levels.push_back({.kind = Level::Kind::kFree, .key = {}, .slot = slot});
    if (slot != kNoSlot) {
      checks.emplace_back(slot, &item);
      // Conditions on keys are planned before the step, over these slots.
      if (item.IsVar() && !repeated) {
        Bind(item.text, {.at = slot});
      }
    }
  }
  const bool value_needed = need == Need::kValue || object_end < items.size();
  access.value = value_needed ? NewSlot() : kNoSlot;
  access.first_only =
      !value_needed && any_free && !repeats_matter_ && access.choices.empty() && reaches_objects &&
      std::ranges::is_partitioned(
          access.levels, [](const Level& level) { return level.kind == Level::Kind::kKey; }) &&
      std::ranges::all_of(access.levels, [](const Level& level) {
        return level.kind == Level::Kind::kKey || level.slot == kNoSlot;
      });
  access.filters.resize(access.levels.size(), nullptr);
  for (std::size_t level = 0; level < access.levels.size(); ++level) {
    std::vector<const Expr*> conditions;
    for (const KeyCondition& condition : path.conditions) {
      if (condition.level == level) {
        conditions.push_back(condition.expr);
      }
    }
    if (conditions.empty()) {
      continue;
    }
    access.filters[level] = SubBlock([&] {
      for (const Expr* condition : conditions) {
        explained.text +=
            ", " + Describe(condition->location, [&] { return ToString(*condition); });
        PlanExpr(*condition);
        hoisted_.insert(condition);
      }
      Add(Op::kYieldExists);
    });
  }

  const bool leading_bound =
      access.levels.empty() || access.levels.front().kind == Level::Kind::kKey;
  if (!any_free) {
    explained.access_path = reaches_objects || access.value == kNoSlot ? "get" : "range";
    if (explained.access_path == "range") {
      explained.reason = "all that lies below is a value here";
    }
  } else {
    explained.access_path = !access.choices.empty() ? "index look-up"
                            : access.first_only     ? "get"
                            : leading_bound         ? "range"
                                                    : "full scan";
    const bool keys_only = !value_needed && path.nothing_compared;
    explained.reason = !access.choices.empty() || access.first_only ? ""
                       : keys_only                                  ? "every key is asked for"
                                                                    : path.reason;
    explained.text += access.first_only ? ", the first" : "";
  }
  ExplainAccess(std::move(explained));

  Step& step = Add(Op::kInventory, &reference.location);
  step.inventory = &access;
  for (const auto& [slot, item] : checks) {
    if (OperandOf(*item) != Operand{.at = slot}) {
      Match({.at = slot}, *item);
    }
  }
  if (access.value == kNoSlot) {
    return planner_.Constant(document::Value::Boolean(true));
  }
  return Walk(Op::kWalk, {.at = access.value}, reference, object_end);
}

}  // namespace portcullis::rego
