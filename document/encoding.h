// The form of an object at rest: a Cap'n Proto message (schema in document/document.capnp) that is
// read in place.
//
// Beside the object's identity it holds a list of 8-byte nodes and one blob of text. The children
// of a node lie next to each other, so the i-th is reached without walking its siblings; an
// object's keys are sorted and found by binary search. Repeated keys share their text. Numbers are
// int64, float64 or exact decimal text. The layout is frozen: a change raises kEncodingVersion and
// keeps reading the old one.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"

namespace portcullis::document {

inline constexpr std::uint32_t kEncodingVersion = 1;

// The encoded bytes of `value`. ERRORS: kInvalidArgument: it holds a set or a key that is not a
// string. kExhausted: more than 2^32 - 1 nodes, or text of 4 GiB.
[[nodiscard]] Result<std::string> Encode(const Value& value);

// The root of bytes that this program wrote. The bytes are copied into `arena` (they may be
// unaligned and may go); nothing is decoded. In NumberMode::kFloat64 numbers read as Go's float64
// would hold them. ERRORS: kCorruption: not such a message, or of a newer version. Nodes are not
// checked: see OpenUntrusted. COST: a copy of the bytes.
[[nodiscard]] Result<Value> OpenTrusted(std::string_view bytes, Arena& arena,
                                        NumberMode numbers = NumberMode::kExact);

// The same for bytes from outside (a snapshot file, a socket): every node is checked to lie within
// the message, keys to be sorted, text to be UTF-8, depth to be at most 1,000. COST: a walk over
// all nodes.
[[nodiscard]] Result<Value> OpenUntrusted(std::string_view bytes, Arena& arena,
                                          NumberMode numbers = NumberMode::kExact);

}  // namespace portcullis::document
