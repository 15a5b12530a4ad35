// Unification: what makes two terms equal.

#include "rules/rego/trace/topdown.h"

namespace portcullis::rego::trace {
namespace {

enum class Shape : std::uint8_t {
  kVar,
  kRef,
  kComprehension,
  kNull,
  kBoolean,
  kNumber,
  kString,
  kArray,
  kObject,
  kSet
};

Shape ShapeOf(const Operand& operand) {
  if (operand.is_var()) {
    return Shape::kVar;
  }
  if (operand.is_ref()) {
    return Shape::kRef;
  }
  if (operand.is_comprehension()) {
    return Shape::kComprehension;
  }
  if (!operand.is_value()) {
    return operand.term->kind == TermKind::kArray    ? Shape::kArray
           : operand.term->kind == TermKind::kObject ? Shape::kObject
                                                     : Shape::kSet;
  }
  switch (operand.value.type()) {
    case document::Type::kBoolean:
      return Shape::kBoolean;
    case document::Type::kNumber:
      return Shape::kNumber;
    case document::Type::kString:
      return Shape::kString;
    case document::Type::kArray:
      return Shape::kArray;
    case document::Type::kObject:
      return Shape::kObject;
    case document::Type::kSet:
      return Shape::kSet;
    case document::Type::kNull:
    case document::Type::kUndefined:
      return Shape::kNull;
  }
  return Shape::kNull;
}

// Whether terms of these shapes can be equal at all. REQUIRES: `a` is a value or a collection.
bool MayEqual(const Operand& a, Shape of_a, const Operand& b, Shape of_b) {
  if (of_b == Shape::kVar || of_b == Shape::kRef || of_a == Shape::kSet || of_a == of_b) {
    return true;
  }
  if (of_b != Shape::kComprehension) {
    return false;
  }
  (void)a;
  return (of_a == Shape::kArray && b.term->kind == TermKind::kArrayComprehension) ||
         (of_a == Shape::kObject && b.term->kind == TermKind::kObjectComprehension);
}

std::uint32_t SizeOf(const Operand& array) {
  return array.is_value() ? array.value.size()
                          : static_cast<std::uint32_t>(array.term->items.size());
}

}  // namespace

Status TopDown::Unify(Frame& frame, Operand a, Operand b, Bindings* in_a, Bindings* in_b,
                      const Next& next) {
  if (Status over = CheckLimits()) {
    return over;
  }
  a = Bindings::Apply(a, in_a);
  b = Bindings::Apply(b, in_b);
  TellUnify(frame, a, b);
  if (a.is_value() && b.is_value()) {
    return UnifyGround(frame, a.value, b.value) ? next() : nullptr;
  }
  const Shape of_a = ShapeOf(a);
  const Shape of_b = ShapeOf(b);
  if (of_a == Shape::kVar || of_a == Shape::kRef || of_a == Shape::kComprehension) {
    return UnifyValues(frame, a, b, in_a, in_b, next);
  }
  if (!MayEqual(a, of_a, b, of_b)) {
    return nullptr;
  }
  if (of_a == Shape::kArray && of_b == Shape::kArray) {
    return SizeOf(a) == SizeOf(b) ? UnifyArrays(frame, a, b, in_a, in_b, 0, next) : nullptr;
  }
  if (of_a == Shape::kObject && of_b == Shape::kObject) {
    return UnifyObjects(frame, a, b, in_a, in_b, next);
  }
  return UnifyValues(frame, a, b, in_a, in_b, next);
}

bool TopDown::UnifyGround(Frame& frame, const Value& a, const Value& b) {
  const bool same_shape =
      a.size() == b.size() && ((a.is_array() && b.is_array()) || (a.is_object() && b.is_object()));
  if (!tells_unify_ || !same_shape) {
    return document::Equal(a, b);
  }
  for (std::uint32_t i = 0; i < a.size() && !sink_is_full_; ++i) {
    const Value of_a = a.is_object() ? a.ValueAt(i) : a.ItemAt(i);
    const Value of_b = a.is_object() ? b.Find(a.KeyAt(i)) : b.ItemAt(i);
    if (of_b.is_undefined()) {
      return false;
    }
    TellUnify(frame, {.term = nullptr, .value = of_a}, {.term = nullptr, .value = of_b});
    if (!UnifyGround(frame, of_a, of_b)) {
      return false;
    }
  }
  return !sink_is_full_;
}

Status TopDown::UnifyArrays(Frame& frame, const Operand& a, const Operand& b, Bindings* in_a,
                            Bindings* in_b, std::uint32_t at, const Next& next) {
  const std::uint32_t size = SizeOf(a);
  if (at == size) {
    return next();
  }
  const auto item = [&](const Operand& array) {
    return array.is_value() ? Operand{.term = nullptr, .value = array.value.ItemAt(at)}
                            : Of(*array.term->items[at]);
  };
  if (at + 1 == size) {
    return Unify(frame, item(a), item(b), in_a, in_b, next);
  }
  return Unify(frame, item(a), item(b), in_a, in_b,
               [&] { return UnifyArrays(frame, a, b, in_a, in_b, at + 1, next); });
}

bool TopDown::MembersOf(const Operand& object, Bindings* in, Members* members) {
  if (object.is_value()) {
    for (std::uint32_t i = 0; i < object.value.size(); ++i) {
      members->emplace_back(object.value.KeyAt(i),
                            Operand{.term = nullptr, .value = object.value.ValueAt(i)});
    }
    return true;
  }
  std::map<Value, Operand, ValueLess> sorted;
  const std::vector<TermPtr>& items = object.term->items;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    const Value key = Plugged(Of(*items[i]), in);
    if (key.is_undefined()) {
      return false;
    }
    sorted.insert_or_assign(key, Of(*items[i + 1]));
  }
  members->assign(sorted.begin(), sorted.end());
  return true;
}

Status TopDown::UnifyObjects(Frame& frame, const Operand& a, const Operand& b, Bindings* in_a,
                             Bindings* in_b, const Next& next) {
  const auto count = [](const Operand& object) {
    return object.is_value() ? object.value.size() : object.term->items.size() / 2;
  };
  Members of_a;
  Members of_b;
  if (count(a) != count(b) || !MembersOf(a, in_a, &of_a) || !MembersOf(b, in_b, &of_b)) {
    return nullptr;
  }
  return UnifyMembers(frame, of_a, of_b, in_a, in_b, 0, next);
}

Status TopDown::UnifyMembers(Frame& frame, const Members& a, const Members& b, Bindings* in_a,
                             Bindings* in_b, std::size_t at, const Next& next) {
  if (at == a.size()) {
    return next();
  }
  const auto other = std::lower_bound(
      b.begin(), b.end(), a[at].first,
      [](const auto& member, const Value& key) { return ValueLess()(member.first, key); });
  if (other == b.end() || !document::Equal(other->first, a[at].first)) {
    return nullptr;
  }
  return Unify(frame, a[at].second, other->second, in_a, in_b,
               [&] { return UnifyMembers(frame, a, b, in_a, in_b, at + 1, next); });
}

Status TopDown::UnifyAll(Frame& frame, std::span<const Operand> a, std::span<const Operand> b,
                         Bindings* in_a, Bindings* in_b, const Next& next) {
  if (a.size() != b.size()) {
    return nullptr;
  }
  if (a.empty()) {
    return next();
  }
  return Unify(frame, a.front(), b.front(), in_a, in_b,
               [&] { return UnifyAll(frame, a.subspan(1), b.subspan(1), in_a, in_b, next); });
}

Status TopDown::UnifyValues(Frame& frame, const Operand& a, const Operand& b, Bindings* in_a,
                            Bindings* in_b, const Next& next) {
  if (a.is_ref()) {
    return UnifyRef(frame, *a.term, b, in_a, in_b, next);
  }
  if (b.is_ref()) {
    return UnifyRef(frame, *b.term, a, in_b, in_a, next);
  }
  if (a.is_comprehension()) {
    return UnifyComprehension(frame, *a.term, b, in_a, in_b, next);
  }
  if (b.is_comprehension()) {
    return UnifyComprehension(frame, *b.term, a, in_b, in_a, next);
  }
  if (a.is_var() && b.is_var() && in_a == in_b && a.term->text == b.term->text) {
    return next();
  }
  if (a.is_var()) {
    return BindVar(a, b, in_a, in_b, next);
  }
  if (b.is_var()) {
    return BindVar(b, a, in_b, in_a, next);
  }
  const Value of_a = Plugged(a, in_a);
  const Value of_b = Plugged(b, in_b);
  return of_a.is_defined() && of_b.is_defined() && document::Equal(of_a, of_b) ? next() : nullptr;
}

Status TopDown::BindVar(const Operand& variable, const Operand& to, Bindings* in, Bindings* in_to,
                        const Next& next) {
  in->Bind(*variable.term, to, in_to);
  Status stop = next();
  in->Unbind(variable.term->text);
  return stop;
}

Status TopDown::UnifyRef(Frame& frame, const Term& ref, const Operand& to, Bindings* in,
                         Bindings* in_to, const Next& next) {
  const Term& head = *ref.items[0];
  if (head.text == "data") {
    Path path(ref.items.size());
    path[0] = Value::String("data");
    return Tree({.frame = &frame,
                 .ref = &ref,
                 .at = 1,
                 .path = &path,
                 .in = in,
                 .to = to,
                 .in_to = in_to,
                 .node = &definitions_.root()},
                next);
  }
  TermWalk walk{.frame = &frame,
                .ref = &ref,
                .at = 1,
                .in = in,
                .term = {},
                .in_term = in,
                .to = to,
                .in_to = in_to};
  if (head.text == "input") {
    if (frame.input.is_undefined()) {
      return nullptr;
    }
    walk.term.value = frame.input;
    return Walk(walk, next);
  }
  walk.term = Bindings::Apply(Of(head), walk.in_term);
  if (walk.term.is_var()) {
    return nullptr;
  }
  return Walk(walk, next);
}

}  // namespace portcullis::rego::trace
