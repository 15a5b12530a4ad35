#include "rules/policy/review_stats.h"

#include <array>

#include <gtest/gtest.h>

namespace portcullis::policy {
namespace {

TEST(ExecutionStats, AreGatekeepersToTheByte) {
  Template of;
  of.kind = "K8sUniqueHost";
  std::array<TemplateTime, 2> times;
  times[0].of = &of;
  times[0].constraints = 2;
  times[0].runtime = std::chrono::microseconds(12);
  times[1].of = &of;
  times[1].implied_by = "expand-deployments";
  const std::string_view text =
      R"({"scope":"template","statsFor":"K8sUniqueHost","stats":[{"name":"templateRunTimeNS","value":12000,)"
      R"("source":{"type":"engine","value":"Rego"},"description":"the number of nanoseconds it took to )"
      R"(evaluate all constraints for a template"},{"name":"constraintCount","value":2,"source":)"
      R"({"type":"engine","value":"Rego"},"description":"the number of constraints that were evaluated )"
      R"(for the given constraint kind"}],"labels":[{"name":"TracingEnabled","value":true},)"
      R"({"name":"PrintEnabled","value":false},{"name":"target","value":"admission.k8s.gatekeeper.sh"}]})";
  EXPECT_EQ(ExecutionStats(std::span(times).first(1), true), "[" + std::string(text) + "]");
  const std::string both = ExecutionStats(times, false);
  EXPECT_TRUE(both.ends_with(R"(,{"name":"Implied by","value":"expand-deployments"}]}])")) << both;
  EXPECT_EQ(ExecutionStats({}, false), "[]");
}

}  // namespace
}  // namespace portcullis::policy
