#include "rules/rego/recursion.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

#include "rules/builtins/go_format.h"
#include "rules/rego/types.h"

namespace portcullis::rego {
namespace {

// How much of a condition an error spells out.
constexpr std::size_t kMaximumConditions = 2;
constexpr std::size_t kMaximumMembers = 5;

// What a variable is bound to by the expressions before a place.
class Bindings {
 public:
  Bindings(const Compilation& compilation, const Rule& rule, std::size_t index)
      : rule_(rule), longest_(rule.body.size()) {
    for (std::size_t i = 0; i < std::min(index, rule.body.size()); ++i) {
      Add(compilation, *rule.body[i]);
    }
  }

  [[nodiscard]] std::optional<VarOrigin> Resolve(const std::string& variable,
                                                 std::size_t depth) const {
    if (depth > longest_) {
      return std::nullopt;  // The bindings run in a circle.
    }
    if (auto found = outputs_.find(variable); found != outputs_.end()) {
      return VarOrigin{VarOrigin::Kind::kBuiltin, nullptr, found->second};
    }
    if (auto found = terms_.find(variable); found != terms_.end()) {
      const Term& term = *found->second;
      if (term.IsVar()) {
        return Resolve(term.text, depth + 1);
      }
      if (term.kind == TermKind::kRef) {
        if (auto origin = OfReference(term, depth)) {
          return origin;
        }
      }
    }
    return OfHead(variable);
  }

 private:
  void Add(const Compilation& compilation, const Expr& expr) {
    if (expr.negated || !expr.with.empty() || expr.kind != ExprKind::kCall) {
      return;
    }
    if (IsEquality(expr) && expr.terms.size() == 3) {
      for (std::size_t side : {1U, 2U}) {
        if (expr.terms[side]->IsVar()) {
          terms_.emplace(expr.terms[side]->text, expr.terms[3 - side].get());
        }
      }
      return;
    }
    const builtins::Builtin* builtin = compilation.FindBuiltin(*expr.terms[0]);
    if (builtin == nullptr || !expr.terms.back()->IsVar()) {
      return;
    }
    if (static_cast<int>(expr.terms.size()) == compilation.arity(*expr.terms[0]) + 2) {
      outputs_[expr.terms.back()->text] = builtin->name;
    }
  }

  [[nodiscard]] std::optional<VarOrigin> OfReference(const Term& ref, std::size_t depth) const {
    const Term& head = *ref.items[0];
    if (head.IsVar() && (head.text == "input" || head.text == "data")) {
      TermPtr prefix = Clone(ref);
      auto dynamic = std::find_if(prefix->items.begin() + 1, prefix->items.end(),
                                  [](const TermPtr& item) { return !IsConstant(*item); });
      prefix->items.erase(dynamic, prefix->items.end());
      return VarOrigin{head.text == "input" ? VarOrigin::Kind::kInput : VarOrigin::Kind::kRule,
                       std::move(prefix),
                       {}};
    }
    if (ref.items.size() != 2 || IsConstant(*ref.items[1])) {
      return std::nullopt;
    }
    const Term* collection = &head;
    for (; depth <= terms_.size() && collection->IsVar(); ++depth) {
      auto found = terms_.find(collection->text);
      if (found == terms_.end()) {
        return std::nullopt;
      }
      collection = found->second;
    }
    if (collection->IsScalar() || !IsConstant(*collection)) {
      return std::nullopt;
    }
    return VarOrigin{VarOrigin::Kind::kCollection, Clone(*collection), {}};
  }

  [[nodiscard]] std::optional<VarOrigin> OfHead(const std::string& variable) const {
    auto same = [&](const TermPtr& term) { return term->IsVar() && term->text == variable; };
    if (std::ranges::any_of(rule_.arguments, same)) {
      return VarOrigin{VarOrigin::Kind::kHeadArgument, nullptr, {}};
    }
    const std::vector<TermPtr>& keys = rule_.reference->items;
    if ((rule_.key && same(rule_.key)) || std::any_of(keys.begin() + 1, keys.end(), same)) {
      return VarOrigin{VarOrigin::Kind::kHeadKey, nullptr, {}};
    }
    return std::nullopt;
  }

  const Rule& rule_;
  const std::size_t longest_;
  std::map<std::string, const Term*, std::less<>> terms_;
  std::map<std::string, std::string, std::less<>> outputs_;
};

std::vector<const Term*> MembersOf(const Term& collection) {
  std::vector<const Term*> members;
  const bool object = collection.kind == TermKind::kObject;
  for (std::size_t i = object ? 1 : 0; i < collection.items.size(); i += object ? 2 : 1) {
    members.push_back(collection.items[i].get());
  }
  return members;
}

// Whether a builtin's declared result admits the scalar.
bool MayReturn(const builtins::Builtin& builtin, const Term& value) {
  const TypePtr result = ParseFunctionType(builtin.type)->result;
  if (!result || !value.IsScalar()) {
    return true;
  }
  const TypePtr type = TypeOf(value);
  if (result->kind != TypeKind::kAny || result->items.empty()) {
    return result->kind == TypeKind::kAny || Compare(result, type) == 0;
  }
  return std::ranges::any_of(result->items,
                             [&](const TypePtr& choice) { return Compare(choice, type) == 0; });
}

// "data.a.p -> data.a.q" and why the second step is taken.
class CycleText {
 public:
  explicit CycleText(const Compilation& compilation) : compilation_(compilation) {}

  [[nodiscard]] std::string Name(const Rule& rule) const {
    return ToString(*compilation_.WithWrittenNames(*FullReference(rule)));
  }

  [[nodiscard]] std::string Path(const std::vector<const Rule*>& cycle) const {
    std::string path;
    for (const Rule* step : cycle) {
      path += (path.empty() ? "" : " -> ") + Name(*step);
    }
    return path;
  }

  // Of the first step that hangs on the value of a variable.
  [[nodiscard]] std::string Cause(const std::vector<const Rule*>& cycle) const {
    for (std::size_t i = 1; i < cycle.size(); ++i) {
      auto edge = compilation_.graph->causes.find({cycle[i - 1], cycle[i]});
      if (edge != compilation_.graph->causes.end() &&
          !compilation_.graph->certain.contains(edge->first)) {
        return Cause(*edge->second, *cycle[i - 1], *cycle[i], i > 1);
      }
    }
    return {};
  }

 private:
  struct Condition {
    std::size_t position;
    std::string term;
    TermPtr value;
  };

  [[nodiscard]] std::string Cause(const DynamicReference& edge, const Rule& from, const Rule& to,
                                  bool name_from) const {
    const TermPtr path = FullReference(to);
    TermPtr ref = compilation_.WithWrittenNames(*edge.written);
    // Past the path's end the reference only reads from the rule's value.
    ref->items.resize(std::min(ref->items.size(), path->items.size()));
    std::string text = " (" + ToString(*ref) + (name_from ? " in " + Name(from) : "");

    std::vector<Condition> conditions;
    const bool certain = Collect(edge, to, *ref, *path, conditions);
    if (!certain || conditions.empty() || conditions.size() > kMaximumConditions) {
      return text + " could refer to " + Name(to) + ")";
    }
    text += " refers to " + Name(to);
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      const Condition& condition = conditions[i];
      text += (i == 0 ? " if " : " and ") + condition.term + " is " + ToString(*condition.value);
      if (std::string note = Note(edge, from, condition); !note.empty()) {
        text += " (" + note + ")";
      }
    }
    return text + ")";
  }

  // False where the conditions cannot be met as they stand.
  [[nodiscard]] bool Collect(const DynamicReference& edge, const Rule& to, const Term& ref,
                             const Term& path, std::vector<Condition>& conditions) const {
    std::vector<std::size_t> positions;
    if (!FindConditions(*edge.selecting, to, edge.bound, positions)) {
      return false;
    }
    for (std::size_t position : positions) {
      std::string term = ToString(*ref.items[position]);
      const Term& value = *path.items[position];
      auto known = std::ranges::find(conditions, term, &Condition::term);
      if (known == conditions.end()) {
        conditions.push_back({position, std::move(term), Clone(value)});
      } else if (Compare(*known->value, value) != 0) {
        return false;
      }
    }
    return std::ranges::all_of(conditions, [&](const Condition& c) { return MayHold(edge, c); });
  }

  [[nodiscard]] const VarOrigin* OriginOf(const DynamicReference& edge,
                                          const Condition& condition) const {
    const Term& term = *edge.written->items[condition.position];
    auto found = term.IsVar() ? edge.origins.find(term.text) : edge.origins.end();
    return found == edge.origins.end() ? nullptr : &found->second;
  }

  [[nodiscard]] bool MayHold(const DynamicReference& edge, const Condition& condition) const {
    const VarOrigin* origin = OriginOf(edge, condition);
    if (origin == nullptr) {
      return true;
    }
    if (origin->kind == VarOrigin::Kind::kCollection) {
      return std::ranges::any_of(MembersOf(*origin->term), [&](const Term* member) {
        return Compare(*member, *condition.value) == 0;
      });
    }
    if (origin->kind != VarOrigin::Kind::kBuiltin) {
      return true;
    }
    return MayReturn(*compilation_.catalog.Find(origin->builtin), *condition.value);
  }

  [[nodiscard]] std::string Note(const DynamicReference& edge, const Rule& from,
                                 const Condition& condition) const {
    const Term& term = *edge.written->items[condition.position];
    if (term.kind == TermKind::kRef) {
      return term.items[0]->IsVar() && term.items[0]->text == "data"
                 ? "rule values aren't known at compile time"
                 : "";
    }
    const VarOrigin* origin = OriginOf(edge, condition);
    if (origin == nullptr) {
      return {};
    }
    switch (origin->kind) {
      case VarOrigin::Kind::kInput:
        return condition.term + " comes from " +
               ToString(*compilation_.WithWrittenNames(*origin->term));
      case VarOrigin::Kind::kRule:
        return condition.term + " comes from rule " + ToString(*origin->term) +
               ", whose value isn't known at compile time";
      case VarOrigin::Kind::kCollection: {
        const std::size_t count = MembersOf(*origin->term).size();
        return condition.term + " is one of " +
               (count > kMaximumMembers ? std::to_string(count) + " values"
                                        : ToString(*origin->term));
      }
      case VarOrigin::Kind::kBuiltin:
        return condition.term + " is computed by " + origin->builtin;
      case VarOrigin::Kind::kHeadKey:
        return condition.term + " is a key of " + Name(from);
      case VarOrigin::Kind::kHeadArgument:
        return condition.term + " is an argument of " + Name(from);
    }
    return {};
  }

  const Compilation& compilation_;
};

// Dependencies first. Iterative: chains of rules may be long.
std::vector<Rule*> Sorted(const RuleGraph& graph, bool& cyclic) {
  enum class Mark : std::uint8_t { kNone, kOpen, kDone };
  std::map<const Rule*, Mark> marks;
  std::vector<Rule*> sorted;
  static const std::vector<Rule*> kNone;
  auto next = [&](const Rule* rule) -> const std::vector<Rule*>& {
    auto found = graph.dependencies.find(rule);
    return found == graph.dependencies.end() ? kNone : found->second;
  };
  for (Rule* start : graph.rules) {
    if (marks[start] != Mark::kNone) {
      continue;
    }
    std::vector<std::pair<Rule*, std::size_t>> stack = {{start, 0}};
    marks[start] = Mark::kOpen;
    while (!stack.empty()) {
      auto& [rule, at] = stack.back();
      const std::vector<Rule*>& children = next(rule);
      if (at == children.size()) {
        marks[rule] = Mark::kDone;
        sorted.push_back(rule);
        stack.pop_back();
        continue;
      }
      Rule* child = children[at++];
      if (marks[child] == Mark::kOpen) {
        cyclic = true;
      }
      if (marks[child] != Mark::kNone) {
        continue;
      }
      marks[child] = Mark::kOpen;
      stack.emplace_back(child, 0);
    }
  }
  return sorted;
}

// A way from the rule back to itself; empty: there is none.
std::vector<const Rule*> FindCycle(const RuleGraph& graph, const Rule* rule, bool certain_only) {
  std::map<const Rule*, const Rule*> parents;
  std::vector<const Rule*> stack = {rule};
  while (!stack.empty()) {
    const Rule* at = stack.back();
    stack.pop_back();
    auto found = graph.dependencies.find(at);
    if (found == graph.dependencies.end()) {
      continue;
    }
    for (const Rule* next : found->second) {
      if (certain_only && !graph.certain.contains({at, next})) {
        continue;
      }
      if (next == rule) {
        std::vector<const Rule*> path = {rule};
        for (const Rule* back = at; back != rule; back = parents[back]) {
          path.push_back(back);
        }
        path.push_back(rule);
        std::ranges::reverse(path);
        return path;
      }
      if (parents.emplace(next, at).second) {
        stack.push_back(next);
      }
    }
  }
  return {};
}

// Reports a cycle from the rule back to itself. One that goes through a variable is only possible.
void CheckRule(Compilation& compilation, const Rule& rule) {
  std::vector<const Rule*> cycle = FindCycle(*compilation.graph, &rule, true);
  const bool certain = !cycle.empty();
  if (!certain) {
    cycle = FindCycle(*compilation.graph, &rule, false);
  }
  if (cycle.empty()) {
    return;
  }
  const CycleText text(compilation);
  const std::string format =
      certain ? "rule %v is recursive: %v" : "rule %v may be recursive: %v" + text.Cause(cycle);
  // OPA formats the cause too, and whatever percent signs are in its names.
  const std::array<builtins::GoArgument, 2> names = {text.Name(rule), text.Path(cycle)};
  std::string formatted;
  builtins::FormatGo(format, names, std::string::npos, &formatted);
  compilation.errors.Add({"rego_recursion_error", std::move(formatted), rule.location, {}});
}

void CheckRules(Compilation& compilation, const RuleNode& node) {
  for (const Rule* first : node.rules) {
    for (const Rule* rule = first; rule != nullptr; rule = rule->else_rule.get()) {
      CheckRule(compilation, *rule);
    }
  }
  for (const auto& [key, child] : node.children) {
    CheckRules(compilation, *child);
  }
}

}  // namespace

std::map<std::string, VarOrigin, std::less<>> OriginsOf(const Compilation& compilation,
                                                        const Rule& rule, std::size_t index,
                                                        const Term& reference) {
  const Bindings bindings(compilation, rule, index);
  std::map<std::string, VarOrigin, std::less<>> origins;
  for (std::size_t i = 1; i < reference.items.size(); ++i) {
    const Term& item = *reference.items[i];
    if (!item.IsVar()) {
      continue;
    }
    if (auto origin = bindings.Resolve(item.text, 0)) {
      origins.emplace(item.text, std::move(*origin));
    }
  }
  return origins;
}

bool FindConditions(const Term& reference, const Rule& rule, const VarSet& bound,
                    std::vector<std::size_t>& positions) {
  const TermPtr path = FullReference(rule);
  for (std::size_t i = 1; i < reference.items.size() && i < path->items.size(); ++i) {
    if (!IsConstant(*path->items[i])) {
      continue;
    }
    const Term& item = *reference.items[i];
    auto same = [&](const TermPtr& other) { return other->IsVar() && other->text == item.text; };
    if (item.IsVar() && !bound.contains(item.text) &&
        std::ranges::count_if(reference.items, same) == 1) {
      continue;
    }
    if (!IsConstant(item)) {
      positions.push_back(i);
    } else if (Compare(item, *path->items[i]) != 0) {
      return false;
    }
  }
  return true;
}

void CheckRecursion(Compilation& compilation) {
  bool cyclic = false;
  auto sorted = std::make_shared<RuleGraph>(*compilation.graph);
  sorted->rules = Sorted(*compilation.graph, cyclic);
  if (!cyclic) {
    compilation.graph = std::move(sorted);
    return;
  }
  CheckRules(compilation, *compilation.tree);
}

}  // namespace portcullis::rego
