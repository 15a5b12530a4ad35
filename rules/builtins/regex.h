// Go's regular expressions by RE2, with Go's texts for what is wrong and Go's loops over the matches.

#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "rules/builtins/prepared_cache.h"

namespace re2 {
class RE2;
}

namespace portcullis::builtins {

// ERRORS: Go's text: "error parsing regexp: missing closing ]: `[a`".
[[nodiscard]] std::expected<std::shared_ptr<const re2::RE2>, std::string> CompileRegex(
    std::string_view pattern);
// The same, kept for the next call.
[[nodiscard]] std::expected<std::shared_ptr<const re2::RE2>, std::string> CachedRegex(
    PreparedCache& cache, std::string_view pattern);

// Whether the pattern is found anywhere in `text`; a pattern that is none is found nowhere.
[[nodiscard]] bool RegexMatches(PreparedCache& cache, std::string_view pattern,
                                std::string_view text);

// `text` with everything that means something in a pattern escaped, as Go's regexp.QuoteMeta.
[[nodiscard]] std::string QuoteRegex(std::string_view text);

}  // namespace portcullis::builtins
