#include <algorithm>
#include <string>
#include <utility>

#include "document/json.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/json_number.h"
#include "rules/builtins/json_schema_validator.h"
#include "rules/builtins/number.h"
#include "rules/builtins/regex.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

std::string LimitText(const Value& number) {
  std::string text;
  AppendGoFloat(document::ToDouble(number), 'g', -1, &text);
  return text;
}

}  // namespace

void SchemaValidator::CheckNumber(const Value& schema, const Value& value, const std::string& field,
                                  SchemaOutcome* outcome) {
  const Value step = schema.Find("multipleOf");
  if (step.is_number() && !IsMultiple(value, step)) {
    Report(field, "multiple_of", "Must be a multiple of " + LimitText(step), outcome);
  }
  const auto check = [&](std::string_view key, std::string_view exclusive_key, int sign,
                         std::string_view word, std::string_view letter) {
    const Value inclusive = schema.Find(key);
    const Value flag = schema.Find(exclusive_key);
    const bool open = flag.is_true();
    const auto order = [&](const Value& limit) {
      const auto compared = document::Compare(value, limit);
      return sign * (compared < 0 ? -1 : compared > 0 ? 1 : 0);
    };
    const std::string text = "Must be " + std::string(word) + " than ";
    const std::string type = "number_" + std::string(letter) + "t";
    if (inclusive.is_number() && !open && order(inclusive) > 0) {
      Report(field, type + "e", text + "or equal to " + LimitText(inclusive), outcome);
    }
    const Value exclusive = open ? inclusive : flag;
    if (exclusive.is_number() && order(exclusive) >= 0) {
      Report(field, type, text + LimitText(exclusive), outcome);
    }
  };
  check("maximum", "exclusiveMaximum", 1, "less", "l");
  check("minimum", "exclusiveMinimum", -1, "greater", "g");
  ++outcome->score;
}

bool SchemaValidator::IsMultiple(const Value& value, const Value& step) {
  // Both as whole numbers of the last decimal place that either has.
  constexpr int kMostPlaces = 400;
  for (int places = 0; places <= kMostPlaces; places = places * 2 + 1) {
    const auto a = Scaled(value, places);
    const auto b = Scaled(step, places);
    if (a && b) {
      return mpz_divisible_p(a->get(), b->get()) != 0;
    }
  }
  return false;
}

std::optional<BigInt> SchemaValidator::Scaled(const Value& number, int places) {
  std::string text = document::NumberText(number);
  const std::size_t e = text.find_first_of("eE");
  const std::int64_t exponent =
      e == text.npos || text.size() - e > 8 ? 0 : std::stoll(text.substr(e + 1));
  text = text.substr(0, e) + "e" + std::to_string(exponent + places);
  return ToBigInt(Value::Decimal(text));
}

std::optional<std::int64_t> SchemaValidator::Count(const Value& schema, std::string_view key) {
  const Value count = schema.Find(key);
  return count.is_int() ? std::optional(count.integer()) : std::nullopt;
}

void SchemaValidator::CheckSize(const Value& schema, std::int64_t size, const std::string& field,
                                const std::array<std::string_view, 2>& keys,
                                const std::array<std::string_view, 2>& types,
                                const std::array<std::string_view, 2>& texts, std::string_view end,
                                SchemaOutcome* outcome) {
  for (std::size_t i = 0; i < 2; ++i) {
    const auto limit = Count(schema, keys[i]);
    if (limit && (i == 0 ? size < *limit : size > *limit)) {
      Report(field, std::string(types[i]),
             std::string(texts[i]) + std::to_string(*limit) + std::string(end), outcome);
    }
  }
}

void SchemaValidator::CheckString(const Value& schema, const Value& value, const std::string& field,
                                  SchemaOutcome* outcome) {
  CheckSize(schema, static_cast<std::int64_t>(CountRunes(value.string())), field,
            {"minLength", "maxLength"}, {"string_gte", "string_lte"},
            {"String length must be greater than or equal to ",
             "String length must be less than or equal to "},
            "", outcome);
  const Value pattern = schema.Find("pattern");
  if (pattern.is_string() && !RegexMatches(context_.prepared, pattern.string(), value.string())) {
    Report(field, "pattern", "Does not match pattern '" + std::string(pattern.string()) + "'",
           outcome);
  }
  ++outcome->score;
}

void SchemaValidator::CheckArray(const Value& schema, const Value& value, const std::string& field,
                                 int depth, SchemaOutcome* outcome) {
  const Value items = schema.Find("items");
  const Value others = schema.Find("additionalItems");
  const auto validate = [&](const Value& inner, std::uint32_t i) {
    return Validate(inner, value.ItemAt(i), JoinField(field, std::to_string(i)), depth + 1);
  };
  for (std::uint32_t i = 0; i < value.size() && items.is_defined(); ++i) {
    if (!items.is_array()) {
      Merge(validate(items, i), outcome);
    } else if (i < items.size()) {
      Merge(validate(items.ItemAt(i), i), outcome);
    } else if (items.size() > 0 && others.is_object()) {
      Merge(validate(others, i), outcome);
    } else if (i == items.size() && i > 0 && others.is_false()) {
      Report(field, "array_no_additional_items", "No additional items allowed on array", outcome);
    }
  }
  CheckSize(schema, value.size(), field, {"minItems", "maxItems"},
            {"array_min_items", "array_max_items"},
            {"Array must have at least ", "Array must have at most "}, " items", outcome);
  if (schema.Find("uniqueItems").is_true()) {
    CheckUnique(value, field, outcome);
  }
  if (const Value contains = schema.Find("contains");
      contains.is_defined() && draft_ >= SchemaDraft::k6) {
    std::optional<SchemaOutcome> best;
    bool found = false;
    for (std::uint32_t i = 0; i < value.size() && !found; ++i) {
      SchemaOutcome part = validate(contains, i);
      found = part.fits();
      KeepBestOutcome(&best, std::move(part));
    }
    if (!found) {
      Report(field, "contains", "At least one of the items must match", outcome);
      if (best) {
        Merge(*std::move(best), outcome);
      }
    }
  }
  ++outcome->score;
}

void SchemaValidator::CheckUnique(const Value& value, const std::string& field,
                                  SchemaOutcome* outcome) {
  // Numbers of the items, equal ones next to each other.
  std::vector<std::uint32_t> order(value.size());
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    order[i] = i;
  }
  std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return !context_.ShouldHalt() && document::Compare(value.ItemAt(a), value.ItemAt(b)) < 0;
  });
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (document::Equal(value.ItemAt(order[i - 1]), value.ItemAt(order[i]))) {
      pairs.emplace_back(order[i], order[i - 1]);
    }
  }
  std::ranges::sort(pairs);
  for (const auto& [later, earlier] : pairs) {
    Report(
        field, "unique",
        "array items[" + std::to_string(earlier) + "," + std::to_string(later) + "] must be unique",
        outcome);
  }
}

void SchemaValidator::CheckObject(const Value& schema, const Value& value, const std::string& field,
                                  int depth, SchemaOutcome* outcome) {
  CheckSize(schema, value.size(), field, {"minProperties", "maxProperties"},
            {"array_min_properties", "array_max_properties"},
            {"Must have at least ", "Must have at most "}, " properties", outcome);
  const Value required = schema.Find("required");
  for (std::uint32_t i = 0; i < required.size(); ++i) {
    const Value name = required.ItemAt(i);
    if (value.Find(name).is_defined()) {
      ++outcome->score;
    } else {
      Report(field, "required", std::string(name.string()) + " is required", outcome);
    }
  }
  const Value names = draft_ >= SchemaDraft::k6 ? schema.Find("propertyNames") : Value();
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    if (value.KeyAt(i).is_string()) {
      CheckMember(schema, value, i, field, depth, outcome);
    }
  }
  for (std::uint32_t i = 0; i < value.size() && names.is_defined(); ++i) {
    SchemaOutcome part = Validate(names, value.KeyAt(i), field, depth + 1);
    if (!part.fits()) {
      Report(field, "invalid_property_name",
             "Property name of \"" + std::string(value.KeyAt(i).string()) + "\" does not match",
             outcome);
      Merge(std::move(part), outcome);
    }
  }
  ++outcome->score;
}

void SchemaValidator::CheckMember(const Value& schema, const Value& value, std::uint32_t i,
                                  const std::string& field, int depth, SchemaOutcome* outcome) {
  const std::string_view name = value.KeyAt(i).string();
  const std::string inner = JoinField(field, name);
  const Value patterns = schema.Find("patternProperties");
  bool matched = false;
  for (std::uint32_t j = 0; j < patterns.size(); ++j) {
    if (RegexMatches(context_.prepared, patterns.KeyAt(j).string(), name)) {
      matched = true;
      Merge(Validate(patterns.ValueAt(j), value.ValueAt(i), inner, depth + 1), outcome);
    }
  }
  outcome->score += matched ? 1 : 0;
  const Value others = schema.Find("additionalProperties");
  if (matched || schema.Find("properties").Find(name).is_defined() || others.is_undefined()) {
    return;
  }
  if (others.is_false()) {
    Report(field, "additional_property_not_allowed",
           "Additional property " + std::string(name) + " is not allowed", outcome);
  } else if (others.is_object()) {
    Merge(Validate(others, value.ValueAt(i), inner, depth + 1), outcome);
  }
}

}  // namespace portcullis::builtins
