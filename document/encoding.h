// The form of an object at rest: a Cap'n Proto message (struct Document in document/document.capnp)
// in the standard framing, read in place. Beside the object's identity it holds `nodes`, a list of
// 8-byte nodes, and `text`, one blob.
//
//   node := kind (bits 0 to 3) count (bits 4 to 31) offset (bits 32 to 63), as one little-endian number
//   kind := 0 null | 1 false | 2 true
//         | 3 small int   bits 4 to 63 are the number, two's complement
//         | 4 int64       8 bytes, little-endian, at `offset` in the text; count is 8
//         | 5 float64     the same, IEEE 754, finite
//         | 6 decimal     `count` bytes at `offset` in the text: a JSON number in its exact spelling
//         | 7 string      `count` bytes at `offset` in the text: UTF-8
//         | 8 array       a run of `count` nodes from node `offset` on
//         | 9 object      a run of 2 * `count` nodes: the keys, strings in ascending order of their bytes without
//                         repeats, then the value of each
//
// Node 0 is the root. The others lie in runs: a container takes the next free run before its
// children take theirs, in order, so the runs fill the list without gaps and every node has one
// parent. Children are therefore reached without walking their siblings, and keys by binary search.
// Strings of at most 64 bytes may share their text, longer ones never do. Nothing in the text is
// aligned. The layout is frozen: a change raises kEncodingVersion and keeps reading the old one.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "document/arena.h"
#include "document/json.h"
#include "document/object.h"
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

// The identity of the object in bytes that this program wrote; the nodes are not read. ERRORS:
// kCorruption: not such a message. kInvalidArgument: what was encoded is no Kubernetes object.
[[nodiscard]] Result<ObjectIdentity> IdentityOfEncoded(std::string_view bytes);

}  // namespace portcullis::document
