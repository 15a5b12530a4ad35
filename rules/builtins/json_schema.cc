// json.match_schema and json.verify_schema: the assertions of JSON Schema drafts 4 to 7 on types, numbers, strings,
// arrays and objects, allOf, anyOf, oneOf and not, and references within the schema. Formats are not checked, and no
// schema is fetched. SOURCE: the drafts; the texts are gojsonschema's.

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "document/json.h"
#include "rules/builtins/families.h"
#include "rules/builtins/number.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/regex.h"
#include "rules/builtins/unicode.h"

namespace portcullis::builtins {
namespace {

constexpr int kMaxDepth = 200;
constexpr std::array<std::string_view, 7> kTypes = {"array", "boolean", "integer", "number",
                                                    "null",  "object",  "string"};

bool IsWhole(const Value& number) {
  return document::ToInt64(number).has_value() || ToBigInt(number).has_value();
}

std::string_view GivenType(const Value& value) {
  return value.is_number() && IsWhole(value) ? "integer" : TypeName(value);
}

struct Finding {
  std::string field;
  std::string type;
  std::string text;
};

class Validator {
 public:
  Validator(CallContext& context, const Value& root) : context_(context), root_(root) {}

  // What is wrong with the schema itself, or nothing.
  std::optional<std::string> CheckSchema(const Value& schema, int depth = 0) {
    if (context_.ShouldHalt() || depth > kMaxDepth) {
      return "schema nested too deeply";
    }
    if (schema.is_boolean()) {
      return std::nullopt;
    }
    if (!schema.is_object()) {
      return "schema must be an object";
    }
    const Value type = schema.Find("type");
    if (type.is_defined()) {
      const std::uint32_t count = type.is_array() ? type.size() : 1;
      for (std::uint32_t i = 0; i < count; ++i) {
        const Value name = type.is_array() ? type.ItemAt(i) : type;
        if (!name.is_string()) {
          return "type must be of type string/array of strings";
        }
        if (std::ranges::find(kTypes, name.string()) != kTypes.end()) {
          continue;
        }
        return "has a primitive type that is NOT VALID -- given: /" + std::string(name.string()) +
               "/ Expected valid values are:[array boolean integer number null object string]";
      }
    }
    const Value pattern = schema.Find("pattern");
    if (pattern.is_defined() &&
        (!pattern.is_string() || !CachedRegex(context_.prepared, pattern.string()))) {
      return "pattern must be a valid regex";
    }
    for (const std::string_view name :
         {"properties", "patternProperties", "definitions", "$defs"}) {
      const Value schemas = schema.Find(name);
      if (schemas.is_defined() && !schemas.is_object()) {
        return std::string(name) + " must be of type object";
      }
      for (std::uint32_t i = 0; i < schemas.size(); ++i) {
        if (auto problem = CheckSchema(schemas.ValueAt(i), depth + 1)) {
          return problem;
        }
      }
    }
    for (const std::string_view name : {"allOf", "anyOf", "oneOf", "items"}) {
      const Value schemas = schema.Find(name);
      for (std::uint32_t i = 0; schemas.is_array() && i < schemas.size(); ++i) {
        if (auto problem = CheckSchema(schemas.ItemAt(i), depth + 1)) {
          return problem;
        }
      }
    }
    for (const std::string_view name :
         {"items", "not", "additionalProperties", "additionalItems"}) {
      const Value inner = schema.Find(name);
      if (!inner.is_object()) {
        continue;
      }
      if (auto problem = CheckSchema(inner, depth + 1)) {
        return problem;
      }
    }
    return std::nullopt;
  }

  void Validate(const Value& schema, const Value& value, const std::string& field, int depth = 0) {
    if (context_.ShouldHalt()) {
      return;
    }
    if (depth > kMaxDepth) {
      return Report(field, "recursion", "Nested too deeply");
    }
    if (schema.is_false()) {
      return Report(field, "false", "False always fails validation");
    }
    if (!schema.is_object()) {
      return;
    }
    const Value reference = schema.Find("$ref");
    if (reference.is_string()) {
      return Validate(Resolve(reference.string()), value, field, depth + 1);
    }
    if (!CheckType(schema, value, field)) {
      return;
    }
    CheckEnum(schema, value, field);
    if (value.is_number()) {
      CheckNumber(schema, value, field);
    }
    if (value.is_string()) {
      CheckString(schema, value, field);
    }
    if (value.is_array()) {
      CheckArray(schema, value, field, depth);
    }
    if (value.is_object()) {
      CheckObject(schema, value, field, depth);
    }
    CheckCombined(schema, value, field, depth);
  }

  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }

 private:
  void Report(const std::string& field, std::string type, std::string text) {
    findings_.push_back({field.empty() ? "(root)" : field, std::move(type), std::move(text)});
  }
  static std::string Join(const std::string& field, std::string_view step) {
    return field.empty() ? std::string(step) : field + "." + std::string(step);
  }

  // "#/definitions/a": anything that is not found allows everything.
  Value Resolve(std::string_view reference) const {
    if (!reference.starts_with('#')) {
      return Value::Boolean(true);
    }
    Value found = root_;
    for (std::size_t at = 1; at < reference.size() && found.is_defined();) {
      const std::size_t end = std::min(reference.find('/', at + 1), reference.size());
      found = found.Find(reference.substr(at + 1, end - at - 1));
      at = end;
    }
    return found.is_defined() ? found : Value::Boolean(true);
  }

  bool CheckType(const Value& schema, const Value& value, const std::string& field) {
    const Value type = schema.Find("type");
    if (!type.is_defined()) {
      return true;
    }
    const std::string_view given = GivenType(value);
    std::string expected;
    const std::uint32_t count = type.is_array() ? type.size() : 1;
    for (std::uint32_t i = 0; i < count; ++i) {
      const Value item = type.is_array() ? type.ItemAt(i) : type;
      const std::string_view name = item.is_string() ? item.string() : "";
      if (name == given || (name == "number" && given == "integer")) {
        return true;
      }
      expected.append(expected.empty() ? "" : ",").append(name);
    }
    if (count > 1) {
      expected = "[" + expected + "]";
    }
    Report(field, "invalid_type",
           "Invalid type. Expected: " + expected + ", given: " + std::string(given));
    return false;
  }

  void CheckEnum(const Value& schema, const Value& value, const std::string& field) {
    const std::string name = field.empty() ? "(root)" : field;
    const Value allowed = schema.Find("enum");
    bool found = !allowed.is_array();
    std::string list;
    for (std::uint32_t i = 0; allowed.is_array() && i < allowed.size(); ++i) {
      found = found || document::Equal(allowed.ItemAt(i), value);
      list.append(i > 0 ? ", " : "").append(document::ToJson(allowed.ItemAt(i)));
    }
    if (!found) {
      Report(field, "enum", name + " must be one of the following: " + list);
    }
    const Value constant = schema.Find("const");
    if (constant.is_defined() && !document::Equal(constant, value)) {
      Report(field, "const", name + " does not match: " + document::ToJson(constant));
    }
  }

  void CheckNumber(const Value& schema, const Value& value, const std::string& field) {
    const auto check = [&](std::string_view keyword, auto violated, std::string type,
                           std::string_view text) {
      const Value limit = schema.Find(keyword);
      if (limit.is_number() && violated(document::Compare(value, limit))) {
        Report(field, std::move(type), std::string(text) + document::NumberText(limit));
      }
    };
    const bool open_low = schema.Find("exclusiveMinimum").is_true();  // Draft 4.
    const bool open_high = schema.Find("exclusiveMaximum").is_true();
    check(
        "minimum", [&](auto order) { return open_low ? order <= 0 : order < 0; },
        open_low ? "number_gt" : "number_gte",
        open_low ? "Must be greater than " : "Must be greater than or equal to ");
    check(
        "maximum", [&](auto order) { return open_high ? order >= 0 : order > 0; },
        open_high ? "number_lt" : "number_lte",
        open_high ? "Must be less than " : "Must be less than or equal to ");
    check(
        "exclusiveMinimum", [](auto order) { return order <= 0; }, "number_gt",
        "Must be greater than ");
    check(
        "exclusiveMaximum", [](auto order) { return order >= 0; }, "number_lt",
        "Must be less than ");
    const Value step = schema.Find("multipleOf");
    if (step.is_number()) {
      const double quotient = document::ToDouble(value) / document::ToDouble(step);
      if (std::trunc(quotient) != quotient) {
        Report(field, "multiple_of", "Must be a multiple of " + document::NumberText(step));
      }
    }
  }

  static std::optional<std::int64_t> Limit(const Value& schema, std::string_view keyword) {
    const Value limit = schema.Find(keyword);
    return limit.is_number() ? document::ToInt64(limit) : std::nullopt;
  }

  void CheckString(const Value& schema, const Value& value, const std::string& field) {
    const auto length = static_cast<std::int64_t>(CountRunes(value.string()));
    const auto least = Limit(schema, "minLength");
    const auto most = Limit(schema, "maxLength");
    if (least && length < *least) {
      Report(field, "string_gte",
             "String length must be greater than or equal to " + std::to_string(*least));
    }
    if (most && length > *most) {
      Report(field, "string_lte",
             "String length must be less than or equal to " + std::to_string(*most));
    }
    const Value pattern = schema.Find("pattern");
    if (pattern.is_string() && !RegexMatches(context_.prepared, pattern.string(), value.string())) {
      Report(field, "pattern", "Does not match pattern '" + std::string(pattern.string()) + "'");
    }
  }

  void CheckArray(const Value& schema, const Value& value, const std::string& field, int depth) {
    const auto least = Limit(schema, "minItems");
    const auto most = Limit(schema, "maxItems");
    if (least && value.size() < *least) {
      Report(field, "array_min_items",
             "Array must have at least " + std::to_string(*least) + " items");
    }
    if (most && value.size() > *most) {
      Report(field, "array_max_items",
             "Array must have at most " + std::to_string(*most) + " items");
    }
    const Value items = schema.Find("items");
    document::SetBuilder distinct(context_.arena);
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const Value item_schema = !items.is_array()  ? items
                                : i < items.size() ? items.ItemAt(i)
                                                   : schema.Find("additionalItems");
      if (item_schema.is_defined()) {
        Validate(item_schema, value.ItemAt(i), Join(field, std::to_string(i)), depth + 1);
      }
      distinct.Add(value.ItemAt(i));
    }
    if (schema.Find("uniqueItems").is_true() && distinct.Finish().size() != value.size()) {
      Report(field, "unique", "array items must be unique");
    }
  }

  void CheckObject(const Value& schema, const Value& value, const std::string& field, int depth) {
    const Value required = schema.Find("required");
    for (std::uint32_t i = 0; required.is_array() && i < required.size(); ++i) {
      const Value name = required.ItemAt(i);
      if (name.is_string() && !value.Find(name).is_defined()) {
        Report(field, "required", std::string(name.string()) + " is required");
      }
    }
    const auto least = Limit(schema, "minProperties");
    const auto most = Limit(schema, "maxProperties");
    if (least && value.size() < *least) {
      Report(field, "array_min_properties",
             "Must have at least " + std::to_string(*least) + " properties");
    }
    if (most && value.size() > *most) {
      Report(field, "array_max_properties",
             "Must have at most " + std::to_string(*most) + " properties");
    }
    const Value properties = schema.Find("properties");
    const Value patterns = schema.Find("patternProperties");
    const Value others = schema.Find("additionalProperties");
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      if (!value.KeyAt(i).is_string()) {
        continue;
      }
      const std::string_view name = value.KeyAt(i).string();
      const std::string inner = Join(field, name);
      bool known = properties.Find(name).is_defined();
      if (known) {
        Validate(properties.Find(name), value.ValueAt(i), inner, depth + 1);
      }
      for (std::uint32_t j = 0; j < patterns.size(); ++j) {
        if (!RegexMatches(context_.prepared, patterns.KeyAt(j).string(), name)) {
          continue;
        }
        known = true;
        Validate(patterns.ValueAt(j), value.ValueAt(i), inner, depth + 1);
      }
      if (known || !others.is_defined()) {
        continue;
      }
      if (others.is_false()) {
        Report(field, "additional_property_not_allowed",
               "Additional property " + std::string(name) + " is not allowed");
      } else {
        Validate(others, value.ValueAt(i), inner, depth + 1);
      }
    }
  }

  // Whether `value` fits, without anything being reported.
  bool Fits(const Value& schema, const Value& value, int depth) {
    const std::size_t before = findings_.size();
    Validate(schema, value, "", depth + 1);
    const bool fits = findings_.size() == before;
    findings_.resize(before);
    return fits;
  }

  void CheckCombined(const Value& schema, const Value& value, const std::string& field, int depth) {
    const auto count = [&](const Value& schemas) {
      std::uint32_t fitting = 0;
      for (std::uint32_t i = 0; i < schemas.size(); ++i) {
        fitting += Fits(schemas.ItemAt(i), value, depth) ? 1 : 0;
      }
      return fitting;
    };
    const Value all = schema.Find("allOf");
    for (std::uint32_t i = 0; all.is_array() && i < all.size(); ++i) {
      Validate(all.ItemAt(i), value, field, depth + 1);
    }
    const Value any = schema.Find("anyOf");
    if (any.is_array() && count(any) == 0) {
      Report(field, "number_any_of", "Must validate at least one schema (anyOf)");
    }
    const Value one = schema.Find("oneOf");
    if (one.is_array() && count(one) != 1) {
      Report(field, "number_one_of", "Must validate one and only one schema (oneOf)");
    }
    const Value negated = schema.Find("not");
    if (negated.is_defined() && Fits(negated, value, depth)) {
      Report(field, "number_not", "Must not validate the schema (not)");
    }
  }

  CallContext& context_;
  const Value root_;
  std::vector<Finding> findings_;
};

// JSON text or the value itself.
std::expected<Value, std::string> ReadDocument(CallContext& context, const Value& value) {
  if (value.is_object() || value.is_array()) {
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
    problem = Validator(context, *schema).CheckSchema(*schema);
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
  Validator validator(context, *schema);
  if (const auto problem = validator.CheckSchema(*schema)) {
    return context.failure == FailureKind::kHalt ? Value() : context.Fail(*problem);
  }
  validator.Validate(*schema, *value, "");
  if (context.failure == FailureKind::kHalt) {
    return {};
  }
  document::ArrayBuilder errors(context.arena);
  for (const Finding& finding : validator.findings()) {
    document::ObjectBuilder error(context.arena);
    error.Add("error", MakeString(context, finding.field + ": " + finding.text));
    error.Add("type", MakeString(context, finding.type));
    error.Add("field", MakeString(context, finding.field));
    error.Add("desc", MakeString(context, finding.text));
    errors.Add(error.Finish());
  }
  return MakePair(context, validator.findings().empty(), errors.Finish());
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

std::span<const Builtin> JsonSchemaBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
