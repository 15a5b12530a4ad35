#include "mutation/conflicts.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace portcullis::mutation {
namespace {

using Ids = std::set<std::size_t>;  // Places in the list of mutators.

// What a location says of the value at one of its steps.
enum class Form : std::uint8_t { kUnknown, kObject, kList, kSet, kString };

Form FormAt(const Mutator& mutator, std::size_t step) {
  const auto& steps = mutator.location().steps;
  if (step + 1 < steps.size()) {
    return steps[step + 1].is_list() ? Form::kList : Form::kObject;
  }
  switch (mutator.id().kind) {
    case MutatorKind::kModifySet:
      return Form::kSet;
    case MutatorKind::kAssignImage:
      return Form::kString;
    default:
      return Form::kUnknown;
  }
}

// What all mutators of one kind and operation say of the objects.
struct Node {
  Ids mutators;
  Ids terminating;
  std::map<std::string, std::map<Form, Node>, std::less<>> children;
};

void Add(Node& root, const Mutator& mutator, std::size_t id) {
  Node* node = &root;
  node->mutators.insert(id);
  for (std::size_t i = 0; i < mutator.location().steps.size(); ++i) {
    node = &node->children[mutator.location().steps[i].name][FormAt(mutator, i)];
    node->mutators.insert(id);
  }
  if (mutator.must_terminate()) {
    node->terminating.insert(id);
  }
}

// Those in conflict about the children of one name.
Ids ConflictsOf(const std::map<Form, Node>& forms) {
  Ids conflicts;
  const std::size_t known = forms.size() - forms.count(Form::kUnknown);
  bool terminates = false;
  bool goes_on = false;
  for (const auto& [form, node] : forms) {
    terminates = terminates || !node.terminating.empty();
    goes_on = goes_on || !node.children.empty();
    const bool several_keys = form == Form::kList && node.children.size() > 1;
    if (form != Form::kUnknown && (known > 1 || several_keys)) {
      conflicts.insert(node.mutators.begin(), node.mutators.end());
    }
  }
  if (!terminates || !goes_on) {
    return conflicts;
  }
  for (const auto& [form, node] : forms) {
    conflicts.insert(node.terminating.begin(), node.terminating.end());
    for (const auto& [name, grandchildren] : node.children) {
      for (const auto& [grandform, grandchild] : grandchildren) {
        conflicts.insert(grandchild.mutators.begin(), grandchild.mutators.end());
      }
    }
  }
  return conflicts;
}

// Everyone who is part of a conflict in the tree.
void Collect(const Node& node, Ids* conflicting) {
  for (const auto& [name, forms] : node.children) {
    conflicting->merge(ConflictsOf(forms));
    for (const auto& [form, child] : forms) {
      Collect(child, conflicting);
    }
  }
}

// All conflicts that lie on the location of one mutator.
Ids ConflictsAlong(const Node& root, const Mutator& mutator) {
  Ids conflicts;
  const Node* node = &root;
  for (std::size_t i = 0; i < mutator.location().steps.size(); ++i) {
    const auto& forms = node->children.find(mutator.location().steps[i].name)->second;
    conflicts.merge(ConflictsOf(forms));
    node = &forms.find(FormAt(mutator, i))->second;
  }
  return conflicts;
}

using Binding = std::tuple<std::string, std::string, std::string, Operation>;

std::set<Binding> BindingsOf(const Mutator& mutator) {
  std::set<Binding> bindings;
  for (const ApplyTo& entry : mutator.apply_to()) {
    for (const std::string& group : entry.groups) {
      for (const std::string& version : entry.versions) {
        for (const std::string& kind : entry.kinds) {
          if (entry.on_create) {
            bindings.emplace(group, version, kind, Operation::kCreate);
          }
          if (entry.on_update) {
            bindings.emplace(group, version, kind, Operation::kUpdate);
          }
        }
      }
    }
  }
  return bindings;
}

}  // namespace

std::vector<std::set<MutatorId>> FindConflicts(
    std::span<const std::shared_ptr<const Mutator>> mutators) {
  std::map<Binding, Node> schemas;
  for (std::size_t i = 0; i < mutators.size(); ++i) {
    for (const Binding& binding : BindingsOf(*mutators[i])) {
      Add(schemas[binding], *mutators[i], i);
    }
  }
  Ids conflicting;
  for (const auto& [binding, root] : schemas) {
    Collect(root, &conflicting);
  }
  std::vector<std::set<MutatorId>> result(mutators.size());
  for (const std::size_t i : conflicting) {
    for (const Binding& binding : BindingsOf(*mutators[i])) {
      for (const std::size_t id : ConflictsAlong(schemas[binding], *mutators[i])) {
        result[i].insert(mutators[id]->id());
      }
    }
  }
  return result;
}

std::string ConflictText(const std::set<MutatorId>& conflict) {
  std::vector<std::string> names;
  for (const MutatorId& id : conflict) {
    names.push_back(id.ToString());
  }
  std::ranges::sort(names);
  std::string text = "the following mutators have conflicting schemas: [";
  for (const std::string& name : names) {
    text += (name == names.front() ? "" : ",") + name;
  }
  return text + "]";
}

}  // namespace portcullis::mutation
