// object.*. SOURCE: OPA's policy reference, "Object".

#include <vector>

#include "rules/builtins/families.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

Value Get(CallContext& context, Arguments arguments) {
  if (!ObjectOperand(context, arguments, 1)) {
    return {};
  }
  const Value& path = arguments[1];
  Value found = arguments[0];
  if (!path.is_array()) {
    found = found.Find(path);
  } else {
    for (std::uint32_t i = 0; i < path.size() && found.is_defined(); ++i) {
      found = found.Find(path.ItemAt(i));
    }
  }
  return found.is_defined() ? found : arguments[2];
}

Value Keys(CallContext& context, Arguments arguments) {
  if (!ObjectOperand(context, arguments, 1)) {
    return {};
  }
  const Value& object = arguments[0];
  const std::span<Value> keys = context.arena.AllocateArray<Value>(object.size());
  for (std::uint32_t i = 0; i < object.size(); ++i) {
    keys[i] = object.KeyAt(i);
  }
  return Value::Set(keys);
}

// The members of both; where both have a key, objects merge and everything else is `b`'s.
Value Merge(CallContext& context, const Value& a, const Value& b) {
  const std::uint32_t a_size = a.size();
  const std::uint32_t b_size = b.size();
  if (a_size == 0) {
    return b;
  }
  if (b_size == 0) {
    return a;
  }
  const std::span<document::Member> members =
      context.arena.AllocateArray<document::Member>(std::size_t{a_size} + b_size);
  std::size_t size = 0;
  std::uint32_t i = 0;
  std::uint32_t j = 0;
  while (i < a_size && j < b_size) {
    if (context.ShouldHalt()) {
      return {};
    }
    const auto order = document::Compare(a.KeyAt(i), b.KeyAt(j));
    if (order < 0) {
      members[size++] = {a.KeyAt(i), a.ValueAt(i)};
      ++i;
    } else if (order > 0) {
      members[size++] = {b.KeyAt(j), b.ValueAt(j)};
      ++j;
    } else {
      const Value x = a.ValueAt(i);
      const Value y = b.ValueAt(j);
      members[size++] = {a.KeyAt(i), x.is_object() && y.is_object() ? Merge(context, x, y) : y};
      ++i;
      ++j;
    }
  }
  for (; i < a_size; ++i) {
    members[size++] = {a.KeyAt(i), a.ValueAt(i)};
  }
  for (; j < b_size; ++j) {
    members[size++] = {b.KeyAt(j), b.ValueAt(j)};
  }
  return Value::Object(members.first(size));
}

Value Union(CallContext& context, Arguments arguments) {
  if (!ObjectOperand(context, arguments, 1) || !ObjectOperand(context, arguments, 2)) {
    return {};
  }
  const Value merged = Merge(context, arguments[0], arguments[1]);
  return context.failure == FailureKind::kHalt ? Value() : merged;
}

Value UnionN(CallContext& context, Arguments arguments) {
  if (!ArrayOperand(context, arguments, 1)) {
    return {};
  }
  const Value& objects = arguments[0];
  for (std::uint32_t i = 0; i < objects.size(); ++i) {
    const Value item = objects.ItemAt(i);
    if (!item.is_object()) {
      return FailElement(context, 1, objects, "object", item);
    }
  }
  Value merged = Value::Object({});
  for (std::uint32_t i = 0; i < objects.size(); ++i) {
    merged = Merge(context, merged, objects.ItemAt(i));
    if (context.failure == FailureKind::kHalt || context.ShouldHalt()) {
      return {};
    }
  }
  return merged;
}

// The keys that object.remove and object.filter are given: an array, a set, or the keys of an object.
bool ReadKeys(CallContext& context, Arguments arguments, Value* keys) {
  const Value& value = arguments[1];
  if (value.is_set()) {
    *keys = value;
  } else if (value.is_array()) {
    document::SetBuilder set(context.arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      set.Add(value.ItemAt(i));
    }
    *keys = set.Finish();
  } else if (value.is_object()) {
    *keys = Keys(context, arguments.subspan(1));
  } else {
    context.FailOperand(2, "one of {object, set, array}", value);
    return false;
  }
  return true;
}

enum class Keep : std::uint8_t { kNamed, kOthers };

template <Keep keep>
Value Select(CallContext& context, Arguments arguments) {
  Value keys;
  if (!ObjectOperand(context, arguments, 1) || !ReadKeys(context, arguments, &keys)) {
    return {};
  }
  const Value& object = arguments[0];
  const std::span<document::Member> members =
      context.arena.AllocateArray<document::Member>(object.size());
  std::size_t size = 0;
  for (std::uint32_t i = 0; i < object.size(); ++i) {
    if (context.ShouldHalt()) {
      return {};
    }
    const Value key = object.KeyAt(i);
    if (keys.Find(key).is_defined() == (keep == Keep::kNamed)) {
      members[size++] = {key, object.ValueAt(i)};
    }
  }
  return Value::Object(members.first(size));
}

bool ContainsAll(const Value& set, const Value& wanted) {
  for (std::uint32_t i = 0; i < wanted.size(); ++i) {
    if (!set.Find(wanted.ItemAt(i)).is_defined()) {
      return false;
    }
  }
  return true;
}

// Whether `part` stands in `whole` as a run of items.
bool ContainsRun(CallContext& context, const Value& whole, const Value& part) {
  for (std::uint32_t start = 0; start + part.size() <= whole.size(); ++start) {
    std::uint32_t i = 0;
    while (i < part.size() && document::Equal(whole.ItemAt(start + i), part.ItemAt(i))) {
      if (context.ShouldHalt()) {
        return false;
      }
      ++i;
    }
    if (i == part.size()) {
      return true;
    }
  }
  return false;
}

bool ContainsMembers(CallContext& context, const Value& whole, const Value& part) {
  for (std::uint32_t i = 0; i < part.size(); ++i) {
    if (context.ShouldHalt()) {
      return false;
    }
    const Value found = whole.Find(part.KeyAt(i));
    const Value wanted = part.ValueAt(i);
    if (!found.is_defined()) {
      return false;
    }
    if (document::Equal(found, wanted)) {
      continue;
    }
    const bool contained =
        (found.is_object() && wanted.is_object() && ContainsMembers(context, found, wanted)) ||
        (found.is_set() && wanted.is_set() && ContainsAll(found, wanted)) ||
        (found.is_array() && wanted.is_array() && ContainsRun(context, found, wanted));
    if (!contained) {
      return false;
    }
  }
  return true;
}

// Whether each member of the set is an item of the array; repeated items count each time, as in OPA.
bool ArrayHasSet(CallContext& context, const Value& array, const Value& set) {
  std::uint32_t unmatched = set.size();
  for (std::uint32_t i = 0; i < array.size(); ++i) {
    if (context.ShouldHalt()) {
      return false;
    }
    if (set.Find(array.ItemAt(i)).is_defined()) {
      --unmatched;
    }
    if (unmatched == 0) {
      return true;
    }
  }
  return false;
}

Value Subset(CallContext& context, Arguments arguments) {
  const Value& whole = arguments[0];
  const Value& part = arguments[1];
  bool contained = false;
  if (whole.is_object() && part.is_object()) {
    contained = ContainsMembers(context, whole, part);
  } else if (whole.is_set() && part.is_set()) {
    contained = ContainsAll(whole, part);
  } else if (whole.is_array() && part.is_array()) {
    contained = ContainsRun(context, whole, part);
  } else if (whole.is_array() && part.is_set()) {
    contained = ArrayHasSet(context, whole, part);
  } else {
    return context.FailType(
        "both arguments object.subset must be of the same type or array and set");
  }
  return context.failure == FailureKind::kHalt ? Value() : Value::Boolean(contained);
}

constexpr std::string_view kSelectType =
    "(object[any: any], array[any] | object[any: any] | set[any]) -> object[any: any]";
constexpr Builtin kBuiltins[] = {
    {.name = "object.get", .type = "(object[any: any], any, any) -> any", .function = Get},
    {.name = "object.keys", .type = "(object[any: any]) -> set[any]", .function = Keys},
    {.name = "object.union",
     .type = "(object[any: any], object[any: any]) -> object[any: any]",
     .function = Union},
    {.name = "object.union_n",
     .type = "(array[object[any: any]]) -> object[any: any]",
     .function = UnionN},
    {.name = "object.remove", .type = kSelectType, .function = Select<Keep::kOthers>},
    {.name = "object.filter", .type = kSelectType, .function = Select<Keep::kNamed>},
    {.name = "object.subset",
     .type = "(array[any] | object[any: any] | set[any], array[any] | object[any: any] | set[any]) "
             "-> boolean",
     .function = Subset},
};

}  // namespace

std::span<const Builtin> ObjectBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
