#include "rules/builtins/json_schema_validator.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "document/json.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

constexpr int kMaxDepth = 200;

}  // namespace

void KeepBestOutcome(std::optional<SchemaOutcome>* best, SchemaOutcome candidate) {
  if (!*best || candidate.score > (*best)->score) {
    *best = std::move(candidate);
  }
}

std::string JoinField(const std::string& field, std::string_view step) {
  return field == "(Root)" ? std::string(step) : field + "." + std::string(step);
}

SchemaOutcome SchemaValidator::Validate(const Value& schema, const Value& value,
                                        const std::string& field, int depth) {
  SchemaOutcome outcome;
  Validate(schema, value, field, depth, &outcome);
  return outcome;
}

void SchemaValidator::Merge(SchemaOutcome other, SchemaOutcome* outcome) {
  if (!context_.ShouldHalt(other.findings.size())) {
    std::ranges::move(other.findings, std::back_inserter(outcome->findings));
    outcome->score += other.score;
  }
}

void SchemaValidator::Report(const std::string& field, std::string type, std::string text,
                             SchemaOutcome* outcome) {
  outcome->findings.push_back({field, std::move(type), std::move(text)});
  outcome->score -= 2;
}

void SchemaValidator::Validate(const Value& schema, const Value& value, const std::string& field,
                               int depth, SchemaOutcome* outcome) {
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
      Validate(properties.ValueAt(i), member, JoinField(field, name), depth + 1, outcome);
    }
  }
  ++outcome->score;
}

bool SchemaValidator::CheckType(const Value& schema, const Value& value, const std::string& field,
                                SchemaOutcome* outcome) {
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

void SchemaValidator::CheckCombined(const Value& schema, const Value& value,
                                    const std::string& field, int depth, SchemaOutcome* outcome) {
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
    SchemaOutcome part = validate(all.ItemAt(i));
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

template <class ValidateInner>
void SchemaValidator::CheckAnyOf(const Value& schemas, const std::string& field,
                                 const ValidateInner& validate, SchemaOutcome* outcome) {
  std::optional<SchemaOutcome> best;
  for (std::uint32_t i = 0; i < schemas.size(); ++i) {
    SchemaOutcome part = validate(schemas.ItemAt(i));
    if (part.fits()) {
      return;
    }
    KeepBestOutcome(&best, std::move(part));
  }
  Report(field, "number_any_of", "Must validate at least one schema (anyOf)", outcome);
  Merge(*std::move(best), outcome);
}

template <class ValidateInner>
void SchemaValidator::CheckOneOf(const Value& schemas, const std::string& field,
                                 const ValidateInner& validate, SchemaOutcome* outcome) {
  std::optional<SchemaOutcome> best;
  std::uint32_t fitting = 0;
  for (std::uint32_t i = 0; i < schemas.size(); ++i) {
    SchemaOutcome part = validate(schemas.ItemAt(i));
    if (part.fits()) {
      ++fitting;
    } else if (fitting == 0) {
      KeepBestOutcome(&best, std::move(part));
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

void SchemaValidator::CheckDependencies(const Value& dependencies, const Value& value,
                                        const std::string& field, int depth,
                                        SchemaOutcome* outcome) {
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

template <class ValidateInner>
void SchemaValidator::CheckCondition(const Value& schema, const std::string& field,
                                     const ValidateInner& validate, SchemaOutcome* outcome) {
  const Value condition = schema.Find("if");
  if (condition.is_undefined() || draft_ < SchemaDraft::k7) {
    return;
  }
  const bool holds = validate(condition).fits();
  const Value branch = schema.Find(holds ? "then" : "else");
  if (branch.is_undefined()) {
    return;
  }
  SchemaOutcome part = validate(branch);
  if (part.fits()) {
    return;
  }
  Report(field, holds ? "condition_then" : "condition_else",
         holds ? "Must validate \"then\" as \"if\" was valid"
               : "Must validate \"else\" as \"if\" was not valid",
         outcome);
  Merge(std::move(part), outcome);
}

void SchemaValidator::CheckCommon(const Value& schema, const Value& value, const std::string& field,
                                  SchemaOutcome* outcome) {
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

}  // namespace portcullis::builtins
