#include "rules/rego/rule_out.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/json.h"
#include "rules/rego/rule_needs.h"

namespace portcullis::rego {
namespace {

using document::Value;

bool IsCollection(const Value& value) {
  return value.is_array() || value.is_object() || value.is_set();
}

Value MemberAt(const Value& collection, std::uint32_t i) {
  return collection.is_object() ? collection.ValueAt(i) : collection.ItemAt(i);
}

template <class Fits>
bool HasMember(const Value& collection, const Fits& fits) {
  for (std::uint32_t i = 0; IsCollection(collection) && i < collection.size(); ++i) {
    if (fits(MemberAt(collection, i))) {
      return true;
    }
  }
  return false;
}

// LIFETIME: of the term.
Value ScalarOf(const Term& term) {
  switch (term.kind) {
    case TermKind::kBoolean:
      return Value::Boolean(term.boolean);
    case TermKind::kNumber:
      return Value::Decimal(term.text);
    case TermKind::kString:
      return Value::String(term.text);
    default:
      return Value::Null();
  }
}

bool IsScalar(const Value& value, const Term& wanted) {
  return !IsCollection(value) && document::Equal(value, ScalarOf(wanted));
}

bool IsArray(const Value& value, const Term& wanted) {
  if (!value.is_array() || value.size() != wanted.items.size()) {
    return false;
  }
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    if (wanted.items[i]->IsScalar() && !IsScalar(value.ItemAt(i), *wanted.items[i])) {
      return false;
    }
  }
  return true;
}

bool HasAffix(const Value& value, const Need& need) {
  const auto fits = [&need](const Value& text) {
    return text.is_string() &&
           (need.kind == Need::Kind::kPrefix ? text.string().starts_with(need.value->text)
                                             : text.string().ends_with(need.value->text));
  };
  return fits(value) || HasMember(value, fits);
}

// The segments of the value are compared as they stand; an array is taken for segments.
bool FitsGlob(const Value& value, const Need& need) {
  if (!value.is_string()) {
    bool fits = value.is_array() && value.size() == need.segments.size();
    for (std::uint32_t i = 0; fits && i < value.size(); ++i) {
      const std::optional<std::string>& wanted = need.segments[i];
      fits = !wanted || document::Equal(value.ItemAt(i), Value::String(*wanted));
    }
    return fits;
  }
  std::string_view text = value.string();
  bool escaped = false;
  std::size_t segment = 0;
  for (std::size_t last = 0, i = 0; i <= text.size(); ++i) {
    if (i < text.size() && (text[i] == '\\' || escaped)) {
      escaped = !escaped;
    } else if (i == text.size() || need.delimiter.contains(text[i])) {
      if (segment == need.segments.size() ||
          (need.segments[segment] && *need.segments[segment] != text.substr(last, i - last))) {
        return false;
      }
      ++segment;
      last = i + 1;
    }
  }
  return segment == need.segments.size();
}

bool IsMet(const Need& need, const Value& value) {
  if (need.IsAnything()) {
    return true;
  }
  switch (need.kind) {
    case Need::Kind::kMember:
      return HasMember(value, [&](const Value& member) { return IsScalar(member, *need.value); });
    case Need::Kind::kPrefix:
    case Need::Kind::kSuffix:
      return HasAffix(value, need);
    case Need::Kind::kGlob:
      return FitsGlob(value, need);
    case Need::Kind::kEqual:
      return need.value->IsScalar()                 ? IsScalar(value, *need.value)
             : need.value->kind == TermKind::kArray ? IsArray(value, *need.value)
                                                    : true;
  }
  return true;
}

// Of both ends of a string the one that tells more is looked at: that whose shortest text is longer.
void KeepOneEnd(std::vector<const Need*>* needs) {
  const auto shortest = [&](Need::Kind kind) {
    std::size_t length = std::string_view::npos;
    for (const Need* need : *needs) {
      length = need->kind == kind ? std::min(length, need->value->text.size()) : length;
    }
    return length;
  };
  const std::size_t prefix = shortest(Need::Kind::kPrefix);
  const std::size_t suffix = shortest(Need::Kind::kSuffix);
  if (prefix != std::string_view::npos && suffix != std::string_view::npos) {
    std::erase_if(*needs, [&](const Need* need) {
      return need->kind == (suffix > prefix ? Need::Kind::kPrefix : Need::Kind::kSuffix);
    });
  }
}

class Documents {
 public:
  explicit Documents(const RuleOutDocuments& documents) : documents_(documents) {}

  [[nodiscard]] bool IsUnknown(const NeededPart& part) const {
    return part.root == NeededPart::kData && documents_.has_inventory &&
           (part.keys.empty() || part.keys[0]->text == "inventory");
  }

  // Undefined: it is not there.
  [[nodiscard]] Value At(const NeededPart& part) const {
    Value value = part.root == NeededPart::kInput  ? documents_.input
                  : part.root == NeededPart::kData ? documents_.data
                  : static_cast<std::size_t>(part.root) < documents_.arguments.size()
                      ? documents_.arguments[static_cast<std::size_t>(part.root)]
                      : Value();
    for (const Term* key : part.keys) {
      if (!key->IsScalar()) {
        return {};
      }
      const Value at = ScalarOf(*key);
      const Value child = value.Find(at);
      value = child.is_undefined() && part.root == NeededPart::kData && at.is_number() &&
                      value.is_object()
                  ? value.Find(document::NumberText(at))
                  : child;
    }
    return value;
  }

  // True if all needs of one part are met: several are alternatives.
  [[nodiscard]] bool Meet(const std::vector<Need>& way, const NeededPart& part) const {
    if (IsUnknown(part)) {
      return true;
    }
    const Value value = At(part);
    if (value.is_undefined()) {
      return false;
    }
    std::vector<const Need*> needs;
    for (const Need& need : way) {
      if (!need.IsAnything() && need.part.IsSame(part)) {
        needs.push_back(&need);
      }
    }
    KeepOneEnd(&needs);
    return needs.empty() ||
           std::ranges::any_of(needs, [&](const Need* need) { return IsMet(*need, value); });
  }

  [[nodiscard]] bool HasKey(const NeededKey& needed) const {
    if (IsUnknown(needed.key) || IsUnknown(needed.collection)) {
      return true;
    }
    const Value key = At(needed.key);
    const Value collection = At(needed.collection);
    return key.is_defined() && collection.is_defined() &&
           (!(collection.is_object() || collection.is_set()) || collection.Find(key).is_defined());
  }

 private:
  const RuleOutDocuments& documents_;
};

bool Needs(const std::vector<Need>& way, const NeededPart& part) {
  return std::ranges::any_of(way, [&](const Need& need) { return need.part.IsSame(part); });
}

}  // namespace

bool IsRuledOut(const Rule& rule, const RuleTree& rules, bool decided,
                const RuleOutDocuments& documents) {
  const RuleNeeds needs = NeedsOf(rule, rules);
  const Documents known(documents);
  // A part that is compared with nothing must be there only where every way needs it.
  const auto counts = [&](const NeededPart& part) {
    return needs.HasValue(part) ||
           std::ranges::all_of(needs.ways, [&](const auto& way) { return Needs(way, part); });
  };
  const auto holds = [&](const std::vector<Need>& way) {
    return std::ranges::all_of(
        way, [&](const Need& need) { return !counts(need.part) || known.Meet(way, need.part); });
  };
  return std::ranges::none_of(needs.ways, holds) ||
         (!decided && !std::ranges::all_of(needs.keys, [&](const NeededKey& needed) {
           return known.HasKey(needed);
         }));
}

}  // namespace portcullis::rego
