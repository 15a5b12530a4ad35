// What Go's encoding/json says of a text that is not JSON, to the word: Gatekeeper and OPA hand that on to their callers.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::document {

// "unexpected end of JSON input", "invalid character 'x' after object key", …; empty for a text that is JSON.
// `end` is where the first value ends, if it does. COST: a pass over the text; for replies to bad requests only.
[[nodiscard]] std::string JsonComplaint(std::string_view text, std::uint32_t max_depth,
                                        std::size_t* end = nullptr);

}  // namespace portcullis::document
