// Queries whose expressions' values are asked for: `opa eval`. Each expression that has a value is compiled so that the value
// ends in a variable of its own.
// SOURCE: OPA's rego package, rewriteQueryToCaptureValue.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rules/rego/compile.h"

namespace portcullis::rego {

struct QueryExpression {
  std::string text;  // As written.
  std::uint32_t row = 0;
  std::uint32_t column = 0;
  std::string variable;  // Where its value is among the bindings; empty: it has none but `true`.
};

struct ValueQuery {
  Body body;  // What the author declared at its top has the author's names.
  std::vector<QueryExpression> expressions = {};  // In the order in which they are evaluated.
  WrittenNames written = {};
  WrittenNames tops = {};  // By the author's name, the compiler's of what is declared at the top.
};

// Bindings of such variables are no author's.
[[nodiscard]] bool IsCapture(std::string_view variable);

// `text` is what `query` was parsed from. `context`: a module whose package's rules and imports the query may name; null: none.
[[nodiscard]] Checked<ValueQuery> CompileValueQuery(const CompiledPolicy& policy, Body query,
                                                    std::string_view text, const Module* context,
                                                    const CompileOptions& options);

}  // namespace portcullis::rego
