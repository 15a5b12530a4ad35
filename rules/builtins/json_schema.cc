// json.match_schema and json.verify_schema. SOURCE: the drafts of JSON Schema; the texts and their order are gojsonschema's.
// No library of Debian's (nlohmann's json-schema-validator, valijson) gives its words, its best match of alternatives or its drafts
// side by side.

#include "rules/builtins/json_schema.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "document/json.h"
#include "rules/builtins/families.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/json_number.h"
#include "rules/builtins/number.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/regex.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

constexpr int kMaxDepth = 200;

struct Finding {
  std::string field;
  std::string type;
  std::string text;
};

// What came of holding a value against a schema. The score says which of several schemas that do not fit comes closest.
struct Outcome {
  std::vector<Finding> findings;
  std::int64_t score = 0;

  [[nodiscard]] bool fits() const { return findings.empty(); }
};

// Keeps the better of what does not fit.
void KeepBest(std::optional<Outcome>* best, Outcome candidate) {
  if (!*best || candidate.score > (*best)->score) {
    *best = std::move(candidate);
  }
}

std::string LimitText(const Value& number) {
  std::string text;
  AppendGoFloat(document::ToDouble(number), 'g', -1, &text);
  return text;
}

// A field of the document by its path: "(Root)", "a.0.b".
std::string Join(const std::string& field, std::string_view step) {
  return field == "(Root)" ? std::string(step) : field + "." + std::string(step);
}

class Validator {
 public:
  Validator(CallContext& context, const Value& root)
      : context_(context), root_(root), draft_(DraftOf(root)) {}

  Outcome Validate(const Value& schema, const Value& value, const std::string& field, int depth) {
    Outcome outcome;
    Validate(schema, value, field, depth, &outcome);
    return outcome;
  }

 private:
  // Findings pass from level to level: that counts as steps.
  void Merge(Outcome other, Outcome* outcome) {
    if (!context_.ShouldHalt(other.findings.size())) {
      std::ranges::move(other.findings, std::back_inserter(outcome->findings));
      outcome->score += other.score;
    }
  }

  static void Report(const std::string& field, std::string type, std::string text,
                     Outcome* outcome) {
    outcome->findings.push_back({field, std::move(type), std::move(text)});
    outcome->score -= 2;
  }

  void Validate(const Value& schema, const Value& value, const std::string& field, int depth,
                Outcome* outcome) {
    constexpr std::size_t kSteps = 64;  // Of one schema, about.
    if (context_.ShouldHalt(kSteps)) {
      return;
    }
    if (depth > kMaxDepth) {
      return Report(field, "recursion", "Nested too deeply", outcome);
    }
    if (schema.is_boolean()) {
      if (schema.is_false()) {
        Report(field, "false", "False always fails validation", outcome);
      }
      return;
    }
    if (const Value reference = schema.Find("$ref"); reference.is_string()) {
      return Validate(FollowReference(root_, reference.string()), value, field, depth + 1, outcome);
    }
    if (!CheckType(schema, value, field, outcome)) {
      return;
    }
    CheckCombined(schema, value, field, depth, outcome);
    if (value.is_number()) {
      CheckNumber(schema, value, field, outcome);
    }
    if (value.is_array()) {
      CheckArray(schema, value, field, depth, outcome);
    }
    if (value.is_object()) {
      CheckObject(schema, value, field, depth, outcome);
    }
    CheckCommon(schema, value, field, outcome);
    if (value.is_string()) {
      CheckString(schema, value, field, outcome);
    }
    const Value properties = schema.Find("properties");
    for (std::uint32_t i = 0; value.is_object() && i < properties.size(); ++i) {
      const std::string_view name = properties.KeyAt(i).string();
      if (const Value member = value.Find(name); member.is_defined()) {
        Validate(properties.ValueAt(i), member, Join(field, name), depth + 1, outcome);
      }
    }
    ++outcome->score;
  }

  static bool CheckType(const Value& schema, const Value& value, const std::string& field,
                        Outcome* outcome) {
    const Value type = schema.Find("type");
    const std::uint32_t count = type.is_array() ? type.size() : type.is_string() ? 1 : 0;
    if (count == 0) {
      return true;
    }
    const std::string_view given =
        value.is_number() && IsWholeNumber(value) ? "integer" : TypeName(value);
    std::string expected;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string_view name = type.is_array() ? type.ItemAt(i).string() : type.string();
      if (name == given || (name == "number" && given == "integer")) {
        return true;
      }
      expected.append(i > 0 ? "," : "").append(name);
    }
    if (count > 1) {
      expected = "[" + expected + "]";
    }
    Report(field, "invalid_type",
           "Invalid type. Expected: " + expected + ", given: " + std::string(given), outcome);
    return false;
  }

  // anyOf, oneOf, allOf, not, dependencies, if.
  void CheckCombined(const Value& schema, const Value& value, const std::string& field, int depth,
                     Outcome* outcome) {
    const auto validate = [&](const Value& inner) {
      return Validate(inner, value, field, depth + 1);
    };
    if (const Value any = schema.Find("anyOf"); any.size() > 0) {
      CheckAnyOf(any, field, validate, outcome);
    }
    if (const Value one = schema.Find("oneOf"); one.size() > 0) {
      CheckOneOf(one, field, validate, outcome);
    }
    const Value all = schema.Find("allOf");
    bool all_fit = true;
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      Outcome part = validate(all.ItemAt(i));
      all_fit = all_fit && part.fits();
      Merge(std::move(part), outcome);
    }
    if (!all_fit) {
      Report(field, "number_all_of", "Must validate all the schemas (allOf)", outcome);
    }
    const Value negated = schema.Find("not");
    if (negated.is_defined() && validate(negated).fits()) {
      Report(field, "number_not", "Must not validate the schema (not)", outcome);
    }
    CheckDependencies(schema.Find("dependencies"), value, field, depth, outcome);
    CheckCondition(schema, field, validate, outcome);
    ++outcome->score;
  }

  template <class Validate>
  void CheckAnyOf(const Value& schemas, const std::string& field, const Validate& validate,
                  Outcome* outcome) {
    std::optional<Outcome> best;
    for (std::uint32_t i = 0; i < schemas.size(); ++i) {
      Outcome part = validate(schemas.ItemAt(i));
      if (part.fits()) {
        return;
      }
      KeepBest(&best, std::move(part));
    }
    Report(field, "number_any_of", "Must validate at least one schema (anyOf)", outcome);
    Merge(*std::move(best), outcome);
  }

  template <class Validate>
  void CheckOneOf(const Value& schemas, const std::string& field, const Validate& validate,
                  Outcome* outcome) {
    std::optional<Outcome> best;
    std::uint32_t fitting = 0;
    for (std::uint32_t i = 0; i < schemas.size(); ++i) {
      Outcome part = validate(schemas.ItemAt(i));
      if (part.fits()) {
        ++fitting;
      } else if (fitting == 0) {
        KeepBest(&best, std::move(part));
      }
    }
    if (fitting == 1) {
      return;
    }
    Report(field, "number_one_of", "Must validate one and only one schema (oneOf)", outcome);
    if (fitting == 0) {
      Merge(*std::move(best), outcome);
    }
  }

  void CheckDependencies(const Value& dependencies, const Value& value, const std::string& field,
                         int depth, Outcome* outcome) {
    for (std::uint32_t i = 0; value.is_object() && i < dependencies.size(); ++i) {
      if (value.Find(dependencies.KeyAt(i)).is_undefined()) {
        continue;
      }
      const Value wanted = dependencies.ValueAt(i);
      if (!wanted.is_array()) {
        Validate(wanted, value, field, depth + 1, outcome);
      }
      for (std::uint32_t j = 0; wanted.is_array() && j < wanted.size(); ++j) {
        if (value.Find(wanted.ItemAt(j)).is_undefined()) {
          Report(field, "missing_dependency",
                 "Has a dependency on " + std::string(wanted.ItemAt(j).string()), outcome);
        }
      }
    }
  }

  template <class Validate>
  void CheckCondition(const Value& schema, const std::string& field, const Validate& validate,
                      Outcome* outcome) {
    const Value condition = schema.Find("if");
    if (condition.is_undefined() || draft_ < SchemaDraft::k7) {
      return;
    }
    const bool holds = validate(condition).fits();
    const Value branch = schema.Find(holds ? "then" : "else");
    if (branch.is_undefined()) {
      return;
    }
    Outcome part = validate(branch);
    if (part.fits()) {
      return;
    }
    Report(field, holds ? "condition_then" : "condition_else",
           holds ? "Must validate \"then\" as \"if\" was valid"
                 : "Must validate \"else\" as \"if\" was not valid",
           outcome);
    Merge(std::move(part), outcome);
  }

  void CheckCommon(const Value& schema, const Value& value, const std::string& field,
                   Outcome* outcome) {
    const Value constant = schema.Find("const");
    if (constant.is_defined() && draft_ >= SchemaDraft::k6 && !document::Equal(constant, value)) {
      Report(field, "const", field + " does not match: " + document::ToJson(constant), outcome);
    }
    if (const Value allowed = schema.Find("enum"); allowed.is_array()) {
      bool found = false;
      std::string list;
      for (std::uint32_t i = 0; i < allowed.size(); ++i) {
        found = found || document::Equal(allowed.ItemAt(i), value);
        list.append(i > 0 ? ", " : "").append(document::ToJson(allowed.ItemAt(i)));
      }
      if (!found) {
        Report(field, "enum", field + " must be one of the following: " + list, outcome);
      }
    }
    const Value format = schema.Find("format");
    if (format.is_string() && value.is_string() &&
        !FitsFormat(context_, format.string(), value.string())) {
      Report(field, "format", "Does not match format '" + std::string(format.string()) + "'",
             outcome);
    }
    ++outcome->score;
  }

  static void CheckNumber(const Value& schema, const Value& value, const std::string& field,
                          Outcome* outcome) {
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

  static bool IsMultiple(const Value& value, const Value& step) {
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
  // number · 10^places, if that is whole.
  static std::optional<BigInt> Scaled(const Value& number, int places) {
    std::string text = document::NumberText(number);
    const std::size_t e = text.find_first_of("eE");
    const std::int64_t exponent =
        e == text.npos || text.size() - e > 8 ? 0 : std::stoll(text.substr(e + 1));
    text = text.substr(0, e) + "e" + std::to_string(exponent + places);
    return ToBigInt(Value::Decimal(text));
  }

  static std::optional<std::int64_t> Count(const Value& schema, std::string_view key) {
    const Value count = schema.Find(key);
    return count.is_int() ? std::optional(count.integer()) : std::nullopt;
  }
  // Reports where `size` is not within two keywords.
  static void CheckSize(const Value& schema, std::int64_t size, const std::string& field,
                        const std::array<std::string_view, 2>& keys,
                        const std::array<std::string_view, 2>& types,
                        const std::array<std::string_view, 2>& texts, std::string_view end,
                        Outcome* outcome) {
    for (std::size_t i = 0; i < 2; ++i) {
      const auto limit = Count(schema, keys[i]);
      if (limit && (i == 0 ? size < *limit : size > *limit)) {
        Report(field, std::string(types[i]),
               std::string(texts[i]) + std::to_string(*limit) + std::string(end), outcome);
      }
    }
  }

  void CheckString(const Value& schema, const Value& value, const std::string& field,
                   Outcome* outcome) {
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

  void CheckArray(const Value& schema, const Value& value, const std::string& field, int depth,
                  Outcome* outcome) {
    const Value items = schema.Find("items");
    const Value others = schema.Find("additionalItems");
    const auto validate = [&](const Value& inner, std::uint32_t i) {
      return Validate(inner, value.ItemAt(i), Join(field, std::to_string(i)), depth + 1);
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
      std::optional<Outcome> best;
      bool found = false;
      for (std::uint32_t i = 0; i < value.size() && !found; ++i) {
        Outcome part = validate(contains, i);
        found = part.fits();
        KeepBest(&best, std::move(part));
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

  void CheckUnique(const Value& value, const std::string& field, Outcome* outcome) {
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
      Report(field, "unique",
             "array items[" + std::to_string(earlier) + "," + std::to_string(later) +
                 "] must be unique",
             outcome);
    }
  }

  void CheckObject(const Value& schema, const Value& value, const std::string& field, int depth,
                   Outcome* outcome) {
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
      Outcome part = Validate(names, value.KeyAt(i), field, depth + 1);
      if (!part.fits()) {
        Report(field, "invalid_property_name",
               "Property name of \"" + std::string(value.KeyAt(i).string()) + "\" does not match",
               outcome);
        Merge(std::move(part), outcome);
      }
    }
    ++outcome->score;
  }

  void CheckMember(const Value& schema, const Value& value, std::uint32_t i,
                   const std::string& field, int depth, Outcome* outcome) {
    const std::string_view name = value.KeyAt(i).string();
    const std::string inner = Join(field, name);
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

  CallContext& context_;
  const Value root_;
  const SchemaDraft draft_;
};

// JSON text or the value itself.
std::expected<Value, std::string> ReadDocument(CallContext& context, const Value& value) {
  if (value.is_object() || value.is_array()) {
    if (auto fault = NumberFault(context, value)) {
      return std::unexpected(*std::move(fault));
    }
    return value;
  }
  if (!value.is_string()) {
    return std::unexpected("wrong type, expected string or object");
  }
  const auto parsed = document::ParseJson(value.string(), context.arena,
                                          {.duplicates = document::DuplicateKeys::kKeepLast});
  if (!parsed) {
    return std::unexpected("invalid JSON string");
  }
  return *parsed;
}

Value MakePair(CallContext& context, bool valid, Value second) {
  const std::span<Value> pair = context.arena.AllocateArray<Value>(2);
  pair[0] = Value::Boolean(valid);
  pair[1] = second;
  return Value::Array(pair);
}

Value VerifySchema(CallContext& context, Arguments arguments) {
  const auto schema = ReadDocument(context, arguments[0]);
  std::optional<std::string> problem;
  if (!schema) {
    problem = schema.error();
  } else {
    problem = SchemaFault(context, *schema);
  }
  if (context.failure == FailureKind::kHalt) {
    return {};
  }
  return problem ? MakePair(context, false, MakeString(context, "jsonschema: " + *problem))
                 : MakePair(context, true, Value::Null());
}

Value MatchSchema(CallContext& context, Arguments arguments) {
  const auto value = ReadDocument(context, arguments[0]);
  if (!value) {
    return context.Fail(value.error());
  }
  const auto schema = ReadDocument(context, arguments[1]);
  if (!schema) {
    return context.Fail(schema.error());
  }
  if (const auto problem = SchemaFault(context, *schema)) {
    return context.Fail(*problem);
  }
  const Outcome outcome = context.failure == FailureKind::kHalt
                              ? Outcome()
                              : Validator(context, *schema).Validate(*schema, *value, "(Root)", 0);
  if (context.failure == FailureKind::kHalt) {
    return {};
  }
  document::ArrayBuilder errors(context.arena);
  for (const Finding& finding : outcome.findings) {
    document::ObjectBuilder error(context.arena);
    error.Add("error", MakeString(context, finding.field + ": " + finding.text));
    error.Add("type", MakeString(context, finding.type));
    error.Add("field", MakeString(context, finding.field));
    error.Add("desc", MakeString(context, finding.text));
    errors.Add(error.Finish());
  }
  return MakePair(context, outcome.findings.empty(), errors.Finish());
}

constexpr Builtin kBuiltins[] = {
    {.name = "json.match_schema",
     .type =
         "(string | object[any: any], string | object[any: any]) -> "
         R"([boolean, array[{"desc": string, "error": string, "field": string, "type": string}]])",
     .function = MatchSchema,
     .nondeterministic = true},
    {.name = "json.verify_schema",
     .type = "(string | object[any: any]) -> [boolean, null | string]",
     .function = VerifySchema,
     .nondeterministic = true},
};

}  // namespace

bool IsWholeNumber(const Value& number) {
  return document::ToInt64(number).has_value() || ToBigInt(number).has_value();
}

std::span<const Builtin> JsonSchemaBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
