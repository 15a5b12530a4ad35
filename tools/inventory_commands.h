// What the files of `portcullis inventory` share.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "document/value.h"
#include "index/inventory.h"
#include "tools/inventory_access.h"
#include "tools/inventory_reader.h"

namespace CLI {
class App;
}

namespace portcullis::tools {

// Opens the place, runs `body` on it, prints what went wrong. Returns the exit code.
int WithInventory(const InventoryLocation& location,
                  const std::function<Result<int>(InventoryReader&)>& body);

// -o, --output
void AddFormatOption(CLI::App& command, std::string* format, std::vector<std::string> formats);

// An object on standard output: one line of JSON, or a YAML document ("---" before all but the first).
void PrintObject(const document::Value& object, std::string_view format, bool first);

// Shows on a terminal's standard error how far a long job has come, a few times a second.
[[nodiscard]] index::Progress PrintProgress(std::string verb);

// One index in JSON, and many as a table on standard output.
[[nodiscard]] nlohmann::ordered_json IndexToJson(const index::IndexStatus& status);
void PrintIndexes(const std::vector<index::IndexStatus>& indexes);

// indexes
void AddIndexes(CLI::App& inventory, int* exit_code);

// snapshot, restore, diff, export
void AddInventoryCopies(CLI::App& inventory, int* exit_code);

}  // namespace portcullis::tools
