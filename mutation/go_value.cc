#include "mutation/go_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "document/json.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/rego/grouping.h"

namespace portcullis::mutation {
namespace {

using document::Member;
using document::Type;
using document::Value;

// Go's encoding/json writes numbers below and from these on with an exponent.
constexpr double kSmall = 1e-6;
constexpr double kLarge = 1e21;

// As Go's decoder: whole numbers that fit are int64.
bool IsGoInt(const Value& number) {
  return number.is_int() || (number.is_decimal() && number.decimal_text() == "-0");
}

void AppendFloat(double value, std::string* out) {
  std::array<char, 400> buffer{};
  const double size = std::abs(value);
  const bool exponent = size != 0 && (size < kSmall || size >= kLarge);
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                    exponent ? std::chars_format::scientific : std::chars_format::fixed)
          .ptr;
  std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  // 1e-07 is written 1e-7.
  if (exponent && text.size() >= 4 && text[text.size() - 4] == 'e' &&
      text[text.size() - 3] == '-' && text[text.size() - 2] == '0') {
    *out += text.substr(0, text.size() - 2);
    *out += text.back();
    return;
  }
  *out += text;
}

Value Float(double value, document::Arena& arena) {
  const Value plain = Value::Float(value);
  if (!plain.is_int()) {
    return plain;
  }
  return Value::Decimal(arena.CopyString(std::to_string(plain.integer()) + ".0"));
}

// Numbers as Go prints them with %v.
Value Printable(const Value& value, document::Arena& arena) {
  if (value.is_decimal()) {
    return IsGoInt(value) ? Value::Int(0) : Value::Float(document::ToDouble(value));
  }
  if (value.is_array()) {
    document::ArrayBuilder items(arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      items.Add(Printable(value.ItemAt(i), arena));
    }
    return items.Finish();
  }
  if (value.is_object()) {
    document::ObjectBuilder members(arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      members.Add(value.KeyAt(i), Printable(value.ValueAt(i), arena));
    }
    return members.Finish();
  }
  return value;
}

}  // namespace

Value WithFloats(const Value& value, document::Arena& arena) {
  if (value.is_number()) {
    return Float(document::ToDouble(value), arena);
  }
  if (value.is_array()) {
    document::ArrayBuilder items(arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      items.Add(WithFloats(value.ItemAt(i), arena));
    }
    return items.Finish();
  }
  if (value.is_object()) {
    document::ObjectBuilder members(arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      members.Add(Value::String(arena.CopyString(value.KeyAt(i).string())),
                  WithFloats(value.ValueAt(i), arena));
    }
    return members.Finish();
  }
  return document::DeepCopy(value, arena);
}

bool GoEqual(const Value& a, const Value& b) {
  if (rego::SameHandle(a, b)) {
    return true;
  }
  if (a.type() != b.type() || a.size() != b.size()) {
    return false;
  }
  switch (a.type()) {
    case Type::kUndefined:
    case Type::kNull:
      return true;
    case Type::kBoolean:
      return a.is_true() == b.is_true();
    case Type::kNumber:
      if (IsGoInt(a) != IsGoInt(b)) {
        return false;
      }
      return a.is_int() && b.is_int() ? a.integer() == b.integer()
                                      : document::ToDouble(a) == document::ToDouble(b);
    case Type::kString:
      return a.string() == b.string();
    case Type::kArray:
    case Type::kSet:
      for (std::uint32_t i = 0; i < a.size(); ++i) {
        if (!GoEqual(a.ItemAt(i), b.ItemAt(i))) {
          return false;
        }
      }
      return true;
    case Type::kObject:
      for (std::uint32_t i = 0; i < a.size(); ++i) {
        if (a.KeyAt(i).string() != b.KeyAt(i).string() || !GoEqual(a.ValueAt(i), b.ValueAt(i))) {
          return false;
        }
      }
      return true;
  }
  return false;
}

std::string_view GoTypeOf(const Value& value) {
  if (value.is_number()) {
    return IsGoInt(value) ? "int64" : "float64";
  }
  if (IsPlaceholder(value)) {
    return "*unversioned.ExternalDataPlaceholder";
  }
  return policy::GoTypeName(value);
}

std::string GoTextOf(const Value& value) {
  document::Arena arena;
  return policy::GoText(Printable(value, arena));
}

void AppendGoJson(const Value& value, std::string* out) {
  switch (value.type()) {
    case Type::kNumber:
      if (IsGoInt(value)) {
        *out += value.is_int() ? std::to_string(value.integer()) : "0";
      } else {
        AppendFloat(document::ToDouble(value), out);
      }
      return;
    case Type::kArray: {
      *out += '[';
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        *out += i > 0 ? "," : "";
        AppendGoJson(value.ItemAt(i), out);
      }
      *out += ']';
      return;
    }
    case Type::kObject: {
      *out += '{';
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        *out += i > 0 ? "," : "";
        document::AppendJsonString(value.KeyAt(i).string(), document::JsonStyle::kGo, out);
        *out += ':';
        AppendGoJson(value.ValueAt(i), out);
      }
      *out += '}';
      return;
    }
    case Type::kSet:
    case Type::kUndefined:
      *out += "null";
      return;
    default:
      document::AppendJson(value, document::JsonStyle::kGo, out);
  }
}

Value NilList() {
  return Value::Set({});
}

bool IsNilList(const Value& value) {
  return value.is_set() && value.size() == 0;
}

Value MakePlaceholder(std::int64_t source, std::string_view key, document::Arena& arena) {
  const std::span<Value> items = arena.AllocateArray<Value>(2);
  items[0] = Value::Int(source);
  items[1] = Value::String(key);
  return Value::Set(items);
}

bool IsPlaceholder(const Value& value) {
  return value.is_set() && value.size() == 2;
}

std::int64_t PlaceholderSource(const Value& value) {
  return value.ItemAt(0).integer();
}

std::string_view PlaceholderKey(const Value& value) {
  return value.ItemAt(1).string();
}

Value WithMember(const Value& object, std::string_view name, const Value& value,
                 document::Arena& arena) {
  const std::uint32_t size = object.size();
  std::uint32_t low = 0;
  for (std::uint32_t high = size; low < high;) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (object.KeyAt(middle).string() < name) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const bool present = low < size && object.KeyAt(low).string() == name;
  if (present ? rego::SameHandle(object.ValueAt(low), value) : value.is_undefined()) {
    return object;
  }
  const std::size_t kept = size - (present ? 1U : 0U);
  const std::span<Member> members =
      arena.AllocateArray<Member>(kept + (value.is_defined() ? 1U : 0U));
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < low; ++i) {
    members[at++] = {object.KeyAt(i), object.ValueAt(i)};
  }
  if (value.is_defined()) {
    members[at++] = {present ? object.KeyAt(low) : Value::String(arena.CopyString(name)), value};
  }
  for (std::uint32_t i = low + (present ? 1U : 0U); i < size; ++i) {
    members[at++] = {object.KeyAt(i), object.ValueAt(i)};
  }
  return Value::Object(members);
}

Value WithItem(const Value& list, std::uint32_t at, const Value& value, document::Arena& arena) {
  const std::uint32_t size = list.size();
  if (at < size && rego::SameHandle(list.ItemAt(at), value)) {
    return list;
  }
  const std::span<Value> items = arena.AllocateArray<Value>(at < size ? size : size + 1U);
  for (std::uint32_t i = 0; i < size; ++i) {
    items[i] = list.ItemAt(i);
  }
  items[at] = value;
  return Value::Array(items);
}

}  // namespace portcullis::mutation
