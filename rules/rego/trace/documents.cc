// References: through the tree of rules and base documents, and through values.

#include "document/json.h"
#include "rules/rego/base_child.h"
#include "rules/rego/trace/topdown.h"

namespace portcullis::rego::trace {
namespace {

// Base documents win where both have a key, and objects are merged.
Value Merge(const Value& base, const Value& other, document::Arena& arena) {
  if (!base.is_object() || !other.is_object()) {
    return base;
  }
  document::ObjectBuilder merged(arena);
  for (std::uint32_t i = 0; i < base.size(); ++i) {
    const Value theirs = other.Find(base.KeyAt(i));
    const Value ours = base.ValueAt(i);
    merged.Add(base.KeyAt(i), theirs.is_undefined() ? ours : Merge(ours, theirs, arena));
  }
  for (std::uint32_t i = 0; i < other.size(); ++i) {
    if (base.Find(other.KeyAt(i)).is_undefined()) {
      merged.Add(other.KeyAt(i), other.ValueAt(i));
    }
  }
  return merged.Finish();
}

bool HasKey(const Value& document, const Value& key) {
  return document.is_defined() && document.Find(key).is_defined();
}

Term TermOf(const Value& value) {
  Term term;
  switch (value.type()) {
    case document::Type::kString:
      term.kind = TermKind::kString;
      term.text = value.string();
      break;
    case document::Type::kNumber:
      term.kind = TermKind::kNumber;
      term.text = document::NumberText(value);
      break;
    case document::Type::kBoolean:
      term.kind = TermKind::kBoolean;
      term.boolean = value.is_true();
      break;
    case document::Type::kArray:
    case document::Type::kSet:
      term.kind = value.is_array() ? TermKind::kArray : TermKind::kSet;
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        term.items.push_back(std::make_unique<Term>(TermOf(value.ItemAt(i))));
      }
      break;
    case document::Type::kObject:
      term.kind = TermKind::kObject;
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        term.items.push_back(std::make_unique<Term>(TermOf(value.KeyAt(i))));
        term.items.push_back(std::make_unique<Term>(TermOf(value.ValueAt(i))));
      }
      break;
    case document::Type::kNull:
    case document::Type::kUndefined:
      break;
  }
  return term;
}

bool IsPrefix(std::span<const Value> prefix, std::span<const Value> path) {
  return prefix.size() <= path.size() &&
         std::equal(prefix.begin(), prefix.end(), path.begin(), document::Equal);
}

// The first that is put off is kept, the search goes on.
bool PutsOff(const Status& stop, Status* deferred) {
  if (!stop || stop->kind != Stop::Kind::kDeferred) {
    return false;
  }
  if (!*deferred) {
    *deferred = stop;
  }
  return true;
}

}  // namespace

std::string TopDown::PathText(const Path& path) {
  Term ref = MakeTerm(TermKind::kRef, {});
  for (const Value& part : path) {
    ref.items.push_back(std::make_unique<Term>(TermOf(part)));
  }
  ref.items[0]->kind = TermKind::kVar;
  return ToString(ref);
}

bool TopDown::IsReplaced(std::span<const Value> path) const {
  for (const std::vector<Path>& targets : replaced_) {
    for (const Path& target : targets) {
      if (IsPrefix(target, path)) {
        return true;
      }
    }
  }
  return false;
}

Value TopDown::Stored(std::span<const Value> path) {
  Value value = data_;
  for (const Value& key : path) {
    if ((!key.is_string() && !key.is_number()) || value.is_undefined()) {
      return {};
    }
    value = BaseChild(value, key);
  }
  if (!path.empty() || !value.is_object() || value.Find("system").is_undefined()) {
    return value;
  }
  document::ObjectBuilder shown(arena_);
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    if (!document::Equal(value.KeyAt(i), Value::String("system"))) {
      shown.Add(value.KeyAt(i), value.ValueAt(i));
    }
  }
  return shown.Finish();
}

Value TopDown::Resolve(const Frame& frame, std::span<const Value> path) {
  Value replaced = frame.data;
  for (const Value& key : path.subspan(1)) {
    replaced = replaced.is_undefined() ? Value() : replaced.Find(key);
  }
  if (IsReplaced(path)) {
    return replaced;
  }
  const Value stored = Stored(path.subspan(1));
  if (replaced.is_undefined() || stored.is_undefined()) {
    return replaced.is_undefined() ? stored : replaced;
  }
  return Merge(replaced, stored, arena_);
}

Status TopDown::Tree(TreeWalk walk, const Next& next) {
  if (walk.at == walk.ref->items.size()) {
    Value extent;
    if (Status stop = TreeExtent(walk, &extent)) {
      return stop;
    }
    if (extent.is_undefined()) {
      return nullptr;
    }
    return Unify(*walk.frame, walk.to, {.term = nullptr, .value = extent}, walk.in_to, walk.in,
                 next);
  }
  const Value key = Plugged(Of(*walk.ref->items[walk.at]), walk.in);
  return key.is_defined() ? TreeNext(walk, key, next) : TreeEach(walk, next);
}

Status TopDown::TreeNext(TreeWalk walk, const Value& key, const Next& next) {
  (*walk.path)[walk.at] = key;
  const DefinitionNode* child = nullptr;
  if (walk.node != nullptr && !IsReplaced(std::span(*walk.path).first(walk.at + 1))) {
    child = walk.node->Child(key);
    if (child != nullptr && !child->rules.empty()) {
      return Rules(walk, *child, next);
    }
  }
  walk.node = child;
  ++walk.at;
  return Tree(walk, next);
}

Status TopDown::TreeEach(const TreeWalk& walk, const Next& next) {
  const Value document = Resolve(*walk.frame, std::span(*walk.path).first(walk.at));
  Status deferred;
  const auto visit = [&](const Value& key) {
    return Unify(*walk.frame, {.term = nullptr, .value = key}, Of(*walk.ref->items[walk.at]),
                 walk.in, walk.in, [&] { return TreeNext(walk, key, next); });
  };
  for (std::uint32_t i = 0; i < document.size(); ++i) {
    const Value key = document.is_object()  ? document.KeyAt(i)
                      : document.is_array() ? Value::Int(i)
                                            : document.ItemAt(i);
    Status stop = visit(key);
    if (stop && (deferred || !PutsOff(stop, &deferred))) {
      return stop;
    }
  }
  if (deferred || walk.node == nullptr) {
    return deferred;
  }
  for (const auto& [key, child] : walk.node->children) {
    if (HasKey(document, key)) {
      continue;
    }
    if (Status stop = visit(key)) {
      return stop;
    }
  }
  return nullptr;
}

Status TopDown::TreeExtent(const TreeWalk& walk, Value* result) {
  const Value base = Resolve(*walk.frame, *walk.path);
  if (walk.node == nullptr) {
    *result = base;
    return nullptr;
  }
  Path path = *walk.path;
  Value rules;
  if (Status stop = Leaves(walk, path, *walk.node, &rules)) {
    return stop;
  }
  *result = base.is_undefined() ? rules : Merge(base, rules, arena_);
  return nullptr;
}

Status TopDown::Leaves(const TreeWalk& walk, Path& path, const DefinitionNode& node,
                       Value* result) {
  document::ObjectBuilder object(arena_);
  for (const auto& [key, child] : node.children) {
    if (child->hidden) {
      continue;
    }
    path.push_back(key);
    Value value;
    Status stop;
    if (child->rules.empty()) {
      stop = Leaves(walk, path, *child, &value);
    } else {
      const auto [at, is_new] = leaves_.try_emplace(child.get());
      Term& ref = at->second;
      if (is_new) {
        ref.kind = TermKind::kRef;
        for (const Value& part : path) {
          ref.items.push_back(std::make_unique<Term>(TermOf(part)));
        }
        ref.items[0]->kind = TermKind::kVar;
      }
      Term leaf = MakeTerm(TermKind::kVar, "$_leaf");
      const Operand variable{.term = &leaf, .value = {}};
      Bindings* in = walk.frame->bindings;
      stop = Unify(*walk.frame, {.term = &ref, .value = {}}, variable, in, in, [&]() -> Status {
        value = Plugged(variable, in);
        return nullptr;
      });
    }
    path.pop_back();
    if (stop) {
      return stop;
    }
    if (value.is_defined()) {
      object.Add(key, value);
    }
  }
  *result = object.Finish();
  return nullptr;
}

Status TopDown::Walk(TermWalk walk, const Next& next) {
  if (walk.at == walk.ref->items.size()) {
    return Unify(*walk.frame, walk.term, walk.to, walk.in_term, walk.in_to, next);
  }
  const Value key = Plugged(Of(*walk.ref->items[walk.at]), walk.in);
  return key.is_defined() ? WalkNext(walk, key, next) : WalkEach(walk, next);
}

Status TopDown::WalkNext(TermWalk walk, const Value& key, const Next& next) {
  if (Status over = CheckLimits()) {
    return over;
  }
  Operand found;
  if (!Get(walk.term, walk.in_term, key, &found)) {
    return nullptr;
  }
  walk.term = Bindings::Apply(found, walk.in_term);
  ++walk.at;
  return Walk(walk, next);
}

bool TopDown::Get(const Operand& from, Bindings* in, const Value& key, Operand* result) {
  if (from.is_value()) {
    result->value = from.value.Find(key);
    if (from.value.is_set() && result->value.is_defined()) {
      result->value = key;
    }
    return result->value.is_defined();
  }
  const std::vector<TermPtr>& items = from.term->items;
  if (from.term->kind == TermKind::kArray) {
    const auto at = key.is_number() ? document::AsGoInt(key) : std::nullopt;
    if (!at || *at < 0 || static_cast<std::size_t>(*at) >= items.size()) {
      return false;
    }
    *result = Of(*items[static_cast<std::size_t>(*at)]);
    return true;
  }
  const bool is_object = from.term->kind == TermKind::kObject;
  for (std::size_t i = 0; i < items.size(); i += is_object ? 2 : 1) {
    const Value member = Plugged(Of(*items[i]), in);
    if (member.is_defined() && document::Equal(member, key)) {
      *result = is_object ? Of(*items[i + 1]) : Operand{.term = nullptr, .value = key};
      return true;
    }
  }
  return false;
}

Status TopDown::WalkEach(const TermWalk& walk, const Next& next) {
  const Operand& term = walk.term;
  const bool is_array =
      term.is_value() ? term.value.is_array() : term.term->kind == TermKind::kArray;
  Status deferred;
  if (is_array) {
    Status stop = WalkEachItem(walk, next, &deferred);
    return stop ? stop : deferred;
  }
  std::vector<Operand> members;
  if (term.is_value()) {
    const Value& value = term.value;
    const Value wanted =
        value.is_set() && release_ == Release::k1_22 && walk.at + 1 == walk.ref->items.size()
            ? Plugged(walk.to, walk.in_to)
            : Value();
    if (wanted.is_defined()) {
      // Nothing else than what is looked for can be found.
      if (value.Find(wanted).is_defined()) {
        members.push_back({.term = nullptr, .value = wanted});
      }
    } else {
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        members.push_back(
            {.term = nullptr, .value = value.is_object() ? value.KeyAt(i) : value.ItemAt(i)});
      }
    }
  } else if (term.term->kind == TermKind::kObject || term.term->kind == TermKind::kSet) {
    const std::size_t step = term.term->kind == TermKind::kObject ? 2 : 1;
    for (std::size_t i = 0; i < term.term->items.size(); i += step) {
      members.push_back(Of(*term.term->items[i]));
    }
  }
  Status stop = WalkEachMember(walk, members, next, &deferred);
  return stop ? stop : deferred;
}

Status TopDown::WalkEachItem(const TermWalk& walk, const Next& next, Status* deferred) {
  const Operand written = Of(*walk.ref->items[walk.at]);
  if (!written.is_var()) {
    return nullptr;
  }
  TermWalk inner = walk;
  const std::size_t size =
      walk.term.is_value() ? walk.term.value.size() : walk.term.term->items.size();
  for (std::size_t i = 0; i < size; ++i) {
    const Operand at{.term = nullptr, .value = Value::Int(static_cast<std::int64_t>(i))};
    TellUnify(*walk.frame, at, written);
    const Operand variable = Bindings::Apply(written, inner.in);
    if (!variable.is_var()) {
      return nullptr;
    }
    Status stop =
        BindVar(variable, at, inner.in, inner.in, [&] { return WalkNext(inner, at.value, next); });
    if (stop && !PutsOff(stop, deferred)) {
      return stop;
    }
  }
  return nullptr;
}

Status TopDown::WalkEachMember(const TermWalk& walk, std::span<const Operand> members,
                               const Next& next, Status* deferred) {
  const Operand written = Of(*walk.ref->items[walk.at]);
  for (const Operand& member : members) {
    Status stop = Unify(*walk.frame, member, written, walk.in_term, walk.in,
                        [&] { return WalkNext(walk, Plugged(member, walk.in_term), next); });
    if (stop && !PutsOff(stop, deferred)) {
      return stop;
    }
  }
  return nullptr;
}

}  // namespace portcullis::rego::trace
