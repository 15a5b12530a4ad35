// joins: random policies that join what is reviewed with the inventory, over an inventory with a history of changes, answered four
// ways: by indexes, by scans, from a plain document, and by OPA. All must agree, to the text of errors.
//
//   joins [--seed N] [--count N] [--peer PROGRAM] [--show]
//
// Policies come and go, so that indexes are built, shared and dropped between cases, and some cases look while one is built, or after
// it was dropped; the store is closed and opened now and then. A case hangs on those before it: repeat a run from its first seed.

#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/clock.h"
#include "document/json.h"
#include "rules/rego/catalog.h"
#include "rules/rego/engine.h"
#include "rules/rego/key_programs.h"
#include "tests/differential/join_policy.h"
#include "tests/differential/outcome.h"
#include "tests/differential/peer.h"
#include "tests/differential/random.h"
#include "tests/index/test_inventory.h"

namespace portcullis::differential {
namespace {

using document::Value;

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t count = 300;
  std::string peer;
  bool show = false;
};

struct Case {
  std::uint64_t seed = 0;
  std::string policy;
  std::string input;
  std::string inventory;               // As a document.
  std::array<std::string, 3> answers;  // By indexes, by scans, from the document.
};

// The inventory in the store, and beside it what it holds.
class World {
 public:
  World() : store_(std::make_unique<index::TestInventory>(Path(), false, programs_)) {}

  enum class Restart : std::uint8_t { kNever, kNowAndThen };

  void Change(Random& random, Restart restart = Restart::kNowAndThen) {
    Shape shape(random);
    for (unsigned i = 1 + random.Below(6); i > 0; --i) {
      const std::string_view kind = random.Chance(70) ? "Service" : "Ingress";
      const std::string_view version = random.Chance(80) ? "v1" : "apps/v1";
      const std::string_view name = random.Pick(kNames);
      const std::string_view space = random.Chance(85) ? random.Pick(kSpaces) : "";
      const auto place = std::tuple(std::string(space), std::string(version), std::string(kind),
                                    std::string(name));
      if (random.Chance(25)) {
        store_->Delete({.scope = space.empty() ? store::Scope::kCluster : store::Scope::kNamespaced,
                        .name_space = std::string(space),
                        .group_version = std::string(version),
                        .kind = std::string(kind),
                        .name = std::string(name)});
        if (objects_.contains(place)) {
          objects_[place].clear();
        }
        continue;
      }
      const std::string object =
          fmt::format(R"({{"apiVersion":"{}","kind":"{}","metadata":{},"spec":{}}})", version, kind,
                      shape.Metadata(name, space), shape.Spec());
      store_->Put(object);
      objects_[place] = object;
    }
    if (restart == Restart::kNowAndThen && random.Chance(1)) {
      store_->Reopen();
    }
  }

  // The same, but the document stays what it was until the next change.
  void ChangeLater(Random& random) {
    document_ = MakeDocument();
    Change(random, Restart::kNever);
  }

  [[nodiscard]] std::string Document() {
    return document_.empty() ? MakeDocument() : std::exchange(document_, {});
  }
  [[nodiscard]] index::TestInventory& store() { return *store_; }

 private:
  // Parents stay when their last object goes.
  [[nodiscard]] std::string MakeDocument() const {
    std::map<std::string, std::map<std::string, std::map<std::string, std::string>>> spaces;
    std::map<std::string, std::map<std::string, std::string>> cluster;
    const auto add = [](std::string* members, const std::string& name, const std::string& object) {
      if (!object.empty()) {
        *members += (members->empty() ? "" : ",") + Quoted(name) + ":" + object;
      }
    };
    for (const auto& [place, object] : objects_) {
      const auto& [space, version, kind, name] = place;
      add(space.empty() ? &cluster[version][kind] : &spaces[space][version][kind], name, object);
    }
    const auto kinds = [](const auto& versions) {
      std::vector<std::string> parts;
      for (const auto& [version, by_kind] : versions) {
        std::vector<std::string> each;
        for (const auto& [kind, members] : by_kind) {
          each.push_back(Quoted(kind) + ":{" + members + "}");
        }
        parts.push_back(fmt::format("{}:{{{}}}", Quoted(version), fmt::join(each, ",")));
      }
      return fmt::format("{{{}}}", fmt::join(parts, ","));
    };
    std::vector<std::string> scopes;
    if (!cluster.empty()) {
      scopes.push_back("\"cluster\":" + kinds(cluster));
    }
    if (!spaces.empty()) {
      std::vector<std::string> parts;
      for (const auto& [space, versions] : spaces) {
        parts.push_back(Quoted(space) + ":" + kinds(versions));
      }
      scopes.push_back(fmt::format("\"namespace\":{{{}}}", fmt::join(parts, ",")));
    }
    return fmt::format("{{{}}}", fmt::join(scopes, ","));
  }

  [[nodiscard]] std::filesystem::path Path() const { return folder_.path() / "store"; }

  index::TemporaryFolder folder_;
  std::shared_ptr<const rego::RegoKeyPrograms> programs_ =
      std::make_shared<rego::RegoKeyPrograms>();
  std::unique_ptr<index::TestInventory> store_;
  // By namespace, group version, kind, name; "": gone.
  std::map<std::tuple<std::string, std::string, std::string, std::string>, std::string> objects_;
  std::string document_;  // Of before the last change; empty: there is no such thing.
};

class Campaign {
 public:
  Campaign(const Options& options, std::unique_ptr<Peer> peer)
      : options_(options), peer_(std::move(peer)), catalog_(rego::CreateCatalog()) {}

  Result<int> Run() {
    for (std::uint64_t done = 0; done < options_.count; ++done) {
      Random random(options_.seed + done);
      TRY(One(options_.seed + done, random));
      if (cases_.size() == kBatch || done + 1 == options_.count) {
        TRY(Compare());
        const std::string problems = world_.store().Problems();
        if (!problems.empty()) {
          ++differing_;
          std::printf("inventory check after seed %llu: %s\n",
                      static_cast<unsigned long long>(options_.seed + done), problems.c_str());
        }
      }
    }
    std::printf(
        "%llu joins from seed %llu: %zu differ; %zu with a solution, %zu in error; %zu by look-up "
        "alone, %zu with a scan, %zu rejected\n",
        static_cast<unsigned long long>(options_.count),
        static_cast<unsigned long long>(options_.seed), differing_, solved_, failed_, looked_up_,
        scanned_, rejected_);
    return differing_ == 0 ? 0 : 1;
  }

 private:
  static constexpr std::size_t kBatch = 100;
  static constexpr std::size_t kMostTemplates = 4;

  // A policy that is in force: templates come and go, and their indexes with them.
  struct Template {
    std::string policy;
    std::unique_ptr<const rego::Plan> plan;
  };

  Result<void> One(std::uint64_t seed, Random& random) {
    world_.Change(random);
    if (templates_.empty() || random.Chance(75)) {
      Template made{.policy = JoinPolicy(random), .plan = nullptr};
      auto plan = Compile(made.policy);
      if (!plan) {
        ++rejected_;  // Its types do not fit.
        return {};
      }
      made.plan = std::move(*plan);
      if (templates_.size() == kMostTemplates) {
        templates_.erase(templates_.begin() + random.Below(kMostTemplates));
      }
      templates_.push_back(std::move(made));
    } else {
      // An older one meets what has become of the inventory.
      std::swap(templates_[random.Below(templates_.size())], templates_.back());
    }
    Case made;
    made.policy = templates_.back().policy;
    Shape shape(random);
    const auto object = [&] {
      return fmt::format(R"({{"kind":"Service","metadata":{},"spec":{}}})",
                         shape.Metadata(random.Pick(kNames), random.Pick(kSpaces)), shape.Spec());
    };
    made.input =
        fmt::format(R"({{"object":{},"objects":[{},{}],"labels":["app","x"],"wanted":{}}})",
                    object(), object(), object(), shape.List());
    made.seed = seed;
    const auto view = TRY(Look(random));
    made.inventory = world_.Document();
    rego::EvaluationStatistics statistics;
    const rego::Plan& plan = *templates_.back().plan;
    made.answers[0] = Evaluate(plan, made, view.get(), rego::IndexUse::kUse, &statistics);
    made.answers[1] = Evaluate(plan, made, view.get(), rego::IndexUse::kIgnore, nullptr);
    made.answers[2] = Evaluate(plan, made, nullptr, rego::IndexUse::kUse, nullptr);
    (statistics.scans == 0 ? looked_up_ : scanned_) += 1;
    cases_.push_back(std::move(made));
    return {};
  }

  // A view of what is there now: with all indexes ready, while they are built, or from before they were dropped.
  Result<std::unique_ptr<index::InventoryView>> Look(Random& random) {
    std::vector<index::IndexRequest> wanted;
    for (const Template& each : templates_) {
      for (const index::Definition& definition : each.plan->wanted_indexes()) {
        wanted.push_back({.definition = definition, .user = "joins"});
      }
    }
    index::Inventory& inventory = *world_.store();
    TRY(inventory.SetWantedIndexes(wanted));
    const unsigned moment = random.Below(10);
    if (moment == 0) {
      return inventory.View();
    }
    if (!inventory.WaitUntilIndexesReady(std::chrono::seconds(60))) {
      return Fail(ErrorCode::kInternal, "the indexes are not built within a minute");
    }
    auto view = inventory.View();
    if (moment == 1) {
      TRY(inventory.SetWantedIndexes({}));
    }
    if (moment < 3) {
      // Later changes are not this view's.
      world_.ChangeLater(random);
    }
    return view;
  }

  Result<std::unique_ptr<const rego::Plan>> Compile(const std::string& text) {
    auto module = rego::ParseModule("t.rego", text, rego::Version::kV0);
    if (!module) {
      return Fail(ErrorCode::kInvalidArgument, rego::ToString(module.error()));
    }
    std::vector<std::unique_ptr<rego::Module>> modules;
    modules.push_back(std::move(*module));
    auto policy = rego::Compile(std::move(modules), {.catalog = catalog_.get()});
    if (!policy) {
      return Fail(ErrorCode::kInvalidArgument, rego::ToString(policy.error()));
    }
    const std::string path[] = {"t", "violation"};
    return rego::MakePlan(std::move(*policy), path);
  }

  static std::string Evaluate(const rego::Plan& plan, const Case& made, index::InventoryView* view,
                              rego::IndexUse use, rego::EvaluationStatistics* statistics) {
    document::Arena arena;
    SystemClock clock;
    rego::EvaluationRequest request;
    request.input = *document::ParseJson(made.input, arena);
    request.data = view != nullptr
                       ? Value::Object({})
                       : *document::ParseJson(
                             arena.CopyString("{\"inventory\":" + made.inventory + "}"), arena);
    request.inventory = view;
    request.arena = &arena;
    request.clock = &clock;
    request.index_use = use;
    request.conflict_texts = rego::ConflictTexts::kCurrent;
    request.statistics = statistics;
    const auto outcome = plan.Evaluate(request);
    if (!outcome) {
      return "engine: " + outcome.error().ToString();
    }
    if (!*outcome) {
      return "error: " + outcome->error().code + ": " + outcome->error().message;
    }
    return (*outcome)->is_undefined() ? "undefined" : document::ToRego(**outcome);
  }

  Result<void> Compare() {
    std::vector<std::string> expected(cases_.size());
    if (peer_ != nullptr) {
      std::vector<std::string> requests;
      for (const Case& each : cases_) {
        std::string policy;
        document::AppendJsonString(each.policy, document::JsonStyle::kCompact, &policy);
        requests.push_back(fmt::format(
            R"({{"id":0,"modules":{{"t.rego":{}}},"version":"v0","query":"x = data.t.violation","input":{},"data":{{"inventory":{}}}}})",
            policy, each.input, each.inventory));
      }
      const std::vector<std::string> replies = TRY(peer_->Ask(requests));
      for (std::size_t i = 0; i < replies.size(); ++i) {
        expected[i] = TRY(TextOf(replies[i]));
      }
    }
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      const Case& each = cases_[i];
      const std::string& truth = peer_ == nullptr ? each.answers[2] : expected[i];
      solved_ += truth != "undefined" && truth != "set()" && truth != "[]" ? 1 : 0;
      failed_ += truth.starts_with("error") ? 1 : 0;
      const bool agree =
          each.answers[0] == truth && each.answers[1] == truth && each.answers[2] == truth;
      if (!agree || options_.show) {
        differing_ += agree ? 0 : 1;
        std::printf(
            "%s seed %llu\n%sinput: %s\ninventory: %s\nby indexes: %s\nby scans:   %s\n"
            "document:   %s\nOPA:        %s\n\n",
            agree ? "agree" : "DIFFER", static_cast<unsigned long long>(each.seed),
            each.policy.c_str(), each.input.c_str(), each.inventory.c_str(),
            each.answers[0].c_str(), each.answers[1].c_str(), each.answers[2].c_str(),
            expected[i].c_str());
      }
    }
    cases_.clear();
    return {};
  }

  static Result<std::string> TextOf(const std::string& reply) {
    document::Arena arena;
    const Value answer = TRY(document::ParseJson(reply, arena));
    const Value errors = answer.Find("errors");
    if (errors.size() > 0) {
      const Value error = errors.ItemAt(0);
      return fmt::format("error: {}: {}", error.GetString({"code"}), error.GetString({"message"}));
    }
    const Value solutions = answer.Find("solutions");
    return solutions.size() == 0 ? "undefined" : std::string(solutions.ItemAt(0).GetString({"x"}));
  }

  const Options& options_;
  std::unique_ptr<Peer> peer_;
  std::unique_ptr<const builtins::Catalog> catalog_;
  World world_;
  std::vector<Template> templates_;
  std::vector<Case> cases_;
  std::size_t differing_ = 0;
  std::size_t solved_ = 0;
  std::size_t failed_ = 0;
  std::size_t looked_up_ = 0;
  std::size_t scanned_ = 0;
  std::size_t rejected_ = 0;
};

Result<int> Run(const Options& options) {
  std::unique_ptr<Peer> peer;
  if (!options.peer.empty()) {
    peer = TRY(Peer::Start({options.peer, "answer"}));
  }
  return Campaign(options, std::move(peer)).Run();
}

}  // namespace
}  // namespace portcullis::differential

int main(int argc, char** argv) {
  portcullis::differential::Options options;
  CLI::App app("Random joins over a changing inventory, answered four ways.");
  app.add_option("--seed", options.seed, "The first seed")->capture_default_str();
  app.add_option("--count", options.count, "How many")->capture_default_str();
  app.add_option("--peer", options.peer, "tests/opa_peer, built; without it OPA is not asked");
  app.add_flag("--show", options.show, "Print every case");
  CLI11_PARSE(app, argc, argv);
  const auto code = portcullis::differential::Run(options);
  if (!code) {
    std::fprintf(stderr, "%s\n", code.error().ToString().c_str());
    return 2;
  }
  return *code;
}
