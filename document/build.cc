// Making values: the builders of document/value.h, and copies.

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "document/number.h"
#include "document/value.h"
#include "document/walk_guard.h"

namespace portcullis::document {
namespace {

template <class T>
std::span<const T> Keep(std::span<const T> items, Arena& arena) {
  if (items.empty()) {
    return {};
  }
  const std::span<T> kept = arena.AllocateArray<T>(items.size());
  std::uninitialized_copy(items.begin(), items.end(), kept.begin());
  return kept;
}

bool KeyLess(const Member& a, const Member& b) {
  return Compare(a.key, b.key) < 0;
}
bool KeyEqual(const Member& a, const Member& b) {
  return Equal(a.key, b.key);
}

void SortByKey(std::vector<Member>* members) {
  if (!std::ranges::is_sorted(*members, KeyLess)) {
    std::ranges::stable_sort(*members, KeyLess);
  }
}

// Rebuilds what holds a number that float64 changes; everything else is shared.
class FloatNumbers {
 public:
  explicit FloatNumbers(Arena& arena) : arena_(arena) {}

  // Sets `*changed` if the result differs from `value`.
  Value Convert(const Value& value, bool* changed) {
    if (!MayWalk(value.size(), arena_.used_bytes())) {
      return value;
    }
    switch (value.type()) {
      case Type::kNumber:
        return ConvertNumber(value, changed);
      case Type::kArray:
        return ConvertItems(value, ArrayBuilder(arena_), changed);
      case Type::kSet:
        return ConvertItems(value, SetBuilder(arena_), changed);
      case Type::kObject:
        return ConvertMembers(value, changed);
      default:
        return value;
    }
  }

 private:
  static Value ConvertNumber(const Value& number, bool* changed) {
    const bool same_either_way =
        number.is_int() && number.integer() > -1'000'000 && number.integer() < 1'000'000;
    if (number.is_float() || same_either_way) {
      return number;
    }
    const double value = ToDouble(number);
    if (!std::isfinite(value)) {
      return number;
    }
    *changed = true;
    return Value::Float(value);
  }

  template <class Builder>
  Value ConvertItems(const Value& value, Builder builder, bool* changed) {
    bool any = false;
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      builder.Add(Convert(value.ItemAt(i), &any));
    }
    *changed |= any;
    return any ? builder.Finish() : value;
  }

  Value ConvertMembers(const Value& value, bool* changed) {
    bool any = false;
    ObjectBuilder builder(arena_);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const Value key = Convert(value.KeyAt(i), &any);
      builder.Add(key, Convert(value.ValueAt(i), &any));
    }
    *changed |= any;
    return any ? builder.Finish() : value;
  }

  Arena& arena_;
};

}  // namespace

Value ArrayBuilder::Finish() {
  const Value result = Value::Array(Keep<Value>(items_, arena_));
  items_.clear();
  return result;
}

Value SetBuilder::Finish() {
  const auto less = [](const Value& a, const Value& b) { return Compare(a, b) < 0; };
  if (!std::ranges::is_sorted(items_, less)) {
    std::ranges::stable_sort(items_, less);
  }
  const auto repeated = std::unique(items_.begin(), items_.end(), Equal);
  items_.erase(repeated, items_.end());
  const Value result = Value::Set(Keep<Value>(items_, arena_));
  items_.clear();
  return result;
}

Value ObjectBuilder::Finish() {
  SortByKey(&members_);
  std::size_t kept = 0;
  for (const Member& member : members_) {
    if (kept > 0 && KeyEqual(members_[kept - 1], member)) {
      --kept;
    }
    members_[kept++] = member;
  }
  members_.resize(kept);
  const Value result = Value::Object(Keep<Member>(members_, arena_));
  members_.clear();
  return result;
}

Value ObjectBuilder::FinishUnique() {
  SortByKey(&members_);
  std::size_t kept = 0;
  for (const Member& member : members_) {
    if (kept == 0 || !KeyEqual(members_[kept - 1], member)) {
      members_[kept++] = member;
    } else if (!Equal(members_[kept - 1].value, member.value)) {
      members_.clear();
      return {};
    }
  }
  members_.resize(kept);
  const Value result = Value::Object(Keep<Member>(members_, arena_));
  members_.clear();
  return result;
}

Value DeepCopy(const Value& value, Arena& arena) {
  if (value.is_string()) {
    return Value::String(arena.CopyString(value.string()));
  }
  if (value.is_decimal()) {
    return Value::Decimal(arena.CopyString(value.decimal_text()));
  }
  const std::uint32_t size = value.size();
  if (!MayWalk(size, arena.used_bytes())) {
    return Value::Null();
  }
  if (value.is_object()) {
    const std::span<Member> members = arena.AllocateArray<Member>(size);
    for (std::uint32_t i = 0; i < size; ++i) {
      members[i] = {DeepCopy(value.KeyAt(i), arena), DeepCopy(value.ValueAt(i), arena)};
    }
    return Value::Object(members);
  }
  if (value.is_array() || value.is_set()) {
    const std::span<Value> items = arena.AllocateArray<Value>(size);
    for (std::uint32_t i = 0; i < size; ++i) {
      items[i] = DeepCopy(value.ItemAt(i), arena);
    }
    return value.is_set() ? Value::Set(items) : Value::Array(items);
  }
  return value;
}

Value WithFloatNumbers(const Value& value, Arena& arena) {
  bool changed = false;
  return FloatNumbers(arena).Convert(value, &changed);
}

}  // namespace portcullis::document
