// Errors of Rego as `opa eval` and `opa check` print them.

#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "rules/rego/compile.h"
#include "rules/rego/engine.h"
#include "tools/go_json.h"

namespace portcullis::tools {

struct ReportedError {
  std::string text;     // The whole, with place, code and details.
  std::string message;  // The message alone.
  std::string code;     // Empty: an error that is not Rego's.
  rego::Location location;
  std::vector<std::string> details;
};

template <class T>
using Reported = std::expected<T, std::vector<ReportedError>>;

[[nodiscard]] ReportedError ReportOf(const rego::Diagnostic& diagnostic);
[[nodiscard]] ReportedError ReportOf(const rego::EvaluationError& error);
[[nodiscard]] ReportedError ReportOf(const Error& error);
[[nodiscard]] std::vector<ReportedError> ReportOf(const std::vector<rego::Diagnostic>& errors);

// "1 error occurred: …" or "2 errors occurred:\n…"; `when` follows "occurred": " during loading".
[[nodiscard]] std::string ReportText(const std::vector<ReportedError>& errors,
                                     std::string_view when = "");
// [{"message": …, "code": …, "location": …}]
[[nodiscard]] GoJson ReportJson(const std::vector<ReportedError>& errors);

}  // namespace portcullis::tools
