#include "rules/rego/compile.h"

#include <algorithm>

#include "rules/rego/check.h"
#include "rules/rego/compilation.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {

// What queries are compiled against.
struct PolicyState {
  std::shared_ptr<RuleNode> tree;
  std::shared_ptr<const RuleGraph> graph;
  std::shared_ptr<const TypeEnvironment> builtin_types;
  std::shared_ptr<const TypeEnvironment> types;
  WrittenNames written;
};

namespace {

enum class Order : std::uint8_t {
  kSorts,
  kKeeps,  // What stands in a collection is written over where it stands: it is not sorted before it is made anew.
};

struct Stage {
  void (*run)(Compilation&);
  Order order = Order::kSorts;
};
constexpr Stage kStages[] = {
    {ResolveNames},
    {RewriteHeadRefs},
    {CheckRootOverrides},
    {CheckDuplicateImports},
    {MakeRuleNodes},
    {RewriteLocals},
    {RewriteTemplates, Order::kKeeps},
    {CheckVoidCalls, Order::kKeeps},
    {RewritePrints, Order::kKeeps},
    {ExpandTerms},
    {RewriteMetadataCalls},
    {MakeRuleGraph},
    {HoistComprehensionTerms},
    {HoistHeadTerms},
    {RewriteWith},
    {CheckRuleConflicts},
    {CheckFunctions},
    {CheckHeadSafety},
    {OrderBodies},
    {RewriteEquals},
    {HoistDynamicTerms},
    {CheckRecursion},
    {CheckTypes},
    {CheckDeprecated},
};

struct QueryStage {
  void (*run)(Compilation&, Body&);
  Order order = Order::kSorts;
};
constexpr QueryStage kQueryStages[] = {
    {RewriteLocals},
    {RewriteTemplates, Order::kKeeps},
    {CheckVoidCalls, Order::kKeeps},
    {RewritePrints, Order::kKeeps},
    {ExpandTerms},
    {HoistComprehensionTerms},
    {RewriteWith},
    {CheckFunctions},
    {OrderBody},
    {HoistDynamicTerms},
    {CheckTypes},
};

// Sets and objects that hold more than constants: their order changes as their items are rewritten.
template <class Node>
void FindOpenCollections(Node& node, std::vector<Term*>* found) {
  Visitor visitor;
  visitor.term = [found](Term& term) {
    const bool sorted = term.kind == TermKind::kSet || term.kind == TermKind::kObject;
    if (sorted && term.items.size() > (term.kind == TermKind::kSet ? 1U : 2U) &&
        !IsConstant(term)) {
      found->push_back(&term);
    }
    return true;
  };
  Walk(node, visitor);
}

// OPA sorts the items whenever it goes through them: the order in which they are evaluated, and which of several equal ones is
// kept, hangs on it.
void SortCollections(const std::vector<Term*>& open) {
  for (auto term = open.rbegin(); term != open.rend(); ++term) {
    Normalize(**term);
  }
}

void SortCollections(Compilation& compilation) {
  std::vector<Term*> open;
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      FindOpenCollections(*rule, &open);
    }
  }
  SortCollections(open);
  compilation.open_collections = !open.empty();
}

void SortCollections(Compilation& compilation, Body& query) {
  std::vector<Term*> open;
  FindOpenCollections(query, &open);
  SortCollections(open);
  compilation.open_collections = !open.empty();
}

Arity ArityIn(const Compilation& compilation) {
  // Builtins' types are parsed once each.
  auto known = std::make_shared<std::map<std::string, int, std::less<>>>();
  return [&compilation, known](const Term& reference) {
    std::string name = ToString(reference);
    if (auto found = known->find(name); found != known->end()) {
      return found->second;
    }
    if (const builtins::Builtin* builtin = compilation.catalog.Find(name)) {
      return known->emplace(std::move(name), ArityOf(*builtin)).first->second;
    }
    const RuleNode* node = compilation.tree->Find(reference);
    if (node == nullptr || node->rules.empty()) {
      return -1;
    }
    return static_cast<int>(node->rules.front()->arguments.size());
  };
}

void ExcludeNames(Compilation& compilation) {
  VarCollector collector;
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& first : module->rules) {
      for (const Rule* rule = first.get(); rule != nullptr; rule = rule->else_rule.get()) {
        collector.Add(*rule->reference);
        for (const TermPtr& argument : rule->arguments) {
          collector.Add(*argument);
        }
        if (rule->key) {
          collector.Add(*rule->key);
        }
        if (rule->value) {
          collector.Add(*rule->value);
        }
        collector.Add(rule->body);
      }
    }
  }
  compilation.names.Exclude(collector.vars);
}

void AddToTree(RuleTree& root, const Rule& rule) {
  RuleTree* node = &root;
  auto descend = [&](const std::string& name) {
    std::unique_ptr<RuleTree>& slot = node->children[name];
    if (!slot) {
      slot = std::make_unique<RuleTree>();
    }
    node = slot.get();
  };
  for (const std::string& part : rule.module->package) {
    descend(part);
  }
  const std::vector<TermPtr>& items = rule.reference->items;
  descend(items[0]->text);
  for (std::size_t i = 1; i < items.size() && items[i]->kind == TermKind::kString; ++i) {
    descend(items[i]->text);
  }
  if (!node->rules) {
    node->rules = std::make_unique<RuleSet>();
    node->rules->kind = rule.kind;
  }
  node->rules->rules.push_back(&rule);
}

// The kinds as the planner sees them: a key that is no string makes the rule an entry of an object.
void FinishRule(Rule& rule) {
  const std::vector<TermPtr>& items = rule.reference->items;
  bool strings = std::all_of(items.begin() + 1, items.end(),
                             [](const TermPtr& item) { return item->kind == TermKind::kString; });
  if (rule.kind == RuleKind::kComplete && !strings) {
    rule.kind = RuleKind::kPartialObject;
  }
  if (rule.kind == RuleKind::kPartialObject) {
    rule.key = Clone(*items.back());
  }
  if (rule.else_rule) {
    FinishRule(*rule.else_rule);
  }
}

}  // namespace

const RuleTree* RuleTree::Child(std::string_view name) const {
  auto found = children.find(name);
  return found == children.end() ? nullptr : found->second.get();
}

Checked<std::shared_ptr<const CompiledPolicy>> Compile(std::vector<std::unique_ptr<Module>> modules,
                                                       const CompileOptions& options) {
  Compilation compilation(options);
  compilation.modules = std::move(modules);
  std::ranges::stable_sort(compilation.modules,
                           [](const auto& a, const auto& b) { return *a->file < *b->file; });
  compilation.arity = ArityIn(compilation);
  ExcludeNames(compilation);
  for (const Stage& stage : kStages) {
    stage.run(compilation);
    if (compilation.errors.stops()) {
      break;
    }
    if (compilation.open_collections && stage.order == Order::kSorts) {
      SortCollections(compilation);
    }
  }
  if (!compilation.errors.empty()) {
    return std::unexpected(compilation.errors.Take());
  }

  auto policy = std::make_shared<CompiledPolicy>();
  policy->catalog = options.catalog;
  policy->modules = std::move(compilation.modules);
  for (const std::unique_ptr<Module>& module : policy->modules) {
    if (module->rules.empty()) {
      // A package without rules is an empty document.
      RuleTree* node = &policy->root;
      for (const std::string& part : module->package) {
        std::unique_ptr<RuleTree>& child = node->children[part];
        if (!child) {
          child = std::make_unique<RuleTree>();
        }
        node = child.get();
      }
    }
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      FinishRule(*rule);
      AddToTree(policy->root, *rule);
    }
  }
  policy->state = std::make_shared<const PolicyState>(
      PolicyState{compilation.tree, compilation.graph, compilation.builtin_types, compilation.types,
                  std::move(compilation.written)});
  return policy;
}

const std::string* WrittenName(const CompiledPolicy& policy, std::string_view variable) {
  const auto found = policy.state->written.find(variable);
  return found == policy.state->written.end() ? nullptr : &found->second;
}

Checked<Body> CompileQuery(const CompiledPolicy& policy, Body query,
                           const CompileOptions& options) {
  return CompileQueryWith(policy, std::move(query), nullptr, options, nullptr, nullptr);
}

Checked<Body> CompileQueryWith(const CompiledPolicy& policy, Body query, const Module* context,
                               const CompileOptions& options,
                               const std::function<void(Compilation&, Body&)>& after_names,
                               NamedVariables* named) {
  Compilation compilation(options);
  if (query.empty()) {
    return std::unexpected(std::vector{CompileError({}, "empty query cannot be compiled")});
  }
  compilation.names = LocalNames("__localq");
  compilation.names.Exclude(VarsOf(query));
  compilation.tree = policy.state->tree;
  compilation.graph = policy.state->graph;
  compilation.types = policy.state->types;
  compilation.arity = ArityIn(compilation);
  ResolveNames(query, context, policy.modules);
  if (after_names) {
    after_names(compilation, query);
  }
  for (const QueryStage& stage : kQueryStages) {
    stage.run(compilation, query);
    if (!compilation.errors.empty()) {
      return std::unexpected(compilation.errors.TakeAsMet());
    }
    if (compilation.open_collections && stage.order == Order::kSorts) {
      SortCollections(compilation, query);
    }
  }
  // Names that the author gave at the top of the query come back.
  Visitor visitor;
  visitor.term = [&](Term& term) {
    if (!term.IsVar()) {
      return true;
    }
    auto name = compilation.query_names.find(term.text);
    if (name != compilation.query_names.end()) {
      term.text = name->second;
    }
    return true;
  };
  Walk(query, visitor);
  if (named != nullptr) {
    named->written = std::move(compilation.written);
    for (const auto& [variable, name] : compilation.query_names) {
      named->tops[name] = variable;
    }
  }
  return query;
}

}  // namespace portcullis::rego
