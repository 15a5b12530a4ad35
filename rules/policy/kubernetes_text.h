// Texts as Kubernetes and Go print them: quoted strings, field errors, names and labels. Users compare them byte for byte.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"

namespace portcullis::policy {

// Go's %q of a string.
[[nodiscard]] std::string Quote(std::string_view text);
// Go's %v of a decoded JSON value: map[a:1 b:[x y]], <nil>, 1e+06.
[[nodiscard]] std::string GoText(const document::Value& value);
// The name of the Go type that holds a decoded JSON value: "json.Number", "map[string]interface {}", …
[[nodiscard]] std::string_view GoTypeName(const document::Value& value);
// [a b c]
[[nodiscard]] std::string GoList(const std::vector<std::string>& items);
// The strings of a list: nothing of what else is in it, or where it is none.
[[nodiscard]] std::vector<std::string> StringsOf(const document::Value& list);
// ASCII letters in lower case.
[[nodiscard]] std::string LowerCase(std::string_view text);

// SOURCE: k8s.io/apimachinery/pkg/util/validation/field. Each gives "<path>: <what>: <detail>".
[[nodiscard]] std::string FieldInvalid(std::string_view path, const document::Value& value,
                                       std::string_view detail);
[[nodiscard]] std::string FieldRequired(std::string_view path, std::string_view detail);
[[nodiscard]] std::string FieldForbidden(std::string_view path, std::string_view detail);
[[nodiscard]] std::string FieldNotSupported(std::string_view path, const document::Value& value,
                                            const std::vector<std::string>& supported);
[[nodiscard]] std::string FieldTooLong(std::string_view path, std::int64_t limit);
[[nodiscard]] std::string FieldTooMany(std::string_view path, std::int64_t actual,
                                       std::int64_t limit);

// One error as it is, several as [a, b], equal ones once. REQUIRES: not empty.
[[nodiscard]] std::string Aggregate(const std::vector<std::string>& errors);

// What is wrong with a name of that form; empty: nothing.
[[nodiscard]] std::vector<std::string> CheckSubdomainName(
    std::string_view name);  // RFC 1123 subdomain.
[[nodiscard]] std::vector<std::string> CheckLabelName(std::string_view name);  // RFC 1035 label.
[[nodiscard]] std::vector<std::string> CheckLabelKey(std::string_view key);  // Of metadata.labels.
[[nodiscard]] std::vector<std::string> CheckLabelValue(std::string_view value);

// The group of an apiVersion: "apps" of "apps/v1", "" of "v1".
[[nodiscard]] std::string_view GroupOf(std::string_view api_version);

}  // namespace portcullis::policy
