#include "rules/policy/suite.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "rules/rego/catalog.h"
#include "tests/policy/support.h"

namespace portcullis::policy {
namespace {

constexpr const char* kTemplate = R"(
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: probe}
spec:
  crd: {spec: {names: {kind: Probe}, validation: {openAPIV3Schema: {type: object, properties: {n: {type: integer}}}}}}
  targets:
  - target: admission.k8s.gatekeeper.sh
    rego: |
      package probe
      violation[{"msg": msg}] { input.review.object.metadata.name == "bad"; print("seen", 1); msg := "hit bad" }
)";

// A folder with a suite and its files, gone at the end.
class SuiteTestFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("portcullis-suite-" + std::to_string(::getpid()) + "-" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    Write("template.yaml", kTemplate);
    Write("constraint.yaml",
          "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: Probe\nmetadata: {name: a}\nspec: "
          "{enforcementAction: "
          "warn}\n");
    Write("bad.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\n");
    Write("good.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: good}\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  std::string Run(const std::string& tests, const std::string& run = "",
                  SuiteOutput output = SuiteOutput::kFailures) {
    Write("suite.yaml", "apiVersion: test.gatekeeper.sh/v1alpha1\nkind: Suite\ntests:\n" + tests);
    const auto suites = ReadSuites((folder_ / "...").string());
    if (!suites) {
      return suites.error().message;
    }
    const auto filter = SuiteFilter::Parse(run);
    if (!filter) {
      return filter.error().message;
    }
    ManualClock clock;
    SuiteRunner runner(rego::CreateCatalog(), {}, clock);
    std::vector<SuiteResult> results;
    for (const Suite& suite : *suites) {
      results.push_back(runner.Run(suite, *filter));
    }
    std::string text = ToText(results, output);
    for (const std::string& shown : {folder_.string(), folder_.string().substr(1)}) {
      for (std::size_t at = text.find(shown); at != std::string::npos; at = text.find(shown)) {
        text.replace(at, shown.size(), "F");
      }
    }
    return text;
  }

  std::filesystem::path folder_;
};

TEST_F(SuiteTestFolder, ResultsArePrintedAsGatorPrintsThem) {
  constexpr const char* kTests = R"(
- name: t1
  template: template.yaml
  constraint: constraint.yaml
  cases:
  - name: hit
    object: bad.yaml
    assertions: [{violations: 1, message: "^hit"}]
  - name: later
    object: bad.yaml
    skip: true
    assertions: [{violations: no}]
  - name: wrong
    object: bad.yaml
    assertions: [{violations: no}]
- name: t2
  skip: true
)";
  EXPECT_EQ(Run(kTests, "", SuiteOutput::kVerbose),
            "=== RUN   t1\n"
            "    === RUN   hit\n"
            "        === PRINT ===\n"
            "        seen 1\n"
            "    --- PASS: hit\t(0.000s)\n"
            "    === SKIP  later\n"
            "    === RUN   wrong\n"
            "        === PRINT ===\n"
            "        seen 1\n"
            "    --- FAIL: wrong\t(0.000s)\n"
            "        unexpected number of violations: got 1 violations but want none: got messages "
            "[hit bad]\n"
            "--- FAIL: t1\t(0.000s)\n"
            "=== SKIP  t2\n"
            "FAIL\tF/suite.yaml\t0.000s\n"
            "FAIL\n");
  EXPECT_EQ(Run(kTests, "hit"), "ok\tF/suite.yaml\t0.000s\nPASS\n");
  EXPECT_EQ(Run(kTests, "t1//hit"), "ok\tF/suite.yaml\t0.000s\nPASS\n");
  EXPECT_EQ(Run(kTests, "a//b//c"), "invalid test filter: a filter may include at most one \"//\"");
}

TEST_F(SuiteTestFolder, WhatIsWrongWithATestOrCaseIsItsResult) {
  Write("two.yaml", "apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Pod\n");
  Write("kindless.yaml", "a: b\n");
  Write("review.yaml",
        "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nrequest: {uid: a}\n");
  EXPECT_EQ(
      Run(R"(
- {name: no-template, constraint: constraint.yaml}
- {name: not-template, template: constraint.yaml, constraint: constraint.yaml}
- {name: absent, template: nope.yaml}
- {name: no-constraint, template: template.yaml}
- {name: not-constraint, template: template.yaml, constraint: template.yaml}
- {name: valid, template: template.yaml, constraint: constraint.yaml, invalid: true}
- name: cases
  template: template.yaml
  constraint: constraint.yaml
  cases:
  - {name: c1, assertions: [{violations: no}]}
  - {name: c2, object: bad.yaml}
  - {name: c3, object: good.yaml, assertions: [{violations: maybe}]}
  - {name: c4, object: good.yaml, assertions: [{message: "x+"}]}
  - {name: c5, object: two.yaml, assertions: [{violations: no}]}
  - {name: c6, object: kindless.yaml, assertions: [{violations: no}]}
  - {name: c7, object: good.yaml, inventory: [nope.yaml], assertions: [{violations: no}]}
  - {name: c8, object: bad.yaml, assertions: [{message: "("}]}
  - {name: c9, object: review.yaml, assertions: [{violations: no}]}
)"),
      "--- FAIL: no-template\t(0.000s)\n  invalid Suite: missing template\n"
      "--- FAIL: not-template\t(0.000s)\n  path \"F/constraint.yaml\": not a ConstraintTemplate\n"
      "--- FAIL: absent\t(0.000s)\n  reading ConstraintTemplate from \"F/nope.yaml\": open "
      "F/nope.yaml: no such file "
      "or directory\n"
      "--- FAIL: no-constraint\t(0.000s)\n  invalid Suite: missing constraint\n"
      "--- FAIL: not-constraint\t(0.000s)\n  not a Constraint\n"
      "--- FAIL: valid\t(0.000s)\n  constraint should have failed schema validation: got error "
      "%!w(<nil>) but want schema "
      "validation failed\n"
      "    --- FAIL: c1\t(0.000s)\n        invalid Case: must define object\n"
      "    --- FAIL: c2\t(0.000s)\n        invalid Case: assertions must be non-empty\n"
      "    --- FAIL: c3\t(0.000s)\n        invalid yaml: assertion.violation, if set, must be a "
      "nonnegative integer, "
      "\"yes\", or \"no\": got messages []\n"
      "    --- FAIL: c4\t(0.000s)\n        unexpected number of violations: got 0 violations "
      "containing \"x+\" but "
      "want at least 1: got messages []\n"
      "    --- FAIL: c5\t(0.000s)\n        object file must contain exactly one object: "
      "\"F/two.yaml\" defines 2 "
      "objects\n"
      "    --- FAIL: c6\t(0.000s)\n        reading \"F/kindless.yaml\": invalid yaml: Object "
      "'Kind' is missing in "
      "'{\"a\":\"b\"}'\n"
      "    --- FAIL: c7\t(0.000s)\n        open F/nope.yaml: no such file or directory\n"
      "    --- FAIL: c8\t(0.000s)\n        message contains invalid regular expression: error "
      "parsing regexp: missing closing ): `(`\n"
      "    --- FAIL: c9\t(0.000s)\n        no object or oldObject found to review: "
      "AdmissionRequest does not contain "
      "an \"object\" or \"oldObject\" to review\n"
      "--- FAIL: cases\t(0.000s)\n"
      "FAIL\tF/suite.yaml\t0.000s\n"
      "FAIL\n");
}

TEST_F(SuiteTestFolder, AnInvalidConstraintIsWhatAnInvalidTestWants) {
  Write("invalid.yaml",
        "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: Probe\nmetadata: {name: a}\nspec: "
        "{parameters: {n: x}}\n");
  EXPECT_EQ(Run("- {name: t, template: template.yaml, constraint: invalid.yaml, invalid: true}\n"),
            "ok\tF/suite.yaml\t0.000s\nPASS\n");
}

}  // namespace
}  // namespace portcullis::policy
