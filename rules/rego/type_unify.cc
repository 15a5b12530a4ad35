// Unification of terms with types: what cannot be is refused, and variables take the types that they must have.

#include "rules/rego/compilation.h"
#include "rules/rego/type_environment.h"

namespace portcullis::rego {
namespace {

bool UnifyArray(TypeEnvironment& environment, const Term& term, const Type& type, bool unite) {
  if (term.items.size() != type.items.size() && !type.dynamic) {
    return false;
  }
  for (std::size_t i = 0; i < term.items.size(); ++i) {
    TypePtr item = i < type.items.size() ? type.items[i] : type.dynamic;
    if (!UnifyTerm(environment, *term.items[i], item, unite)) {
      return false;
    }
  }
  return true;
}

bool UnifyObject(TypeEnvironment& environment, const Term& term, const TypePtr& type, bool unite) {
  if (term.items.size() / 2 != type->properties.size() && !type->dynamic) {
    return false;
  }
  for (std::size_t i = 0; i + 1 < term.items.size(); i += 2) {
    if (!IsConstant(*term.items[i])) {
      UnifyTerm(environment, *term.items[i + 1], AnyType(), unite);
      continue;
    }
    TypePtr value = Select(type, *term.items[i]);
    if (!value || !UnifyTerm(environment, *term.items[i + 1], value, unite)) {
      return false;
    }
  }
  return true;
}

bool UnifySet(TypeEnvironment& environment, const Term& term, const TypePtr& type, bool unite) {
  for (const TermPtr& item : term.items) {
    if (!UnifyTerm(environment, *item, type->dynamic, unite)) {
      return false;
    }
  }
  return true;
}

bool UnifyChoices(TypeEnvironment& environment, const Term& term, const Type& any) {
  if (any.items.empty()) {
    for (const TermPtr& item : term.items) {
      UnifyTerm(environment, *item, AnyType(), true);
    }
    return true;
  }
  bool unifies = false;
  for (const TypePtr& choice : any.items) {
    unifies = UnifyTerm(environment, term, choice, true) || unifies;
  }
  return unifies;
}

// Every `step`-th item of two collections of one size, from `first` on.
bool UnifyItems(TypeEnvironment& environment, const Term& a, const Term& b, std::size_t first,
                std::size_t step) {
  for (std::size_t i = first; i < a.items.size(); i += step) {
    const Term& x = *a.items[i];
    const Term& y = *b.items[i];
    if (!UnifyTerms(environment, x, environment.Get(x), y, environment.Get(y))) {
      return false;
    }
  }
  return true;
}

// A collection with what is none that is written down.
bool UnifyWithVariable(TypeEnvironment& environment, const Term& collection, const Term& other) {
  return other.IsVar() && UnifyTerm(environment, collection, AnyType(), false) &&
         UnifyTerm(environment, other, environment.Get(collection), false);
}

bool UnifyArrays(TypeEnvironment& environment, const Term& a, const Term& b) {
  if (b.kind != TermKind::kArray) {
    return UnifyWithVariable(environment, a, b);
  }
  return a.items.size() == b.items.size() && UnifyItems(environment, a, b, 0, 1);
}

bool UnifyObjects(TypeEnvironment& environment, const Term& a, const Term& b) {
  if (b.kind != TermKind::kObject) {
    return UnifyWithVariable(environment, a, b);
  }
  if (a.items.size() != b.items.size()) {
    return false;
  }
  for (std::size_t i = 0; i + 1 < a.items.size(); i += 2) {
    if (Compare(*a.items[i], *b.items[i]) != 0) {
      return false;
    }
  }
  return UnifyItems(environment, a, b, 1, 2);
}

}  // namespace

bool UnifyTerm(TypeEnvironment& environment, const Term& term, const TypePtr& type, bool unite) {
  switch (term.kind) {
    case TermKind::kArray:
    case TermKind::kObject:
    case TermKind::kSet:
      if (!type) {
        return false;
      }
      if (type->kind == TypeKind::kAny) {
        return UnifyChoices(environment, term, *type);
      }
      if (term.kind == TermKind::kArray && type->kind == TypeKind::kArray) {
        return UnifyArray(environment, term, *type, unite);
      }
      if (term.kind == TermKind::kObject && type->kind == TypeKind::kObject) {
        return UnifyObject(environment, term, type, unite);
      }
      return term.kind == TermKind::kSet && type->kind == TypeKind::kSet &&
             UnifySet(environment, term, type, unite);
    case TermKind::kVar: {
      TypePtr known = environment.GetVariable(term);
      if (unite) {
        environment.PutVariable(term, Or(known, type));
        return true;
      }
      if (known) {
        return Unifies(known, type);
      }
      environment.PutVariable(term, type);
      return true;
    }
    default:
      return Unifies(environment.Get(term), type);
  }
}

bool UnifyTerms(TypeEnvironment& environment, const Term& a, const TypePtr& type_a, const Term& b,
                const TypePtr& type_b) {
  bool unknown_a = IsUnknown(type_a);
  bool unknown_b = IsUnknown(type_b);
  if (unknown_a && !unknown_b) {
    return UnifyTerm(environment, a, type_b, false);
  }
  if (unknown_b && !unknown_a) {
    return UnifyTerm(environment, b, type_a, false);
  }
  if (!unknown_a) {
    return Unifies(type_a, type_b);
  }
  if (a.kind == TermKind::kArray) {
    return UnifyArrays(environment, a, b);
  }
  if (a.kind == TermKind::kObject) {
    return UnifyObjects(environment, a, b);
  }
  if (a.IsVar()) {
    if (b.IsVar()) {
      return UnifyTerm(environment, a, AnyType(), false) &&
             UnifyTerm(environment, b, environment.Get(a), false);
    }
    if (b.kind == TermKind::kArray) {
      return UnifyArrays(environment, b, a);
    }
    if (b.kind == TermKind::kObject) {
      return UnifyObjects(environment, b, a);
    }
    if (b.kind == TermKind::kRef) {
      return UnifyTerm(environment, a, AnyType(), false);
    }
  }
  if (a.kind == TermKind::kRef && b.IsVar()) {
    return UnifyTerm(environment, b, AnyType(), false);
  }
  // What is known in part is better than nothing.
  if (a.IsVar() && !type_a && type_b) {
    return UnifyTerm(environment, a, type_b, false);
  }
  if (b.IsVar() && !type_b && type_a) {
    return UnifyTerm(environment, b, type_a, false);
  }
  return false;
}

}  // namespace portcullis::rego
