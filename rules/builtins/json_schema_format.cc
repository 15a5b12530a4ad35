// The formats that JSON Schema names, as gojsonschema checks them.

#include <algorithm>
#include <array>
#include <utility>

#include "rules/builtins/go_time.h"
#include "rules/builtins/ip.h"
#include "rules/builtins/json_schema.h"
#include "rules/builtins/regex.h"
#include "rules/builtins/uri.h"

namespace portcullis::builtins {
namespace {

constexpr std::string_view kRfc3339 = "2006-01-02T15:04:05Z07:00";

// By a pattern.
constexpr std::pair<std::string_view, std::string_view> kPatterns[] = {
    {"hostname",
     "^([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9])"
     "(\\.([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9]))*$"},
    {"uuid", "^(?i)[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$"},
    {"json-pointer", "^(?:/(?:[^~/]|~0|~1)*)*$"},
    {"relative-json-pointer", "^(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~0|~1)*)*)$"},
    // Of the addresses that Go's net/mail reads, those without comments, routes and quoted names.
    {"email",
     "^\\s*(?:[^<>\"@,;:\\\\\\[\\]]*<\\s*)?"
     "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~\\x{80}-\\x{10FFFF}-]+@[^\\s<>\"@,;:\\\\]+\\s*>?\\s*$"},
};

bool IsTime(std::string_view text, std::initializer_list<std::string_view> layouts) {
  return std::ranges::any_of(
      layouts, [&](std::string_view layout) { return ParseTime(layout, text).has_value(); });
}

}  // namespace

bool FitsFormat(CallContext& context, std::string_view format, std::string_view text) {
  if (format == "date") {
    return IsTime(text, {"2006-01-02"});
  }
  if (format == "time") {
    return IsTime(text, {"15:04:05", "15:04:05Z07:00"});
  }
  if (format == "date-time") {
    return IsTime(text, {"15:04:05", "15:04:05Z07:00", "2006-01-02", kRfc3339});
  }
  if (format == "ipv4" || format == "ipv6") {
    return ParseIp(text).has_value() && text.contains(format == "ipv4" ? '.' : ':');
  }
  if (format == "regex") {
    return text.empty() || CachedRegex(context.prepared, text).has_value();
  }
  const bool absolute = format == "uri" || format == "iri";
  if (absolute || format == "uri-reference" || format == "iri-reference" ||
      format == "uri-template") {
    const auto uri = ParseUri(text);
    if (!uri || text.contains('\\') || (absolute && uri->scheme.empty())) {
      return false;
    }
    return format != "uri-template" ||
           RegexMatches(context.prepared, "^([^{]*(\\{[^}]*\\})?)*$", uri->path);
  }
  const std::string_view name = format == "idn-email" ? "email" : format;
  const auto* const pattern =
      std::ranges::find(kPatterns, name, [](const auto& entry) { return entry.first; });
  constexpr std::size_t kLongestHostname = 255;
  return pattern == std::end(kPatterns) ||
         (RegexMatches(context.prepared, pattern->second, text) &&
          (name != "hostname" || text.size() <= kLongestHostname));
}

}  // namespace portcullis::builtins
