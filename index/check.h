// Compares all that is derived (entries, counts, markers) with the objects at one moment. Inside index/ only.

#pragma once

#include "index/inventory_state.h"

namespace portcullis::index {

// ERRORS: kCorruption: the store cannot be read on. What does not agree is in the report instead.
Result<CheckReport> CheckInventory(const InventoryState& state, const Progress& progress);

}  // namespace portcullis::index
