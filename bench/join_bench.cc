// The cost of each form of join over N objects by its access path, of writes with and without five indexes, and of the build of an index
// while reviews go on. In CPU time, so that a machine that is busy with other things measures the same. Each answer is checked.
//
//   join_bench --objects N [--data DIR] [--quick]
//
// One size a process; bench/joins runs the sizes and prints the table.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "bench/join_forms.h"
#include "bench/must.h"
#include "document/json.h"
#include "index/inventory.h"
#include "rules/rego/catalog.h"
#include "rules/rego/engine.h"
#include "rules/rego/key_programs.h"

namespace portcullis {
namespace {

constexpr std::uint64_t kBatch = 500;

using bench::Must;

[[noreturn]] void Wrong(std::string_view what) {
  std::cerr << "join_bench: " << what << "\n";
  std::exit(1);
}

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double ProcessSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

class Bench {
 public:
  Bench(index::InventoryOptions options, std::uint64_t objects, double budget, bool quick)
      : objects_(objects), budget_(budget), quick_(quick), catalog_(rego::CreateCatalog()) {
    inventory_ = Must(index::Inventory::Open(options, clock_, Logger::Silent(), metrics_));
    for (const bench::JoinForm& form : bench::JoinForms()) {
      plans_.push_back(PlanOf(form));
    }
  }

  void Run() {
    Load();
    const double bare = TimeWrites();
    BuildWithReviews();
    std::vector<index::Definition> five;
    std::vector<index::Definition> all;
    for (const auto& plan : plans_) {
      for (const index::Definition& definition : plan->wanted_indexes()) {
        if (std::ranges::find(all, definition) == all.end()) {
          all.push_back(definition);
        }
      }
    }
    five.assign(all.begin(), all.begin() + 5);
    Want(five);
    Settle();
    const double indexed = TimeWrites();
    std::printf("write %.2f %.2f %.2f\n", bare, indexed, indexed / bare);
    Want(all);
    Settle();
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      TimeForm(bench::JoinForms()[i], *plans_[i]);
    }
  }

  void RunOne(std::string_view name) {
    Load();
    bool found = false;
    for (std::size_t i = 0; i < plans_.size(); ++i) {
      const bench::JoinForm& form = bench::JoinForms()[i];
      if (form.name == name) {
        found = true;
        Want(plans_[i]->wanted_indexes());
        Settle();
        TimeForm(form, *plans_[i]);
      }
    }
    if (!found) {
      Wrong(fmt::format("there is no form \"{}\"", name));
    }
  }

 private:
  void Load() {
    for (std::uint64_t i = 0; i < objects_; i += kBatch) {
      Write(i, std::min(objects_, i + kBatch), 1);
    }
    Settle();
  }

  std::unique_ptr<const rego::Plan> PlanOf(const bench::JoinForm& form) {
    auto module = rego::ParseModule(std::string(form.name), "package t\n" + std::string(form.rules),
                                    rego::Version::kV0);
    if (!module) {
      Wrong(rego::ToString(module.error()));
    }
    std::vector<std::unique_ptr<rego::Module>> modules;
    modules.push_back(std::move(*module));
    auto policy = rego::Compile(std::move(modules), {.catalog = catalog_.get()});
    if (!policy) {
      Wrong(rego::ToString(policy.error()));
    }
    const std::string path[] = {"t", "violation"};
    return Must(rego::MakePlan(std::move(*policy), path));
  }

  void Write(std::uint64_t begin, std::uint64_t end, std::uint64_t version) {
    index::ChangeSet changes;
    changes.type = {.group = "", .version = "v1", .kind = "Service"};
    document::Arena arena;
    for (std::uint64_t i = begin; i < end; ++i) {
      changes.puts.push_back(Must(document::ParseJson(bench::ServiceJson(i, version), arena)));
    }
    Must(inventory_->Apply(changes));
  }

  void Want(const std::vector<index::Definition>& definitions) {
    std::vector<index::IndexRequest> wanted;
    for (const index::Definition& definition : definitions) {
      wanted.push_back({.definition = definition, .user = "bench"});
    }
    Must(inventory_->SetWantedIndexes(std::move(wanted)));
    if (!inventory_->WaitUntilIndexesReady(std::chrono::hours(1))) {
      Wrong("an index does not become ready");
    }
  }

  // Waits until nothing is merged any more: what one step wrote is not the next one's cost.
  void Settle() {
    Must(inventory_->store().Flush());
    for (double last = 0, now = ProcessSeconds(); !quick_ && now - last > 0.005;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      last = std::exchange(now, ProcessSeconds());
    }
  }

  // Microseconds of all threads for an object that is written again, merges in the background included.
  double TimeWrites() {
    const std::uint64_t count = std::min<std::uint64_t>(objects_, quick_ ? 1000 : 50'000);
    const std::uint64_t rounds = quick_ ? 1 : std::max<std::uint64_t>(1, 50'000 / count);
    const double started = ProcessSeconds();
    for (std::uint64_t round = 0; round < rounds; ++round) {
      for (std::uint64_t i = 0; i < count; i += kBatch) {
        Write(i, std::min(count, i + kBatch), ++version_);
      }
    }
    Must(inventory_->store().Flush());
    return (ProcessSeconds() - started) * 1e6 / static_cast<double>(count * rounds);
  }

  // Reviews scan a namespace until the index is ready, and look up from then on; none may say anything else.
  void BuildWithReviews() {
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> reviews = 0;
    const std::size_t form = bench::FormOfOneNamespace();
    std::thread reviewer([&] {
      std::mt19937_64 random(7);
      while (!stop) {
        Review(bench::JoinForms()[form], *plans_[form], random() % objects_, false);
        ++reviews;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    const auto started = clock_.Now();
    const double cpu = ProcessSeconds();
    Want(plans_[form]->wanted_indexes());
    const double seconds = std::chrono::duration<double>(clock_.Now() - started).count();
    std::printf("build %.2f %.2f %llu\n", seconds, ProcessSeconds() - cpu,
                static_cast<unsigned long long>(reviews.load()));
    stop = true;
    reviewer.join();
  }

  // Objects that the review visited.
  std::uint64_t Review(const bench::JoinForm& form, const rego::Plan& plan, std::uint64_t i,
                       bool must_look_up) {
    document::Arena arena;
    const std::unique_ptr<index::InventoryView> view = inventory_->View();
    rego::EvaluationStatistics statistics;
    rego::EvaluationRequest request;
    request.input = Must(document::ParseJson(bench::ReviewInput(i), arena));
    request.data = document::Value::Object({});
    request.inventory = view.get();
    request.arena = &arena;
    request.clock = &clock_;
    request.statistics = &statistics;
    const auto outcome = Must(plan.Evaluate(request));
    if (!outcome) {
      Wrong(outcome.error().message);
    }
    const std::string answer = document::ToRego(*outcome);
    if (answer != form.answer(i, objects_)) {
      Wrong(fmt::format("{} of {}: {} instead of {}", form.name, i, answer,
                        form.answer(i, objects_)));
    }
    if (must_look_up && statistics.scans != 0) {
      Wrong(fmt::format("{} scans", form.name));
    }
    return statistics.objects_visited;
  }

  void TimeForm(const bench::JoinForm& form, const rego::Plan& plan) {
    std::mt19937_64 random(11);
    for (int warm = 0; warm < (quick_ ? 1 : 200); ++warm) {
      Review(form, plan, random() % objects_, true);
    }
    std::uint64_t count = 0;
    std::uint64_t visited = 0;
    const double started = ThreadSeconds();
    double seconds = 0;
    while (seconds < budget_) {
      visited += Review(form, plan, random() % objects_, true);
      ++count;
      seconds = ThreadSeconds() - started;
    }
    std::printf("form %.2f %.1f %s\n", seconds * 1e6 / static_cast<double>(count),
                static_cast<double>(visited) / static_cast<double>(count),
                std::string(form.name).c_str());
  }

  const std::uint64_t objects_;
  const double budget_;  // Seconds for each form.
  const bool quick_;
  std::uint64_t version_ = 1;
  SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<const builtins::Catalog> catalog_;
  std::unique_ptr<index::Inventory> inventory_;
  std::vector<std::unique_ptr<const rego::Plan>> plans_;
};

}  // namespace
}  // namespace portcullis

int main(int argc, char** argv) {
  std::uint64_t objects = 1000;
  std::filesystem::path data =
      std::filesystem::temp_directory_path() / ("join_bench-" + std::to_string(getpid()));
  bool quick = false;
  std::string only;
  double seconds = 0.5;
  portcullis::index::InventoryOptions options;
  std::size_t cache_mib = options.store.block_cache_bytes >> 20;
  CLI::App app(
      "The CPU time of each form of join over N objects. Prints lines:\n"
      "  form MICROSECONDS OBJECTS-VISITED NAME\n"
      "  write MICROSECONDS-WITHOUT MICROSECONDS-WITH-FIVE-INDEXES RATIO\n"
      "  build SECONDS CPU-SECONDS REVIEWS-MEANWHILE");
  app.add_option("--objects", objects, "How many")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--data", data, "A folder that does not exist yet; it is removed at the end");
  app.add_option("--form", only, "Only this form, without writes, and with its own indexes alone");
  app.add_option("--cache-mib", cache_mib, "The store's cache")->capture_default_str();
  app.add_option("--seconds", seconds, "How long each form is measured, in CPU time")
      ->capture_default_str();
  app.add_flag("--quick", quick, "Each once or twice: a test");
  CLI11_PARSE(app, argc, argv);
  if (std::filesystem::exists(data)) {
    std::cerr << "join_bench: " << data << " exists\n";
    return 2;
  }
  options.store.path = data;
  options.store.block_cache_bytes = cache_mib << 20;
  options.key_programs = std::make_shared<portcullis::rego::RegoKeyPrograms>();
  portcullis::Bench bench(options, objects, quick ? 0.002 : seconds, quick);
  if (only.empty()) {
    bench.Run();
  } else {
    bench.RunOne(only);
  }
  std::error_code ignored;
  std::filesystem::remove_all(data, ignored);
  return 0;
}
