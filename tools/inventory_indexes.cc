// portcullis inventory indexes: what each secondary index is, how far it is, what it holds and who uses it.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "index/key_codec.h"
#include "tools/command.h"
#include "tools/inventory_access.h"
#include "tools/inventory_commands.h"

namespace portcullis::tools {

namespace {

std::string_view StateName(index::IndexState state) {
  switch (state) {
    case index::IndexState::kBuilding:
      return "building";
    case index::IndexState::kReady:
      return "ready";
    case index::IndexState::kDropping:
      return "dropping";
  }
  return "";
}

}  // namespace

nlohmann::ordered_json IndexToJson(const index::IndexStatus& status) {
  nlohmann::ordered_json json = {{"definition", status.definition.ToString()},
                                 {"state", StateName(status.state)},
                                 {"entries", status.entries},
                                 {"bytes", status.bytes},
                                 {"lookups", status.lookups},
                                 {"users", status.users}};
  if (status.state == index::IndexState::kBuilding) {
    json["builtObjects"] = status.built_objects;
    json["totalObjects"] = status.total_objects;
  }
  if (status.keys) {
    nlohmann::ordered_json frequent = nlohmann::ordered_json::array();
    for (const index::KeyCount& each : status.keys->frequent) {
      frequent.push_back({{"key", index::ShowKeyBytes(each.key)}, {"entries", each.entries}});
    }
    json["statistics"] = {{"entries", status.keys->entries},
                          {"distinctKeys", status.keys->distinct_keys},
                          {"frequentKeys", std::move(frequent)}};
  }
  return json;
}

namespace {

constexpr std::size_t kFrequentKeysInText = 3;

std::string StateText(const index::IndexStatus& status) {
  std::string text(StateName(status.state));
  if (status.state == index::IndexState::kBuilding && status.total_objects != 0) {
    text += fmt::format(
        " {}%", std::min<std::uint64_t>(99, status.built_objects * 100 / status.total_objects));
  }
  return text;
}

std::string FrequentText(const index::KeyStatistics& keys) {
  std::string text;
  for (std::size_t i = 0; i < std::min(kFrequentKeysInText, keys.frequent.size()); ++i) {
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", index::ShowKeyBytes(keys.frequent[i].key),
                        keys.frequent[i].entries);
  }
  return text;
}

}  // namespace

void PrintIndexes(const std::vector<index::IndexStatus>& indexes) {
  std::cout << fmt::format("{:<44} {:>12} {:>10} {:>8} {:>10} {:>9}  {}\n", "INDEX", "STATE",
                           "ENTRIES", "MIB", "KEYS", "LOOK-UPS", "USERS");
  for (const index::IndexStatus& each : indexes) {
    std::cout << fmt::format("{:<44} {:>12} {:>10} {:>8.1f} {:>10} {:>9}  {}\n",
                             each.definition.Summary(), StateText(each), each.entries,
                             static_cast<double>(each.bytes) / (1 << 20),
                             each.keys ? std::to_string(each.keys->distinct_keys) : "-",
                             each.lookups, fmt::join(each.users, ", "));
    if (each.keys && !each.keys->frequent.empty()) {
      std::cout << fmt::format("{:<44} {}\n", "", "most entries: " + FrequentText(*each.keys));
    }
  }
}

void AddIndexes(CLI::App& inventory, int* exit_code) {
  auto* command = inventory.add_subcommand(
      "indexes",
      "The secondary indexes: definition, state and progress, entries, bytes, distinct keys, "
      "look-ups, and the templates that use them");
  auto location = std::make_shared<InventoryLocation>();
  auto json = std::make_shared<bool>(false);
  AddLocationOptions(*command, location.get());
  command->add_flag("--json", *json, "Print JSON");
  command->footer(
      "Keys are counted in the background when much has changed; \"-\" and no statistics: not "
      "yet.\n"
      "Example:\n  portcullis inventory indexes --data ./data");
  command->callback([=] {
    *exit_code = WithInventory(*location, [&](InventoryReader& reader) -> Result<int> {
      const InventoryStatistics statistics = TRY(reader.Statistics());
      if (!*json) {
        PrintIndexes(statistics.indexes);
        return kExitOk;
      }
      nlohmann::ordered_json all = nlohmann::ordered_json::array();
      for (const index::IndexStatus& each : statistics.indexes) {
        all.push_back(IndexToJson(each));
      }
      std::cout << all.dump(2) << '\n';
      return kExitOk;
    });
  });
}

}  // namespace portcullis::tools
