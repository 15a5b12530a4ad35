// One node of a schema, and what is done with it. Used by schema*.cc alone.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"

namespace re2 {
class RE2;
}

namespace portcullis::policy {

struct SchemaNode {
  SchemaNode();
  ~SchemaNode();

  std::string type;  // "" : any.
  bool nullable = false;
  bool int_or_string = false;
  bool preserve_unknown = false;
  bool embedded_resource = false;
  bool described = false;  // Has a title or description.

  std::string pattern;
  std::shared_ptr<const re2::RE2> regex;  // Null: no pattern, or one that does not compile.
  std::string pattern_error;              // Why `pattern` does not compile; empty: it does.
  std::optional<std::int64_t> min_length;
  std::optional<std::int64_t> max_length;

  std::optional<double> minimum;
  std::optional<double> maximum;
  std::optional<double> multiple_of;
  bool exclusive_minimum = false;
  bool exclusive_maximum = false;

  std::unique_ptr<SchemaNode> items;
  std::optional<std::int64_t> min_items;
  std::optional<std::int64_t> max_items;
  bool unique_items = false;

  std::map<std::string, std::unique_ptr<SchemaNode>, std::less<>> properties;
  std::unique_ptr<SchemaNode> additional;  // additionalProperties as a schema.
  std::optional<bool> additional_allowed;  // additionalProperties as a boolean.
  std::vector<std::string> required;
  std::optional<std::int64_t> min_properties;
  std::optional<std::int64_t> max_properties;

  std::vector<document::Value> enumeration;
  document::Value default_value;  // Undefined: none.

  std::vector<std::unique_ptr<SchemaNode>> all_of;
  std::vector<std::unique_ptr<SchemaNode>> any_of;
  std::vector<std::unique_ptr<SchemaNode>> one_of;
  std::unique_ptr<SchemaNode> negated;
};

// Values of the result live in `arena`. ERRORS: kInvalidArgument: a field of the wrong type, or nested too deep.
[[nodiscard]] Result<std::unique_ptr<SchemaNode>> ParseSchemaNode(const document::Value& schema,
                                                                  std::string_view path,
                                                                  document::Arena& arena);

// legacySchema: every node that may hold an object keeps members that it does not name.
void PreserveUnknownFields(SchemaNode& node);

// What Kubernetes refuses in the schema of a CRD, sorted.
[[nodiscard]] std::vector<std::string> CheckStructure(const SchemaNode& root,
                                                      std::string_view path);

// Appends an error for each rule of `node` that `value` breaks. Messages name `base` followed by the place in the value.
void ValidateValue(const SchemaNode& node, const document::Value& value, std::string_view base,
                   std::vector<std::string>* errors);

}  // namespace portcullis::policy
