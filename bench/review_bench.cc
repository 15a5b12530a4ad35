// The cost of one review without the network: AdmissionReview bytes in, reply bytes out (parse, match, evaluate, look up, reply),
// under K8sUniqueIngressHost-like uniqueness over N synced Ingresses, with a host that nobody has and with a taken one, by
// index and by scan; and the resident memory beside it. Each answer is checked.
//
//   review_bench --objects=1000 [--data=DIR] [Google Benchmark's flags]
//
// One size a process, so that the memory shown is that size's. bench/review runs the sizes and prints the table.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "document/json.h"
#include "document/yaml.h"
#include "index/inventory.h"
#include "rules/policy/policy_set.h"
#include "rules/rego/catalog.h"
#include "webhook/admission.h"

namespace portcullis {
namespace {

// Ingress i has one host if i is even, two if i % 4 == 1, three if i % 4 == 3, all unique, over 50 namespaces.
std::string IngressJson(std::uint64_t i) {
  const std::string rule =
      R"({{"host":"h{0:07d}{1}.apps.example.com","http":{{"paths":[{{"path":"/","pathType":"Prefix","backend":{{"service":{{"name":"ing-{0:07d}","port":{{"number":80}}}}}}}}]}}}})";
  std::string rules = fmt::format(fmt::runtime(rule), i, "");
  if (i % 2 == 1) {
    rules += "," + fmt::format(fmt::runtime(rule), i, "-b");
  }
  if (i % 4 == 3) {
    rules += "," + fmt::format(fmt::runtime(rule), i, "-c");
  }
  return fmt::format(
      R"({{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{{"name":"ing-{0:07d}","namespace":"team-{1:03d}","uid":"4e0f3a52-7f6b-4f0e-9d1e-{0:012d}","resourceVersion":"{2}","generation":1,"labels":{{"app":"ing-{0:07d}","team":"team-{1:03d}"}}}},"spec":{{"ingressClassName":"nginx","rules":[{3}]}},"status":{{"loadBalancer":{{}}}}}})",
      i, i % 50, i + 1000, rules);
}

std::string ReviewJson(std::string_view host) {
  return fmt::format(
      R"({{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","kind":{{"group":"networking.k8s.io","version":"v1","kind":"Ingress"}},"resource":{{"group":"networking.k8s.io","version":"v1","resource":"ingresses"}},"requestKind":{{"group":"networking.k8s.io","version":"v1","kind":"Ingress"}},"requestResource":{{"group":"networking.k8s.io","version":"v1","resource":"ingresses"}},"name":"new","namespace":"team-001","operation":"CREATE","userInfo":{{"username":"kubernetes-admin","groups":["system:masters","system:authenticated"]}},"object":{{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{{"name":"new","namespace":"team-001","uid":"1d9b6f8c-2b0c-4a60-9d3e-0a0a0a0a0a0a","creationTimestamp":"2026-11-23T10:00:00Z","generation":1,"labels":{{"app":"new"}},"managedFields":[{{"manager":"kubectl","operation":"Update","apiVersion":"networking.k8s.io/v1","time":"2026-11-23T10:00:00Z","fieldsType":"FieldsV1","fieldsV1":{{"f:metadata":{{"f:labels":{{".":{{}},"f:app":{{}}}}}},"f:spec":{{"f:ingressClassName":{{}},"f:rules":{{}}}}}}}}]}},"spec":{{"ingressClassName":"nginx","rules":[{{"host":"{}","http":{{"paths":[{{"path":"/","pathType":"Prefix","backend":{{"service":{{"name":"new","port":{{"number":80}}}}}}}}]}}}}]}},"status":{{"loadBalancer":{{}}}}}},"oldObject":null,"dryRun":false,"options":{{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}}}})",
      host);
}

// Any namespace exists.
class EveryNamespace final : public webhook::NamespaceFinder {
 public:
  Result<document::Value> Find(std::string_view name, document::Arena& arena) override {
    return document::ParseJson(
        fmt::format(R"({{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{}"}}}})", name),
        arena);
  }
};

class NothingExcluded final : public webhook::NamespaceExcluder {
 public:
  [[nodiscard]] bool IsExcluded(std::string_view, std::string_view, std::string_view,
                                std::string_view) const override {
    return false;
  }
};

double ResidentMib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == "VmRSS:") {
      double kib = 0;
      status >> kib;
      return kib / 1024;
    }
  }
  return 0;
}

template <class T>
T OrDie(Result<T> result, std::string_view what) {
  if (!result) {
    std::cerr << what << ": " << result.error().ToString() << '\n';
    std::exit(2);
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

// Everything that a review needs, with `objects` Ingresses in the store.
class Bench {
 public:
  Bench(std::uint64_t objects, const std::filesystem::path& data,
        const std::filesystem::path& policies)
      : objects_(objects) {
    index::InventoryOptions options;
    options.store.path = data;
    inventory_ = OrDie(index::Inventory::Open(options, clock_, Logger::Silent(), metrics_), "open");
    for (const char* name : {"template.yaml", "constraint.yaml"}) {
      const std::filesystem::path path = policies / name;
      std::ifstream in(path);
      const std::string text(std::istreambuf_iterator<char>(in), {});
      document::Arena arena;
      for (const auto& each : OrDie(document::ParseManifests(text, arena), path.string())) {
        OrDie(each.value.GetString({"kind"}) == "ConstraintTemplate"
                  ? policies_.PutTemplate(each.value)
                  : policies_.PutConstraint(each.value),
              path.string());
      }
    }
    std::vector<index::IndexRequest> wanted;
    for (const policy::Template* each : policies_.current()->templates()) {
      for (const index::Definition& definition : each->plan->wanted_indexes()) {
        wanted.push_back({definition, each->kind});
      }
    }
    OrDie(inventory_->SetWantedIndexes(wanted), "indexes");
    Load();
    if (!inventory_->WaitUntilIndexesReady(std::chrono::minutes(10))) {
      std::cerr << "the index was not built within 10 minutes\n";
      std::exit(2);
    }
    webhook::AdmissionOptions by_index;
    by_index.evaluation_timeout = std::chrono::minutes(5);
    webhook::AdmissionOptions by_scan = by_index;
    by_scan.index_use = rego::IndexUse::kIgnore;
    indexed_ =
        std::make_unique<webhook::AdmissionHandler>(policies_, *inventory_, namespaces_, excluder_,
                                                    clock_, Logger::Silent(), metrics_, by_index);
    scanning_ =
        std::make_unique<webhook::AdmissionHandler>(policies_, *inventory_, namespaces_, excluder_,
                                                    clock_, Logger::Silent(), metrics_, by_scan);
  }

  void Run(benchmark::State& state, bool taken, bool scan) {
    webhook::AdmissionHandler& handler = scan ? *scanning_ : *indexed_;
    std::mt19937_64 random(42);
    std::string body =
        ReviewJson(taken ? "h0000000.apps.example.com" : "f0000000.apps.example.com");
    const std::size_t digits = body.find("0000000.apps.example.com");
    for (auto _ : state) {
      std::uint64_t number = random() % objects_;
      for (std::size_t at = digits + 7; at-- > digits; number /= 10) {
        body[at] = static_cast<char>('0' + number % 10);
      }
      const webhook::AdmissionOutcome outcome = handler.Admit("application/json", body);
      if (outcome.allowed == taken || outcome.code != (taken ? 403 : 200)) {
        state.SkipWithError(("wrong answer: " + outcome.body).c_str());
        return;
      }
      if ((scan ? outcome.statistics.lookups : outcome.statistics.scans) != 0) {
        state.SkipWithError("not by the access path that was asked for");
        return;
      }
    }
    state.counters["rss_mib"] = ResidentMib();
    state.counters["objects"] = static_cast<double>(objects_);
  }

 private:
  void Load() {
    const document::GroupVersionKind type{"networking.k8s.io", "v1", "Ingress"};
    const auto position = OrDie(inventory_->Position(type), "position");
    if (position && position->complete && position->resource_version == std::to_string(objects_)) {
      return;  // --data names a folder that was loaded before.
    }
    constexpr std::uint64_t kBatch = 1000;
    document::Arena arena;
    for (std::uint64_t i = 0; i < objects_; i += kBatch) {
      arena.Reset();
      index::ChangeSet changes{.type = type, .puts = {}, .deletes = {}, .position = {}};
      for (std::uint64_t j = i; j < std::min(objects_, i + kBatch); ++j) {
        changes.puts.push_back(OrDie(document::ParseJson(IngressJson(j), arena), "ingress"));
      }
      if (i + kBatch >= objects_) {
        changes.position = {.resource_version = std::to_string(objects_), .complete = true};
      }
      OrDie(inventory_->Apply(changes), "apply");
    }
    // A store at rest at every size: what was written is in table files, not in memory.
    OrDie(inventory_->store().Flush(), "flush");
  }

  std::uint64_t objects_;
  SystemClock clock_;
  Metrics metrics_;
  EveryNamespace namespaces_;
  NothingExcluded excluder_;
  policy::PolicyStore policies_{rego::CreateCatalog()};
  std::unique_ptr<index::Inventory> inventory_;
  std::unique_ptr<webhook::AdmissionHandler> indexed_;
  std::unique_ptr<webhook::AdmissionHandler> scanning_;
};

}  // namespace
}  // namespace portcullis

int main(int argc, char** argv) {
  std::uint64_t objects = 1000;
  std::filesystem::path data;
  std::vector<char*> rest{argv[0]};
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--objects=")) {
      objects = std::stoull(std::string(argument.substr(10)));
    } else if (argument.starts_with("--data=")) {
      data = argument.substr(7);
    } else {
      rest.push_back(argv[i]);
    }
  }
  const bool temporary = data.empty();
  if (temporary) {
    std::string name = std::filesystem::temp_directory_path() / "portcullis-bench-XXXXXX";
    data = mkdtemp(name.data());
  }
  {
    portcullis::Bench bench(objects, data, PORTCULLIS_SOURCE_DIR "/policies/unique-ingress-host");
    for (const bool taken : {false, true}) {
      for (const bool scan : {false, true}) {
        const std::string name = fmt::format("Review/{}/{}/{}", taken ? "taken" : "fresh",
                                             scan ? "scan" : "index", objects);
        auto* each = benchmark::RegisterBenchmark(
            name.c_str(),
            [&bench, taken, scan](benchmark::State& state) { bench.Run(state, taken, scan); });
        each->Unit(benchmark::kMicrosecond);
      }
    }
    int count = static_cast<int>(rest.size());
    benchmark::Initialize(&count, rest.data());
    benchmark::RunSpecifiedBenchmarks();
  }
  if (temporary) {
    std::filesystem::remove_all(data);
  }
  return 0;
}
