// What a review pays before a rule runs: parsing it, opening a stored object, finding and comparing.

#include <cstdint>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

#include "document/arena.h"
#include "document/encoding.h"
#include "document/json.h"
#include "document/value.h"

namespace portcullis::document {
namespace {

constexpr std::string_view kReview =
    R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1",
"request":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","kind":{"group":"networking.k8s.io","version":"v1","kind":"Ingress"},
"resource":{"group":"networking.k8s.io","version":"v1","resource":"ingresses"},"name":"shop","namespace":"web","operation":"CREATE",
"userInfo":{"username":"system:serviceaccount:ci:deployer","uid":"014fbff9a07c","groups":["system:serviceaccounts","system:authenticated"]},
"object":{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"shop","namespace":"web",
"uid":"9b1f6c7e-2f43-4d7b-9a3f-0d3f2b5b7f10","creationTimestamp":"2026-01-05T10:11:12Z","generation":1,
"labels":{"app.kubernetes.io/name":"shop","app.kubernetes.io/part-of":"store","team":"checkout"},
"annotations":{"nginx.ingress.kubernetes.io/rewrite-target":"/","cert-manager.io/cluster-issuer":"letsencrypt"}},
"spec":{"ingressClassName":"nginx","tls":[{"hosts":["shop.example.com","www.example.com"],"secretName":"shop-tls"}],
"rules":[{"host":"shop.example.com","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"shop","port":{"number":80}}}},
{"path":"/api","pathType":"Prefix","backend":{"service":{"name":"api","port":{"number":8080}}}}]}},
{"host":"www.example.com","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"shop","port":{"number":80}}}}]}}]},
"status":{"loadBalancer":{}}},"oldObject":null,"dryRun":false,"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}})";

const ParseOptions kGoOptions = {.numbers = NumberMode::kFloat64,
                                 .duplicates = DuplicateKeys::kKeepLast};

void ParseReview(benchmark::State& state) {
  Arena arena;
  for (auto _ : state) {
    arena.Reset();
    const Result<Value> value = ParseJson(kReview, arena, kGoOptions);
    if (!value || value->GetString({"request", "object", "kind"}) != "Ingress") {
      state.SkipWithError("wrong value");
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kReview.size()));
}
BENCHMARK(ParseReview);

void WriteReview(benchmark::State& state) {
  Arena arena;
  const Value value = ParseJson(kReview, arena).value();
  std::string json;
  for (auto _ : state) {
    json.clear();
    AppendJson(value, JsonStyle::kGo, &json);
    benchmark::DoNotOptimize(json.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(json.size()));
}
BENCHMARK(WriteReview);

void EncodeObject(benchmark::State& state) {
  Arena arena;
  const Value object = ParseJson(kReview, arena).value().Get({"request", "object"});
  for (auto _ : state) {
    const Result<std::string> bytes = Encode(object);
    if (!bytes) {
      state.SkipWithError("not encoded");
    }
  }
}
BENCHMARK(EncodeObject);

// Opens a stored object and reads what a uniqueness rule reads of it.
void OpenAndFindHost(benchmark::State& state) {
  Arena parsed;
  const std::string bytes =
      Encode(ParseJson(kReview, parsed).value().Get({"request", "object"})).value();
  Arena arena;
  for (auto _ : state) {
    arena.Reset();
    const Result<Value> object = OpenTrusted(bytes, arena, NumberMode::kFloat64);
    if (object->Get({"spec", "rules"}).ItemAt(1).GetString({"host"}) != "www.example.com") {
      state.SkipWithError("wrong value");
    }
  }
}
BENCHMARK(OpenAndFindHost);

void FindPath(benchmark::State& state) {
  Arena arena;
  const Value value = ParseJson(kReview, arena).value();
  for (auto _ : state) {
    benchmark::DoNotOptimize(value.Get({"request", "object", "metadata", "namespace"}));
  }
}
BENCHMARK(FindPath);

void CompareStrings(benchmark::State& state) {
  Value a = Value::String("shop.example.com");
  Value b = Value::String("shop.example.org");
  for (auto _ : state) {
    benchmark::DoNotOptimize(a);
    benchmark::DoNotOptimize(b);
    benchmark::DoNotOptimize(Compare(a, b));
  }
}
BENCHMARK(CompareStrings);

void HashObject(benchmark::State& state) {
  Arena arena;
  const Value value = ParseJson(kReview, arena).value();
  for (auto _ : state) {
    benchmark::DoNotOptimize(Hash(value));
  }
}
BENCHMARK(HashObject);

}  // namespace
}  // namespace portcullis::document

BENCHMARK_MAIN();
