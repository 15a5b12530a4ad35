// Dependencies between rules, and the recursion that is forbidden among them.

#include <algorithm>
#include <functional>
#include <optional>

#include "rules/rego/compilation.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

// A reference with more possible values than this is not narrowed.
constexpr std::size_t kMaximumExpansion = 64;

using Values = std::vector<const Term*>;
using KnownValues = std::map<std::string, Values, std::less<>>;

bool MayIntersect(const Term& a, const Term& b, std::size_t from) {
  for (std::size_t i = from; i < a.items.size() && i < b.items.size(); ++i) {
    const Term& x = *a.items[i];
    const Term& y = *b.items[i];
    if (IsConstant(x) && IsConstant(y) && Compare(x, y) != 0) {
      return false;
    }
  }
  return true;
}

class RuleFinder {
 public:
  explicit RuleFinder(const Term& reference) : reference_(reference) {}

  void Walk(const RuleNode& node, std::size_t i) {
    if (i >= reference_.items.size()) {
      return AddAll(node);
    }
    if (i == 0 || IsConstant(*reference_.items[i])) {
      const RuleNode* child = node.Child(*reference_.items[i]);
      if (child == nullptr) {
        return;
      }
      AddIntersecting(*child, i + 1);
      return Walk(*child, i + 1);
    }
    for (const auto& [key, child] : node.children) {
      AddIntersecting(*child, i + 1);
      Walk(*child, i + 1);
    }
  }

  std::vector<Rule*> found;

 private:
  void Add(Rule* rule) {
    if (seen_.insert(rule).second) {
      found.push_back(rule);
    }
  }
  void AddAll(const RuleNode& node) {
    for (Rule* rule : node.rules) {
      Add(rule);
    }
    for (const auto& [key, child] : node.children) {
      AddAll(*child);
    }
  }
  void AddIntersecting(const RuleNode& node, std::size_t from) {
    for (Rule* rule : node.rules) {
      if (MayIntersect(*FullReference(*rule), reference_, from)) {
        Add(rule);
      }
    }
  }

  const Term& reference_;
  std::set<const Rule*> seen_;
};

// The values of a constant collection's members.
bool AddMembers(const Term& value, Values& members) {
  if (value.kind == TermKind::kArray || value.kind == TermKind::kSet) {
    for (const TermPtr& item : value.items) {
      members.push_back(item.get());
    }
    return true;
  }
  if (value.kind != TermKind::kObject) {
    return false;
  }
  for (std::size_t i = 1; i < value.items.size(); i += 2) {
    members.push_back(value.items[i].get());
  }
  return true;
}

const Term* FindMember(const Term& value, const Term& key) {
  if (value.kind == TermKind::kArray && key.kind == TermKind::kNumber) {
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      if (key.text == std::to_string(i)) {
        return value.items[i].get();
      }
    }
  }
  if (value.kind == TermKind::kSet) {
    for (const TermPtr& item : value.items) {
      if (Compare(*item, key) == 0) {
        return item.get();
      }
    }
  }
  for (std::size_t i = 0; value.kind == TermKind::kObject && i + 1 < value.items.size(); i += 2) {
    if (Compare(*value.items[i], key) == 0) {
      return value.items[i + 1].get();
    }
  }
  return nullptr;
}

// The constants that a term can be, if that is known.
std::optional<Values> ValuesOf(const Term& term, const KnownValues& known) {
  if (term.IsVar()) {
    auto found = known.find(term.text);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  }
  if (term.kind != TermKind::kRef) {
    return IsConstant(term) ? std::optional(Values{&term}) : std::nullopt;
  }
  std::optional<Values> values = ValuesOf(*term.items[0], known);
  for (std::size_t i = 1; values && i < term.items.size(); ++i) {
    Values next;
    for (const Term* value : *values) {
      if (!IsConstant(*term.items[i])) {
        if (!AddMembers(*value, next)) {
          return std::nullopt;
        }
      } else if (const Term* member = FindMember(*value, *term.items[i])) {
        next.push_back(member);
      }
    }
    if (next.size() > kMaximumExpansion) {
      return std::nullopt;
    }
    values = std::move(next);
  }
  return values;
}

// What `expr` binds to one of some constants.
void AddKnown(const Expr& expr, KnownValues& known) {
  if (!IsEquality(expr) || expr.negated || !expr.with.empty() || expr.terms.size() != 3) {
    return;
  }
  for (std::size_t side : {1U, 2U}) {
    const Term& variable = *expr.terms[side];
    if (!variable.IsVar()) {
      continue;
    }
    std::optional<Values> values = ValuesOf(*expr.terms[3 - side], known);
    if (!values) {
      continue;
    }
    known.emplace(variable.text, std::move(*values));
    return;
  }
}

bool HasDynamicPart(const Term& ref) {
  return std::any_of(ref.items.begin() + 1, ref.items.end(),
                     [](const TermPtr& item) { return !IsConstant(*item); });
}

// The references that a reference can mean, where its variables are known.
std::vector<TermPtr> Expanded(const Term& ref, const KnownValues& known) {
  std::vector<TermPtr> refs;
  refs.push_back(Clone(ref));
  for (std::size_t i = 1; i < ref.items.size(); ++i) {
    if (IsConstant(*ref.items[i])) {
      continue;
    }
    std::optional<Values> values = ValuesOf(*ref.items[i], known);
    if (!values || values->empty() || refs.size() * values->size() > kMaximumExpansion) {
      continue;
    }
    std::vector<TermPtr> next;
    for (const TermPtr& prefix : refs) {
      for (const Term* value : *values) {
        next.push_back(Clone(*prefix));
        next.back()->items[i] = Clone(*value);
      }
    }
    refs = std::move(next);
  }
  return refs;
}

// Whether the reference selects the rule whatever its variables are. One that is not bound and occurs once visits all.
bool SelectsCertainly(const Term& ref, const Rule& rule, const VarSet& bound) {
  TermPtr path = FullReference(rule);
  for (std::size_t i = 1; i < ref.items.size() && i < path->items.size(); ++i) {
    if (!IsConstant(*path->items[i])) {
      continue;
    }
    const Term& item = *ref.items[i];
    auto same = [&](const TermPtr& other) { return other->IsVar() && other->text == item.text; };
    if (item.IsVar() && !bound.contains(item.text) && std::ranges::count_if(ref.items, same) == 1) {
      continue;
    }
    if (!IsConstant(item) || Compare(item, *path->items[i]) != 0) {
      return false;
    }
  }
  return true;
}

class GraphBuilder {
 public:
  GraphBuilder(const RuleNode& root, RuleGraph& graph) : root_(root), graph_(graph) {}

  void Add(Rule& rule) {
    graph_.rules.push_back(&rule);
    KnownValues known;
    VarSet bound;
    for (const TermPtr& argument : rule.arguments) {
      Insert(bound, VarsOf(*argument));
    }
    for (std::size_t i = 1; i < rule.reference->items.size(); ++i) {
      Insert(bound, VarsOf(*rule.reference->items[i]));
    }
    if (rule.key) {
      Insert(bound, VarsOf(*rule.key));
    }
    if (rule.value) {
      Insert(bound, VarsOf(*rule.value));
    }
    Visitor visitor;
    visitor.term = [&](Term& term) {
      if (term.kind == TermKind::kRef) {
        AddReference(rule, term, known, bound);
      }
      return true;
    };
    for (ExprPtr& expr : rule.body) {
      Walk(*expr, visitor);
      AddKnown(*expr, known);
      Insert(bound, VarsOf(*expr));
    }
    for (TermPtr& argument : rule.arguments) {
      Walk(*argument, visitor);
    }
    if (rule.key) {
      Walk(*rule.key, visitor);
    }
    if (rule.value) {
      Walk(*rule.value, visitor);
    }
  }

 private:
  void AddReference(const Rule& from, const Term& ref, const KnownValues& known,
                    const VarSet& bound) {
    const Term& head = *ref.items[0];
    if (!head.IsVar() || head.text != "data") {
      return;
    }
    bool dynamic = HasDynamicPart(ref);
    if (!dynamic || known.empty()) {
      return AddRules(from, ref, dynamic, ref, bound);
    }
    std::vector<TermPtr> refs = Expanded(ref, known);
    const Term& selecting = refs.size() == 1 ? *refs.front() : ref;
    for (const TermPtr& one : refs) {
      AddRules(from, *one, true, selecting, bound);
    }
  }

  void AddRules(const Rule& from, const Term& ref, bool dynamic, const Term& selecting,
                const VarSet& bound) {
    for (Rule* rule : RulesOf(root_, ref)) {
      bool certain = !dynamic || SelectsCertainly(selecting, *rule, bound);
      for (Rule* part = rule; part != nullptr; part = part->else_rule.get()) {
        if (certain) {
          graph_.certain.emplace(&from, part);
        }
        if (!edges_.emplace(&from, part).second) {
          continue;
        }
        graph_.dependencies[&from].push_back(part);
        graph_.dependents[part].push_back(const_cast<Rule*>(&from));
      }
    }
  }

  const RuleNode& root_;
  RuleGraph& graph_;
  std::set<std::pair<const Rule*, const Rule*>> edges_;
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

}  // namespace

std::vector<Rule*> RulesOf(const RuleNode& root, const Term& reference) {
  RuleFinder finder(reference);
  finder.Walk(root, 0);
  return std::move(finder.found);
}

void MakeRuleGraph(Compilation& compilation) {
  auto graph = std::make_shared<RuleGraph>();
  GraphBuilder builder(*compilation.tree, *graph);
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        builder.Add(*rule);
      }
    }
  }
  compilation.graph = std::move(graph);
}

void CheckRecursion(Compilation& compilation) {
  bool cyclic = false;
  auto sorted = std::make_shared<RuleGraph>(*compilation.graph);
  sorted->rules = Sorted(*compilation.graph, cyclic);
  if (!cyclic) {
    compilation.graph = std::move(sorted);
    return;
  }
  auto name = [&](const Rule& rule) {
    return ToString(*compilation.WithWrittenNames(*FullReference(rule)));
  };
  for (const Rule* rule : compilation.graph->rules) {
    std::vector<const Rule*> cycle = FindCycle(*compilation.graph, rule, true);
    bool certain = !cycle.empty();
    if (!certain) {
      cycle = FindCycle(*compilation.graph, rule, false);
    }
    if (cycle.empty()) {
      continue;
    }
    std::string path;
    for (const Rule* step : cycle) {
      path += (path.empty() ? "" : " -> ") + name(*step);
    }
    compilation.errors.Add(
        {"rego_recursion_error",
         "rule " + name(*rule) + (certain ? " is" : " may be") + " recursive: " + path,
         rule->location,
         {}});
  }
}

}  // namespace portcullis::rego
