// Any program is compiled and evaluated on its own input and data within its limits, and alike each time: as a document, as
// a query, and by the evaluator that tells its steps; see tests/fuzz/program.h for the form of the text.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "document/json.h"
#include "rules/rego/compile.h"
#include "rules/rego/engine.h"
#include "rules/rego/trace/traced_query.h"
#include "tests/fuzz/evaluation.h"
#include "tests/fuzz/program.h"

using portcullis::fuzz::Evaluation;
using portcullis::fuzz::kCancelled;
using portcullis::fuzz::Program;
using portcullis::fuzz::Require;
namespace rego = portcullis::rego;

namespace {

// Signatures are salted.
bool IsRandom(const Program& program) {
  return std::ranges::any_of(program.modules, [](const std::string& text) {
    return text.find("encode_sign") != std::string::npos;
  });
}

// result = data["a"]["b"]
std::optional<rego::Body> CompileQuery(const rego::CompiledPolicy& policy,
                                       const std::vector<std::string>& path) {
  std::string text = "result = data";
  for (const std::string& part : path) {
    text += "[";
    portcullis::document::AppendRegoString(part, &text);
    text += "]";
  }
  auto query = rego::ParseQuery(text);
  Require(query.has_value(), "a path can be asked for", text);
  auto compiled = rego::CompileQuery(policy, std::move(*query), {.catalog = policy.catalog});
  return compiled ? std::optional(*std::move(compiled)) : std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Program program = portcullis::fuzz::ReadProgram(data, size);
  const auto policy = portcullis::fuzz::CompileProgram(program);
  if (!policy) {
    return 0;
  }
  const std::vector<std::string>& path = (*policy)->modules.front()->package;
  const auto plan = rego::MakePlan(*policy, path);
  if (!plan) {
    return 0;
  }
  const std::string first = Evaluation(program).Run(**plan);
  if (first.starts_with(kCancelled) || IsRandom(program)) {
    return 0;
  }
  const auto same = [&](const std::string& other, std::string_view promise) {
    Require(other == first || other.starts_with(kCancelled), promise, first + "\n" + other);
  };
  same(Evaluation(program).Run(**plan), "a second evaluation gives the same");
  auto query = CompileQuery(**policy, path);
  if (!query) {
    return 0;
  }
  if (const auto query_plan = rego::MakeQueryPlan(*policy, rego::Clone(*query))) {
    same(Evaluation(program).Run(**query_plan), "a query gives what the document is");
  }
  const rego::trace::TracedQuery traced(*policy, {.body = *std::move(query)});
  same(Evaluation(program).Run(traced), "an evaluation that is told gives the same");
  return 0;
}
