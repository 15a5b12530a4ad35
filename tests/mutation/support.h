// Mutators and objects written down in tests.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "document/arena.h"
#include "document/json.h"
#include "document/yaml.h"
#include "mutation/go_value.h"
#include "mutation/mutation_system.h"

namespace portcullis::mutation {

// Reads YAML into an arena that lives as long as this.
class Documents {
 public:
  document::Value Yaml(std::string_view text) {
    const auto documents = document::ParseYaml(text, arena_);
    EXPECT_TRUE(documents.has_value()) << (documents ? "" : documents.error().ToString());
    return documents && !documents->empty() ? documents->front().value : document::Value();
  }
  document::Arena& arena() { return arena_; }

 private:
  document::Arena arena_;
};

inline std::string Json(const document::Value& value) {
  std::string text;
  AppendGoJson(value, &text);
  return text;
}

// A mutator's manifest; `spec` is YAML in flow style without the braces around it.
inline std::string Manifest(std::string_view kind, std::string_view name, std::string_view spec) {
  return "{apiVersion: mutations.gatekeeper.sh/v1alpha1, kind: " + std::string(kind) +
         ", metadata: {name: " + std::string(name) + "}, spec: {" + std::string(spec) + "}}";
}

inline constexpr std::string_view kOfPods =
    R"(applyTo: [{groups: [""], versions: [v1], kinds: [Pod]}])";

// The text with which a mutator is refused; empty: it is taken.
inline std::string Refusal(Documents& documents, std::string_view kind, std::string_view spec) {
  const auto made = Mutator::Make(documents.Yaml(Manifest(kind, "m", spec)));
  return made ? "" : made.error().message;
}

inline MutateOptions WithFixedId() {
  MutateOptions options;
  options.new_id = [] { return std::string("UUID"); };
  return options;
}

}  // namespace portcullis::mutation
