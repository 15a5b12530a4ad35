// The bytes under which an index keeps a value. Equal values of Rego have equal bytes; the order of bytes is that of Rego
// wherever neither value was cut.
//
//   (unknown) 01
//   null   02        false  03        true  04
//   number 05 and the nearest float64, big-endian: the sign bit flipped if positive, all bits flipped if negative; -0 is 0
//   string 06 and its bytes; within a composite each 00 is followed by FF, and 00 01 ends it
//   array  07 items 00        object 08 (key value)... 00        set 09 members 00
//   anything longer than kMaxKeyBytes: 7f and the XXH3-128 of those bytes, big-endian
//
// Different values may share bytes (long ones by hash, numbers that one float64 stands for), so that a look-up finds a superset
// whichever way its numbers are read (document::NumberMode). These bytes are frozen.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "document/value.h"

namespace portcullis::index {

inline constexpr std::size_t kMaxKeyBytes = 256;
// Of no value: what objects are under whose keys cannot be told.
inline constexpr std::string_view kUnknownKeyBytes = "\x01";

// Appends the bytes of `value`. REQUIRES: defined.
void AppendKeyBytes(const document::Value& value, std::string* out);

// Such bytes for people: the value as Rego writes it, "(hash)" of what was cut, "(unknown)".
[[nodiscard]] std::string ShowKeyBytes(std::string_view bytes);

}  // namespace portcullis::index
