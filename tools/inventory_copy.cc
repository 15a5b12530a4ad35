// portcullis inventory snapshot | restore | diff | export: copies and compares inventories.

#include <array>
#include <compare>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "document/encoding.h"
#include "document/json.h"
#include "index/snapshot.h"
#include "tools/command.h"
#include "tools/inventory_access.h"
#include "tools/inventory_commands.h"

namespace portcullis::tools {
namespace {

void AddSnapshot(CLI::App& inventory, int* exit_code) {
  auto* command = inventory.add_subcommand(
      "snapshot",
      "Write the inventory to one file: compressed, checksummed, while a server goes on serving");
  auto location = std::make_shared<InventoryLocation>();
  auto out = std::make_shared<std::string>();
  command->add_option("file", *out, "The file to write; it appears when it is complete")
      ->required();
  AddLocationOptions(*command, location.get());
  command->footer("Example:\n  portcullis inventory snapshot --data ./data cluster.snapshot");
  command->callback([=] {
    *exit_code = WithInventory(*location, [&](InventoryReader& reader) -> Result<int> {
      const std::filesystem::path path = std::filesystem::absolute(*out);
      const std::uint64_t objects = TRY(reader.Snapshot(path, PrintProgress("written")));
      std::cout << fmt::format("{} objects in {}\n", objects, *out);
      return kExitOk;
    });
  });
}

Result<int> Restore(const std::string& file, const std::string& data) {
  const std::filesystem::path folder = StorePath(data);
  std::error_code error;
  if (std::filesystem::exists(folder, error)) {
    return Fail(ErrorCode::kConflict,
                folder.string() + " exists already: name a new --data folder, or remove it first");
  }
  const bool made = std::filesystem::create_directories(data, error);
  Result<store::SnapshotCounts> counts =
      index::RestoreSnapshot(file, {.path = folder}, PrintProgress("restored"));
  if (!counts) {
    if (made) {
      std::filesystem::remove(data, error);  // Only if nothing is in it.
    }
    return std::unexpected(std::move(counts).error());
  }
  std::cout << fmt::format("{} objects from {} in {}\n", counts->objects, file, data);
  return kExitOk;
}

void AddRestore(CLI::App& inventory, int* exit_code) {
  auto* command = inventory.add_subcommand("restore",
                                           "Make a data folder from a snapshot file; a truncated "
                                           "or altered file is refused, nothing is half restored");
  auto file = std::make_shared<std::string>();
  auto data = std::make_shared<std::string>();
  command->add_option("file", *file, "The snapshot file")->required();
  command->add_option("--data", *data, "The data folder to make")->required();
  command->footer("Example:\n  portcullis inventory restore cluster.snapshot --data ./copy");
  command->callback([=] {
    const Result<int> done = Restore(*file, *data);
    *exit_code = done ? *done : PrintError(done.error());
  });
}

// A snapshot file or a data folder, by what is there.
Result<std::unique_ptr<LocalInventory>> OpenSide(const std::string& place) {
  InventoryLocation location;
  (std::filesystem::is_directory(place) ? location.data : location.snapshot) = place;
  return AddContext(OpenLocalInventory(location), place);
}

// Both sides in step, each in the order of the inventory.
class Difference {
 public:
  Difference(index::Inventory& before, index::Inventory& after, bool json)
      : before_(before.View()), after_(after.View()), json_(json) {}

  Result<std::uint64_t> Print() {
    for (const store::Scope scope : {store::Scope::kCluster, store::Scope::kNamespaced}) {
      TRY(PrintScope(scope));
    }
    return differences_;
  }

 private:
  Result<void> PrintScope(store::Scope scope) {
    const std::unique_ptr<index::ObjectCursor> old_cursor =
        TRY(before_->Objects({.scope = scope, .segments = {}}));
    const std::unique_ptr<index::ObjectCursor> new_cursor =
        TRY(after_->Objects({.scope = scope, .segments = {}}));
    std::optional<index::FoundObject> old_object = TRY(old_cursor->Next());
    std::optional<index::FoundObject> new_object = TRY(new_cursor->Next());
    while (old_object || new_object) {
      std::strong_ordering order = std::strong_ordering::equal;
      if (!old_object || !new_object) {
        order = old_object ? std::strong_ordering::less : std::strong_ordering::greater;
      } else {
        order = old_object->key.ToKey() <=> new_object->key.ToKey();
      }
      if (order < 0) {
        TRY(PrintOne("removed", *old_object, old_object->record, {}));
      } else if (order > 0) {
        TRY(PrintOne("added", *new_object, {}, new_object->record));
      } else if (old_object->record != new_object->record) {
        TRY(PrintOne("changed", *old_object, old_object->record, new_object->record));
      }
      if (order <= 0) {
        old_object = TRY(old_cursor->Next());
      }
      if (order >= 0) {
        new_object = TRY(new_cursor->Next());
      }
    }
    return {};
  }

  Result<void> PrintOne(std::string_view what, const index::FoundObject& found,
                        std::string_view old_record, std::string_view new_record) {
    arena_.Reset();
    const document::Value old_value =
        old_record.empty() ? document::Value() : TRY(document::OpenTrusted(old_record, arena_));
    const document::Value new_value =
        new_record.empty() ? document::Value() : TRY(document::OpenTrusted(new_record, arena_));
    if (Equal(old_value, new_value)) {
      return {};  // Spelt differently, no more.
    }
    ++differences_;
    const store::ObjectKeyView& key = found.key;
    if (json_) {
      document::ObjectBuilder line(arena_);
      line.Add("change", document::Value::String(what));
      line.Add("namespace", document::Value::String(key.name_space));
      line.Add("apiVersion", document::Value::String(key.group_version));
      line.Add("kind", document::Value::String(key.kind));
      line.Add("name", document::Value::String(key.name));
      if (old_value.is_defined()) {
        line.Add("before", old_value);
      }
      if (new_value.is_defined()) {
        line.Add("after", new_value);
      }
      std::cout << document::ToJson(line.Finish()) << '\n';
      return {};
    }
    const char sign = what == "added" ? '+' : what == "removed" ? '-' : '~';
    std::cout << fmt::format("{} {} {} {}{}{}\n", sign, key.group_version, key.kind, key.name_space,
                             key.name_space.empty() ? "" : "/", key.name);
    if (old_value.is_defined() && new_value.is_defined()) {
      PrintPaths("", old_value, new_value);
    }
    return {};
  }

  // The members in which two objects differ, one a line; whatever else differs, whole.
  void PrintPaths(const std::string& path, const document::Value& old_value,
                  const document::Value& new_value) {
    if (Equal(old_value, new_value)) {
      return;
    }
    if (!old_value.is_object() || !new_value.is_object()) {
      const auto text = [](const document::Value& value) {
        return value.is_defined() ? document::ToJson(value) : std::string("(absent)");
      };
      std::cout << fmt::format("    {}: {} -> {}\n", path, text(old_value), text(new_value));
      return;
    }
    const std::string prefix = path.empty() ? "" : path + ".";
    for (std::uint32_t i = 0; i < old_value.size(); ++i) {
      const document::Value key = old_value.KeyAt(i);
      PrintPaths(prefix + std::string(key.string()), old_value.ValueAt(i), new_value.Find(key));
    }
    for (std::uint32_t i = 0; i < new_value.size(); ++i) {
      const document::Value key = new_value.KeyAt(i);
      if (old_value.Find(key).is_undefined()) {
        PrintPaths(prefix + std::string(key.string()), document::Value(), new_value.ValueAt(i));
      }
    }
  }

  std::unique_ptr<index::InventoryView> before_;
  std::unique_ptr<index::InventoryView> after_;
  bool json_;
  document::Arena arena_;
  std::uint64_t differences_ = 0;
};

Result<int> PrintDifference(const std::string& before, const std::string& after, bool json) {
  const std::unique_ptr<LocalInventory> old_side = TRY(OpenSide(before));
  const std::unique_ptr<LocalInventory> new_side = TRY(OpenSide(after));
  const std::uint64_t differences =
      TRY(Difference(old_side->inventory(), new_side->inventory(), json).Print());
  return differences == 0 ? kExitOk : kExitDenied;
}

void AddDiff(CLI::App& inventory, int* exit_code) {
  auto* command = inventory.add_subcommand(
      "diff", "What changed from one inventory to another; exit 1 if anything did");
  auto before = std::make_shared<std::string>();
  auto after = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("before", *before, "A snapshot file or a data folder")->required();
  command->add_option("after", *after, "A snapshot file or a data folder")->required();
  command->add_flag("--json", *json, "A line of JSON for each object, with both versions");
  command->footer("Example:\n  portcullis inventory diff monday.snapshot friday.snapshot");
  command->callback([=] {
    const Result<int> done = PrintDifference(*before, *after, *json);
    *exit_code = done ? *done : PrintError(done.error());
  });
}

void AddExport(CLI::App& inventory, int* exit_code) {
  auto* command = inventory.add_subcommand(
      "export", "The objects as manifests: YAML documents or lines of JSON");
  auto location = std::make_shared<InventoryLocation>();
  auto filter = std::make_shared<ObjectFilter>();
  auto format = std::make_shared<std::string>("yaml");
  AddLocationOptions(*command, location.get());
  command->add_option("--kind", filter->kind, "Only this kind");
  command->add_option("--api-version", filter->group_version, "Only this apiVersion");
  command->add_option("-n,--namespace", filter->name_space, "Only this namespace");
  AddFormatOption(*command, format.get(), {"yaml", "json"});
  command->footer(
      "Example:\n  portcullis inventory export --snapshot cluster.snapshot --kind Ingress > "
      "ingresses.yaml");
  command->callback([=] {
    *exit_code = WithInventory(*location, [&](InventoryReader& reader) -> Result<int> {
      document::Arena arena;
      bool first = true;
      const Visitor print = [&](const store::ObjectKey&, std::string_view record) -> Result<bool> {
        arena.Reset();
        PrintObject(TRY(document::OpenTrusted(record, arena)), *format,
                    std::exchange(first, false));
        return static_cast<bool>(std::cout);
      };
      TRY(reader.Visit(*filter, print));
      return kExitOk;
    });
  });
}

}  // namespace

void AddInventoryCopies(CLI::App& inventory, int* exit_code) {
  AddSnapshot(inventory, exit_code);
  AddRestore(inventory, exit_code);
  AddDiff(inventory, exit_code);
  AddExport(inventory, exit_code);
}

}  // namespace portcullis::tools
