#include "rules/policy/review_stats.h"

#include <chrono>

#include "document/json.h"

namespace portcullis::policy {
namespace {

constexpr std::string_view kSource = R"(,"source":{"type":"engine","value":"Rego"},"description":)";

}  // namespace

std::string ExecutionStats(std::span<const TemplateTime> times, bool traced) {
  std::string text = "[";
  for (const TemplateTime& time : times) {
    const auto nanoseconds =
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.runtime).count();
    text += text.size() > 1 ? "," : "";
    text += R"({"scope":"template","statsFor":)";
    text += document::ToJson(document::Value::String(time.of->kind));
    text += R"(,"stats":[{"name":"templateRunTimeNS","value":)" + std::to_string(nanoseconds);
    text += kSource;
    text += R"("the number of nanoseconds it took to evaluate all constraints for a template"},)"
            R"({"name":"constraintCount","value":)" +
            std::to_string(time.constraints);
    text += kSource;
    text += R"("the number of constraints that were evaluated for the given constraint kind"}],)"
            R"("labels":[{"name":"TracingEnabled","value":)";
    text += traced ? "true" : "false";
    text += R"(},{"name":"PrintEnabled","value":false},)"
            R"({"name":"target","value":"admission.k8s.gatekeeper.sh"})";
    if (!time.implied_by.empty()) {
      text += R"(,{"name":"Implied by","value":)" +
              document::ToJson(document::Value::String(time.implied_by)) + "}";
    }
    text += "]}";
  }
  return text + "]";
}

}  // namespace portcullis::policy
