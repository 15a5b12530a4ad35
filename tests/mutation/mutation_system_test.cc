#include "mutation/mutation_system.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "tests/mutation/support.h"

namespace portcullis::mutation {
namespace {

class MutationSystemTest : public testing::Test {
 protected:
  void Put(std::string_view kind, std::string_view name, const std::string& spec) {
    const auto put = store_.Put(documents_.Yaml(Manifest(kind, name, spec)));
    EXPECT_TRUE(put) << (put ? "" : put.error().message);
  }
  void PutAssign(std::string_view name, const std::string& location, const std::string& value) {
    Put("Assign", name,
        std::string(kOfPods) + ", location: '" + location +
            "', parameters: {assign: {value: " + value + "}}");
  }
  Result<MutationOutcome> Mutate(const std::string& object,
                                 const MutateOptions& options = WithFixedId()) {
    return store_.current()->Mutate({.object = documents_.Yaml(object),
                                     .name_space = {},
                                     .username = "alice",
                                     .source = "Original",
                                     .operation = Operation::kCreate},
                                    options, documents_.arena());
  }
  std::string Shown(const std::string& object, const MutateOptions& options = WithFixedId()) {
    const auto outcome = Mutate(object, options);
    return outcome ? Json(outcome->object) : "error: " + outcome.error().message;
  }

  Documents documents_;
  MutationStore store_;
};

constexpr const char* kPod = "{apiVersion: v1, kind: Pod, metadata: {name: p}}";

TEST_F(MutationSystemTest, MutatorsApplyByKindThenName) {
  Put("ModifySet", "a",
      std::string(kOfPods) + ", location: spec.l, parameters: {values: {fromList: [m]}}");
  PutAssign("b", "spec.l", "[b]");
  PutAssign("a", "spec.l", "[a]");
  EXPECT_EQ(Shown(kPod),
            R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"l":["b","m"]}})");
}

TEST_F(MutationSystemTest, ARefusedChangeLeavesTheLastGoodOneInForce) {
  PutAssign("a", "spec.a", "1");
  EXPECT_FALSE(store_.Put(documents_.Yaml(Manifest("Assign", "a", "location: spec."))));
  EXPECT_NE(Shown(kPod).find(R"("spec":{"a":1})"), std::string::npos);
  const auto statuses = store_.Statuses();
  ASSERT_EQ(statuses.size(), 1U);
  EXPECT_FALSE(statuses[0].enforced);
  ASSERT_EQ(statuses[0].errors.size(), 1U);
  EXPECT_EQ(statuses[0].errors[0].message,
            "invalid location format `spec.` for Assign a: trailing separators are forbidden");
}

TEST_F(MutationSystemTest, AConflictEndsWhenOneOfItGoes) {
  PutAssign("a", "spec.a.b", "1");
  PutAssign("b", "spec.a[k:v].b", "1");
  EXPECT_EQ(Mutate(kPod)->mutated, false);
  EXPECT_EQ(store_.Statuses()[0].errors[0].type, "ErrConflictingSchema");
  store_.Remove({.kind = MutatorKind::kAssign, .name_space = "", .name = "b"});
  EXPECT_EQ(Mutate(kPod)->mutated, true);
  EXPECT_TRUE(store_.Statuses()[0].enforced);
}

TEST_F(MutationSystemTest, WhatDoesNotConvergeIsAnError) {
  const auto ring = [&](const char* name, const char* from, const char* to) {
    Put("Assign", name,
        fmt::format("applyTo: [{{groups: [''], versions: [v1], kinds: [{}]}}], location: kind, "
                    "parameters: {{assign: {{value: {}}}}}",
                    from, to));
  };
  ring("a", "C", "Pod");
  ring("b", "B", "C");
  ring("c", "Pod", "B");
  const auto outcome = Mutate(kPod);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kExhausted);
  EXPECT_TRUE(outcome.error().message.starts_with(
      "mutation not converging: mutation UUID not converging for  "))
      << outcome.error().message;
}

TEST_F(MutationSystemTest, AnnotationsNameTheMutators) {
  PutAssign("a", "spec.a", "1");
  PutAssign("b", "spec.b", "1");
  MutateOptions options = WithFixedId();
  options.annotate = true;
  EXPECT_EQ(Shown(kPod, options),
            R"({"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{)"
            R"("gatekeeper.sh/mutation-id":"UUID","gatekeeper.sh/mutations":"Assign//a:0, )"
            R"(Assign//b:0"},"name":"p"},"spec":{"a":1,"b":1}})");
  EXPECT_EQ(Shown("{apiVersion: v1, kind: Service}", options),
            R"({"apiVersion":"v1","kind":"Service"})");
}

TEST_F(MutationSystemTest, TheTraceHasThePassesThatChanged) {
  PutAssign("a", "spec.a", "1");
  MutationTrace trace;
  trace.keep_applied = true;
  MutateOptions options = WithFixedId();
  options.trace = &trace;
  EXPECT_TRUE(Mutate(kPod, options)->mutated);
  EXPECT_EQ(trace.iterations, 2);
  ASSERT_EQ(trace.applied.size(), 1U);
  EXPECT_EQ(trace.applied[0][0]->Summary(), "Assign//a:0");
}

TEST_F(MutationSystemTest, AMutatorOfEveryOperationAppliesWhereNoneIsKnown) {
  Put("Assign", "a",
      "applyTo: [{groups: [''], versions: [v1], kinds: [Pod], operations: [CREATE]}], location: "
      "spec.a, parameters: {assign: {value: 1}}");
  const auto outcome = store_.current()->Mutate(
      {.object = documents_.Yaml(kPod), .name_space = {}, .username = "", .source = "Original"},
      WithFixedId(), documents_.arena());
  EXPECT_FALSE(outcome->mutated);
  EXPECT_TRUE(Mutate(kPod)->mutated);
}

TEST_F(MutationSystemTest, ADeadlineEndsTheWork) {
  PutAssign("a", "spec.a", "1");
  ManualClock clock;
  MutateOptions options = WithFixedId();
  options.clock = &clock;
  options.deadline = clock.Now() + std::chrono::seconds(1);
  EXPECT_TRUE(Mutate(kPod, options));
  clock.Advance(std::chrono::seconds(2));
  EXPECT_EQ(Mutate(kPod, options).error().code, ErrorCode::kExhausted);
}

// Answers each key with itself in capitals; keys that begin with "bad" with an error.
class Shouting final : public ExternalDataClient {
 public:
  Result<ExternalDataAnswer> Ask(const std::string& provider, const std::set<std::string>& keys,
                                 document::Arena& arena) override {
    asked[provider].push_back(keys);
    if (provider == "gone") {
      return Fail(ErrorCode::kNotFound, "");
    }
    if (provider == "broken") {
      return Fail(ErrorCode::kUnavailable, "connection refused");
    }
    ExternalDataAnswer answer;
    answer.idempotent = provider != "moody";
    answer.system_error = provider == "sick" ? " ill \n" : "";
    for (const std::string& key : keys) {
      ExternalDataItem item{
          .key = key, .error = key.starts_with("bad") ? "unknown" : "", .value = {}};
      std::string text = key;
      std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      });
      item.value = key == "number" ? document::Value::Int(5)
                                   : document::Value::String(arena.CopyString(text));
      answer.items.push_back(item);
    }
    return answer;
  }
  std::map<std::string, std::vector<std::set<std::string>>> asked;
};

class ExternalDataTest : public MutationSystemTest {
 protected:
  void PutExternal(std::string_view name, const std::string& location, const std::string& source) {
    Put("Assign", name,
        std::string(kOfPods) + ", location: '" + location +
            "', parameters: {assign: {externalData: {" + source + "}}}");
  }
  std::string Ask(const std::string& spec) {
    MutateOptions options = WithFixedId();
    options.external_data = &client_;
    const auto outcome = Mutate("{apiVersion: v1, kind: Pod, spec: " + spec + "}", options);
    return outcome ? Json(outcome->object.Find("spec")) : outcome.error().message;
  }
  Shouting client_;
};

TEST_F(ExternalDataTest, AllKeysOfAProviderGoInOneRequest) {
  PutExternal("a", "spec.c[name:*].image", "provider: p");
  EXPECT_EQ(
      Ask("{c: [{name: a, image: x}, {name: b, image: w}, {name: c, image: x}]}"),
      R"({"c":[{"image":"X","name":"a"},{"image":"W","name":"b"},{"image":"X","name":"c"}]})");
  ASSERT_EQ(client_.asked["p"].size(), 1U);
  EXPECT_EQ(client_.asked["p"][0], (std::set<std::string>{"w", "x"}));
}

TEST_F(ExternalDataTest, TheUserIsTheKeyWhereNothingIsThere) {
  PutExternal("a", "spec.a", "provider: p, dataSource: Username");
  EXPECT_EQ(Ask("{}"), R"({"a":"ALICE"})");
  EXPECT_EQ(Ask("{a: old}"), R"({"a":"OLD"})");
}

TEST_F(ExternalDataTest, FailuresFollowThePolicy) {
  PutExternal("a", "spec.fail", "provider: broken");
  EXPECT_EQ(Ask("{fail: x}"),
            "failed to resolve external data placeholders: failed to send external data request to "
            "provider broken: connection refused");
  store_.Remove({.kind = MutatorKind::kAssign, .name_space = "", .name = "a"});
  PutExternal("b", "spec.ignore", "provider: broken, failurePolicy: Ignore");
  PutExternal("c", "spec.default", "provider: broken, failurePolicy: UseDefault, default: d");
  EXPECT_EQ(Ask("{ignore: x, default: w}"), R"({"default":"d","ignore":"x"})");
}

TEST_F(ExternalDataTest, AnswersAreChecked) {
  const std::string head = "failed to resolve external data placeholders: ";
  const auto ask = [&](const std::string& provider, const std::string& key) {
    PutExternal("a", "spec.a", "provider: " + provider);
    return Ask("{a: " + key + "}");
  };
  EXPECT_EQ(ask("gone", "x"), head + "failed to find external data provider gone in responses");
  EXPECT_EQ(ask("moody", "x"), head +
                                   "failed to validate external data response from provider moody: "
                                   "non-idempotent response");
  EXPECT_EQ(ask("sick", "x"),
            head +
                "failed to validate external data response from provider sick: non-empty system "
                "error: ill");
  EXPECT_EQ(ask("p", "bad"),
            head + "failed to retrieve external data item from provider p: unknown");
  EXPECT_EQ(ask("p", "number"),
            head +
                "failed to convert external data item value from provider p to string, got type "
                "float64");
}

}  // namespace
}  // namespace portcullis::mutation
