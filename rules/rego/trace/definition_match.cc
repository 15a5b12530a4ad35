// Whether a value is what a definition needs.

#include <algorithm>

#include "rules/rego/index_ways.h"
#include "rules/rego/trace/definition_needs.h"

namespace portcullis::rego::trace {
namespace {

bool IsScalarOf(const Value& value) {
  return value.is_null() || value.is_boolean() || value.is_number() || value.is_string();
}

template <class Test>
bool AnyMember(const Value& collection, const Test& test) {
  for (std::uint32_t i = 0; i < collection.size(); ++i) {
    if (test(collection.is_object() ? collection.ValueAt(i) : collection.ItemAt(i))) {
      return true;
    }
  }
  return false;
}

bool MatchesArray(const Value& value, const Term& array) {
  if (!value.is_array() || value.size() != array.items.size()) {
    return false;
  }
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    const Term& item = *array.items[i];
    if (!item.IsScalar()) {
      continue;
    }
    const Value at = value.ItemAt(i);
    const bool same = item.kind == TermKind::kNull ? at.is_null()
                      : item.kind == TermKind::kBoolean
                          ? at.is_boolean() && at.is_true() == item.boolean
                      : item.kind == TermKind::kString
                          ? at.is_string() && at.string() == item.text
                          : at.is_number() && document::Equal(at, Value::Decimal(item.text));
    if (!same) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool Matches(const Need& need, const Value& value, Release release) {
  switch (need.kind) {
    case Need::Kind::kDefined:
    case Need::Kind::kComposite:
      return true;
    case Need::Kind::kMember:
      return AnyMember(value, [&](const Value& item) { return document::Equal(item, need.value); });
    case Need::Kind::kArray:
      return MatchesArray(value, *need.array);
    case Need::Kind::kPattern: {
      if (!value.is_string()) {
        return false;
      }
      const std::vector<std::string> parts = SplitEscaped(value.string(), need.delimiters);
      return parts.size() == need.parts.size() &&
             std::ranges::equal(parts, need.parts, [](const auto& part, const auto& wanted) {
               return !wanted || part == *wanted;
             });
    }
    case Need::Kind::kScalar:
      break;
  }
  const auto holds = [&](const Value& at) {
    if (need.affix == Affix::kNone) {
      return document::Equal(at, need.value);
    }
    return at.is_string() &&
           (need.affix == Affix::kPrefix ? at.string().starts_with(need.value.string())
                                         : at.string().ends_with(need.value.string()));
  };
  if (IsScalarOf(value)) {
    return holds(value);
  }
  return (need.affix != Affix::kNone || release == Release::k1_17) && AnyMember(value, holds);
}

}  // namespace portcullis::rego::trace
