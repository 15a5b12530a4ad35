// Values against a schema, with kube-openapi's messages. It sees every number as a float64.

#include <algorithm>
#include <cmath>

#include <re2/re2.h>

#include "rules/policy/kubernetes_text.h"
#include "rules/policy/schema_node.h"

namespace portcullis::policy {
namespace {

using document::Value;

std::int64_t CountCharacters(std::string_view text) {
  return std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

bool IsWhole(const Value& number) {
  return number.is_int() || document::ToInt64(number).has_value() ||
         std::trunc(document::ToDouble(number)) == document::ToDouble(number);
}

std::string_view TypeName(const Value& value) {
  switch (value.type()) {
    case document::Type::kBoolean:
      return "boolean";
    case document::Type::kNumber:
      return "number";
    case document::Type::kString:
      return "string";
    case document::Type::kArray:
    case document::Type::kSet:
      return "array";
    case document::Type::kObject:
      return "object";
    case document::Type::kUndefined:
    case document::Type::kNull:
      break;
  }
  return "null";
}

bool HasType(const Value& value, std::string_view type) {
  if (value.is_number()) {
    return type == "number" || (type == "integer" && IsWhole(value));
  }
  return TypeName(value) == type;
}

std::string NumberOf(double number) {
  return document::NumberText(Value::Float(number));
}

class Validator {
 public:
  Validator(std::string_view base, std::vector<std::string>* errors)
      : base_(base), errors_(errors) {}

  void Validate(const SchemaNode& node, const Value& value, const std::string& path) {
    CheckType(node, value, path);
    if (!value.is_null()) {
      CheckCombinations(node, value, path);
      if (value.is_string()) {
        CheckString(node, value, path);
      }
      if (value.is_number()) {
        CheckNumber(node, value, path);
      }
      if (value.is_array()) {
        CheckArray(node, value, path);
      }
    }
    CheckEnumeration(node, value, path);
    if (value.is_object()) {
      CheckObject(node, value, path);
    }
  }

 private:
  // Where an error lies: the base, then the place in the value.
  [[nodiscard]] std::string Place(const std::string& path) const {
    if (path.empty()) {
      return base_;
    }
    return base_ + (path.starts_with('.') ? "" : ".") + path;
  }

  void Invalid(const std::string& path, const Value& bad, const std::string& what) {
    errors_->push_back(FieldInvalid(Place(path), bad, path + " in body " + what));
  }

  void CheckType(const SchemaNode& node, const Value& value, const std::string& path) {
    const bool typed = node.int_or_string || !node.type.empty();
    if (!typed || (value.is_null() && node.nullable)) {
      return;
    }
    const bool holds = node.int_or_string ? HasType(value, "integer") || HasType(value, "string")
                                          : HasType(value, node.type);
    if (holds) {
      return;
    }
    const std::string_view got = TypeName(value);
    Invalid(path, Value::String(got),
            "must be of type " + (node.int_or_string ? "integer,string" : node.type) + ": " +
                Quote(got));
  }

  [[nodiscard]] std::vector<std::string> Errors(const SchemaNode& node, const Value& value,
                                                const std::string& path) {
    std::vector<std::string> errors;
    Validator(base_, &errors).Validate(node, value, path);
    return errors;
  }

  // Errors of the alternative that came closest, and how many alternatives hold.
  std::size_t CountHolding(const std::vector<std::unique_ptr<SchemaNode>>& nodes,
                           const Value& value, const std::string& path,
                           std::vector<std::string>* closest) {
    std::size_t holding = 0;
    for (const auto& node : nodes) {
      std::vector<std::string> errors = Errors(*node, value, path);
      if (errors.empty()) {
        ++holding;
      } else if (closest->empty() || errors.size() < closest->size()) {
        *closest = std::move(errors);
      }
    }
    return holding;
  }

  void Combination(const std::string& path, const std::string& what) {
    errors_->push_back(FieldInvalid(base_, Value::String(""), Quote(path) + " must " + what));
  }

  void CheckCombinations(const SchemaNode& node, const Value& value, const std::string& path) {
    std::vector<std::string> closest;
    if (!node.any_of.empty() && CountHolding(node.any_of, value, path, &closest) == 0) {
      Combination(path, "validate at least one schema (anyOf)");
      errors_->insert(errors_->end(), closest.begin(), closest.end());
    }
    closest.clear();
    if (!node.one_of.empty()) {
      const std::size_t holding = CountHolding(node.one_of, value, path, &closest);
      if (holding != 1) {
        Combination(path, "validate one and only one schema (oneOf). Found " +
                              (holding == 0 ? "none valid"
                                            : std::to_string(holding) + " valid alternatives"));
      }
      if (holding == 0) {
        errors_->insert(errors_->end(), closest.begin(), closest.end());
      }
    }
    std::size_t holding = 0;
    for (const auto& all_of : node.all_of) {
      const std::vector<std::string> errors = Errors(*all_of, value, path);
      if (errors.empty()) {
        ++holding;
      }
      errors_->insert(errors_->end(), errors.begin(), errors.end());
    }
    if (holding != node.all_of.size()) {
      Combination(path, holding == 0 ? "validate all the schemas (allOf). None validated"
                                     : "validate all the schemas (allOf)");
    }
    if (node.negated != nullptr && Errors(*node.negated, value, path).empty()) {
      Combination(path, "not validate the schema (not)");
    }
  }

  void CheckString(const SchemaNode& node, const Value& value, const std::string& path) {
    const std::int64_t length = CountCharacters(value.string());
    if (node.max_length && length > *node.max_length) {
      errors_->push_back(FieldTooLong(Place(path), *node.max_length));
    } else if (node.min_length && length < *node.min_length) {
      Invalid(path, value,
              "should be at least " + std::to_string(*node.min_length) + " chars long");
    } else if (node.regex != nullptr && !re2::RE2::PartialMatch(value.string(), *node.regex)) {
      Invalid(path, value, "should match '" + node.pattern + "'");
    }
  }

  void CheckNumber(const SchemaNode& node, const Value& value, const std::string& path) {
    const double number = document::ToDouble(value);
    if (node.type == "integer" && !IsWhole(value)) {
      errors_->push_back(
          FieldInvalid(base_, Value::String(""),
                       "Checked value must be of type integer (default format) in " + path));
    }
    if (node.multiple_of && *node.multiple_of > 0) {
      const double factor = number / *node.multiple_of;
      if (std::trunc(factor) != factor) {
        Invalid(path, value, "should be a multiple of " + NumberOf(*node.multiple_of));
      }
    }
    if (node.minimum &&
        (node.exclusive_minimum ? number <= *node.minimum : number < *node.minimum)) {
      Invalid(path, value,
              std::string("should be greater than ") +
                  (node.exclusive_minimum ? "" : "or equal to ") + NumberOf(*node.minimum));
    }
    if (node.maximum &&
        (node.exclusive_maximum ? number >= *node.maximum : number > *node.maximum)) {
      Invalid(path, value,
              std::string("should be less than ") + (node.exclusive_maximum ? "" : "or equal to ") +
                  NumberOf(*node.maximum));
    }
  }

  void CheckArray(const SchemaNode& node, const Value& value, const std::string& path) {
    const auto size = static_cast<std::int64_t>(value.size());
    for (std::uint32_t i = 0; node.items != nullptr && i < value.size(); ++i) {
      Validate(*node.items, value.ItemAt(i), path + "[" + std::to_string(i) + "]");
    }
    if (node.min_items && size < *node.min_items) {
      Invalid(path, Value::Int(size),
              "should have at least " + std::to_string(*node.min_items) + " items");
    }
    if (node.max_items && size > *node.max_items) {
      errors_->push_back(FieldTooMany(Place(path), size, *node.max_items));
    }
  }

  void CheckEnumeration(const SchemaNode& node, const Value& value, const std::string& path) {
    if (node.enumeration.empty()) {
      return;
    }
    std::vector<std::string> allowed;
    for (const Value& item : node.enumeration) {
      if (document::Equal(item, value)) {
        return;
      }
      allowed.push_back(GoText(item));
    }
    errors_->push_back(FieldNotSupported(Place(path), value, allowed));
  }

  void CheckObject(const SchemaNode& node, const Value& value, const std::string& path) {
    const auto size = static_cast<std::int64_t>(value.size());
    if (node.min_properties && size < *node.min_properties) {
      Invalid(path, Value::Int(size),
              "should have at least " + std::to_string(*node.min_properties) + " properties");
    }
    if (node.max_properties && size > *node.max_properties) {
      errors_->push_back(FieldTooMany(Place(path), size, *node.max_properties));
    }
    for (std::uint32_t i = 0; i < value.size(); ++i) {
      const std::string key(value.KeyAt(i).string());
      const auto property = node.properties.find(key);
      if (property == node.properties.end()) {
        if (node.additional != nullptr) {
          Validate(*node.additional, value.ValueAt(i), path + "." + key);
        }
      } else {
        Validate(*property->second, value.ValueAt(i), path.empty() ? key : path + "." + key);
      }
    }
    for (const std::string& required : node.required) {
      if (value.Find(required).is_undefined()) {
        errors_->push_back(FieldRequired(Place(path + "." + required), ""));
      }
    }
  }

  std::string base_;
  std::vector<std::string>* errors_;
};

}  // namespace

void ValidateValue(const SchemaNode& node, const Value& value, std::string_view base,
                   std::vector<std::string>* errors) {
  Validator(base, errors).Validate(node, value, "");
}

}  // namespace portcullis::policy
