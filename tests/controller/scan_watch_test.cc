// Templates whose plans scan: warned of, with hysteresis, and refused.

#include "controller/scan_watch.h"

#include <string>

#include <gtest/gtest.h>

#include "document/yaml.h"
#include "rules/rego/catalog.h"
#include "tests/index/test_inventory.h"
#include "tests/policy/manifests.h"

namespace portcullis::controller {
namespace {

std::string TemplateText(const std::string& kind, const std::string& condition) {
  return policy::TemplateManifest(
      kind,
      "violation[{\"msg\": name}] {\n  other := data.inventory.namespace[_][_].Ingress[name]\n  " +
          condition + "\n}");
}

class ScanWatchTest : public testing::Test {
 protected:
  void Grow(int from, int to) {
    for (int i = from; i < to; ++i) {
      inventory_.Put(index::IngressJson("shop", "web" + std::to_string(i), {"h"}));
    }
  }
  void Shrink(int from, int to) {
    for (int i = from; i < to; ++i) {
      inventory_.Delete(index::IngressKey("shop", "web" + std::to_string(i)));
    }
  }
  static Result<void> Put(policy::PolicyStore& policies, const std::string& text) {
    document::Arena arena;
    return policies.PutTemplate(document::ParseYaml(text, arena)->front().value);
  }
  std::string Warned(ScanWatch& watch) {
    watch.Update(policies_.current(), *inventory_->View());
    std::string text;
    for (const ScanWarning& each : watch.Warnings()) {
      text += each.name + " " + std::to_string(each.objects) + ";";
    }
    return text;
  }

  index::TemporaryFolder folder_;
  index::TestInventory inventory_{folder_.path()};
  Metrics metrics_;
  policy::PolicyStore policies_{rego::CreateCatalog()};
};

TEST_F(ScanWatchTest, WarnsBeyondTheLimitAndEndsWellBelowIt) {
  ScanWatch watch({.warning = 10}, Logger::Silent(), metrics_);
  ASSERT_TRUE(Put(policies_, TemplateText("Scans", "other.spec.x != input.x")));
  ASSERT_TRUE(Put(policies_, TemplateText("LooksUp", "other.spec.x == input.x")));
  Grow(0, 10);
  EXPECT_EQ(Warned(watch), "");
  Grow(10, 11);
  EXPECT_EQ(Warned(watch), "scans 11;");
  EXPECT_TRUE(watch.Warnings()[0].message.starts_with("data.template.violation"))
      << watch.Warnings()[0].message;
  EXPECT_NE(watch.Warnings()[0].message.find("scans 11 objects: "), std::string::npos);
  EXPECT_NE(metrics_.ToText().find("portcullis_template_scan_warning{template=\"Scans\"} 1"),
            std::string::npos);
  EXPECT_NE(metrics_.ToText().find("portcullis_template_scan_objects{template=\"Scans\"} 11"),
            std::string::npos);
  EXPECT_EQ(metrics_.ToText().find("LooksUp"), std::string::npos);
  Shrink(9, 11);
  EXPECT_EQ(Warned(watch), "scans 9;");
  Shrink(8, 9);
  EXPECT_EQ(Warned(watch), "");
  EXPECT_NE(metrics_.ToText().find("portcullis_template_scan_warning{template=\"Scans\"} 0"),
            std::string::npos);
  Grow(8, 12);
  EXPECT_EQ(Warned(watch), "scans 12;");
  policies_.RemoveTemplate("scans");
  EXPECT_EQ(Warned(watch), "");
  EXPECT_NE(metrics_.ToText().find("portcullis_template_scan_objects{template=\"Scans\"} 0"),
            std::string::npos);
}

TEST_F(ScanWatchTest, NoWarningIsGivenWhereNoneIsWanted) {
  ScanWatch watch({.warning = 0}, Logger::Silent(), metrics_);
  ASSERT_TRUE(Put(policies_, TemplateText("Scans", "other.spec.x != input.x")));
  Grow(0, 3);
  EXPECT_EQ(Warned(watch), "");
}

TEST_F(ScanWatchTest, ATemplateBeyondTheLimitIsRefusedAndTheOneBeforeItStays) {
  const ScanLimits limits{.warning = 0, .refusal = 5};
  policy::PolicyStore policies(rego::CreateCatalog(),
                               {.templates = {}, .admit = [&](const policy::Template& of) {
                                  return CheckScanLimit(of, *inventory_->View(), limits);
                                }});
  Grow(0, 6);
  ASSERT_TRUE(Put(policies, TemplateText("Rule", "other.spec.x == input.x")));
  const auto refused = Put(policies, TemplateText("Rule", "other.spec.x != input.x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(refused.error().message.starts_with(
      "the plan scans more than the 5 objects that --scan-limit allows: data.template.violation"))
      << refused.error().message;
  EXPECT_EQ(policies.current()->FindTemplate("Rule")->plan->wanted_indexes().size(), 1U);
  Shrink(5, 6);
  EXPECT_TRUE(Put(policies, TemplateText("Rule", "other.spec.x != input.x")));
  // Growth does not take a policy out of force by itself.
  Grow(5, 8);
  EXPECT_NE(policies.current()->FindTemplate("Rule"), nullptr);
  const ScanWatch watch(limits, Logger::Silent(), metrics_);
  const std::vector<ScanWarning> gone = watch.Refuse(policies, *inventory_->View());
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].name, "rule");
  EXPECT_EQ(policies.current()->FindTemplate("Rule"), nullptr);
}

}  // namespace
}  // namespace portcullis::controller
