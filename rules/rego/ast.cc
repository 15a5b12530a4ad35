#include "rules/rego/ast.h"

#include <algorithm>
#include <array>

#include "document/value.h"

namespace portcullis::rego {
namespace {

template <class T>
int Sign(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int Order(TermKind kind) {
  switch (kind) {
    case TermKind::kNull:
      return 0;
    case TermKind::kBoolean:
      return 1;
    case TermKind::kNumber:
      return 2;
    case TermKind::kString:
      return 3;
    case TermKind::kTemplateString:
      return 4;
    case TermKind::kVar:
      return 5;
    case TermKind::kRef:
      return 6;
    case TermKind::kArray:
      return 7;
    case TermKind::kObject:
      return 8;
    case TermKind::kSet:
      return 9;
    case TermKind::kArrayComprehension:
      return 10;
    case TermKind::kObjectComprehension:
      return 11;
    case TermKind::kSetComprehension:
      return 12;
    case TermKind::kCall:
      return 13;
    case TermKind::kTemplateExpression:
      return 14;
  }
  return 15;
}

int CompareOptional(const TermPtr& a, const TermPtr& b) {
  if (!a || !b) {
    return Sign(a != nullptr, b != nullptr);
  }
  return Compare(*a, *b);
}

int CompareItems(const std::vector<TermPtr>& a, const std::vector<TermPtr>& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (int order = CompareOptional(a[i], b[i])) {
      return order;
    }
  }
  return Sign(a.size(), b.size());
}

// Keys first, then the values under them.
int CompareObjects(const Term& a, const Term& b) {
  for (std::size_t i = 0; i + 1 < a.items.size() && i + 1 < b.items.size(); i += 2) {
    if (int order = Compare(*a.items[i], *b.items[i])) {
      return order;
    }
    if (int order = Compare(*a.items[i + 1], *b.items[i + 1])) {
      return order;
    }
  }
  return Sign(a.items.size(), b.items.size());
}

int Order(ExprKind kind) {
  switch (kind) {
    case ExprKind::kSome:
      return 0;
    case ExprKind::kTerm:
      return 1;
    case ExprKind::kCall:
      return 2;
    case ExprKind::kEvery:
      return 3;
    case ExprKind::kNot:
      return 4;
    case ExprKind::kAnd:
      return 5;
    case ExprKind::kOr:
      return 6;
  }
  return 7;
}

int CompareNumbers(std::string_view a, std::string_view b) {
  if (a == b) {
    return 0;
  }
  auto order = document::Compare(document::Value::Decimal(a), document::Value::Decimal(b));
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

std::vector<TermPtr> CloneItems(const std::vector<TermPtr>& items) {
  std::vector<TermPtr> copy;
  copy.reserve(items.size());
  for (const TermPtr& item : items) {
    copy.push_back(item ? Clone(*item) : nullptr);
  }
  return copy;
}

void NormalizeObject(Term& object) {
  struct Pair {
    TermPtr key;
    TermPtr value;
  };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i + 1 < object.items.size(); i += 2) {
    pairs.push_back({std::move(object.items[i]), std::move(object.items[i + 1])});
  }
  std::ranges::stable_sort(
      pairs, [](const Pair& a, const Pair& b) { return Compare(*a.key, *b.key) < 0; });
  object.items.clear();
  for (Pair& pair : pairs) {
    std::size_t size = object.items.size();
    if (size != 0 && Compare(*object.items[size - 2], *pair.key) == 0) {
      object.items[size - 1] = std::move(pair.value);
      continue;
    }
    object.items.push_back(std::move(pair.key));
    object.items.push_back(std::move(pair.value));
  }
}

}  // namespace

std::string_view Import::Name() const {
  if (!alias.empty()) {
    return alias;
  }
  return path->items.back()->text;
}

bool Module::FollowsV1() const {
  if (version == Version::kV1) {
    return true;
  }
  return std::ranges::any_of(imports, [](const Import& import) {
    const std::vector<TermPtr>& path = import.path->items;
    return path.size() == 2 && path[0]->text == "rego" &&
           (path[1]->text == "v1" || path[1]->text == "v2");
  });
}

TermPtr Clone(const Term& term) {
  auto copy = std::make_unique<Term>();
  copy->kind = term.kind;
  copy->boolean = term.boolean;
  copy->generated = term.generated;
  copy->text = term.text;
  copy->items = CloneItems(term.items);
  copy->body = Clone(term.body);
  copy->location = term.location;
  return copy;
}

ExprPtr Clone(const Expr& expr) {
  auto copy = std::make_unique<Expr>();
  copy->kind = expr.kind;
  copy->negated = expr.negated;
  copy->generated = expr.generated;
  copy->from_assignment = expr.from_assignment;
  copy->index = expr.index;
  copy->terms = CloneItems(expr.terms);
  copy->body = Clone(expr.body);
  copy->right = Clone(expr.right);
  copy->explicit_body = expr.explicit_body;
  copy->explicit_right = expr.explicit_right;
  for (const With& with : expr.with) {
    copy->with.push_back({Clone(*with.target), Clone(*with.value), with.location});
  }
  copy->location = expr.location;
  return copy;
}

Body Clone(const Body& body) {
  Body copy;
  copy.reserve(body.size());
  for (const ExprPtr& expr : body) {
    copy.push_back(Clone(*expr));
  }
  return copy;
}

std::unique_ptr<Rule> Clone(const Rule& rule) {
  auto copy = std::make_unique<Rule>();
  copy->kind = rule.kind;
  copy->is_default = rule.is_default;
  copy->assigned = rule.assigned;
  copy->generated_body = rule.generated_body;
  copy->generated_value = rule.generated_value;
  copy->uses_if = rule.uses_if;
  copy->uses_contains = rule.uses_contains;
  copy->reference = rule.reference ? Clone(*rule.reference) : nullptr;
  copy->arguments = CloneItems(rule.arguments);
  copy->key = rule.key ? Clone(*rule.key) : nullptr;
  copy->value = rule.value ? Clone(*rule.value) : nullptr;
  copy->body = Clone(rule.body);
  copy->else_rule = rule.else_rule ? Clone(*rule.else_rule) : nullptr;
  copy->module = rule.module;
  copy->head_location = rule.head_location;
  copy->location = rule.location;
  return copy;
}

int Compare(const Term& a, const Term& b) {
  if (int order = Sign(Order(a.kind), Order(b.kind))) {
    return order;
  }
  switch (a.kind) {
    case TermKind::kNull:
      return 0;
    case TermKind::kBoolean:
      return Sign(a.boolean, b.boolean);
    case TermKind::kNumber:
      return CompareNumbers(a.text, b.text);
    case TermKind::kString:
    case TermKind::kVar:
      return Sign(a.text, b.text);
    case TermKind::kObject:
      return CompareObjects(a, b);
    case TermKind::kRef:
    case TermKind::kCall:
    case TermKind::kArray:
    case TermKind::kSet:
    case TermKind::kTemplateString:
      return CompareItems(a.items, b.items);
    case TermKind::kArrayComprehension:
    case TermKind::kSetComprehension:
    case TermKind::kObjectComprehension:
    case TermKind::kTemplateExpression:
      break;
  }
  if (int order = CompareItems(a.items, b.items)) {
    return order;
  }
  return Compare(a.body, b.body);
}

int Compare(const Expr& a, const Expr& b) {
  if (int order = Sign(Order(a.kind), Order(b.kind))) {
    return order;
  }
  if (int order = Sign(a.index, b.index)) {
    return order;
  }
  if (int order = Sign(a.negated, b.negated)) {
    return order;
  }
  if (int order = CompareItems(a.terms, b.terms)) {
    return order;
  }
  if (int order = Compare(a.body, b.body)) {
    return order;
  }
  if (int order = Compare(a.right, b.right)) {
    return order;
  }
  for (std::size_t i = 0; i < a.with.size() && i < b.with.size(); ++i) {
    if (int order = Compare(*a.with[i].target, *b.with[i].target)) {
      return order;
    }
    if (int order = Compare(*a.with[i].value, *b.with[i].value)) {
      return order;
    }
  }
  return Sign(a.with.size(), b.with.size());
}

int Compare(const Body& a, const Body& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (int order = Compare(*a[i], *b[i])) {
      return order;
    }
  }
  return Sign(a.size(), b.size());
}

int Compare(const Rule& a, const Rule& b) {
  if (a.assigned != b.assigned) {
    return a.assigned ? -1 : 1;
  }
  if (int order = CompareItems(a.arguments, b.arguments)) {
    return order;
  }
  if (int order = CompareOptional(a.reference, b.reference)) {
    return order;
  }
  if (int order = CompareOptional(a.key, b.key)) {
    return order;
  }
  if (int order = CompareOptional(a.value, b.value)) {
    return order;
  }
  if (int order = Sign(a.is_default, b.is_default)) {
    return order;
  }
  if (int order = Compare(a.body, b.body)) {
    return order;
  }
  if (!a.else_rule || !b.else_rule) {
    return Sign(a.else_rule != nullptr, b.else_rule != nullptr);
  }
  return Compare(*a.else_rule, *b.else_rule);
}

namespace {

bool IsGround(const Body& body) {
  return std::ranges::all_of(body, [](const ExprPtr& expr) {
    if (expr->kind == ExprKind::kSome || expr->kind == ExprKind::kEvery) {
      return false;
    }
    std::size_t first = expr->kind == ExprKind::kCall ? 1 : 0;
    return std::all_of(expr->terms.begin() + static_cast<std::ptrdiff_t>(first), expr->terms.end(),
                       [](const TermPtr& term) { return rego::IsGround(*term); }) &&
           IsGround(expr->body) && IsGround(expr->right);
  });
}

}  // namespace

bool IsGround(const Term& term) {
  if (term.IsVar() || term.kind == TermKind::kTemplateString) {
    return false;
  }
  std::size_t first = term.kind == TermKind::kRef ? 1 : 0;
  for (std::size_t i = first; i < term.items.size(); ++i) {
    if (!IsGround(*term.items[i])) {
      return false;
    }
  }
  return IsGround(term.body);
}

void Normalize(Term& collection) {
  if (collection.kind == TermKind::kObject) {
    return NormalizeObject(collection);
  }
  auto less = [](const TermPtr& a, const TermPtr& b) { return Compare(*a, *b) < 0; };
  std::ranges::stable_sort(collection.items, less);
  auto equal = [](const TermPtr& a, const TermPtr& b) { return Compare(*a, *b) == 0; };
  auto doubles = std::ranges::unique(collection.items, equal);
  collection.items.erase(doubles.begin(), doubles.end());
}

std::string_view KindName(TermKind kind) {
  switch (kind) {
    case TermKind::kNull:
      return "null";
    case TermKind::kBoolean:
      return "boolean";
    case TermKind::kNumber:
      return "number";
    case TermKind::kString:
      return "string";
    case TermKind::kVar:
      return "var";
    case TermKind::kRef:
      return "ref";
    case TermKind::kCall:
      return "call";
    case TermKind::kArray:
      return "array";
    case TermKind::kObject:
      return "object";
    case TermKind::kSet:
      return "set";
    case TermKind::kArrayComprehension:
      return "arraycomprehension";
    case TermKind::kSetComprehension:
      return "setcomprehension";
    case TermKind::kObjectComprehension:
      return "objectcomprehension";
    case TermKind::kTemplateString:
      return "templatestring";
    case TermKind::kTemplateExpression:
      return "expr";
  }
  return "";
}

}  // namespace portcullis::rego
