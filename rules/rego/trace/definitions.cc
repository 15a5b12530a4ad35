#include "rules/rego/trace/definitions.h"

#include <algorithm>

#include "rules/rego/compilation.h"

namespace portcullis::rego::trace {
namespace {

template <class Visit>
void ForEachRule(const DefinitionNode& node, const Visit& visit) {
  for (const Rule* rule : node.rules) {
    visit(rule);
  }
  for (const auto& [key, child] : node.children) {
    ForEachRule(*child, visit);
  }
}

std::string ConstantPrefix(const Term& reference) {
  Term prefix = MakeTerm(TermKind::kRef, {});
  for (const TermPtr& item : reference.items) {
    if (!prefix.items.empty() && !IsConstant(*item)) {
      break;
    }
    prefix.items.push_back(Clone(*item));
  }
  return ToString(prefix);
}

}  // namespace

bool IndexedRef::operator==(const IndexedRef& other) const {
  return root == other.root && argument == other.argument &&
         std::ranges::equal(path, other.path, document::Equal);
}

const DefinitionNode* DefinitionNode::Child(const Value& at) const {
  const auto found = children.find(at);
  return found == children.end() ? nullptr : found->second.get();
}

Definitions::Definitions(const CompiledPolicy& policy, Constants& constants, Release release) {
  root_.key = Value::String("data");
  const auto descend = [](DefinitionNode* node, const Value& key) {
    std::unique_ptr<DefinitionNode>& child = node->children[key];
    if (child == nullptr) {
      child = std::make_unique<DefinitionNode>();
      child->key = key;
    }
    return child.get();
  };
  for (const std::unique_ptr<Module>& module : policy.modules) {
    if (module->rules.empty()) {
      DefinitionNode* node = &root_;
      for (const std::string& part : module->package) {
        node = descend(node, Value::String(part));
      }
    }
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      for (const Rule* part = rule.get(); part != nullptr; part = part->else_rule.get()) {
        Add(*part, *rule);
      }
      const Term& reference = *known_.at(rule.get()).reference;
      DefinitionNode* node = &root_;
      for (std::size_t i = 1; i < reference.items.size() && IsGround(*reference.items[i]); ++i) {
        node = descend(node, constants.ValueOf(*reference.items[i]));
      }
      node->rules.push_back(rule.get());
    }
  }
  if (const auto system = root_.children.find(Value::String("system"));
      system != root_.children.end()) {
    system->second->hidden = true;
  }
  Index(root_, constants, release);
}

void Definitions::Add(const Rule& rule, const Rule& first) {
  const std::vector<TermPtr>& name = first.reference->items;
  // To OPA `a.b := 1` is an entry of an object, unless it is written with `if`.
  const bool is_entry = name.size() == 2 && !first.IsFunction() && !first.uses_if;
  const bool is_constant = std::all_of(name.begin() + 1, name.end(),
                                       [](const TermPtr& item) { return IsConstant(*item); });
  Definition definition{
      .rule = &rule,
      .first = &first,
      .reference = FullReference(first),
      .path = {},
      .is_multi_value = rule.kind == RuleKind::kPartialSet,
      .is_complete = rule.kind != RuleKind::kPartialSet && is_constant && !is_entry,
      .has_open_keys = &rule != &first && !is_constant};
  definition.path = ConstantPrefix(*definition.reference);
  known_.emplace(&rule, std::move(definition));
}

void Definitions::Index(DefinitionNode& node, Constants& constants, Release release) {
  if (!node.rules.empty()) {
    const bool spreads = std::ranges::any_of(
        node.rules, [](const Rule* rule) { return !IsGround(*rule->reference); });
    std::vector<const Rule*> rules = node.rules;
    if (spreads) {
      // Rules with longer names are among what the variable ranges over.
      rules.clear();
      ForEachRule(node, [&](const Rule* rule) { rules.push_back(rule); });
    }
    node.index = MakeDefinitionIndex(rules, *this, constants, release);
    if (spreads) {
      return;
    }
  }
  for (const auto& [key, child] : node.children) {
    Index(*child, constants, release);
  }
}

const DefinitionNode* Definitions::Find(const std::vector<Value>& path) const {
  const DefinitionNode* node = &root_;
  for (const Value& key : path) {
    node = node == nullptr ? nullptr : node->Child(key);
  }
  return node;
}

bool Definitions::IsVirtual(const std::vector<Value>& path) const {
  const DefinitionNode* node = &root_;
  for (const Value& key : path) {
    node = node->Child(key);
    if (node == nullptr) {
      return false;
    }
    if (!node->rules.empty()) {
      return true;
    }
  }
  return true;
}

}  // namespace portcullis::rego::trace
