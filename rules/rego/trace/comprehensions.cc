// Comprehensions.

#include "rules/rego/trace/topdown.h"

namespace portcullis::rego::trace {
namespace {

// What a comprehension's solutions make.
struct Gathered {
  std::vector<Value> items;
  std::map<Value, Value, ValueLess> members;

  [[nodiscard]] Value Finish(TermKind kind, document::Arena& arena) const {
    if (kind == TermKind::kArrayComprehension) {
      document::ArrayBuilder array(arena);
      for (const Value& item : items) {
        array.Add(item);
      }
      return array.Finish();
    }
    if (kind == TermKind::kSetComprehension) {
      document::SetBuilder set(arena);
      for (const Value& item : items) {
        set.Add(item);
      }
      return set.Finish();
    }
    document::ObjectBuilder object(arena);
    for (const auto& [key, value] : members) {
      object.Add(key, value);
    }
    return object.Finish();
  }
};

}  // namespace

// A closure that is told about as a query.
Status TopDown::Conclude(Frame& child, const Body& body, const Next& next) {
  Tell(child, Op::kEnter, body);
  return Query(child, [&] {
    TellExit(child, body);
    Status stop = next();
    Tell(child, Op::kRedo, body);
    return stop;
  });
}

Status TopDown::UnifyComprehension(Frame& frame, const Term& term, const Operand& to, Bindings* in,
                                   Bindings* in_to, const Next& next) {
  Value result;
  const std::vector<std::string>* keys = comprehension_keys_.Of(term);
  if (keys != nullptr) {
    if (Status stop = FindGrouped(frame, term, *keys, &result)) {
      return stop;
    }
  }
  if (result.is_undefined()) {
    Frame child = frame.Closure(term.body, next_id_++);
    Gathered gathered;
    Status stop = Conclude(child, term.body, [&]() -> Status {
      const Value first = Plugged(Of(*term.items[0]), child.bindings);
      if (term.kind != TermKind::kObjectComprehension) {
        gathered.items.push_back(first);
        return nullptr;
      }
      const Value value = Plugged(Of(*term.items[1]), child.bindings);
      const auto [at, is_new] = gathered.members.try_emplace(first, value);
      if (!is_new && !document::Equal(at->second, value)) {
        return FailEvaluation("eval_conflict_error", "object keys must be unique",
                              term.items[0]->location);
      }
      return nullptr;
    });
    if (stop) {
      return stop;
    }
    result = gathered.Finish(term.kind, arena_);
  }
  return Unify(frame, {.term = nullptr, .value = result}, to, in, in_to, next);
}

// Undefined where no solution has the values that the keys have here.
Status TopDown::FindGrouped(Frame& frame, const Term& term, const std::vector<std::string>& keys,
                            Value* result) {
  if (frame.comprehensions == nullptr) {
    frame.comprehensions = std::make_shared<ComprehensionCache>();
  }
  const std::shared_ptr<ComprehensionCache> cache = frame.comprehensions;
  const auto values_of = [&](Bindings* in) {
    std::vector<Value> values;
    for (const std::string& name : keys) {
      Term variable = MakeTerm(TermKind::kVar, name);
      values.push_back(Plugged({.term = &variable, .value = {}}, in));
    }
    return values;
  };
  if (!cache->frames.back().contains(&term)) {
    std::map<std::vector<Value>, Gathered, PathLess> groups;
    Bindings own;
    Frame child = frame.Child(term.body, next_id_++, own);
    Status stop = Conclude(child, term.body, [&]() -> Status {
      Gathered& gathered = groups[values_of(&own)];
      const Value first = Plugged(Of(*term.items[0]), &own);
      if (term.kind == TermKind::kObjectComprehension) {
        gathered.members.insert_or_assign(first, Plugged(Of(*term.items[1]), &own));
      } else {
        gathered.items.push_back(first);
      }
      return nullptr;
    });
    if (stop) {
      return stop;
    }
    ComprehensionCache::Groups& finished = cache->frames.back()[&term];
    for (const auto& [values, gathered] : groups) {
      finished.emplace(values, gathered.Finish(term.kind, arena_));
    }
  }
  const ComprehensionCache::Groups& groups = cache->frames.back()[&term];
  const auto found = groups.find(values_of(frame.bindings));
  *result = found == groups.end() ? Value() : found->second;
  return nullptr;
}

}  // namespace portcullis::rego::trace
