// Steps into base documents, which OPA's store takes as texts: "1" and 1.0 are places in an array, 1 is the key "1" of an object.
// SOURCE: OPA's v1/storage/internal/ptr, v1/util (Atoi64).

#pragma once

#include "document/value.h"

namespace portcullis::rego {

// What stands at the key; undefined: nothing.
[[nodiscard]] document::Value BaseChild(const document::Value& value, const document::Value& key);

}  // namespace portcullis::rego
