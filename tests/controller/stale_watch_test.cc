#include "controller/stale_watch.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "document/yaml.h"
#include "rules/rego/catalog.h"
#include "tests/policy/manifests.h"

namespace portcullis::controller {
namespace {

class StaleWatchTest : public testing::Test {
 protected:
  void Put(const std::string& kind, const std::string& body) {
    document::Arena arena;
    const std::string text =
        policy::TemplateManifest(kind, "violation[{\"msg\": \"x\"}] {\n" + body + "\n}");
    const auto done = policies_.PutTemplate(document::ParseYaml(text, arena)->front().value);
    ASSERT_TRUE(done) << done.error().message;
  }
  static replicator::KindStatus Kind(const std::string& group, const std::string& kind,
                                     std::chrono::steady_clock::time_point heard) {
    replicator::KindStatus status;
    status.type = {group, "v1", kind};
    status.last_contact = heard;
    return status;
  }
  // The templates that are stale, and why.
  std::string Ask(StaleWatch& watch, const std::vector<replicator::KindStatus>& kinds) {
    std::string text;
    for (const auto& [kind, reason] : watch.Update(policies_.current(), kinds)) {
      text += kind + ": " + reason + ";";
    }
    return text;
  }

  ManualClock clock_;
  Metrics metrics_;
  policy::PolicyStore policies_{rego::CreateCatalog()};
};

TEST_F(StaleWatchTest, TellsWhoReadsAKindThatWasNotHeardOf) {
  Put("Bound", "input.x == data.inventory.namespace[_][_].Ingress[_].spec.x");
  Put("Gets", "data.inventory.cluster[\"v1\"].Node[input.x]");
  Put("Whole", "count(data.inventory) > 0");
  Put("Pure", "input.x == 1");
  StaleWatch watch(std::chrono::seconds(300), clock_, Logger::Silent(), metrics_);
  const auto kinds = [&](int ingress, int node) {
    return std::vector{
        Kind("networking.k8s.io", "Ingress", clock_.Now() - std::chrono::seconds(ingress)),
        Kind("", "Node", clock_.Now() - std::chrono::seconds(node))};
  };
  clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(Ask(watch, kinds(300, 10)), "");
  EXPECT_EQ(Ask(watch, kinds(301, 10)),
            "Bound: networking.k8s.io/v1/Ingress was last heard of 301 s ago, beyond the limit of "
            "300 s;Whole: networking.k8s.io/v1/Ingress was last heard of 301 s ago, beyond the "
            "limit of 300 s;");
  EXPECT_EQ(metrics_.GetGauge("portcullis_stale_templates", "").value(), 2);
  EXPECT_EQ(Ask(watch, kinds(10, 400)),
            "Gets: v1/Node was last heard of 400 s ago, beyond the limit of 300 s;Whole: v1/Node "
            "was last heard of 400 s ago, beyond the limit of 300 s;");
  EXPECT_EQ(Ask(watch, kinds(10, 10)), "");
  EXPECT_EQ(metrics_.GetGauge("portcullis_stale_templates", "").value(), 0);
  policies_.RemoveTemplate("bound");
  policies_.RemoveTemplate("whole");
  EXPECT_EQ(Ask(watch, kinds(1000, 10)), "");
}

TEST_F(StaleWatchTest, WhatWasNeverHeardOfCountsFromTheBeginning) {
  Put("Bound", "input.x == data.inventory.namespace[_][_].Ingress[_].spec.x");
  clock_.Advance(std::chrono::hours(1));
  StaleWatch watch(std::chrono::seconds(300), clock_, Logger::Silent(), metrics_);
  const std::vector<replicator::KindStatus> kinds = {Kind("networking.k8s.io", "Ingress", {})};
  clock_.Advance(std::chrono::seconds(300));
  EXPECT_EQ(Ask(watch, kinds), "");
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_NE(Ask(watch, kinds), "");
}

TEST_F(StaleWatchTest, NothingIsStaleWithoutALimit) {
  Put("Bound", "input.x == data.inventory.namespace[_][_].Ingress[_].spec.x");
  StaleWatch watch(std::chrono::seconds(0), clock_, Logger::Silent(), metrics_);
  const std::vector<replicator::KindStatus> kinds = {Kind("networking.k8s.io", "Ingress", {})};
  clock_.Advance(std::chrono::hours(100));
  EXPECT_EQ(Ask(watch, kinds), "");
}

}  // namespace
}  // namespace portcullis::controller
