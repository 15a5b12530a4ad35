// What policies/ promises beyond its suites: the unique-host policy looks hosts up and never scans.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/clock.h"
#include "rules/policy/manifest_file.h"
#include "rules/policy/policy_set.h"
#include "rules/policy/review.h"
#include "rules/policy/suite_inventory.h"
#include "rules/rego/catalog.h"

namespace portcullis::policy {
namespace {

namespace fs = std::filesystem;

TEST(OwnPoliciesTest, TheUniqueHostPolicyLooksHostsUpAndNeverScans) {
  const fs::path folder = fs::path(PORTCULLIS_POLICIES) / "unique-ingress-host";
  const auto read = [&](const char* file, document::Arena& arena) {
    return ReadObjects(folder / file, arena, document::NumberMode::kFloat64).value();
  };
  document::Arena arena;
  SystemClock clock;
  PolicyStore policies(rego::CreateCatalog());
  ASSERT_TRUE(policies.PutTemplate(read("template.yaml", arena).front()));
  ASSERT_TRUE(policies.PutConstraint(read("constraint.yaml", arena).front()));
  const std::shared_ptr<const PolicySet> set = policies.current();
  const std::vector<index::Definition>& wanted =
      set->FindTemplate("K8sUniqueHost")->plan->wanted_indexes();
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_EQ(wanted.front().ToString(), "namespace/*/*/Ingress: spec.rules[_].host");

  const fs::path scratch =
      fs::temp_directory_path() / ("portcullis-own-" + std::to_string(::getpid()));
  {
    auto store = SuiteStore::Open(scratch, clock).value();
    const auto view = store->Load(read("samples/inventory.yaml", arena), wanted).value();
    ReviewInput input;
    input.request = MakeRequest(read("samples/taken.yaml", arena).front(), arena);
    const auto verdict = Review(*set, input, view.get(), {}, clock, arena);
    ASSERT_TRUE(verdict.has_value()) << verdict.error().message;
    ASSERT_EQ(verdict->violations.size(), 1U);
    EXPECT_EQ(verdict->violations.front().constraint->name, "unique-ingress-host");
    EXPECT_EQ(verdict->violations.front().message,
              "host shop.example.com is already used by Ingress team-a/web");
    EXPECT_EQ(verdict->statistics.lookups, 1U);
    EXPECT_EQ(verdict->statistics.scans, 0U);
  }
  fs::remove_all(scratch);
}

}  // namespace
}  // namespace portcullis::policy
