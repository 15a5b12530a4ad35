// The inventory out to one snapshot file, and back into a store folder: objects, markers and positions, so that replication
// goes on where it was. Indexes are built anew when they are wanted.

#pragma once

#include <filesystem>

#include "base/error.h"
#include "index/inventory.h"
#include "store/snapshot_file.h"

namespace portcullis::index {

// Writes one moment of the inventory, while it goes on being used. Of the kinds whose list is under way at that moment the
// position says incomplete. Nothing is left of a file that was not finished. COST: one pass; some MB of memory.
// ERRORS: store::SnapshotWriter's; kCorruption.
Result<store::SnapshotCounts> WriteSnapshot(Inventory& inventory, const std::filesystem::path& path,
                                            const Progress& progress);

// Makes a store of the snapshot under options.path, which must not exist yet or be an empty folder. The file is checked
// whole first, then restored beside the path, which gets its name at the end: there is all or nothing.
// ERRORS: store::SnapshotReader's; kConflict: there is something under options.path; kExhausted: the disk is full.
Result<store::SnapshotCounts> RestoreSnapshot(const std::filesystem::path& path,
                                              const store::StoreOptions& options,
                                              const Progress& progress);

}  // namespace portcullis::index
