// References into what cannot hold them: unknown keys, keys of the wrong type, scalars with keys.

#include "rules/rego/check.h"
#include "rules/rego/visit.h"

namespace portcullis::rego {
namespace {

bool IsCollection(const Term& term) {
  return term.kind == TermKind::kArray || term.kind == TermKind::kObject ||
         term.kind == TermKind::kSet;
}

std::vector<const Term*> KeysBelow(const TypeNode& node) {
  std::vector<const Term*> keys;
  for (const auto& [key, child] : node.children) {
    keys.push_back(key.get());
  }
  return keys;
}

// Generated variables that an error spells out.
constexpr std::size_t kMostReplaced = 1000;

// The first `size` items, as a reference of their own.
std::string PrefixText(const Term& ref, std::size_t size) {
  std::vector<TermPtr> items;
  for (std::size_t i = 0; i < size; ++i) {
    items.push_back(Clone(*ref.items[i]));
  }
  return ToString(*NewRef(std::move(items), ref.location));
}

bool IsGeneratedVariable(const Term& term) {
  return ToString(term).find("__local") != std::string::npos;
}

}  // namespace

TermPtr ReferenceChecker::Shown(const Term& ref) const {
  TermPtr shown = Clone(ref);
  // Generated variables show what they stand for, others as they were written. What stands for a closure holds generated
  // variables too, each twice: of a hostile program the inner ones stay.
  std::size_t replaced = 0;
  Visitor visitor;
  visitor.term = [&](Term& term) {
    if (!term.IsVar()) {
      return true;
    }
    auto subject = compilation_.subjects.find(term.text);
    if (subject == compilation_.subjects.end()) {
      term.text = compilation_.Written(term.text);
    } else if (replaced++ < kMostReplaced) {
      term = std::move(*Clone(*subject->second));
    }
    return true;
  };
  Walk(*shown, visitor);
  return shown;
}

std::vector<Diagnostic> ReferenceChecker::Check(const Expr& expr) {
  errors_.clear();
  ConstVisitor visitor;
  visitor.term = [&](const Term& term) {
    if (IsComprehension(term)) {
      return false;
    }
    if (term.kind != TermKind::kRef) {
      return true;
    }
    std::size_t before = errors_.size();
    if (TypePtr type = environment_.GetReference(term); type && type->kind == TypeKind::kFunction) {
      FailUnsupported(term, term.items.size() - 1, type);
    } else {
      CheckReference(term);
      return true;
    }
    return errors_.size() == before;
  };
  visitor.expr = [&](const Expr& inner) {
    switch (inner.kind) {
      case ExprKind::kCall:
        for (std::size_t i = 1; i < inner.terms.size(); ++i) {
          Walk(*inner.terms[i], visitor);
        }
        return false;
      case ExprKind::kTerm:
        Walk(*inner.terms[0], visitor);
        return false;
      case ExprKind::kNot:
        Walk(inner.body, visitor);
        return false;
      default:
        return true;
    }
  };
  Walk(expr, visitor);
  return std::move(errors_);
}

void ReferenceChecker::CheckReference(const Term& ref) {
  CheckAgainst(environment_, *environment_.tree, ref, 0);
}

void ReferenceChecker::CheckAgainst(const TypeEnvironment& environment, const TypeNode& node,
                                    const Term& ref, std::size_t i) {
  if (i == ref.items.size()) {
    return;
  }
  const Term& head = *ref.items[i];
  // The shortest path of a rule is data.package.name.
  if ((i == 1 || i == 2) && !head.IsVar() && head.kind != TermKind::kString) {
    return FailInvalid(ref, i, environment_.Get(head), ScalarType(TypeKind::kString),
                       KeysBelow(node));
  }
  if (head.IsVar() && i != 0) {
    TypePtr keys = Keys(TypeEnvironment::Extent(node));
    if (TypePtr known = environment_.GetVariable(head)) {
      if (!Unifies(keys, known)) {
        return FailInvalid(ref, i, known, keys, KeysBelow(node));
      }
    } else {
      environment_.PutVariable(head, keys);
    }
  }
  if (const TypeNode* child = node.Child(head)) {
    if (child->type) {
      return CheckValue(child->type, ref, i + 1);
    }
    return CheckAgainst(environment, *child, ref, i + 1);
  }
  if (environment.next != nullptr) {
    return CheckAgainst(*environment.next, *environment.next->tree, ref, 0);
  }
  const Term& root = *ref.items[0];
  bool document = root.IsVar() && RootVars().contains(root.text);
  if (!document) {
    return CheckValue(AnyType(), ref, 0);
  }
  if (i == 0) {
    return CheckValue(AnyType(), ref, 1);
  }
  // Some child is meant: what is wrong for one may be right for another. It still tells types of variables.
  std::size_t before = errors_.size();
  for (const auto& [key, child] : node.children) {
    CheckAgainst(environment, *child, ref, i + 1);
  }
  errors_.resize(before);
}

void ReferenceChecker::CheckEmpty(const TypePtr& type, const Term& ref, std::size_t i) {
  const Term& head = *ref.items[i];
  if (head.IsScalar()) {
    return FailInvalid(ref, i, nullptr, nullptr, {});
  }
  if (!head.IsVar()) {
    return;
  }
  TypePtr known = environment_.GetVariable(head);
  if (!known) {
    return environment_.PutVariable(head, AnyType());
  }
  TypePtr keys = Keys(type);
  if (keys && !Unifies(known, keys)) {
    FailInvalid(ref, i, known, keys, {});
  }
}

void ReferenceChecker::CheckValue(const TypePtr& type, const Term& ref, std::size_t i) {
  if (i == ref.items.size()) {
    return;
  }
  const Term& head = *ref.items[i];
  if (IsEmptyCollection(type)) {
    return CheckEmpty(type, ref, i);
  }
  TypePtr keys = Keys(type);
  if (!keys) {
    return FailUnsupported(ref, i - 1, type);
  }
  if (head.IsVar() || head.kind == TermKind::kRef) {
    TypePtr known = environment_.Get(head);
    if (known && !Unifies(known, keys)) {
      return FailInvalid(ref, i, known, keys, KnownKeys(type));
    }
    if (!known && head.IsVar()) {
      environment_.PutVariable(head, keys);
    }
  } else if (IsCollection(head)) {
    if (!UnifyTerm(environment_, head, keys, false)) {
      return FailInvalid(ref, i, environment_.Get(head), keys, {});
    }
  } else {
    TypePtr child = Select(type, head);
    if (!child) {
      return FailInvalid(ref, i, nullptr, keys, KnownKeys(type));
    }
    return CheckValue(child, ref, i + 1);
  }
  CheckValue(Values(type), ref, i + 1);
}

void ReferenceChecker::FailUnsupported(const Term& ref, std::size_t i, const TypePtr& have) {
  TermPtr shown = Shown(ref);
  std::string text = ToString(*shown);
  std::string message = "undefined ref: " + text;
  if (have && have->kind == TypeKind::kFunction) {
    std::size_t size = shown->items.size();
    if (IsGeneratedVariable(*shown->items.back())) {
      --size;
    }
    message = "function " + PrefixText(*shown, size) + " used as reference, not called";
  }
  Diagnostic error = TypeError(ref.items[0]->location, std::move(message));
  error.details = {text, std::string(PrefixText(*shown, i + 1).size(), '^'),
                   "have: " + ToString(have)};
  errors_.push_back(std::move(error));
}

void ReferenceChecker::FailInvalid(const Term& ref, std::size_t i, const TypePtr& have,
                                   const TypePtr& want, const std::vector<const Term*>& choices) {
  TermPtr shown = Shown(ref);
  Diagnostic error = TypeError(ref.items[0]->location, "undefined ref: " + ToString(*shown));
  std::string pad(PrefixText(*shown, i).size() + 1, ' ');
  error.details = {ToString(*shown), pad + '^'};
  error.details.push_back(have ? pad + "have (type): " + ToString(have)
                               : pad + "have: " + ToString(*shown->items[i]));
  if (!choices.empty()) {
    std::string list;
    for (const Term* choice : choices) {
      list += (list.empty() ? "" : " ") + ToString(*choice);
    }
    error.details.push_back(pad + "want (one of): [" + list + ']');
  } else {
    error.details.push_back(want ? pad + "want (type): " + ToString(want)
                                 : pad + "want (one of): []");
  }
  errors_.push_back(std::move(error));
}

}  // namespace portcullis::rego
