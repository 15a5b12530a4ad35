// Rules: complete ones, sets and objects.

#include <algorithm>

#include "rules/rego/trace/topdown.h"

namespace portcullis::rego::trace {
namespace {

std::vector<Value> First(const std::vector<Value>& path, std::size_t count) {
  return {path.begin(), path.begin() + static_cast<std::ptrdiff_t>(count)};
}

// The most parts of a reference that a definition's name can meet.
std::size_t LongestName(const Candidates& candidates, std::size_t most) {
  std::size_t longest = 0;
  for (const Candidates::Chain& chain : candidates.chains) {
    const std::size_t length =
        chain.first->reference->items.size() + (chain.first->is_multi_value ? 1 : 0);
    longest = std::max(longest, length);
  }
  return std::min(longest, most);
}

}  // namespace

void TopDown::Candidate(Frame& frame, const DefinitionNode& node, const Path& path,
                        std::size_t length, std::span<const Operand> arguments,
                        Candidates* candidates) {
  *candidates = node.index->Find([&](const IndexedRef& ref) -> std::optional<Value> {
    switch (ref.root) {
      case IndexedRef::Root::kInput: {
        Value value = frame.input;
        for (const Value& key : ref.path) {
          value = value.is_undefined() ? value : value.Find(key);
        }
        return value;
      }
      case IndexedRef::Root::kArgument:
        if (ref.argument >= arguments.size()) {
          return std::nullopt;
        }
        return Plugged(arguments[ref.argument], frame.bindings);
      case IndexedRef::Root::kData:
        break;
    }
    Path whole = {Value::String("data")};
    whole.insert(whole.end(), ref.path.begin(), ref.path.end());
    return Resolve(frame, whole);
  });
  TellIndex(frame, First(path, length), *candidates);
}

Status TopDown::Rules(const TreeWalk& walk, const DefinitionNode& node, const Next& next) {
  if (node.index == nullptr) {
    return nullptr;
  }
  Candidates candidates;
  Candidate(*walk.frame, node, *walk.path, walk.at + 1, {}, &candidates);
  return !candidates.is_multi_value && candidates.only_ground ? Complete(walk, candidates, next)
                                                              : Partial(walk, candidates, next);
}

Status TopDown::Continue(const TreeWalk& walk, std::size_t at, const Operand& term, Bindings* in,
                         const Next& next) {
  return Walk({.frame = walk.frame,
               .ref = walk.ref,
               .at = at,
               .in = walk.in,
               .term = term,
               .in_term = in,
               .to = walk.to,
               .in_to = walk.in_to},
              next);
}

Status TopDown::Complete(const TreeWalk& walk, const Candidates& candidates, const Next& next) {
  if (candidates.empty()) {
    return nullptr;
  }
  const Definition& first =
      candidates.chains.empty() ? *candidates.by_default : *candidates.chains.front().first;
  if (first.rule->IsFunction()) {
    return nullptr;
  }
  const VirtualCache::Result known = cache_.Find({First(*walk.path, walk.at + 1), {}});
  if (known.undefined) {
    return nullptr;
  }
  if (known.value.is_defined()) {
    return Continue(walk, walk.at + 1, {.term = nullptr, .value = known.value}, walk.in, next);
  }
  return Suppressed(CompleteRules(walk, candidates, next));
}

Status TopDown::CompleteRules(const TreeWalk& walk, const Candidates& candidates,
                              const Next& next) {
  const auto attempt = [&](const Definition& definition, ConflictList& list, bool* produced) {
    Bindings own;
    Frame child = walk.frame->Child(definition.rule->body, next_id_++, own);
    child.find_one = candidates.early_exit;
    Tell(child, Op::kEnter, definition);
    return Query(child, [&] { return NoteValue(child, definition, list, produced); });
  };
  Value previous;
  Status deferred;
  for (const Candidates::Chain& chain : candidates.chains) {
    Value result;
    const auto run = [&](const Definition& definition) -> Status {
      Status stop = CompleteRule(walk, definition, candidates.early_exit, previous, &result, next);
      if (Is(stop, Stop::Kind::kDeferred)) {
        deferred = deferred ? deferred : stop;
        return nullptr;
      }
      return stop ? ListConflicts(stop, definition, candidates, attempt) : nullptr;
    };
    if (Status stop = run(*chain.first)) {
      return stop;
    }
    for (std::size_t i = 0; result.is_undefined() && i < chain.otherwise.size(); ++i) {
      if (Status stop = run(*chain.otherwise[i])) {
        return stop;
      }
    }
    previous = result.is_defined() ? result : previous;
  }
  if (previous.is_undefined() && candidates.by_default != nullptr) {
    Value result;
    return CompleteRule(walk, *candidates.by_default, candidates.early_exit, previous, &result,
                        next);
  }
  if (previous.is_undefined()) {
    cache_.Put({First(*walk.path, walk.at + 1), {}}, {});
  }
  return deferred;
}

Status TopDown::CompleteRule(const TreeWalk& walk, const Definition& definition, bool one,
                             Value previous, Value* result, const Next& next) {
  Bindings own;
  Frame child = walk.frame->Child(definition.rule->body, next_id_++, own);
  child.find_one = one;
  Tell(child, Op::kEnter, definition);
  return Query(child, [&]() -> Status {
    TellExit(child, definition);
    const Operand head = Of(*definition.rule->value);
    const Value value = Plugged(head, &own);
    if (value.is_undefined()) {
      return nullptr;  // A variable of the compiler's own, written in the policy.
    }
    *result = value;
    if (previous.is_defined()) {
      if (!document::Equal(previous, *result)) {
        return Conflict(definition, ConflictMessage(definition), definition.rule->location);
      }
      Tell(child, Op::kRedo, definition);
      return nullptr;
    }
    previous = *result;
    cache_.Put({First(*walk.path, walk.at + 1), {}}, *result);
    Bindings* in = &own;
    const Operand term = Bindings::Apply(head, in);
    if (Status stop = Continue(walk, walk.at + 1, term, in, next)) {
      return stop;
    }
    Tell(child, Op::kRedo, definition);
    return nullptr;
  });
}

Status TopDown::Partial(const TreeWalk& walk, const Candidates& candidates, const Next& next) {
  const VirtualCache::Key key{First(*walk.path, walk.at + 1), {}};
  Value result = cache_.Find(key).value;
  if (walk.ref->items.size() == walk.at + 1) {
    if (result.is_undefined()) {
      if (Status stop = PartialAll(walk, candidates, &result)) {
        return stop;
      }
      cache_.Put(key, result);
    }
    return Unify(*walk.frame, {.term = nullptr, .value = result}, walk.to, walk.in, walk.in_to,
                 next);
  }
  if (candidates.empty()) {
    return nullptr;
  }
  if (result.is_defined()) {
    return Continue(walk, walk.at + 1, {.term = nullptr, .value = result}, walk.in, next);
  }
  Bindings* in = walk.in;
  if (Bindings::Apply(Of(*walk.ref->items[walk.at + 1]), in).is_var()) {
    if (Status stop = PartialAll(walk, candidates, &result)) {
      return stop;
    }
    cache_.Put(key, result);
    return Continue(walk, walk.at + 1, {.term = nullptr, .value = result}, walk.in, next);
  }
  return PartialEach(walk, candidates, next);
}

Status TopDown::PartialAll(const TreeWalk& walk, const Candidates& candidates, Value* result) {
  Collected collected(candidates.only_ground ? Collected::Shape::kSet : Collected::Shape::kObject);
  for (const Candidates::Chain& chain : candidates.chains) {
    const Definition& definition = *chain.first;
    Bindings own;
    Frame child = walk.frame->Child(definition.rule->body, next_id_++, own);
    Tell(child, Op::kEnter, definition);
    Status stop = Query(child, [&]() -> Status {
      TellExit(child, definition);
      bool duplicate = false;
      if (Status conflict = Reduce(walk, definition, &own, &collected, &duplicate)) {
        return conflict;
      }
      Tell(child, Op::kRedo, definition);
      return nullptr;
    });
    if (stop) {
      return stop;
    }
  }
  *result = collected.Finish(arena_);
  return nullptr;
}

// Only what can be at the reference is looked for.
Status TopDown::PartialEach(const TreeWalk& walk, const Candidates& candidates, const Next& next) {
  VirtualCache::Key key;
  bool narrowed = false;
  std::size_t end = 0;
  for (std::size_t i = walk.at + 1; i < LongestName(candidates, walk.ref->items.size()); ++i) {
    const Value part = Plugged(Of(*walk.ref->items[i]), walk.in);
    if (part.is_defined() && !narrowed) {
      end = i;
      (*walk.path)[i] = part;
      key.path = First(*walk.path, i + 1);
    } else {
      narrowed = true;
      if (key.path.empty()) {
        break;
      }
      key.scope.push_back(part);
    }
    if (const Value known = cache_.Find(key).value; known.is_defined()) {
      return Continue(walk, end + 1, {.term = nullptr, .value = known}, walk.in, next);
    }
  }
  while (!key.scope.empty() && key.scope.back().is_undefined()) {
    key.scope.pop_back();
  }
  Collected collected(candidates.only_ground ? Collected::Shape::kSet : Collected::Shape::kObject);
  for (const Candidates::Chain& chain : candidates.chains) {
    if (Status stop = PartialOne(walk, *chain.first, &collected)) {
      return stop;
    }
  }
  const Value result = collected.Finish(arena_);
  if (!key.path.empty()) {
    Value found = result;
    for (std::size_t i = walk.at + 1; i < key.path.size() && found.is_defined(); ++i) {
      found = found.Find(key.path[i]);
    }
    if (found.is_defined()) {
      cache_.Put(key, found);
    }
  }
  return Continue(walk, walk.at + 1, {.term = nullptr, .value = result}, walk.in, next);
}

Status TopDown::PartialOne(const TreeWalk& walk, const Definition& definition,
                           Collected* collected) {
  Bindings own;
  Frame child = walk.frame->Child(definition.rule->body, next_id_++, own);
  Tell(child, Op::kEnter, definition);
  Status stop = UnifyHead(child, walk, definition, walk.at + 1, &own, [&] {
    child.defined = true;
    return Query(child, [&]() -> Status {
      TellExit(child, definition);
      bool duplicate = false;
      if (Status conflict = Reduce(walk, definition, &own, collected, &duplicate)) {
        return conflict;
      }
      if (duplicate) {
        Tell(child, Op::kDuplicate, definition);
      }
      if (!duplicate || release_ == Release::k1_22) {
        Tell(child, Op::kRedo, definition);
      }
      return nullptr;
    });
  });
  if (!stop && !child.defined) {
    Tell(child, Op::kFail, definition);
  }
  return stop;
}

Status TopDown::UnifyHead(Frame& frame, const TreeWalk& walk, const Definition& definition,
                          std::size_t at, Bindings* in_rule, const Next& next) {
  const std::vector<TermPtr>& asked = walk.ref->items;
  const std::vector<TermPtr>& name = definition.reference->items;
  if (at < asked.size() && at < name.size()) {
    return Unify(frame, Of(*asked[at]), Of(*name[at]), walk.in, in_rule,
                 [&] { return UnifyHead(frame, walk, definition, at + 1, in_rule, next); });
  }
  if (definition.is_multi_value && at < asked.size() && name.size() <= asked.size()) {
    return Unify(frame, Of(*asked[at]), Of(*definition.rule->key), walk.in, in_rule, next);
  }
  return next();
}

Status TopDown::Reduce(const TreeWalk& walk, const Definition& definition, Bindings* in,
                       Collected* collected, bool* duplicate) {
  Collected::Added added = Collected::Added::kConflict;
  const bool of_key = collected->is_set() || definition.is_multi_value;
  const Value last = Plugged(Of(of_key ? *definition.rule->key : *definition.rule->value), in);
  Path path;
  const std::vector<TermPtr>& name = definition.reference->items;
  for (std::size_t i = walk.at + 1; i < name.size() && !collected->is_set(); ++i) {
    path.push_back(Plugged(Of(*name[i]), in));
  }
  // A variable that is written with a name of the compiler's passes its checks without a value: as in a plan, nothing is added.
  *duplicate = false;
  if (definition.has_open_keys || last.is_undefined() ||
      std::ranges::any_of(path, &Value::is_undefined)) {
    return nullptr;
  }
  if (collected->is_set()) {
    added = collected->AddMember(last);
  } else if (!path.empty()) {
    added = definition.is_multi_value ? collected->AddMemberAt(path, last)
                                      : collected->AddValue(path, last);
  }
  *duplicate = added == Collected::Added::kKnown;
  if (added != Collected::Added::kConflict) {
    return nullptr;
  }
  return Conflict(definition, "object keys must be unique", definition.rule->head_location);
}

}  // namespace portcullis::rego::trace
