// Holds a value against a JSON schema: json_schema_validator.cc what concerns every type, json_schema_values.cc numbers, strings,
// arrays and objects.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/builtins/json_schema.h"
#include "rules/builtins/number.h"

namespace portcullis::builtins {

struct SchemaFinding {
  std::string field;
  std::string type;
  std::string text;
};

// What came of holding a value against a schema. The score says which of several schemas that do not fit comes closest.
struct SchemaOutcome {
  std::vector<SchemaFinding> findings;
  std::int64_t score = 0;

  [[nodiscard]] bool fits() const { return findings.empty(); }
};

// Keeps the better of what does not fit.
void KeepBestOutcome(std::optional<SchemaOutcome>* best, SchemaOutcome candidate);

// A field of the document by its path: "(Root)", "a.0.b".
[[nodiscard]] std::string JoinField(const std::string& field, std::string_view step);

class SchemaValidator {
 public:
  SchemaValidator(CallContext& context, const Value& root)
      : context_(context), root_(root), draft_(DraftOf(root)) {}
  SchemaOutcome Validate(const Value& schema, const Value& value, const std::string& field,
                         int depth);

 private:
  // Findings pass from level to level: that counts as steps.
  void Merge(SchemaOutcome other, SchemaOutcome* outcome);
  static void Report(const std::string& field, std::string type, std::string text,
                     SchemaOutcome* outcome);
  void Validate(const Value& schema, const Value& value, const std::string& field, int depth,
                SchemaOutcome* outcome);
  static bool CheckType(const Value& schema, const Value& value, const std::string& field,
                        SchemaOutcome* outcome);
  // anyOf, oneOf, allOf, not, dependencies, if.
  void CheckCombined(const Value& schema, const Value& value, const std::string& field, int depth,
                     SchemaOutcome* outcome);
  template <class ValidateInner>
  void CheckAnyOf(const Value& schemas, const std::string& field, const ValidateInner& validate,
                  SchemaOutcome* outcome);
  template <class ValidateInner>
  void CheckOneOf(const Value& schemas, const std::string& field, const ValidateInner& validate,
                  SchemaOutcome* outcome);
  void CheckDependencies(const Value& dependencies, const Value& value, const std::string& field,
                         int depth, SchemaOutcome* outcome);
  template <class ValidateInner>
  void CheckCondition(const Value& schema, const std::string& field, const ValidateInner& validate,
                      SchemaOutcome* outcome);
  void CheckCommon(const Value& schema, const Value& value, const std::string& field,
                   SchemaOutcome* outcome);
  static void CheckNumber(const Value& schema, const Value& value, const std::string& field,
                          SchemaOutcome* outcome);
  static bool IsMultiple(const Value& value, const Value& step);
  // number · 10^places, if that is whole.
  static std::optional<BigInt> Scaled(const Value& number, int places);
  static std::optional<std::int64_t> Count(const Value& schema, std::string_view key);
  // Reports where `size` is not within two keywords.
  static void CheckSize(const Value& schema, std::int64_t size, const std::string& field,
                        const std::array<std::string_view, 2>& keys,
                        const std::array<std::string_view, 2>& types,
                        const std::array<std::string_view, 2>& texts, std::string_view end,
                        SchemaOutcome* outcome);
  void CheckString(const Value& schema, const Value& value, const std::string& field,
                   SchemaOutcome* outcome);
  void CheckArray(const Value& schema, const Value& value, const std::string& field, int depth,
                  SchemaOutcome* outcome);
  void CheckUnique(const Value& value, const std::string& field, SchemaOutcome* outcome);
  void CheckObject(const Value& schema, const Value& value, const std::string& field, int depth,
                   SchemaOutcome* outcome);
  void CheckMember(const Value& schema, const Value& value, std::uint32_t i,
                   const std::string& field, int depth, SchemaOutcome* outcome);

  CallContext& context_;
  const Value root_;
  const SchemaDraft draft_;
};

}  // namespace portcullis::builtins
