#include "controller/mutator_controller.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/controller/scripted_source.h"

namespace portcullis::controller {
namespace {

std::string Assign(const std::string& name, const std::string& location,
                   const std::string& version = "v1") {
  return "{apiVersion: mutations.gatekeeper.sh/" + version +
         ", kind: Assign, metadata: {name: " + name +
         "}, spec: {applyTo: [{groups: [''], versions: [v1], kinds: [Pod]}], location: '" +
         location + "', parameters: {assign: {value: 1}}}}\n";
}

class MutatorControllerTest : public testing::Test {
 protected:
  void Start(bool converts = false) {
    source_ = std::make_unique<ScriptedSource>(converts);
    controller_ = std::make_unique<MutatorController>(*source_, mutators_, nullptr, clock_,
                                                      Logger::Silent(), metrics_);
    controller_->Start();
  }
  static document::GroupVersionKind Type(const std::string& version) {
    return {"mutations.gatekeeper.sh", version, "Assign"};
  }

  SystemClock clock_;
  Metrics metrics_;
  mutation::MutationStore mutators_;
  std::unique_ptr<ScriptedSource> source_;
  std::unique_ptr<MutatorController> controller_;
};

TEST_F(MutatorControllerTest, MutatorsComeAndGo) {
  Start();
  source_->Put(Assign("a", "spec.a"));
  EXPECT_EQ(mutators_.current()->all().size(), 1U);
  source_->Delete(Type("v1"), "a");
  EXPECT_EQ(mutators_.current()->all().size(), 0U);
}

TEST_F(MutatorControllerTest, OneThatIsRefusedLeavesTheOneBefore) {
  Start();
  source_->Put(Assign("a", "spec.a"));
  source_->Put(Assign("a", "metadata.a"));
  ASSERT_EQ(mutators_.current()->all().size(), 1U);
  EXPECT_EQ(mutators_.current()->all()[0]->location().ToString(), "spec.a");
  EXPECT_EQ(mutators_.Statuses()[0].errors[0].message, "assign a can't change metadata");
}

TEST_F(MutatorControllerTest, OfTwoVersionsOfANameTheFirstCounts) {
  Start();
  source_->Put(Assign("a", "spec.a", "v1beta1"));
  source_->Put(Assign("a", "spec.b", "v1"));
  EXPECT_EQ(mutators_.current()->all()[0]->location().ToString(), "spec.a");
  source_->Delete(Type("v1"), "a");
  EXPECT_EQ(mutators_.current()->all().size(), 1U);
}

TEST_F(MutatorControllerTest, WhereVersionsAreConvertedOneIsFollowed) {
  Start(true);
  EXPECT_TRUE(source_->follows(Type("v1")));
  EXPECT_FALSE(source_->follows(Type("v1alpha1")));
  EXPECT_TRUE(source_->follows({"mutations.gatekeeper.sh", "v1alpha1", "AssignImage"}));
}

TEST_F(MutatorControllerTest, KindsThatAreNotListedYetAreAwaited) {
  source_ = std::make_unique<ScriptedSource>(true);
  source_->Hold();
  controller_ = std::make_unique<MutatorController>(*source_, mutators_, nullptr, clock_,
                                                    Logger::Silent(), metrics_);
  controller_->Start();
  EXPECT_EQ(controller_->WaitingFor().size(), 4U);
  source_->Release();
  EXPECT_TRUE(controller_->WaitingFor().empty());
}

TEST_F(MutatorControllerTest, MetricsTellHowMutatorsFare) {
  Start();
  source_->Put(Assign("a", "spec.a.b") + "---\n" + Assign("b", "spec.a[k:v].b") + "---\n" +
               Assign("c", "spec.c") + "---\n" + Assign("d", "metadata.x"));
  controller_->UpdateMetrics();
  const std::string text = metrics_.ToText();
  for (const char* line :
       {"gatekeeper_mutators{status=\"active\"} 1", "gatekeeper_mutators{status=\"error\"} 3",
        "gatekeeper_mutator_conflicting_count 2",
        "gatekeeper_mutator_ingestion_count_total{status=\"active\"} 3",
        "gatekeeper_mutator_ingestion_count_total{status=\"error\"} 1"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

}  // namespace
}  // namespace portcullis::controller
