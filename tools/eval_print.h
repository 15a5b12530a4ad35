// The results of `portcullis eval` in OPA's output formats.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "document/value.h"
#include "rules/rego/capture.h"
#include "rules/rego/trace/trace.h"
#include "tools/go_json.h"
#include "tools/rego_report.h"

namespace portcullis::tools {

enum class EvalFormat : std::uint8_t { kJson, kPretty, kRaw, kValues, kBindings, kDiscard };

// One solution of the query.
struct EvalSolution {
  std::vector<document::Value> expressions;                       // As EvalOutput::expressions.
  std::vector<std::pair<std::string, document::Value>> bindings;  // By name.
};

struct EvalOutput {
  std::vector<ReportedError> errors;
  std::vector<rego::QueryExpression> expressions;
  std::vector<EvalSolution> solutions;
  // Null: none is shown. As text for kPretty, else as JSON.
  const rego::trace::Explanation* explanation = nullptr;
  std::vector<std::pair<std::string, std::int64_t>> metrics;  // By name; empty: none are shown.
  struct ProfiledLine {
    rego::trace::ProfiledLine line;
    std::string place;  // As it is shown.
  };
  std::vector<ProfiledLine> profile;
};

// What goes to standard output, and to standard error.
struct EvalText {
  std::string out;
  std::string err;
};

[[nodiscard]] EvalText PrintEval(const EvalOutput& output, EvalFormat format);

// A table with a header and lines around its cells.
[[nodiscard]] std::string TableText(const std::vector<std::string>& header,
                                    const std::vector<std::vector<std::string>>& rows);

}  // namespace portcullis::tools
