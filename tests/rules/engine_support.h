// Policies from text, and their evaluation in one call.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "document/arena.h"
#include "document/value.h"
#include "index/inventory.h"
#include "rules/builtins/builtin.h"
#include "rules/rego/compile.h"
#include "rules/rego/engine.h"

namespace portcullis::rego {

// A compiled module `template` and the plan of data.template.violation, or of another rule of it. Each step must succeed.
class TestPolicy {
 public:
  explicit TestPolicy(std::string text, std::string_view rule = "violation",
                      Version version = Version::kV0);

  struct Outcome {
    std::string result;  // As Rego prints it; "undefined"; or the error's text.
    EvaluationStatistics statistics;
  };
  [[nodiscard]] Outcome Run(std::string_view input_json, index::InventoryView* inventory = nullptr,
                            IndexUse use = IndexUse::kUse, std::string_view data_json = "{}") const;
  // Run(…).result
  [[nodiscard]] std::string Evaluate(std::string_view input_json = "null") const {
    return Run(input_json).result;
  }
  // The access path of each step that reads the inventory, a line each: "index look-up: namespace/*/*/Ingress …".
  [[nodiscard]] std::string AccessPaths() const;
  [[nodiscard]] const Plan& plan() const { return *plan_; }

  std::size_t memory_limit = std::size_t{64} << 20;

 private:
  std::unique_ptr<const builtins::Catalog> catalog_;
  std::unique_ptr<const Plan> plan_;
};

}  // namespace portcullis::rego
