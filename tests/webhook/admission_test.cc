#include "webhook/admission.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "document/json.h"
#include "tests/webhook/admission_fixture.h"
#include "webhook/review_times.h"

namespace portcullis::webhook {
namespace {

using std::chrono::milliseconds;

TEST_F(Admission, ATakenHostIsDeniedByOneLookUp) {
  world_.BuildIndexes();
  const auto handler = world_.MakeHandler();
  const AdmissionOutcome taken = handler->Admit(kJson, Ingress("taken.example.com"));
  EXPECT_EQ(taken.code, 403) << taken.body;
  EXPECT_NE(taken.body.find("[one-host] host taken.example.com is taken by front"),
            std::string::npos);
  EXPECT_EQ(taken.statistics.lookups, 1U);
  EXPECT_EQ(taken.statistics.scans, 0U);
  const AdmissionOutcome fresh = handler->Admit(kJson, Ingress("fresh.example.com"));
  EXPECT_TRUE(fresh.allowed);
  EXPECT_EQ(fresh.code, 200);
  EXPECT_EQ(world_.metrics.GetCounter("portcullis_review_lookups_total", "").value(), 2);
}

TEST_F(Admission, ATemplateThatLacksDataIsLetInWithWarnings) {
  AdmissionOptions options;
  options.template_warnings = [](const document::Value& of) {
    return std::vector<std::string>{std::string(of.GetString({"metadata", "name"})) +
                                    " lacks data"};
  };
  const auto handler = world_.MakeHandler(options);
  const std::string review =
      R"({"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u",)"
      R"("kind":{"group":"templates.gatekeeper.sh","version":"v1","kind":"ConstraintTemplate"},)"
      R"("name":"new","operation":"CREATE","userInfo":{"username":"alice"},"object":{"apiVersion":)"
      R"("templates.gatekeeper.sh/v1","kind":"ConstraintTemplate","metadata":{"name":"new"},"spec":)"
      R"({"crd":{"spec":{"names":{"kind":"New"}}},"targets":[{"target":)"
      R"("admission.k8s.gatekeeper.sh","rego":"package new\nviolation[{\"msg\": \"no\"}] {false}"}]}}}})";
  const AdmissionOutcome outcome = handler->Admit(kJson, review);
  EXPECT_TRUE(outcome.allowed) << outcome.body;
  EXPECT_EQ(outcome.code, 299);
  EXPECT_NE(outcome.body.find(R"("warnings":["new lacks data"])"), std::string::npos)
      << outcome.body;
}

TEST_F(Admission, WithoutItsIndexTheSameAnswerComesByAScan) {
  world_.BuildIndexes();
  const auto handler = world_.MakeHandler({.index_use = rego::IndexUse::kIgnore});
  const AdmissionOutcome taken = handler->Admit(kJson, Ingress("taken.example.com"));
  EXPECT_EQ(taken.code, 403);
  EXPECT_EQ(taken.statistics.lookups, 0U);
  EXPECT_GE(taken.statistics.scans, 1U);
}

TEST_F(Admission, WhatScansAsksForAWorkerAndWhatLooksUpDoesNot) {
  const auto handler = world_.MakeHandler();
  const AdmissionContext on_loop{.received = {}, .timeout = {}, .stage = Stage::kLoop};
  std::string reply;
  // The index is not built yet.
  EXPECT_EQ(handler->Admit(kJson, Ingress("a"), on_loop, &reply), Handling::kNeedWorker);
  EXPECT_EQ(reply, "");
  world_.BuildIndexes();
  EXPECT_EQ(handler->Admit(kJson, Ingress("a"), on_loop, &reply), Handling::kDone);
  // No index can serve this one.
  const std::string service = ReviewOf("", "Service", "{}");
  EXPECT_EQ(handler->Admit(kJson, service, on_loop, &reply), Handling::kNeedWorker);
  EXPECT_EQ(handler->Admit(kJson, ReviewOf("", "Pod", "{}"), on_loop, &reply), Handling::kDone);

  const AdmissionContext overloaded{.received = {}, .timeout = {}, .stage = Stage::kOverloaded};
  reply.clear();
  EXPECT_EQ(handler->Admit(kJson, service, overloaded, &reply), Handling::kDone);
  EXPECT_NE(reply.find("overloaded: too many reviews"), std::string::npos);
  EXPECT_NE(reply.find(R"("code":500)"), std::string::npos);
  EXPECT_EQ(Requests("error"), 1);
}

TEST_F(Admission, AnEvaluationThatTakesTooLongIsA500AndNoWarning) {
  const auto handler = world_.MakeHandler({.evaluation_timeout = milliseconds(20)});
  const AdmissionOutcome outcome = handler->Admit(kJson, ReviewOf("", "Secret", "{}"));
  EXPECT_EQ(outcome.code, 500);
  EXPECT_FALSE(outcome.allowed);
  EXPECT_NE(outcome.body.find("used up its time of 20 ms"), std::string::npos) << outcome.body;
  EXPECT_EQ(outcome.body.find("warnings"), std::string::npos);
  EXPECT_EQ(world_.metrics.GetCounter("portcullis_review_exhausted_total", "").value(), 1);
}

TEST_F(Admission, TheCallersTimeoutCountsWhenItIsShorter) {
  const auto handler = world_.MakeHandler();
  std::string reply;
  const AdmissionContext context{
      .received = {}, .timeout = milliseconds(30), .stage = Stage::kWorker};
  EXPECT_EQ(handler->Admit(kJson, ReviewOf("", "Secret", "{}"), context, &reply), Handling::kDone);
  EXPECT_NE(reply.find("used up its time of 27 ms"), std::string::npos) << reply;
}

TEST_F(Admission, WhatWaitedTooLongIsNotBegun) {
  const auto handler = world_.MakeHandler();
  std::string reply;
  const AdmissionContext context{.received = world_.clock.Now() - std::chrono::seconds(3),
                                 .timeout = std::chrono::seconds(3),
                                 .stage = Stage::kWorker};
  handler->Admit(kJson, Ingress("a"), context, &reply);
  EXPECT_NE(reply.find("serving context canceled, aborting request"), std::string::npos) << reply;
}

TEST_F(Admission, AnEvaluationThatTakesTooMuchMemoryIsA500) {
  const auto handler = world_.MakeHandler({.arena_limit_bytes = 1});
  const AdmissionOutcome outcome = handler->Admit(kJson, ReviewOf("", "Secret", "{}"));
  EXPECT_EQ(outcome.code, 500);
  EXPECT_NE(outcome.body.find("used up its memory of 1 bytes"), std::string::npos) << outcome.body;
}

TEST_F(Admission, ANamespaceThatCannotBeReadIsA500) {
  world_.namespaces.failure = Error{ErrorCode::kUnavailable, "connection refused", {}};
  const AdmissionOutcome outcome = world_.MakeHandler()->Admit(kJson, Ingress("a"));
  EXPECT_EQ(outcome.code, 500);
  EXPECT_NE(outcome.body.find("failed to create augmentedReview: connection refused"),
            std::string::npos);
  EXPECT_EQ(Requests("error"), 1);
}

TEST_F(Admission, RequestsAreCountedAsGatekeeperCountsThem) {
  world_.BuildIndexes();
  const auto handler = world_.MakeHandler();
  handler->Admit(kJson, Ingress("fresh"));
  handler->Admit(kJson, Ingress("taken.example.com"));
  handler->Admit(kJson, Ingress("taken.example.com", R"("dryRun":true,)"));
  handler->Admit(kJson, "no review");
  EXPECT_EQ(Requests("allow"), 1);
  EXPECT_EQ(Requests("deny"), 1);
  EXPECT_EQ(Requests("deny", "true"), 1);
  EXPECT_EQ(Requests("error"), 0);
  EXPECT_NE(
      world_.metrics.ToText().find(
          R"(gatekeeper_validation_request_duration_seconds_count{admission_status="deny"} 2)"),
      std::string::npos);
}

TEST_F(Admission, UnknownActionsPassUncheckedWhereToldSo) {
  const std::string review =
      R"({"request":{"uid":"u","kind":{"group":"constraints.gatekeeper.sh","version":"v1beta1","kind":"OneHost"},)"
      R"("name":"x","operation":"CREATE","object":{"apiVersion":"constraints.gatekeeper.sh/v1beta1",)"
      R"("kind":"OneHost","metadata":{"name":"x"},"spec":{"enforcementAction":"refuse"}}}})";
  EXPECT_EQ(world_.MakeHandler()->Admit(kJson, review).code, 500);
  EXPECT_EQ(world_.MakeHandler({.check_enforcement_actions = false})->Admit(kJson, review).code,
            200);
}

std::string TemplateReview(std::string_view operation, std::string_view rego,
                           std::string_view old_object = "null") {
  const auto object = [](std::string_view text) {
    return R"({"apiVersion":"templates.gatekeeper.sh/v1","kind":"ConstraintTemplate",)"
           R"("metadata":{"name":"bad"},"spec":{"crd":{"spec":{"names":{"kind":"Bad"}}},"targets":)"
           R"([{"target":"admission.k8s.gatekeeper.sh","rego":")" +
           std::string(text) + R"("}]}})";
  };
  return R"({"request":{"uid":"u","kind":{"group":"templates.gatekeeper.sh","version":"v1",)"
         R"("kind":"ConstraintTemplate"},"name":"bad","operation":")" +
         std::string(operation) + R"(","object":)" + (rego.empty() ? "null" : object(rego)) +
         R"(,"oldObject":)" + (old_object == "null" ? "null" : object(old_object)) + "}}";
}

TEST_F(Admission, ATemplateThatDoesNotCompileIsRefusedUnlessLeniencyIsAskedFor) {
  constexpr std::string_view kBad = R"(package bad\nviolation[{\"msg\": msg}] { true })";
  constexpr std::string_view kGood = R"(package bad\nviolation[{\"msg\": \"no\"}] { true })";
  const auto handler = world_.MakeHandler();
  const AdmissionOutcome refused = handler->Admit(kJson, TemplateReview("CREATE", kBad));
  EXPECT_EQ(refused.code, 422);
  EXPECT_NE(refused.body.find("template:2: rego_unsafe_var_error: var msg is unsafe"),
            std::string::npos)
      << refused.body;
  EXPECT_EQ(handler->Admit(kJson, TemplateReview("CREATE", kGood)).code, 200);
  EXPECT_EQ(handler->Admit(kJson, TemplateReview("UPDATE", kBad, kGood)).code, 422);
  // What is stored can be labelled and deleted.
  EXPECT_EQ(handler->Admit(kJson, TemplateReview("UPDATE", kBad, kBad)).code, 200);
  EXPECT_EQ(handler->Admit(kJson, TemplateReview("DELETE", "", kBad)).code, 200);
  EXPECT_EQ(world_.MakeHandler({.compile_templates = false})
                ->Admit(kJson, TemplateReview("CREATE", kBad))
                .code,
            200);
}

TEST_F(Admission, DenialsAreLoggedWithGatekeepersKeys) {
  world_.BuildIndexes();
  const std::filesystem::path log =
      std::filesystem::temp_directory_path() / ("denials." + std::to_string(::getpid()) + ".log");
  {
    AdmissionOptions options;
    options.log_denies = true;
    AdmissionHandler handler(world_.policies, *world_.inventory, world_.namespaces, world_.excluder,
                             world_.clock, Logger::Create(LogLevel::kInfo, log), world_.metrics,
                             options);
    EXPECT_EQ(handler.Admit(kJson, Ingress("taken.example.com")).code, 403);
    EXPECT_EQ(handler.Admit(kJson, Ingress("free.example.com")).code, 200);
  }
  std::ifstream in(log);
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  for (
      const char* part :
      {R"("msg":"denied admission: host taken.example.com is taken by front")",
       R"("semantic":true,"process":"admission","details":{},"event_type":"violation",)",
       R"("constraint_name":"one-host","constraint_group":"constraints.gatekeeper.sh",)",
       R"("constraint_api_version":"v1beta1","constraint_kind":"OneHost","constraint_action":"deny",)",
       R"("constraint_enforcement_actions":[],"resource_group":"networking.k8s.io",)",
       R"("resource_api_version":"v1","resource_kind":"Ingress","resource_namespace":"shop",)",
       R"("resource_name":"new","request_username":"alice")"}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
  EXPECT_FALSE(std::getline(in, line)) << line;
  std::filesystem::remove(log);
}

class TracesAlice final : public TraceChooser {
 public:
  [[nodiscard]] TraceWish WishFor(const TraceSubject& subject) const override {
    const bool wanted = subject.user == "alice" && subject.group == "networking.k8s.io" &&
                        subject.version == "v1" && subject.kind == "Ingress";
    return {.trace = wanted, .dump = wanted};
  }
};

TEST_F(Admission, AReviewIsTracedWhereConfigWantsIt) {
  world_.BuildIndexes();
  const std::filesystem::path log =
      std::filesystem::temp_directory_path() / ("traces." + std::to_string(::getpid()) + ".log");
  const TracesAlice alice;
  {
    AdmissionOptions options;
    options.traces = &alice;
    AdmissionHandler handler(world_.policies, *world_.inventory, world_.namespaces, world_.excluder,
                             world_.clock, Logger::Create(LogLevel::kInfo, log), world_.metrics,
                             options);
    std::string other = Ingress("taken.example.com");
    other.replace(other.find("alice"), 5, "bobby");
    EXPECT_EQ(handler.Admit(kJson, other).code, 403);
    // The loop does not wait for a trace; a loop that is too busy makes none.
    std::string reply;
    AdmissionContext context;
    context.stage = Stage::kLoop;
    EXPECT_EQ(handler.Admit(kJson, Ingress("taken.example.com"), context, &reply),
              Handling::kNeedWorker);
    context.stage = Stage::kOverloaded;
    EXPECT_EQ(handler.Admit(kJson, Ingress("taken.example.com"), context, &reply), Handling::kDone);
    EXPECT_NE(reply.find("403"), std::string::npos) << reply;
    EXPECT_EQ(std::filesystem::file_size(log), 0U);
    EXPECT_EQ(handler.Admit(kJson, Ingress("taken.example.com")).code, 403);
  }
  std::ifstream in(log);
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  for (const char* part :
       {R"("msg":"Target: admission.k8s.gatekeeper.sh\nTrace:\nDRIVER Rego:\n\n)",
        "Eval other = data.inventory.namespace",
        R"(Result(0):\ndeny: host taken.example.com is taken by front)"}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
  ASSERT_TRUE(std::getline(in, line));
  for (const char* part : {R"("msg":"DRIVER: Rego:\n\n{)", R"(\"OneHost\":{\"one-host\":{}})",
                           R"(\"networking.k8s.io/v1/Ingress\":)"}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
  EXPECT_FALSE(std::getline(in, line)) << line;
  std::filesystem::remove(log);
}

TEST_F(Admission, TimesAreTellableByTemplateAndConstraint) {
  world_.BuildIndexes();
  const std::filesystem::path log =
      std::filesystem::temp_directory_path() / ("stats." + std::to_string(::getpid()) + ".log");
  {
    AdmissionOptions options;
    options.log_stats = true;
    AdmissionHandler handler(world_.policies, *world_.inventory, world_.namespaces, world_.excluder,
                             world_.clock, Logger::Create(LogLevel::kInfo, log), world_.metrics,
                             options);
    handler.Admit(kJson, Ingress("taken.example.com"));
    handler.Admit(kJson, Ingress("free.example.com"));
    // Nothing matches: there is nothing to tell.
    handler.Admit(kJson, ReviewOf("", "ConfigMap", "{}"));
  }
  std::ifstream in(log);
  std::string line;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(std::getline(in, line));
    for (
        const char* part :
        {R"("msg":"admission review request stats")", R"("semantic":true,"process":"admission",)",
         R"("event_type":"review_response_stats","resource_group":"networking.k8s.io",)",
         R"("request_username":"alice","execution_stats":[{"scope":"template","statsFor":"OneHost",)",
         R"("stats":[{"name":"templateRunTimeNS","value":)",
         R"({"name":"constraintCount","value":1,"source":{"type":"engine","value":"Rego"},)",
         R"("labels":[{"name":"TracingEnabled","value":false},)"}) {
      EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
    }
  }
  EXPECT_FALSE(std::getline(in, line)) << line;
  std::filesystem::remove(log);
  const std::string metrics = world_.metrics.ToText();
  for (
      const char* series :
      {R"(portcullis_template_review_duration_seconds_count{template="OneHost"} 2)",
       R"(portcullis_constraint_reviews_total{constraint_kind="OneHost",constraint_name="one-host"} 2)",
       R"(portcullis_constraint_review_seconds_total{constraint_kind="OneHost",)"}) {
    EXPECT_NE(metrics.find(series), std::string::npos) << series;
  }
}

TEST_F(Admission, OnlyTheFirstThousandNamesHaveSeriesOfTheirOwn) {
  std::string constraints;
  for (int i = 0; i < 1200; ++i) {
    constraints +=
        "---\n{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: OneHost, metadata: {name: c" +
        std::to_string(i) +
        "}, spec: {match: {kinds: [{apiGroups: [networking.k8s.io], kinds: [Ingress]}]}}}\n";
  }
  world_.Load(constraints);
  world_.BuildIndexes();
  world_.MakeHandler()->Admit(kJson, Ingress("free.example.com"));
  const std::string metrics = world_.metrics.ToText();
  std::size_t own = 0;
  for (std::size_t at = metrics.find("portcullis_constraint_reviews_total{");
       at != std::string::npos; at = metrics.find("portcullis_constraint_reviews_total{", at + 1)) {
    ++own;
  }
  // Templates count too; the others share one.
  EXPECT_LE(own, ReviewTimes::kMostNames + 1);
  EXPECT_GT(own, ReviewTimes::kMostNames - 10);
  EXPECT_NE(metrics.find("(others)"), std::string::npos);
}

class Overheard final : public ViolationListener {
 public:
  void OnViolation(const ToldViolation& told) override {
    std::string line = told.violation->constraint->name + " " +
                       std::string(told.enforcement_action) + " of " + std::string(told.name);
    for (const std::string& action : told.actions) {
      line += " " + action;
    }
    lines.push_back(std::move(line));
  }
  std::vector<std::string> lines;
};

TEST_F(Admission, EachViolationIsToldToWhoListens) {
  world_.Load(R"(
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: OneHost
metadata: {name: tried}
spec: {enforcementAction: dryrun, match: {kinds: [{apiGroups: [networking.k8s.io], kinds: [Ingress]}]}}
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: OneHost
metadata: {name: scoped}
spec:
  enforcementAction: scoped
  scopedEnforcementActions:
  - {action: warn, enforcementPoints: [{name: validation.gatekeeper.sh}]}
  - {action: deny, enforcementPoints: [{name: audit.gatekeeper.sh}]}
  match: {kinds: [{apiGroups: [networking.k8s.io], kinds: [Ingress]}]}
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: OneHost
metadata: {name: elsewhere}
spec:
  enforcementAction: scoped
  scopedEnforcementActions: [{action: deny, enforcementPoints: [{name: audit.gatekeeper.sh}]}]
  match: {kinds: [{apiGroups: [networking.k8s.io], kinds: [Ingress]}]}
)");
  Overheard overheard;
  const auto handler = world_.MakeHandler({.violations = &overheard});
  handler->Admit(kJson, Ingress("free.example.com"));
  EXPECT_TRUE(overheard.lines.empty());
  std::string unnamed = Ingress("taken.example.com");
  const std::string_view name = R"("name":"new",)";
  unnamed.erase(unnamed.find(name), name.size());
  handler->Admit(kJson, unnamed);
  EXPECT_EQ(overheard.lines,
            (std::vector<std::string>{"one-host deny of new", "tried dryrun of new",
                                      "scoped scoped of new warn"}));
}

TEST_F(Admission, InvalidUtf8IsReplacedOrRefusedAndNeverEchoed) {
  std::string review = Ingress("h");
  review.replace(review.find("u-1"), 3, "u\xff\xfe");
  const AdmissionOutcome outcome = world_.MakeHandler()->Admit(kJson, review);
  EXPECT_EQ(outcome.body.find('\xff'), std::string::npos);
  EXPECT_TRUE(outcome.code == 200 || outcome.code == 400) << outcome.body;
}

TEST_F(Admission, ManyThreadsGetTheirOwnAnswers) {
  world_.BuildIndexes();
  const auto handler = world_.MakeHandler();
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&handler, &wrong, t] {
      for (int i = 0; i < 100; ++i) {
        const bool taken = (i + t) % 2 == 0;
        std::string review = Ingress(taken ? "taken.example.com" : "fresh.example.com");
        const std::string uid = std::to_string(t) + "-" + std::to_string(i);
        review.replace(review.find("u-1"), 3, uid);
        const AdmissionOutcome outcome = handler->Admit(kJson, review);
        const bool right = outcome.allowed != taken &&
                           outcome.body.find("\"uid\":\"" + uid + "\"") != std::string::npos;
        wrong += right ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
}

TEST_F(Admission, PoliciesMayChangeUnderReviews) {
  world_.BuildIndexes();
  const auto handler = world_.MakeHandler();
  std::atomic<bool> stop = false;
  std::thread reviewer([&handler, &stop] {
    while (!stop) {
      const AdmissionOutcome outcome = handler->Admit(kJson, Ingress("taken.example.com"));
      EXPECT_TRUE(outcome.code == 403 || outcome.code == 200) << outcome.body;
    }
  });
  for (int i = 0; i < 20; ++i) {
    world_.policies.RemoveTemplate("onehost");
    LoadAll();
  }
  stop = true;
  reviewer.join();
}

}  // namespace
}  // namespace portcullis::webhook
