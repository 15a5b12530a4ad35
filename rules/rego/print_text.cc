#include "rules/rego/print_text.h"

#include <utility>
#include <vector>

#include "document/json.h"

namespace portcullis::rego {

using document::Value;

bool AppendPrinted(const Value& operands, const std::function<bool()>& may_go_on,
                   std::string* out) {
  std::vector<std::string> lines = {""};
  for (std::uint32_t i = 0; i < operands.size(); ++i) {
    const Value operand = operands.ItemAt(i);
    std::vector<std::string> texts;
    const auto add = [&texts](const Value& value) {
      texts.push_back(value.is_string() ? std::string(value.string()) : document::ToRego(value));
    };
    if (!operand.is_set()) {
      add(operand);
    }
    for (std::uint32_t j = 0; operand.is_set() && j < operand.size(); ++j) {
      add(operand.ItemAt(j));
    }
    if (texts.empty()) {
      texts.emplace_back("<undefined>");
    }
    std::vector<std::string> longer;
    for (const std::string& line : lines) {
      for (const std::string& text : texts) {
        longer.push_back(i == 0 ? text : line + " " + text);
        if (longer.size() % 1024 == 0 && !may_go_on()) {
          return false;
        }
      }
    }
    lines = std::move(longer);
  }
  for (const std::string& line : lines) {
    out->append(line).append("\n");
  }
  return true;
}

}  // namespace portcullis::rego
