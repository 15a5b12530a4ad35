// Dependencies between rules.

#include <algorithm>
#include <functional>
#include <optional>

#include "rules/rego/recursion.h"
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

// Whether the reference selects the rule whatever its variables are.
bool SelectsCertainly(const Term& ref, const Rule& rule, const VarSet& bound) {
  std::vector<std::size_t> positions;
  return FindConditions(ref, rule, bound, positions) && positions.empty();
}

class GraphBuilder {
 public:
  GraphBuilder(const Compilation& compilation, RuleGraph& graph)
      : compilation_(compilation), graph_(graph) {}

  void Add(Rule& rule) {
    graph_.rules.push_back(&rule);
    from_ = &rule;
    at_ = 0;
    known_.clear();
    bound_.clear();
    for (const TermPtr& argument : rule.arguments) {
      Insert(bound_, VarsOf(*argument));
    }
    // Of several keys OPA takes none for bound.
    if (rule.key) {
      Insert(bound_, VarsOf(*rule.key));
    } else if (rule.reference->items.size() == 2) {
      Insert(bound_, VarsOf(*rule.reference->items[1]));
    }
    if (rule.value) {
      Insert(bound_, VarsOf(*rule.value));
    }
    ConstVisitor visitor;
    visitor.term = [&](const Term& term) {
      if (term.kind == TermKind::kRef) {
        AddReference(term);
      }
      return true;
    };
    for (const ExprPtr& expr : rule.body) {
      Walk(std::as_const(*expr), visitor);
      AddKnown(*expr, known_);
      Insert(bound_, VarsOf(*expr));
      ++at_;
    }
    for (const TermPtr& argument : rule.arguments) {
      Walk(std::as_const(*argument), visitor);
    }
    if (rule.key) {
      Walk(std::as_const(*rule.key), visitor);
    }
    if (rule.value) {
      Walk(std::as_const(*rule.value), visitor);
    }
  }

 private:
  void AddReference(const Term& ref) {
    const Term& head = *ref.items[0];
    if (!head.IsVar() || head.text != "data") {
      return;
    }
    const bool dynamic = HasDynamicPart(ref);
    if (!dynamic || known_.empty()) {
      return AddRules(ref, dynamic, ref, ref);
    }
    std::vector<TermPtr> refs = Expanded(ref, known_);
    const Term& selecting = refs.size() == 1 ? *refs.front() : ref;
    for (const TermPtr& one : refs) {
      AddRules(*one, true, selecting, ref);
    }
  }

  // The rules that `ref` may select, which is one of what `written` can mean.
  void AddRules(const Term& ref, bool dynamic, const Term& selecting, const Term& written) {
    std::shared_ptr<DynamicReference> cause;
    for (Rule* rule : RulesOf(*compilation_.tree, ref)) {
      const bool certain = !dynamic || SelectsCertainly(selecting, *rule, bound_);
      if (!certain && !cause) {
        cause = std::make_shared<DynamicReference>();
        cause->written = Clone(written);
        cause->selecting = Clone(selecting);
        cause->bound = bound_;
        cause->origins = OriginsOf(compilation_, *from_, at_, selecting);
      }
      for (Rule* part = rule; part != nullptr; part = part->else_rule.get()) {
        if (certain) {
          graph_.certain.emplace(from_, part);
        } else {
          graph_.causes.try_emplace({from_, part}, cause);
        }
        if (!edges_.emplace(from_, part).second) {
          continue;
        }
        graph_.dependencies[from_].push_back(part);
        graph_.dependents[part].push_back(from_);
      }
    }
  }

  const Compilation& compilation_;
  RuleGraph& graph_;
  std::set<std::pair<const Rule*, const Rule*>> edges_;
  // Of the rule that is being added.
  Rule* from_ = nullptr;
  std::size_t at_ = 0;  // The place in its body; past the end: its head.
  KnownValues known_;
  VarSet bound_;
};

}  // namespace

std::vector<Rule*> RulesOf(const RuleNode& root, const Term& reference) {
  RuleFinder finder(reference);
  finder.Walk(root, 0);
  return std::move(finder.found);
}

void MakeRuleGraph(Compilation& compilation) {
  auto graph = std::make_shared<RuleGraph>();
  GraphBuilder builder(compilation, *graph);
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        builder.Add(*rule);
      }
    }
  }
  compilation.graph = std::move(graph);
}

}  // namespace portcullis::rego
