// What Go's encoding/json says of a text that is not JSON, to the word: Gatekeeper hands that on to its callers.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace portcullis::webhook {

// "unexpected end of JSON input", "invalid character 'x' after object key", …; empty for a text that is JSON.
// COST: a pass over the text; for replies to bad requests only.
[[nodiscard]] std::string JsonComplaint(std::string_view text, std::uint32_t max_depth);

}  // namespace portcullis::webhook
