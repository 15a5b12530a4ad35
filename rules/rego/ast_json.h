// The syntax tree as JSON, in OPA's form (v1/ast/policy_json.go, term_json.go), without locations.

#pragma once

#include <cstdint>
#include <string>

#include "rules/rego/ast.h"

namespace portcullis::rego {

// Levels of JSON within each other that a module of the greatest depth has at most.
inline constexpr std::uint32_t kMaximumJsonDepth = 100'000;

// REQUIRES: as parsed, before any stage of the compiler.
[[nodiscard]] std::string ToJson(const Module& module);

}  // namespace portcullis::rego
