#include "rules/policy/label_selector.h"

#include <algorithm>
#include <span>
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

std::string LabelSelector::Complaint(const Value& selector) {
  const auto check = [](std::string_view key, const Value& values, std::string* lacking) {
    std::vector<std::string> problems;
    for (const std::string& text : CheckLabelKey(key)) {
      problems.push_back(FieldInvalid("key", Value::String(key), text));
    }
    if (!lacking->empty()) {
      problems.push_back(std::move(*lacking));
    }
    for (std::uint32_t i = 0; values.is_array() && i < values.size(); ++i) {
      const Value value = values.ItemAt(i);
      for (const std::string& text :
           value.is_string() ? CheckLabelValue(value.string()) : std::vector<std::string>()) {
        problems.push_back(FieldInvalid(
            "values[" + std::to_string(i) + "][" + std::string(key) + "]", value, text));
      }
    }
    return problems.empty() ? std::string() : Aggregate(problems);
  };
  const Value labels = selector.Find("matchLabels");
  for (std::uint32_t i = 0; labels.is_object() && i < labels.size(); ++i) {
    const Value value = labels.ValueAt(i);
    std::string none;
    std::string complaint =
        check(labels.KeyAt(i).string(), Value::Array(std::span(&value, 1)), &none);
    if (!complaint.empty()) {
      return complaint;
    }
  }
  const Value expressions = selector.Find("matchExpressions");
  for (std::uint32_t i = 0; expressions.is_array() && i < expressions.size(); ++i) {
    const Value expression = expressions.ItemAt(i);
    const std::string_view op = expression.GetString({"operator"});
    const Value values = expression.Find("values");
    const bool lists = op == "In" || op == "NotIn";
    if (!lists && op != "Exists" && op != "DoesNotExist") {
      return Quote(op) + " is not a valid label selector operator";
    }
    std::string wrong_values;
    if (lists && values.size() == 0) {
      wrong_values = FieldInvalid("values", Value::Null(),
                                  "for 'in', 'notin' operators, values set can't be empty");
    } else if (!lists && values.size() > 0) {
      wrong_values =
          FieldInvalid("values", values, "values set must be empty for exists and does not exist");
    }
    std::string complaint = check(expression.GetString({"key"}), values, &wrong_values);
    if (!complaint.empty()) {
      return complaint;
    }
  }
  return {};
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
