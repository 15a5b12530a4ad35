// portcullis inventory stats | list | get | query | check: reads the inventory.

#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "document/encoding.h"
#include "document/json.h"
#include "document/yaml.h"
#include "tools/command.h"
#include "tools/inventory_access.h"
#include "tools/inventory_commands.h"

namespace portcullis::tools {
namespace {

nlohmann::ordered_json ToJson(const InventoryStatistics& statistics) {
  nlohmann::ordered_json json = {{"kinds", nlohmann::json::array()},
                                 {"indexes", nlohmann::json::array()}};
  for (const index::KindStatistics& each : statistics.kinds) {
    json["kinds"].push_back({{"group", each.type.group},
                             {"version", each.type.version},
                             {"kind", each.type.kind},
                             {"objects", each.objects},
                             {"encodedBytes", each.encoded_bytes},
                             {"complete", each.position.complete},
                             {"resourceVersion", each.position.resource_version}});
  }
  for (const index::IndexStatus& each : statistics.indexes) {
    json["indexes"].push_back(IndexToJson(each));
  }
  json["diskBytes"] = statistics.disk_bytes;
  return json;
}

void PrintText(const InventoryStatistics& statistics) {
  std::cout << fmt::format("{:<44} {:>10} {:>10} {:>9}  {}\n", "KIND", "OBJECTS", "MIB", "COMPLETE",
                           "RESOURCE VERSION");
  for (const index::KindStatistics& each : statistics.kinds) {
    std::cout << fmt::format("{:<44} {:>10} {:>10.1f} {:>9}  {}\n", each.type.ToString(),
                             each.objects, static_cast<double>(each.encoded_bytes) / (1 << 20),
                             each.position.complete ? "yes" : "no", each.position.resource_version);
  }
  if (!statistics.indexes.empty()) {
    std::cout << '\n';
    PrintIndexes(statistics.indexes);
  }
  std::cout << fmt::format("\n{:.1f} MiB on disk\n",
                           static_cast<double>(statistics.disk_bytes) / (1 << 20));
}

// Prints what a visit meets.
class Printer {
 public:
  explicit Printer(std::string format) : format_(std::move(format)) {}

  Result<bool> Print(const store::ObjectKey& key, std::string_view record) {
    if (format_ == "text") {
      if (count_++ == 0) {
        std::cout << fmt::format("{:<24} {:<28} {:<24} {}\n", "NAMESPACE", "API VERSION", "KIND",
                                 "NAME");
      }
      std::cout << fmt::format("{:<24} {:<28} {:<24} {}\n", key.name_space, key.group_version,
                               key.kind, key.name);
      return true;
    }
    arena_.Reset();
    const document::Value object = TRY(document::OpenTrusted(record, arena_));
    PrintObject(object, format_, count_++ == 0);
    return true;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::string format_;
  document::Arena arena_;
  std::uint64_t count_ = 0;
};

void AddFilterOptions(CLI::App& command, ObjectFilter* filter) {
  command.add_option("--kind", filter->kind, "Only this kind, e.g. Ingress");
  command.add_option("--api-version", filter->group_version,
                     "Only this apiVersion, e.g. networking.k8s.io/v1");
  command.add_option("-n,--namespace", filter->name_space, "Only this namespace");
  command.add_option("--name", filter->name, "Only this name");
}

void AddStats(CLI::App& inventory, int* exit_code) {
  auto* command =
      inventory.add_subcommand("stats", "Kinds, objects, bytes, replication positions and indexes");
  auto location = std::make_shared<InventoryLocation>();
  auto json = std::make_shared<bool>(false);
  AddLocationOptions(*command, location.get());
  command->add_flag("--json", *json, "Print JSON");
  command->footer("Example:\n  portcullis inventory stats --data ./data --json");
  command->callback([=] {
    *exit_code = WithInventory(*location, [&](InventoryReader& reader) -> Result<int> {
      const InventoryStatistics statistics = TRY(reader.Statistics());
      if (*json) {
        std::cout << ToJson(statistics).dump(2) << '\n';
      } else {
        PrintText(statistics);
      }
      return kExitOk;
    });
  });
}

void AddList(CLI::App& inventory, int* exit_code) {
  auto* command =
      inventory.add_subcommand("list", "The objects, in the order in which policies walk them");
  auto location = std::make_shared<InventoryLocation>();
  auto filter = std::make_shared<ObjectFilter>();
  auto format = std::make_shared<std::string>("text");
  AddLocationOptions(*command, location.get());
  AddFilterOptions(*command, filter.get());
  AddFormatOption(*command, format.get(), {"text", "json", "yaml"});
  command->footer("Example:\n  portcullis inventory list --data ./data --kind Ingress -n team-a");
  command->callback([=] {
    *exit_code = WithInventory(*location, [&](InventoryReader& reader) -> Result<int> {
      Printer printer(*format);
      TRY(reader.Visit(*filter, std::bind_front(&Printer::Print, &printer)));
      return kExitOk;
    });
  });
}

void AddGet(CLI::App& inventory, int* exit_code) {
  auto* command = inventory.add_subcommand("get", "One object by kind, name and namespace");
  auto location = std::make_shared<InventoryLocation>();
  auto filter = std::make_shared<ObjectFilter>();
  auto format = std::make_shared<std::string>("yaml");
  command->add_option("kind", filter->kind, "Its kind, e.g. Ingress")->required();
  command->add_option("name", filter->name, "Its name")->required();
  AddLocationOptions(*command, location.get());
  command->add_option("-n,--namespace", filter->name_space, "Its namespace; without it any");
  command->add_option("--api-version", filter->group_version, "Its apiVersion; without it any");
  AddFormatOption(*command, format.get(), {"yaml", "json"});
  command->footer("Example:\n  portcullis inventory get Ingress web -n team-a --data ./data");
  command->callback([=] {
    *exit_code = WithInventory(*location, [&](InventoryReader& reader) -> Result<int> {
      Printer printer(*format);
      TRY(reader.Visit(*filter, std::bind_front(&Printer::Print, &printer)));
      if (printer.count() == 0) {
        return Fail(
            ErrorCode::kNotFound,
            fmt::format("{} {}{}{} is not in the inventory", filter->kind, filter->name_space,
                        filter->name_space.empty() ? "" : "/", filter->name));
      }
      return kExitOk;
    });
  });
}

// JSON as written, else the text itself: --value web and '"web"' and 8080 all work.
document::Value ParseOperand(const std::string& text, document::Arena& arena) {
  if (Result<document::Value> json = document::ParseJson(text, arena)) {
    return *json;
  }
  return document::Value::String(text);
}

void AddQuery(CLI::App& inventory, int* exit_code) {
  auto* command = inventory.add_subcommand(
      "query", "The objects in which a path reaches a value, by index where there is one");
  struct Options {
    InventoryLocation location;
    std::string kind;
    std::string path;
    std::string value;
    std::string format = "text";
    bool cluster_scoped = false;
  };
  auto options = std::make_shared<Options>();
  command
      ->add_option("path", options->path, "The path, with [_] for every item: spec.rules[_].host")
      ->required();
  command->add_option("value", options->value, "The value, as JSON; what is no JSON is a string")
      ->required();
  command->add_option("--kind", options->kind, "The kind of the objects")->required();
  command->add_flag("--cluster-scoped", options->cluster_scoped,
                    "Cluster-scoped objects rather than namespaced ones");
  AddLocationOptions(*command, &options->location);
  AddFormatOption(*command, &options->format, {"text", "json", "yaml"});
  command->footer(
      "Example:\n  portcullis inventory query --data ./data --kind Ingress spec.rules[_].host "
      "shop.example.com");
  command->callback([=] {
    *exit_code = WithInventory(options->location, [&](InventoryReader& reader) -> Result<int> {
      const index::Definition definition = TRY(index::Definition::Parse(
          fmt::format("{}/{}: {}", options->cluster_scoped ? "cluster/*" : "namespace/*/*",
                      options->kind, options->path)));
      document::Arena arena;
      Printer printer(options->format);
      const bool by_index = TRY(reader.Query(definition, ParseOperand(options->value, arena),
                                             std::bind_front(&Printer::Print, &printer)));
      if (options->format == "text") {
        std::cerr << fmt::format("{} objects, by {}\n", printer.count(),
                                 by_index ? "index look-up" : "full scan");
      }
      return kExitOk;
    });
  });
}

void AddInventoryCheck(CLI::App& inventory, int* exit_code) {
  auto* command = inventory.add_subcommand(
      "check", "Recompute every index entry from the objects and compare; exit 1 if any differs");
  auto location = std::make_shared<InventoryLocation>();
  AddLocationOptions(*command, location.get());
  command->footer("Example:\n  portcullis inventory check --data ./data");
  command->callback([=] {
    *exit_code = WithInventory(*location, [&](InventoryReader& reader) -> Result<int> {
      const index::CheckReport report = TRY(reader.Check(PrintProgress("checked")));
      for (const std::string& problem : report.problems) {
        std::cout << problem << '\n';
      }
      std::cout << fmt::format("{} objects, {} index entries, {} problems\n", report.objects,
                               report.entries, report.problem_count);
      return report.problem_count == 0 ? kExitOk : kExitDenied;
    });
  });
}

}  // namespace

void AddInventory(CLI::App& program, int* exit_code) {
  auto* inventory =
      program.add_subcommand("inventory",
                             "Read, check, copy and compare the inventory: of a running server, a "
                             "data folder, a snapshot or a cluster");
  inventory->require_subcommand(1);
  inventory->footer(
      "Examples:\n"
      "  portcullis inventory stats --data ./data\n"
      "  portcullis inventory snapshot cluster.snapshot --kubeconfig ~/.kube/config --resource "
      "v1/Service\n"
      "  portcullis inventory diff monday.snapshot friday.snapshot");
  AddStats(*inventory, exit_code);
  AddIndexes(*inventory, exit_code);
  AddList(*inventory, exit_code);
  AddGet(*inventory, exit_code);
  AddQuery(*inventory, exit_code);
  AddInventoryCheck(*inventory, exit_code);
  AddInventoryCopies(*inventory, exit_code);
}

}  // namespace portcullis::tools
