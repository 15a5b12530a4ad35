// Compares all that is derived (entries, counts, markers) with the objects at one moment. Inside index/ only.

#pragma once

#include "index/inventory.h"
#include "store/store.h"

namespace portcullis::index {

// ERRORS: kCorruption: the store cannot be read on. What does not agree is in the report instead.
Result<CheckReport> CheckInventory(store::Store& store, const Progress& progress);

}  // namespace portcullis::index
