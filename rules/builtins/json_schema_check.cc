// Whether a schema is one: keyword by keyword in gojsonschema's order, since its first complaint is what is told.

#include <algorithm>
#include <array>
#include <vector>

#include "document/json.h"
#include "rules/builtins/json_schema.h"
#include "rules/builtins/number.h"
#include "rules/builtins/regex.h"

namespace portcullis::builtins {
namespace {

constexpr int kMaxDepth = 200;
constexpr std::array<std::string_view, 7> kTypes = {"array", "boolean", "integer", "number",
                                                    "null",  "object",  "string"};
constexpr std::string_view kSchema = "Valid Schema";

using Fault = std::optional<std::string>;

std::string Text(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    text += part;
  }
  return text;
}

std::string InvalidType(std::string_view expected, std::string_view given) {
  return Text({"Invalid type. Expected: ", expected, ", given: ", given});
}

bool IsSchema(const Value& value) {
  return value.is_object() || value.is_boolean();
}

bool Repeats(const Value& array, std::uint32_t i) {
  for (std::uint32_t j = 0; j < i; ++j) {
    if (document::Equal(array.ItemAt(j), array.ItemAt(i))) {
      return true;
    }
  }
  return false;
}

class Checker {
 public:
  Checker(CallContext& context, const Value& root, SchemaDraft draft)
      : context_(context), root_(root), draft_(draft) {}

  Fault Check(const Value& schema, int depth) {
    if (context_.ShouldHalt()) {
      return std::nullopt;
    }
    if (depth > kMaxDepth) {
      return "schema nested too deeply";
    }
    if (schema.is_boolean() && draft_ >= SchemaDraft::k6) {
      return std::nullopt;
    }
    if (!schema.is_object()) {
      return Text({"Expected: ", kSchema, ", given: Invalid JSON"});
    }
    depth_ = depth + 1;
    // The first that complains; each leaves depth_ as it was.
    using Part = Fault (Checker::*)(const Value&);
    for (const Part part : {&Checker::Names, &Checker::Types, &Checker::Properties, &Checker::Items,
                            &Checker::Numbers, &Checker::Strings, &Checker::Objects,
                            &Checker::Arrays, &Checker::Values, &Checker::Combinations}) {
      if (part == &Checker::Types && schema.Find("$ref").is_defined()) {
        return Reference(schema.Find("$ref").string());
      }
      depth_ = depth + 1;
      if (Fault fault = (this->*part)(schema)) {
        return fault;
      }
    }
    return std::nullopt;
  }

 private:
  // A keyword that holds a schema.
  Fault Inner(const Value& schema) {
    const int depth = depth_;
    Fault fault = Check(schema, depth);
    depth_ = depth;
    return fault;
  }
  // The schemas that are the values of an object, or the items of an array.
  Fault Each(const Value& schemas) {
    for (std::uint32_t i = 0; i < schemas.size(); ++i) {
      if (Fault fault = Inner(schemas.is_object() ? schemas.ValueAt(i) : schemas.ItemAt(i))) {
        return fault;
      }
    }
    return std::nullopt;
  }

  static Fault MustBeString(const Value& schema, std::string_view key) {
    const Value value = schema.Find(key);
    return value.is_undefined() || value.is_string() ? std::nullopt
                                                     : Fault(InvalidType("string", key));
  }

  Fault Names(const Value& schema) {
    const bool old = draft_ == SchemaDraft::k4 ||
                     (draft_ == SchemaDraft::kAll && schema.Find("id").is_defined());
    if (Fault fault = MustBeString(schema, old ? "id" : "$id")) {
      return fault;
    }
    const Value definitions = schema.Find("definitions");
    if (definitions.is_defined() && !definitions.is_object()) {
      return InvalidType("Array Of Schemas", "definitions");
    }
    for (std::uint32_t i = 0; i < definitions.size(); ++i) {
      if (!IsSchema(definitions.ValueAt(i))) {
        return InvalidType("Array Of Schemas", "definitions");
      }
      if (Fault fault = Inner(definitions.ValueAt(i))) {
        return fault;
      }
    }
    for (const std::string_view key : {"title", "description", "$ref"}) {
      if (Fault fault = MustBeString(schema, key)) {
        return fault;
      }
    }
    return std::nullopt;
  }

  // What stands beside a reference counts for nothing. Each is followed once.
  Fault Reference(std::string_view reference) {
    if (std::ranges::find(followed_, reference) != followed_.end()) {
      return std::nullopt;
    }
    followed_.push_back(reference);
    const Value found = FollowReference(root_, reference);
    if (found.is_undefined()) {
      const std::size_t slash = reference.rfind('/');
      return Text(
          {"Object has no key '", reference.substr(slash == reference.npos ? 0 : slash + 1), "'"});
    }
    return IsSchema(found) ? Inner(found) : Fault(Text({kSchema, " must be of type object"}));
  }

  Fault Types(const Value& schema) {
    const Value type = schema.Find("type");
    if (type.is_defined() && !type.is_string() && !type.is_array()) {
      return InvalidType("type", "string/Array Of Strings");
    }
    const std::uint32_t count = type.is_array() ? type.size() : type.is_string() ? 1 : 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const Value name = type.is_array() ? type.ItemAt(i) : type;
      if (!name.is_string()) {
        return InvalidType("type", "string/Array Of Strings");
      }
      if (std::ranges::find(kTypes, name.string()) == kTypes.end()) {
        return Text({"has a primitive type that is NOT VALID -- given: /", name.string(),
                     "/ Expected valid values are:[array boolean integer number null object "
                     "string]"});
      }
      if (type.is_array() && Repeats(type, i)) {
        return Text({name.string(), " type is duplicated"});
      }
    }
    return std::nullopt;
  }

  Fault Properties(const Value& schema) {
    const Value properties = schema.Find("properties");
    if (properties.is_defined() && !properties.is_object()) {
      return "Properties must be of type object";
    }
    if (Fault fault = Each(properties)) {
      return fault;
    }
    const Value others = schema.Find("additionalProperties");
    if (others.is_defined() && !IsSchema(others)) {
      return InvalidType("boolean/Valid Schema", "additionalProperties");
    }
    if (Fault fault = others.is_object() ? Inner(others) : std::nullopt) {
      return fault;
    }
    const Value patterns = schema.Find("patternProperties");
    if (patterns.is_defined() && !patterns.is_object()) {
      return InvalidType(kSchema, "patternProperties");
    }
    for (std::uint32_t i = 0; i < patterns.size(); ++i) {
      const std::string_view pattern = patterns.KeyAt(i).string();
      if (!CachedRegex(context_.prepared, pattern)) {
        return Text({"Invalid regex pattern '", pattern, "'"});
      }
      if (Fault fault = Inner(patterns.ValueAt(i))) {
        return fault;
      }
    }
    const Value names = schema.Find("propertyNames");
    if (names.is_defined() && draft_ >= SchemaDraft::k6) {
      if (!IsSchema(names)) {
        return InvalidType(kSchema, "patternProperties");
      }
      if (Fault fault = Inner(names)) {
        return fault;
      }
    }
    return Dependencies(schema.Find("dependencies"));
  }

  Fault Dependencies(const Value& dependencies) {
    if (dependencies.is_defined() && !dependencies.is_object()) {
      return "dependencies must be of type object";
    }
    for (std::uint32_t i = 0; i < dependencies.size(); ++i) {
      const Value wanted = dependencies.ValueAt(i);
      bool names = wanted.is_array();
      for (std::uint32_t j = 0; names && j < wanted.size(); ++j) {
        names = wanted.ItemAt(j).is_string();
      }
      if (!names && !IsSchema(wanted)) {
        return "Dependency must be of type Schema Or Array Of Strings";
      }
      if (Fault fault = names ? std::nullopt : Inner(wanted)) {
        return fault;
      }
    }
    return std::nullopt;
  }

  Fault Items(const Value& schema) {
    const Value items = schema.Find("items");
    if (items.is_defined() && !IsSchema(items) && !items.is_array()) {
      return InvalidType("Valid Schema/Array Of Schemas", "items");
    }
    if (Fault fault = IsSchema(items) ? Inner(items) : std::nullopt) {
      return fault;
    }
    for (std::uint32_t i = 0; items.is_array() && i < items.size(); ++i) {
      if (!IsSchema(items.ItemAt(i))) {
        return InvalidType("Valid Schema/Array Of Schemas", "items");
      }
      if (Fault fault = Inner(items.ItemAt(i))) {
        return fault;
      }
    }
    const Value others = schema.Find("additionalItems");
    if (others.is_defined() && !IsSchema(others)) {
      return InvalidType("boolean/Valid Schema", "additionalItems");
    }
    return others.is_object() ? Inner(others) : std::nullopt;
  }

  Fault Numbers(const Value& schema) {
    const Value step = schema.Find("multipleOf");
    if (step.is_defined() && !step.is_number()) {
      return InvalidType("Number", "multipleOf");
    }
    if (step.is_defined() && document::Compare(step, Value::Int(0)) <= 0) {
      return "multipleOf must be strictly greater than 0";
    }
    if (Fault fault = Limit(schema, "minimum", "exclusiveMinimum")) {
      return fault;
    }
    return Limit(schema, "maximum", "exclusiveMaximum");
  }

  Fault Limit(const Value& schema, std::string_view key, std::string_view exclusive_key) const {
    const Value limit = schema.Find(key);
    if (limit.is_defined() && !limit.is_number()) {
      return Text({key, " must be of a Number"});
    }
    const Value exclusive = schema.Find(exclusive_key);
    if (exclusive.is_undefined()) {
      return std::nullopt;
    }
    const bool may_be_boolean = draft_ == SchemaDraft::k4 || draft_ == SchemaDraft::kAll;
    if (exclusive.is_boolean() && may_be_boolean) {
      return limit.is_defined() ? std::nullopt
                                : Fault(Text({exclusive_key, " cannot be used without ", key}));
    }
    if (exclusive.is_number() && draft_ != SchemaDraft::k4) {
      return std::nullopt;
    }
    return InvalidType(draft_ == SchemaDraft::k4     ? "boolean"
                       : draft_ == SchemaDraft::kAll ? "boolean/number"
                                                     : "number",
                       exclusive_key);
  }

  // Not negative, whole, and spelt so.
  static Fault Count(const Value& schema, std::string_view key,
                     std::optional<std::int64_t>* count) {
    const Value value = schema.Find(key);
    if (value.is_undefined()) {
      return std::nullopt;
    }
    if (!value.is_int()) {
      return Text({key, " must be of an integer"});
    }
    if (value.integer() < 0) {
      return Text({key, " must be greater than or equal to 0"});
    }
    *count = value.integer();
    return std::nullopt;
  }
  static Fault Counts(const Value& schema, std::string_view low_key, std::string_view high_key,
                      bool ordered) {
    std::optional<std::int64_t> low;
    std::optional<std::int64_t> high;
    if (Fault fault = Count(schema, low_key, &low)) {
      return fault;
    }
    if (Fault fault = Count(schema, high_key, &high)) {
      return fault;
    }
    return ordered && low && high && *low > *high
               ? Fault(Text({low_key, " cannot be greater than ", high_key}))
               : std::nullopt;
  }

  Fault Strings(const Value& schema) {
    if (Fault fault = Counts(schema, "minLength", "maxLength", true)) {
      return fault;
    }
    if (Fault fault = MustBeString(schema, "pattern")) {
      return fault;
    }
    const Value pattern = schema.Find("pattern");
    if (pattern.is_defined() && !CachedRegex(context_.prepared, pattern.string())) {
      return "pattern must be a valid regex";
    }
    return MustBeString(schema, "format");
  }

  static Fault MustBeArray(const Value& schema, std::string_view key) {
    const Value value = schema.Find(key);
    return value.is_undefined() || value.is_array() ? std::nullopt
                                                    : Fault(Text({key, " must be of an array"}));
  }

  Fault Objects(const Value& schema) {
    if (Fault fault = Counts(schema, "minProperties", "maxProperties", true)) {
      return fault;
    }
    if (Fault fault = MustBeArray(schema, "required")) {
      return fault;
    }
    const Value required = schema.Find("required");
    for (std::uint32_t i = 0; i < required.size(); ++i) {
      if (!required.ItemAt(i).is_string()) {
        return InvalidType("string", "required");
      }
      if (Repeats(required, i)) {
        return "required items must be unique";
      }
    }
    return std::nullopt;
  }

  Fault Arrays(const Value& schema) {
    if (Fault fault = Counts(schema, "minItems", "maxItems", false)) {
      return fault;
    }
    const Value unique = schema.Find("uniqueItems");
    if (unique.is_defined() && !unique.is_boolean()) {
      return "uniqueItems must be of a boolean";
    }
    const Value contains = schema.Find("contains");
    return contains.is_defined() && draft_ >= SchemaDraft::k6 ? Inner(contains) : std::nullopt;
  }

  Fault Values(const Value& schema) {
    if (Fault fault = MustBeArray(schema, "enum")) {
      return fault;
    }
    const Value allowed = schema.Find("enum");
    for (std::uint32_t i = 0; i < allowed.size(); ++i) {
      if (Repeats(allowed, i)) {
        return "enum items must be unique";
      }
    }
    return std::nullopt;
  }

  Fault Combinations(const Value& schema) {
    for (const std::string_view key : {"oneOf", "anyOf", "allOf"}) {
      if (Fault fault = MustBeArray(schema, key)) {
        return fault;
      }
      if (Fault fault = Each(schema.Find(key))) {
        return fault;
      }
    }
    for (const std::string_view key : {"not", "if", "then", "else"}) {
      const Value inner = schema.Find(key);
      if (inner.is_undefined() || (key != "not" && draft_ < SchemaDraft::k7)) {
        continue;
      }
      if (!IsSchema(inner)) {
        return Text({key, " must be of an object"});
      }
      if (Fault fault = Inner(inner)) {
        return fault;
      }
    }
    return std::nullopt;
  }

  CallContext& context_;
  const Value root_;
  const SchemaDraft draft_;
  int depth_ = 0;
  std::vector<std::string_view> followed_;
};

}  // namespace

SchemaDraft DraftOf(const Value& schema) {
  std::string_view name = schema.GetString({"$schema"});
  if (name.ends_with('#')) {
    name.remove_suffix(1);
  }
  return name == "http://json-schema.org/draft-04/schema"   ? SchemaDraft::k4
         : name == "http://json-schema.org/draft-06/schema" ? SchemaDraft::k6
         : name == "http://json-schema.org/draft-07/schema" ? SchemaDraft::k7
                                                            : SchemaDraft::kAll;
}

std::optional<std::string> SchemaFault(CallContext& context, const Value& schema) {
  if (!IsSchema(schema)) {
    return "schema is invalid";
  }
  const Value named = schema.Find("$schema");
  if (named.is_defined() && !named.is_string()) {
    return "$schema must be of type string";
  }
  return Checker(context, schema, DraftOf(schema)).Check(schema, 0);
}

Value FollowReference(const Value& root, std::string_view reference) {
  if (!reference.starts_with('#')) {
    return {};
  }
  Value found = root;
  for (std::size_t at = 1; at < reference.size() && found.is_defined();) {
    if (reference[at] != '/') {
      return {};
    }
    const std::size_t end = std::min(reference.find('/', at + 1), reference.size());
    const std::string_view step = reference.substr(at + 1, end - at - 1);
    if (found.is_array()) {
      const auto index = ParseBigInt(step);
      found =
          index && mpz_fits_ulong_p(index->get()) != 0 && mpz_get_ui(index->get()) < found.size()
              ? found.ItemAt(static_cast<std::uint32_t>(mpz_get_ui(index->get())))
              : Value();
    } else {
      found = found.Find(step);
    }
    at = end;
  }
  return found;
}

}  // namespace portcullis::builtins
