#include "rules/policy/label_selector.h"

#include <algorithm>
#include <utility>

#include "rules/policy/kubernetes_text.h"

namespace portcullis::policy {

using document::Value;

Result<LabelSelector> LabelSelector::Parse(const Value& selector, std::string_view path) {
  LabelSelector result;
  std::vector<std::string> problems;
  result.ParseLabels(selector.Find("matchLabels"), std::string(path) + ".matchLabels", &problems);
  const Value expressions = selector.Find("matchExpressions");
  for (std::uint32_t i = 0; expressions.is_array() && i < expressions.size(); ++i) {
    result.ParseExpression(expressions.ItemAt(i),
                           std::string(path) + ".matchExpressions[" + std::to_string(i) + "]",
                           &problems);
  }
  if (!problems.empty()) {
    return Fail(ErrorCode::kInvalidArgument, Aggregate(problems));
  }
  return result;
}

void LabelSelector::ParseLabels(const Value& labels, const std::string& path,
                                std::vector<std::string>* problems) {
  for (std::uint32_t i = 0; labels.is_object() && i < labels.size(); ++i) {
    const Value key = labels.KeyAt(i);
    const Value value = labels.ValueAt(i);
    for (const std::string& text : CheckLabelKey(key.string())) {
      problems->push_back(FieldInvalid(path, key, text));
    }
    if (!value.is_string()) {
      problems->push_back(FieldInvalid(path, value, "must be a string"));
      continue;
    }
    for (const std::string& text : CheckLabelValue(value.string())) {
      problems->push_back(FieldInvalid(path, value, text));
    }
    requirements_.push_back(
        {std::string(key.string()), Operator::kIn, {std::string(value.string())}});
  }
}

void LabelSelector::ParseExpression(const Value& expression, const std::string& path,
                                    std::vector<std::string>* problems) {
  Requirement requirement;
  requirement.key = std::string(expression.GetString({"key"}));
  const std::string_view op = expression.GetString({"operator"});
  const Value values = expression.Find("values");
  const std::uint32_t count = values.is_array() ? values.size() : 0;
  if (op == "In" || op == "NotIn") {
    requirement.op = op == "In" ? Operator::kIn : Operator::kNotIn;
    if (count == 0) {
      problems->push_back(
          FieldRequired(path + ".values", "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    requirement.op = op == "Exists" ? Operator::kExists : Operator::kDoesNotExist;
    if (count != 0) {
      problems->push_back(FieldForbidden(
          path + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else {
    problems->push_back(
        FieldInvalid(path + ".operator", Value::String(op), "not a valid selector operator"));
  }
  for (const std::string& text : CheckLabelKey(requirement.key)) {
    problems->push_back(FieldInvalid(path + ".key", Value::String(requirement.key), text));
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const Value value = values.ItemAt(i);
    const std::string place = path + ".values[" + std::to_string(i) + "]";
    if (!value.is_string()) {
      problems->push_back(FieldInvalid(place, value, "must be a string"));
      continue;
    }
    for (const std::string& text : CheckLabelValue(value.string())) {
      problems->push_back(FieldInvalid(place, value, text));
    }
    requirement.values.emplace_back(value.string());
  }
  requirements_.push_back(std::move(requirement));
}

bool LabelSelector::Matches(const Value& labels) const {
  bool usable = labels.is_object();
  for (std::uint32_t i = 0; usable && i < labels.size(); ++i) {
    usable = labels.ValueAt(i).is_string();
  }
  return std::ranges::all_of(requirements_, [&](const Requirement& requirement) {
    const Value value = usable ? labels.Find(requirement.key) : Value();
    const auto listed = [&] {
      return std::ranges::find(requirement.values, value.string()) != requirement.values.end();
    };
    switch (requirement.op) {
      case Operator::kIn:
        return value.is_defined() && listed();
      case Operator::kNotIn:
        return value.is_undefined() || !listed();
      case Operator::kExists:
        return value.is_defined();
      case Operator::kDoesNotExist:
        return value.is_undefined();
    }
    return false;
  });
}

}  // namespace portcullis::policy
