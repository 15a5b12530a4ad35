// The cases of tests/cases/admission: replies equal those of OPA Gatekeeper byte for byte.

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "document/yaml.h"
#include "tests/webhook/admission_world.h"

namespace portcullis::webhook {
namespace {

using document::Value;

class AdmissionCasesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    world_ = new AdmissionWorld;
    world_->LoadFile(AdmissionCases() / "setup.yaml");
    world_->BuildIndexes();
  }
  static void TearDownTestSuite() {
    delete world_;
    world_ = nullptr;
  }

  static void Run(const std::string& file) {
    std::ifstream in(AdmissionCases() / file);
    ASSERT_TRUE(in) << file;
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    document::Arena arena;
    const auto documents = document::ParseYaml(text, arena);
    ASSERT_TRUE(documents) << documents.error().ToString();
    const Value cases = documents->front().value;
    ASSERT_GT(cases.size(), 10U);
    // As Gatekeeper, which compiles no template before it is stored.
    AdmissionOptions options;
    options.compile_templates = false;
    const auto handler = world_->MakeHandler(options);
    for (std::uint32_t i = 0; i < cases.size(); ++i) {
      const Value each = cases.ItemAt(i);
      const Value content_type = each.Find("content_type");
      const AdmissionOutcome outcome =
          handler->Admit(content_type.is_string() ? content_type.string() : "application/json",
                         each.GetString({"body"}));
      // A case may say where and why this program answers otherwise.
      const Value ours = each.Find("ours");
      EXPECT_EQ(outcome.body, ours.is_string() ? ours.string() : each.GetString({"want"}))
          << file << ": " << each.GetString({"name"});
    }
  }

  static AdmissionWorld* world_;
};

AdmissionWorld* AdmissionCasesTest::world_ = nullptr;

TEST_F(AdmissionCasesTest, Verdicts) {
  Run("verdict.yaml");
}
TEST_F(AdmissionCasesTest, BrokenRequests) {
  Run("transport.yaml");
}
TEST_F(AdmissionCasesTest, GatekeepersOwnResources) {
  Run("gatekeeper_resources.yaml");
}

}  // namespace
}  // namespace portcullis::webhook
