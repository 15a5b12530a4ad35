#include "rules/rego/key_programs.h"

#include <utility>
#include <vector>

#include "base/clock.h"
#include "rules/rego/catalog.h"
#include "rules/rego/compile.h"
#include "rules/rego/engine.h"

namespace portcullis::rego {
namespace {

using document::Value;

class Program final : public index::KeyProgram {
 public:
  explicit Program(std::unique_ptr<const Plan> plan) : plan_(std::move(plan)) {}

  std::optional<std::vector<Value>> Keys(const Value& object,
                                         document::Arena& arena) const override {
    // Of its own, so that the limit does not depend on what else is in the caller's.
    document::Arena own(RegoKeyPrograms::kMostBytes);
    ManualClock clock;
    EvaluationRequest request;
    // As policies see the inventory.
    request.input = document::WithFloatNumbers(object, own);
    request.arena = &own;
    request.clock = &clock;
    request.step_limit = RegoKeyPrograms::kMostSteps;
    const auto outcome = plan_->Evaluate(request);
    if (!outcome || !*outcome) {
      return std::nullopt;
    }
    std::vector<Value> keys;
    for (std::uint32_t i = 0; i < (*outcome)->size(); ++i) {
      keys.push_back(document::DeepCopy((*outcome)->ItemAt(i), arena));
    }
    return keys;
  }

 private:
  std::unique_ptr<const Plan> plan_;
};

std::unexpected<Error> NoProgram(const std::vector<Diagnostic>& diagnostics) {
  return Fail(ErrorCode::kInvalidArgument, "the program of an index: " + ToString(diagnostics));
}

}  // namespace

RegoKeyPrograms::RegoKeyPrograms(const builtins::Catalog* catalog)
    : own_catalog_(catalog == nullptr ? CreateCatalog() : nullptr),
      catalog_(catalog == nullptr ? own_catalog_.get() : catalog) {}

RegoKeyPrograms::~RegoKeyPrograms() = default;

Result<std::shared_ptr<const index::KeyProgram>> RegoKeyPrograms::Make(
    const std::string& text) const {
  if (text.find("\n# " + std::string(kKeyProgramVersion) + "\n") == std::string::npos) {
    return Fail(ErrorCode::kInvalidArgument,
                "the program of an index is of another version of the engine");
  }
  auto module = ParseModule("index", text, Version::kV1);
  if (!module) {
    return NoProgram(module.error());
  }
  std::vector<std::unique_ptr<Module>> modules;
  modules.push_back(std::move(*module));
  auto policy = Compile(std::move(modules), {.catalog = catalog_});
  if (!policy) {
    return NoProgram(policy.error());
  }
  const std::string path[] = {"portcullis", "keys", "keys"};
  auto plan = TRY(MakePlan(std::move(*policy), path));
  return std::make_shared<Program>(std::move(plan));
}

}  // namespace portcullis::rego
