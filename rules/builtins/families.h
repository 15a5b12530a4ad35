// The families of builtins, each in a file of its own, which catalog.cc joins.

#pragma once

#include <span>

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

[[nodiscard]] std::span<const Builtin> AggregateBuiltins();
[[nodiscard]] std::span<const Builtin> ArithmeticBuiltins();
[[nodiscard]] std::span<const Builtin> ArrayBuiltins();
[[nodiscard]] std::span<const Builtin> AwsBuiltins();
[[nodiscard]] std::span<const Builtin> CastBuiltins();
[[nodiscard]] std::span<const Builtin> ComparisonBuiltins();
[[nodiscard]] std::span<const Builtin> DigestBuiltins();
[[nodiscard]] std::span<const Builtin> EncodingBuiltins();
[[nodiscard]] std::span<const Builtin> GlobBuiltins();
[[nodiscard]] std::span<const Builtin> GraphBuiltins();
[[nodiscard]] std::span<const Builtin> GraphqlBuiltins();
[[nodiscard]] std::span<const Builtin> HttpBuiltins();
[[nodiscard]] std::span<const Builtin> JsonBuiltins();
[[nodiscard]] std::span<const Builtin> JsonPatchBuiltins();
[[nodiscard]] std::span<const Builtin> JsonPathBuiltins();
[[nodiscard]] std::span<const Builtin> JsonSchemaBuiltins();
[[nodiscard]] std::span<const Builtin> JwtBuiltins();
[[nodiscard]] std::span<const Builtin> LanguageBuiltins();
[[nodiscard]] std::span<const Builtin> NetBuiltins();
[[nodiscard]] std::span<const Builtin> NumberBuiltins();
[[nodiscard]] std::span<const Builtin> ObjectBuiltins();
[[nodiscard]] std::span<const Builtin> RandomBuiltins();
[[nodiscard]] std::span<const Builtin> RegexBuiltins();
[[nodiscard]] std::span<const Builtin> SemverBuiltins();
[[nodiscard]] std::span<const Builtin> SetBuiltins();
[[nodiscard]] std::span<const Builtin> StringBuiltins();
[[nodiscard]] std::span<const Builtin> TemplateBuiltins();
[[nodiscard]] std::span<const Builtin> TimeBuiltins();
[[nodiscard]] std::span<const Builtin> TrimBuiltins();
[[nodiscard]] std::span<const Builtin> TypeBuiltins();
[[nodiscard]] std::span<const Builtin> UnitsBuiltins();
[[nodiscard]] std::span<const Builtin> UriBuiltins();
[[nodiscard]] std::span<const Builtin> WalkBuiltins();
[[nodiscard]] std::span<const Builtin> X509Builtins();
[[nodiscard]] std::span<const Builtin> YamlBuiltins();

}  // namespace portcullis::builtins
