// The cost of the inventory alone over N Ingresses of about 0.5 KB with 1.75 hosts each: look-ups of a fresh and of a taken
// host, gets, writes without and with an index; and what the store takes on disk and in memory. Each answer is checked.
//
//   index_bench --objects=1000 [--data=DIR] [Google Benchmark's flags]
//
// One size a process, so that the memory shown is that size's.

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
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "bench/must.h"
#include "document/json.h"
#include "index/inventory.h"

namespace portcullis {
namespace {

constexpr std::uint64_t kBatch = 500;

std::string Host(std::uint64_t i) {
  return fmt::format("h{:07d}.apps.example.com", i);
}

// Ingress i has one host if i is even, two if i % 4 == 1, three if i % 4 == 3, all unique, over 50 namespaces.
std::string IngressJson(std::uint64_t i, std::uint64_t version) {
  const std::string rule =
      R"({{"host":"{1}h{0:07d}.apps.example.com","http":{{"paths":[{{"path":"/","pathType":"Prefix","backend":{{"service":{{"name":"ing-{0:07d}","port":{{"number":80}}}}}}}}]}}}})";
  std::string rules = fmt::format(fmt::runtime(rule), i, "");
  if (i % 2 == 1) {
    rules += "," + fmt::format(fmt::runtime(rule), i, "b-");
  }
  if (i % 4 == 3) {
    rules += "," + fmt::format(fmt::runtime(rule), i, "c-");
  }
  return fmt::format(
      R"({{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{{"name":"ing-{0:07d}","namespace":"team-{1:03d}","uid":"{4:08x}-7f6b-4f0e-9d1e-{0:012d}","resourceVersion":"{2}","generation":1,"labels":{{"app":"ing-{0:07d}","team":"team-{1:03d}"}}}},"spec":{{"ingressClassName":"nginx","rules":[{3}]}},"status":{{"loadBalancer":{{}}}}}})",
      i, i % 50, version, rules, static_cast<std::uint32_t>(i * 2654435761U));
}

double ResidentMegabytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  in >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

using bench::Must;

class Bench {
 public:
  Bench(const std::filesystem::path& path, std::uint64_t objects) : objects_(objects) {
    index::InventoryOptions options;
    options.store.path = path;
    inventory_ = Must(index::Inventory::Open(options, clock_, Logger::Silent(), metrics_));
    host_index_ = Must(index::Definition::Parse("namespace/*/*/Ingress: spec.rules[_].host"));
  }

  void Fill() {
    auto started = clock_.Now();
    for (std::uint64_t i = 0; i < objects_; i += kBatch) {
      Write(i, std::min(objects_, i + kBatch), 1);
    }
    Must(inventory_->store().Flush());
    Report("write without index", started);
    started = clock_.Now();
    Want({host_index_});
    Report("build of one index", started);
    Must(inventory_->store().Flush());
    const store::StoreSizes sizes = inventory_->store().Sizes();
    std::printf(
        "JSON %.1f MB, on disk %.1f MB (%.2f of the JSON), cache %.1f MB, memtables %.1f MB\n",
        Mega(json_bytes_), Mega(sizes.disk_bytes),
        static_cast<double>(sizes.disk_bytes) / static_cast<double>(json_bytes_),
        Mega(sizes.block_cache_bytes), Mega(sizes.memtable_bytes));
  }

  void Want(const std::vector<index::Definition>& definitions) {
    std::vector<index::IndexRequest> wanted;
    for (const index::Definition& definition : definitions) {
      wanted.push_back({.definition = definition, .user = "bench"});
    }
    Must(inventory_->SetWantedIndexes(std::move(wanted)));
    if (!inventory_->WaitUntilIndexesReady(std::chrono::hours(1))) {
      std::cerr << "the index does not become ready\n";
      std::exit(1);
    }
  }

  void Write(std::uint64_t begin, std::uint64_t end, std::uint64_t version) {
    index::ChangeSet changes;
    changes.type = {.group = "networking.k8s.io", .version = "v1", .kind = "Ingress"};
    document::Arena arena;
    for (std::uint64_t i = begin; i < end; ++i) {
      const std::string json = IngressJson(i, version);
      json_bytes_ += json.size();
      changes.puts.push_back(Must(document::ParseJson(json, arena)));
    }
    Must(inventory_->Apply(changes));
  }

  // A view, one look-up, and a get of each object found; the number found.
  std::size_t Review(std::string_view host, document::Arena& arena) {
    const std::unique_ptr<index::InventoryView> view = inventory_->View();
    const auto cursor =
        Must(view->Lookup(*view->FindIndex(host_index_), document::Value::String(host)));
    std::size_t found = 0;
    while (const auto object = Must(cursor->Next())) {
      const document::Value value =
          Must(view->Get(object->key, arena, document::NumberMode::kFloat64));
      found += value.is_object() ? 1 : 0;
    }
    return found;
  }

  [[nodiscard]] std::uint64_t objects() const { return objects_; }
  [[nodiscard]] const index::Definition& host_index() const { return host_index_; }

 private:
  static double Mega(std::uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

  void Report(const char* what, std::chrono::steady_clock::time_point started) {
    const double seconds = std::chrono::duration<double>(clock_.Now() - started).count();
    std::printf("%s: %.1f s, %.1f us an object, resident %.0f MiB\n", what, seconds,
                seconds * 1e6 / static_cast<double>(objects_), ResidentMegabytes());
  }

  const std::uint64_t objects_;
  std::uint64_t json_bytes_ = 0;
  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<index::Inventory> inventory_;
  index::Definition host_index_;
};

void Look(benchmark::State& state, Bench& bench, bool taken) {
  std::mt19937_64 random(1);
  document::Arena arena;
  for (auto _ : state) {
    arena.Reset();
    const std::uint64_t i = random() % bench.objects() + (taken ? 0 : 5'000'000);
    if (bench.Review(Host(i), arena) != (taken ? 1U : 0U)) {
      state.SkipWithError("a wrong answer");
      break;
    }
  }
  state.counters["resident_MiB"] = ResidentMegabytes();
}

void Rewrite(benchmark::State& state, Bench& bench, bool indexed) {
  if (!indexed) {
    bench.Want({});
  }
  std::uint64_t version = 2;
  const std::uint64_t count = std::min<std::uint64_t>(bench.objects(), kBatch);
  for (auto _ : state) {
    bench.Write(0, count, ++version);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * count));
  state.counters["resident_MiB"] = ResidentMegabytes();
  bench.Want({bench.host_index()});
}

}  // namespace
}  // namespace portcullis

int main(int argc, char** argv) {
  std::uint64_t objects = 1000;
  std::filesystem::path data =
      std::filesystem::temp_directory_path() / fmt::format("index_bench-{}", getpid());
  std::vector<char*> rest = {argv[0]};
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--objects=")) {
      objects = std::strtoull(argv[i] + 10, nullptr, 10);
    } else if (argument.starts_with("--data=")) {
      data = argument.substr(7);
    } else {
      rest.push_back(argv[i]);
    }
  }
  int count = static_cast<int>(rest.size());
  benchmark::Initialize(&count, rest.data());
  if (benchmark::ReportUnrecognizedArguments(count, rest.data()) || objects == 0 ||
      std::filesystem::exists(data)) {
    std::cerr << "index_bench [--objects=N] [--data=a folder that does not exist yet] [benchmark "
                 "flags]\n";
    return 2;
  }
  {
    portcullis::Bench bench(data, objects);
    bench.Fill();
    benchmark::RegisterBenchmark("look_up/fresh",
                                 [&](benchmark::State& state) { Look(state, bench, false); });
    benchmark::RegisterBenchmark("look_up_and_get/taken",
                                 [&](benchmark::State& state) { Look(state, bench, true); });
    benchmark::RegisterBenchmark("write_500/one_index",
                                 [&](benchmark::State& state) { Rewrite(state, bench, true); });
    benchmark::RegisterBenchmark("write_500/no_index",
                                 [&](benchmark::State& state) { Rewrite(state, bench, false); });
    benchmark::RunSpecifiedBenchmarks();
  }
  std::error_code ignored;
  std::filesystem::remove_all(data, ignored);
  return 0;
}
