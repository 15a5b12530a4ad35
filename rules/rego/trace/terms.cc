#include "rules/rego/trace/terms.h"

#include <algorithm>
#include <map>

#include "rules/rego/compilation.h"

namespace portcullis::rego::trace {

bool PathLess::operator()(const std::vector<Value>& a, const std::vector<Value>& b) const {
  return std::ranges::lexicographical_compare(a, b, ValueLess());
}

Operand Bindings::Apply(Operand operand, Bindings*& in) {
  while (operand.is_var()) {
    const Bound* bound = in->Find(operand.term->text);
    if (bound == nullptr) {
      break;
    }
    operand = bound->to;
    in = bound->in;
  }
  return operand;
}

const Bindings::Bound* Bindings::Find(std::string_view name) const {
  const auto found = std::ranges::find(bound_, name, &Bound::name);
  return found == bound_.end() ? nullptr : &*found;
}

void Bindings::Bind(const Term& variable, const Operand& to, Bindings* in) {
  bound_.push_back({variable.text, to, in, &variable.location});
}

void Bindings::Unbind(std::string_view name) {
  // The last that was bound is the first that goes.
  const auto found = std::find_if(bound_.rbegin(), bound_.rend(),
                                  [name](const Bound& bound) { return bound.name == name; });
  if (found != bound_.rend()) {
    bound_.erase(std::next(found).base());
  }
}

Operand Constants::Of(const Term& term) {
  switch (term.kind) {
    case TermKind::kNull:
      return {.term = nullptr, .value = Value::Null()};
    case TermKind::kBoolean:
      return {.term = nullptr, .value = Value::Boolean(term.boolean)};
    case TermKind::kString:
    case TermKind::kNumber:
    case TermKind::kArray:
    case TermKind::kObject:
    case TermKind::kSet: {
      const auto found = known_.find(&term);
      return found != known_.end() ? found->second
                                   : known_.emplace(&term, Make(term)).first->second;
    }
    default:
      return {.term = &term, .value = {}};
  }
}

Operand Constants::Make(const Term& term) {
  return IsConstant(term) ? Operand{.term = nullptr, .value = ValueOf(term)}
                          : Operand{.term = &term, .value = {}};
}

Value Constants::ValueOf(const Term& term) {
  // The text is copied: a term that was made for the evaluation goes before the answer does.
  switch (term.kind) {
    case TermKind::kString:
      return Value::String(arena_.CopyString(term.text));
    case TermKind::kNumber:
      return Value::Decimal(arena_.CopyString(term.text));
    case TermKind::kArray: {
      document::ArrayBuilder array(arena_);
      for (const TermPtr& item : term.items) {
        array.Add(ValueOf(*item));
      }
      return array.Finish();
    }
    case TermKind::kSet: {
      document::SetBuilder set(arena_);
      for (const TermPtr& item : term.items) {
        set.Add(ValueOf(*item));
      }
      return set.Finish();
    }
    case TermKind::kObject: {
      document::ObjectBuilder object(arena_);
      for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
        object.Add(ValueOf(*term.items[i]), ValueOf(*term.items[i + 1]));
      }
      return object.Finish();
    }
    default:
      return Of(term).value;
  }
}

Term MakeTerm(TermKind kind, std::string text) {
  Term term;
  term.kind = kind;
  term.text = std::move(text);
  return term;
}

Value Plug(Operand operand, Bindings* in, Constants& constants) {
  operand = Bindings::Apply(operand, in);
  if (operand.is_value()) {
    return operand.value;
  }
  const Term& term = *operand.term;
  if (const Operand constant = constants.Of(term); constant.is_value()) {
    return constant.value;
  }
  std::vector<Value> items;
  if (term.kind == TermKind::kArray || term.kind == TermKind::kObject ||
      term.kind == TermKind::kSet) {
    for (const TermPtr& item : term.items) {
      items.push_back(Plug(constants.Of(*item), in, constants));
      if (items.back().is_undefined()) {
        return {};
      }
    }
  }
  switch (term.kind) {
    case TermKind::kArray: {
      document::ArrayBuilder array(constants.arena());
      for (const Value& item : items) {
        array.Add(item);
      }
      return array.Finish();
    }
    case TermKind::kSet: {
      document::SetBuilder set(constants.arena());
      for (const Value& item : items) {
        set.Add(item);
      }
      return set.Finish();
    }
    case TermKind::kObject: {
      // Of equal keys the first is kept, with the value of the last.
      std::map<Value, Value, ValueLess> members;
      for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
        members[items[i]] = items[i + 1];
      }
      document::ObjectBuilder object(constants.arena());
      for (const auto& [key, value] : members) {
        object.Add(key, value);
      }
      return object.Finish();
    }
    default:
      return {};
  }
}

}  // namespace portcullis::rego::trace
