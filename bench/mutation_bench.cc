// The cost of one mutation without the network: AdmissionReview bytes in, reply bytes out. A Pod with five mutators that match, beside
// a handler that has none and answers a constant; the same with 1,000 mutators more, of other kinds, or of Pods in other namespaces.
// Each answer is checked.

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "document/yaml.h"
#include "webhook/mutation.h"

namespace portcullis {
namespace {

constexpr const char* kReview =
    R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"requestKind":{"group":"","version":"v1","kind":"Pod"},"requestResource":{"group":"","version":"v1","resource":"pods"},"name":"web","namespace":"shop","operation":"CREATE","userInfo":{"username":"kubernetes-admin","groups":["system:masters","system:authenticated"]},"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop","creationTimestamp":null,"labels":{"app":"web"},"managedFields":[{"manager":"kubectl","operation":"Update","apiVersion":"v1","time":"2026-11-23T10:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{},"f:name":{},"f:ports":{}}}}}}]},"spec":{"volumes":[{"name":"token","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}}],"defaultMode":420}}],"containers":[{"name":"web","image":"nginx:1.25","ports":[{"containerPort":80,"protocol":"TCP"}],"resources":{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"100m","memory":"128Mi"}},"volumeMounts":[{"name":"token","readOnly":true,"mountPath":"/var/run/secrets"}],"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent","securityContext":{"capabilities":{"drop":["ALL"]},"runAsNonRoot":true}},{"name":"proxy","image":"envoyproxy/envoy:v1.30","args":["-c","/etc/envoy.yaml"],"resources":{},"imagePullPolicy":"IfNotPresent"}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default","serviceAccount":"default","securityContext":{},"schedulerName":"default-scheduler","tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],"priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"},"status":{}},"oldObject":null,"dryRun":false,"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}})";

constexpr const char* kFive = R"(
- {kind: Assign, metadata: {name: pull}, spec: {applyTo: &pods [{groups: [""], versions: [v1], kinds: [Pod]}], location: "spec.containers[name:*].imagePullPolicy", parameters: {assign: {value: Always}}}}
- {kind: Assign, metadata: {name: escalation}, spec: {applyTo: *pods, match: {namespaces: ["shop*"]}, location: "spec.containers[name:*].securityContext.allowPrivilegeEscalation", parameters: {assign: {value: false}}}}
- {kind: AssignMetadata, metadata: {name: owner}, spec: {match: {kinds: [{apiGroups: [""], kinds: [Pod]}]}, location: metadata.labels.owner, parameters: {assign: {value: team}}}}
- {kind: ModifySet, metadata: {name: logs}, spec: {applyTo: *pods, match: {labelSelector: {matchLabels: {app: web}}}, location: "spec.containers[name:proxy].args", parameters: {operation: merge, values: {fromList: [--log]}}}}
- {kind: AssignImage, metadata: {name: registry}, spec: {applyTo: *pods, location: "spec.containers[name:*].image", parameters: {assignDomain: registry.corp.example}}}
)";

class EveryNamespace final : public webhook::NamespaceFinder {
 public:
  Result<document::Value> Find(std::string_view name, document::Arena& arena) override {
    document::ObjectBuilder metadata(arena);
    metadata.Add("name", document::Value::String(name));
    document::ObjectBuilder object(arena);
    object.Add("metadata", metadata.Finish());
    return object.Finish();
  }
};

class NothingExcluded final : public webhook::NamespaceExcluder {
 public:
  [[nodiscard]] bool IsExcluded(std::string_view /*group*/, std::string_view /*kind*/,
                                std::string_view /*name_space*/,
                                std::string_view /*name*/) const override {
    return false;
  }
};

enum class Others : int { kNone, kOfOtherKinds, kOfOtherNamespaces };

void Load(mutation::MutationStore& store, bool five, Others others) {
  document::Arena arena;
  if (five) {
    const document::Value list = document::ParseYaml(kFive, arena).value().front().value;
    for (std::uint32_t i = 0; i < list.size(); ++i) {
      if (!store.Put(list.ItemAt(i))) {
        std::abort();
      }
    }
  }
  for (int i = 0; others != Others::kNone && i < 1000; ++i) {
    const bool kinds = others == Others::kOfOtherKinds;
    const auto put = store.Put(
        document::ParseYaml(
            fmt::format(
                "{{kind: Assign, metadata: {{name: other-{0}}}, spec: {{applyTo: [{{groups: "
                "[''], versions: [v1], kinds: [{1}]}}], match: {{namespaces: [{2}]}}, "
                "location: spec.priority, parameters: {{assign: {{value: {0}}}}}}}}}",
                i, kinds ? fmt::format("Kind{}", i) : "Pod",
                kinds ? "shop" : fmt::format("team-{}", i)),
            arena)
            .value()
            .front()
            .value);
    if (!put) {
      std::abort();
    }
  }
}

void BM_Mutate(benchmark::State& state) {
  mutation::MutationStore store;
  Load(store, state.range(0) != 0, static_cast<Others>(state.range(1)));
  EveryNamespace namespaces;
  const NothingExcluded excluder;
  SystemClock clock;
  Metrics metrics;
  webhook::MutationHandler handler(store, namespaces, excluder, nullptr, clock, Logger::Silent(),
                                   metrics, {});
  const std::string want = state.range(0) != 0 ? R"("patchType":"JSONPatch")" : "was not mutated";
  std::string reply;
  for (auto _ : state) {
    reply.clear();
    handler.Mutate("application/json", kReview, {}, &reply);
    benchmark::DoNotOptimize(reply);
  }
  if (reply.find(want) == std::string::npos ||
      reply.find(R"("allowed":true)") == std::string::npos) {
    state.SkipWithError(reply.c_str());
  }
}
BENCHMARK(BM_Mutate)
    ->ArgNames({"matching", "others"})
    ->Args({0, 0})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Args({1, 2})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace portcullis

BENCHMARK_MAIN();
