// The syntax tree as compact JSON, in OPA's form (v1/ast/policy_json.go, term_json.go), without locations.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "document/value.h"
#include "rules/rego/ast.h"

namespace portcullis::rego {

// Levels of JSON within each other that a module of the greatest depth has at most.
inline constexpr std::uint32_t kMaximumJsonDepth = 100'000;

// The key that the head of a rule, no `else` part, has in that form besides its reference; null: none.
[[nodiscard]] const Term* KeyInHead(const Rule& rule);

// REQUIRES: as parsed, before any stage of the compiler.
[[nodiscard]] std::string ToJson(const Module& module);
// `first`: the rule that begins the chain of else parts.
[[nodiscard]] std::string ToJson(const Rule& rule, const Rule& first);
[[nodiscard]] std::string ToJson(const Body& body);
[[nodiscard]] std::string ToJson(const Expr& expr);
[[nodiscard]] std::string ToJson(const Term& term);
// {"type": …, "value": …}, as of the term that the value is written as. REQUIRES: defined.
[[nodiscard]] std::string TermJson(const document::Value& value);
// What the rule's module says of it, where annotations were read: those of its document, and its own.
[[nodiscard]] std::vector<const Annotation*> AnnotationsOf(const Rule& rule);
// With its scope. REQUIRES: as it was read.
[[nodiscard]] std::string ToJson(const Annotation& annotation);
// Row 0: null.
[[nodiscard]] std::string ToJson(const Location& location);

}  // namespace portcullis::rego
