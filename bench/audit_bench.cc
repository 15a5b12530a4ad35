// The audit over N Ingresses of about 0.5 KB, of which one in a hundred takes the host of its neighbour, under policies/unique-ingress-host: a full pass, and
// the time from a change of one object until the verdicts are true again. Every answer is checked.
//
//   audit_bench --objects=100000 [--changes=2000] [--data=DIR]

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "audit/verdict_keeper.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "bench/must.h"
#include "document/json.h"
#include "index/inventory.h"
#include "rules/policy/manifest_file.h"
#include "rules/policy/policy_set.h"
#include "rules/rego/catalog.h"
#include "rules/rego/key_programs.h"

namespace portcullis {
namespace {

constexpr std::uint64_t kBatch = 500;
constexpr std::uint64_t kEvery =
    100;  // Of so many Ingresses the last has the host of the one before.

using bench::Must;

void Require(bool holds, std::string_view what) {
  if (!holds) {
    std::cerr << "a wrong answer: " << what << "\n";
    std::exit(1);
  }
}

std::string IngressJson(std::uint64_t i, std::uint64_t host, std::uint64_t version) {
  return fmt::format(
      R"({{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{{"name":"ing-{0:07d}","namespace":"team-{1:03d}","uid":"7f6b-4f0e-9d1e-{0:012d}","resourceVersion":"{2}","generation":1,"labels":{{"app":"ing-{0:07d}","team":"team-{1:03d}"}}}},"spec":{{"ingressClassName":"nginx","rules":[{{"host":"h{3:07d}.apps.example.com","http":{{"paths":[{{"path":"/","pathType":"Prefix","backend":{{"service":{{"name":"ing-{0:07d}","port":{{"number":80}}}}}}}}]}}}}]}},"status":{{"loadBalancer":{{}}}}}})",
      i, i % 50, version, host);
}

std::uint64_t HostOf(std::uint64_t i) {
  return i % kEvery == kEvery - 1 ? i - 1 : i;
}

// Of this thread: what the machine's other work does not lengthen.
double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class Bench {
 public:
  Bench(const std::filesystem::path& data, std::uint64_t objects)
      : objects_(objects), policies_(rego::CreateCatalog({})) {
    index::InventoryOptions options;
    options.store.path = data;
    options.key_programs = std::make_shared<rego::RegoKeyPrograms>();
    options.record_changes = true;
    inventory_ = Must(index::Inventory::Open(options, clock_, Logger::Silent(), metrics_));
    keeper_ = std::make_unique<audit::VerdictKeeper>(
        *inventory_,
        [](std::string_view name, document::Arena& arena) {
          return document::ParseJson(
              fmt::format(R"({{"apiVersion":"v1","kind":"Namespace","metadata":{{"name":"{}"}}}})",
                          name),
              arena);
        },
        clock_, Logger::Silent(), metrics_, audit::ObjectReviewOptions());
    const std::filesystem::path folder =
        std::filesystem::path(PORTCULLIS_SOURCE_DIR) / "policies" / "unique-ingress-host";
    document::Arena arena;
    const auto read = [&](const char* file) {
      return Must(policy::ReadObjects(folder / file, arena, document::NumberMode::kExact)).at(0);
    };
    Must(policies_.PutTemplate(read("template.yaml")));
    Must(policies_.PutConstraint(read("constraint.yaml")));
  }

  void Fill() {
    Begin();
    for (std::uint64_t i = 0; i < objects_; i += kBatch) {
      index::ChangeSet changes;
      changes.type = {.group = "networking.k8s.io", .version = "v1", .kind = "Ingress"};
      document::Arena arena;
      for (std::uint64_t each = i; each < std::min(objects_, i + kBatch); ++each) {
        changes.puts.push_back(
            Must(document::ParseJson(IngressJson(each, HostOf(each), 1), arena)));
      }
      Must(inventory_->Apply(changes));
    }
    std::vector<index::IndexRequest> wanted;
    for (const policy::Template* each : policies_.current()->templates()) {
      for (const index::Definition& definition : each->plan->wanted_indexes()) {
        wanted.push_back({definition, each->kind});
      }
    }
    Must(inventory_->SetWantedIndexes(std::move(wanted)));
    Require(inventory_->WaitUntilIndexesReady(std::chrono::hours(1)), "an index is not ready");
    Show("replicated and indexed");
  }

  // Everything that was written, then everything once more.
  void Audit() {
    Begin();
    Must(keeper_->SetPolicies({.set = policies_.current()}));
    Settle();
    Show("first audit, with the changes that led here");
    RequireCount(objects_ / kEvery * 2);
    Begin();
    keeper_->BeginFullPass();
    Settle();
    Show("full pass");
    RequireCount(objects_ / kEvery * 2);
    Require(keeper_->corrections() == 0, "a full pass had something to correct");
  }

  // An Ingress takes the host of another, and gives it back.
  void Change(std::uint64_t changes) {
    std::vector<double> times;
    std::vector<double> cpu_times;
    for (std::uint64_t change = 0; change < changes; ++change) {
      const std::uint64_t i = (change / 2 * 7919) % (objects_ / kEvery) * kEvery;
      const bool takes = change % 2 == 0;
      document::Arena arena;
      index::ChangeSet set;
      set.type = {.group = "networking.k8s.io", .version = "v1", .kind = "Ingress"};
      set.puts = {Must(document::ParseJson(IngressJson(i, takes ? i + 1 : i, 2 + change), arena))};
      Must(inventory_->Apply(set));
      const auto started = clock_.Now();
      const double cpu = CpuSeconds();
      Settle();
      times.push_back(std::chrono::duration<double, std::micro>(clock_.Now() - started).count());
      cpu_times.push_back((CpuSeconds() - cpu) * 1e6);
      Require(HasVerdict(i) == takes && HasVerdict(i + 1) == takes, "a change did not arrive");
    }
    std::ranges::sort(times);
    std::ranges::sort(cpu_times);
    std::printf(
        "verdicts true again after a change: %.0f us in the middle (%.0f of CPU), %.0f us for 99 "
        "of "
        "100 (%.0f of CPU)\n",
        times[times.size() / 2], cpu_times[times.size() / 2], times[times.size() * 99 / 100],
        cpu_times[times.size() * 99 / 100]);
    RequireCount(objects_ / kEvery * 2);
  }

 private:
  void Settle() {
    while (Must(keeper_->Step()) != audit::VerdictKeeper::Work::kNothing) {
    }
  }

  void RequireCount(std::uint64_t wanted) {
    std::uint64_t count = 0;
    Must(audit::VisitRecords(inventory_->store(), {},
                             [&count](std::string_view, std::string_view) -> Result<bool> {
                               ++count;
                               return true;
                             }));
    Require(count == wanted, fmt::format("{} verdicts, not {}", count, wanted));
  }

  bool HasVerdict(std::uint64_t i) {
    const policy::Constraint& constraint = *policies_.current()->constraints().at(0);
    std::string key = "v" + constraint.kind;
    key += '\0';
    key += constraint.name;
    key += '\0';
    key += store::EncodeKey({.scope = store::Scope::kNamespaced,
                             .name_space = fmt::format("team-{:03d}", i % 50),
                             .group_version = "networking.k8s.io/v1",
                             .kind = "Ingress",
                             .name = fmt::format("ing-{:07d}", i)});
    store::PinnedValue value;
    return Must(inventory_->store().Get(store::Family::kVerdicts, key, nullptr, &value));
  }

  void Begin() {
    started_ = clock_.Now();
    cpu_started_ = CpuSeconds();
  }

  void Show(const char* what) {
    const double seconds = std::chrono::duration<double>(clock_.Now() - started_).count();
    const double cpu = CpuSeconds() - cpu_started_;
    std::printf("%s: %.2f s (%.2f of CPU), %.1f us an object (%.1f of CPU)\n", what, seconds, cpu,
                seconds * 1e6 / static_cast<double>(objects_),
                cpu * 1e6 / static_cast<double>(objects_));
    std::fflush(stdout);
  }

  const std::uint64_t objects_;
  SystemClock clock_;
  Metrics metrics_;
  policy::PolicyStore policies_;
  std::unique_ptr<index::Inventory> inventory_;
  std::unique_ptr<audit::VerdictKeeper> keeper_;
  std::chrono::steady_clock::time_point started_;
  double cpu_started_ = 0;
};

}  // namespace
}  // namespace portcullis

int main(int argc, char** argv) {
  std::uint64_t objects = 1000;
  std::uint64_t changes = 100;
  std::filesystem::path data =
      std::filesystem::temp_directory_path() / fmt::format("audit_bench-{}", getpid());
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with("--objects=")) {
      objects = std::max<std::uint64_t>(200, std::strtoull(argv[i] + 10, nullptr, 10));
    } else if (argument.starts_with("--changes=")) {
      changes = std::max<std::uint64_t>(2, std::strtoull(argv[i] + 10, nullptr, 10) / 2 * 2);
    } else if (argument.starts_with("--data=")) {
      data = argument.substr(7);
    } else {
      std::cerr << "audit_bench --objects=N [--changes=N] [--data=DIR]\n";
      return 2;
    }
  }
  {
    portcullis::Bench bench(data, objects);
    bench.Fill();
    bench.Audit();
    bench.Change(changes);
  }
  std::error_code ignored;
  std::filesystem::remove_all(data, ignored);
  return 0;
}
