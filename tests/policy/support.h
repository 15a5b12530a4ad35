// Values and templates written down in tests.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"
#include "document/yaml.h"
#include "rules/policy/schema.h"
#include "rules/policy/template.h"

namespace portcullis::policy {

// Reads YAML into an arena that lives as long as this.
class Documents {
 public:
  document::Value Yaml(std::string_view text) {
    const auto documents = document::ParseYaml(text, arena_);
    EXPECT_TRUE(documents.has_value()) << (documents ? "" : documents.error().ToString());
    if (!documents || documents->empty()) {
      return {};
    }
    return documents->front().value;
  }
  document::Arena& arena() { return arena_; }

 private:
  document::Arena arena_;
};

// A template of kind Probe without Rego, for constraints that have these parameters.
inline Template MakeTemplate(const document::Value& parameters, bool legacy = false) {
  Template result;
  result.name = "probe";
  result.kind = "Probe";
  auto schema = Schema::ForConstraints(parameters, legacy);
  EXPECT_TRUE(schema.has_value()) << (schema ? "" : schema.error().message);
  if (schema) {
    result.schema = *std::move(schema);
  }
  return result;
}

}  // namespace portcullis::policy
