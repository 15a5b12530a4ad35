// The tree of rules, and the conflicts between rules that share a place in it.

#include <algorithm>
#include <set>

#include "rules/rego/compilation.h"

namespace portcullis::rego {
namespace {

std::string KeyOf(const Term& term) {
  return term.IsVar() && term.text == "data" ? "\"data\"" : ToString(term);
}

std::string PlaceOf(const Location& location) {
  return (location.file ? *location.file : "") + ':' + std::to_string(location.row);
}

void ForEach(const RuleNode& node, const std::function<bool(const RuleNode&)>& visit) {
  if (visit(node)) {
    return;
  }
  for (const auto& [key, child] : node.children) {
    ForEach(*child, visit);
  }
}

struct RuleRef {
  TermPtr reference;
  Location location;
};

bool HasPrefix(const Term& ref, const Term& prefix) {
  if (prefix.items.size() > ref.items.size()) {
    return false;
  }
  for (std::size_t i = 0; i < prefix.items.size(); ++i) {
    if (Compare(*ref.items[i], *prefix.items[i]) != 0) {
      return false;
    }
  }
  return true;
}

void AddShortest(std::vector<RuleRef>& refs, const Rule& rule) {
  TermPtr full = FullReference(rule);
  if (std::ranges::any_of(refs, [&](const RuleRef& r) { return HasPrefix(*full, *r.reference); })) {
    return;
  }
  std::erase_if(refs, [&](const RuleRef& r) { return HasPrefix(*r.reference, *full); });
  refs.push_back({std::move(full), rule.location});
}

std::vector<RuleRef> RulesBelow(const RuleNode& node, bool functions_only) {
  std::vector<RuleRef> refs;
  for (const auto& [key, child] : node.children) {
    ForEach(*child, [&](const RuleNode& below) {
      for (const Rule* rule : below.rules) {
        if (!functions_only || rule->IsFunction()) {
          AddShortest(refs, *rule);
        }
      }
      return false;
    });
  }
  std::ranges::sort(refs, [](const RuleRef& a, const RuleRef& b) {
    return Compare(*a.reference, *b.reference) < 0;
  });
  return refs;
}

bool HasDynamicRule(const RuleNode& node) {
  return std::ranges::any_of(node.rules,
                             [](const Rule* rule) { return !IsGround(*rule->reference); });
}

class ConflictChecker {
 public:
  explicit ConflictChecker(Compilation& compilation) : compilation_(compilation) {}

  // True: enough errors were found, or nothing below matters.
  bool Check(const RuleNode& node) {
    if (node.rules.empty()) {
      return false;
    }
    const Rule& first = *node.rules.front();
    std::string name = ToString(*compilation_.WithWrittenNames(*FullReference(*node.rules.back())));
    std::vector<RuleRef> conflicts;
    bool ground = std::ranges::any_of(node.rules,
                                      [](const Rule* rule) { return IsGround(*rule->reference); });
    if (ground && !node.children.empty()) {
      conflicts = RulesBelow(node, false);
    } else if (!node.children.empty() && HasDynamicRule(node)) {
      conflicts = RulesBelow(node, true);
    }
    if (!conflicts.empty()) {
      std::string message = "rule " + name + " conflicts with:";
      for (const RuleRef& conflict : conflicts) {
        message += "\n  rule " + ToString(*compilation_.WithWrittenNames(*conflict.reference)) +
                   " at " + PlaceOf(conflict.location);
      }
      return !compilation_.errors.Add(TypeError(first.location, std::move(message)));
    }
    if (Mixed(node)) {
      return !compilation_.errors.Add(
          TypeError(first.location, "conflicting rules " + name + " found"));
    }
    return CheckDefaults(node, name);
  }

 private:
  static bool Mixed(const RuleNode& node) {
    std::set<bool> multi_value;
    std::set<std::size_t> arities;
    std::set<bool> complete;
    std::set<bool> ground_sets;
    for (const Rule* rule : node.rules) {
      bool ground = IsGround(*rule->reference);
      multi_value.insert(rule->value == nullptr);
      arities.insert(rule->arguments.size());
      complete.insert(rule->value != nullptr && ground);
      if (!rule->value) {
        ground_sets.insert(ground);
      }
    }
    return multi_value.size() > 1 || arities.size() > 1 || complete.size() > 1 ||
           ground_sets.size() > 1;
  }

  bool CheckDefaults(const RuleNode& node, const std::string& name) {
    std::vector<const Rule*> defaults;
    std::ranges::copy_if(node.rules, std::back_inserter(defaults),
                         [](const Rule* rule) { return rule->is_default; });
    if (defaults.size() < 2) {
      return false;
    }
    std::string message = "multiple default rules " + name + " found at ";
    for (std::size_t i = 0; i < defaults.size(); ++i) {
      message += (i == 0 ? "" : ", ") + PlaceOf(defaults[i]->location);
    }
    return !compilation_.errors.Add(
        TypeError(defaults[0]->module->package_location, std::move(message)));
  }

  Compilation& compilation_;
};

std::string PackageText(const Module& module) {
  std::vector<TermPtr> items;
  items.push_back(NewVar("data", module.package_location));
  for (const std::string& part : module.package) {
    items.push_back(NewString(part, module.package_location));
  }
  std::string text = ToString(*NewRef(std::move(items), module.package_location));
  // `package a.b`, without the root.
  return "package " + text.substr(std::string_view("data.").size());
}

bool IsPackageOf(const Module& module, const Module& owner, const Rule& rule) {
  const std::vector<TermPtr>& items = rule.reference->items;
  if (module.package.size() != owner.package.size() + items.size()) {
    return false;
  }
  if (!std::equal(owner.package.begin(), owner.package.end(), module.package.begin())) {
    return false;
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0 && items[i]->kind != TermKind::kString) {
      return false;
    }
    if (module.package[owner.package.size() + i] != items[i]->text) {
      return false;
    }
  }
  return true;
}

}  // namespace

const RuleNode* RuleNode::Child(const Term& key) const {
  if (key.kind == TermKind::kRef || key.kind == TermKind::kCall) {
    return nullptr;
  }
  auto found = children.find(KeyOf(key));
  return found == children.end() ? nullptr : found->second.get();
}

const RuleNode* RuleNode::Find(const Term& reference) const {
  const RuleNode* node = this;
  for (const TermPtr& item : reference.items) {
    node = node->Child(*item);
    if (node == nullptr) {
      return nullptr;
    }
  }
  return node;
}

void MakeRuleNodes(Compilation& compilation) {
  auto child = [](RuleNode* node, const std::string& key) {
    std::unique_ptr<RuleNode>& slot = node->children[key];
    if (!slot) {
      slot = std::make_unique<RuleNode>();
    }
    return slot.get();
  };
  auto root = std::make_shared<RuleNode>();
  for (const std::unique_ptr<Module>& module : compilation.modules) {
    if (module->rules.empty()) {
      RuleNode* node = child(root.get(), "\"data\"");
      for (const std::string& part : module->package) {
        node = child(node, KeyOf(*NewString(part, {})));
      }
    }
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      TermPtr full = FullReference(*rule);
      std::size_t size = GroundPrefixSize(*full);
      RuleNode* node = root.get();
      for (std::size_t i = 0; i < size; ++i) {
        node = child(node, KeyOf(*full->items[i]));
      }
      node->rules.push_back(rule.get());
    }
  }
  compilation.tree = std::move(root);
}

void CheckRuleConflicts(Compilation& compilation) {
  ConflictChecker checker(compilation);
  ForEach(*compilation.tree, [&](const RuleNode& node) { return checker.Check(node); });

  for (const std::unique_ptr<Module>& module : compilation.modules) {
    for (const std::unique_ptr<Rule>& rule : module->rules) {
      if (!IsGround(*rule->reference)) {
        continue;
      }
      for (const std::unique_ptr<Module>& other : compilation.modules) {
        if (other == module || !IsPackageOf(*other, *module, *rule)) {
          continue;
        }
        std::string message = PackageText(*other) + " conflicts with rule " +
                              ToString(*rule->reference) + " defined at " + PlaceOf(rule->location);
        if (!compilation.errors.Add(TypeError(module->package_location, std::move(message)))) {
          return;
        }
      }
    }
  }
}

}  // namespace portcullis::rego
