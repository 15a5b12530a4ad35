// Numbers as Gatekeeper holds them after Kubernetes' decoding.

#pragma once

#include "document/arena.h"
#include "document/value.h"

namespace portcullis::policy {

// `value` with int64 where numbers are whole and fit, else float64; beyond float64 as they are.
[[nodiscard]] document::Value WithWholeNumbers(const document::Value& value,
                                               document::Arena& arena);

}  // namespace portcullis::policy
