// An object under mutation, as Gatekeeper holds it: whole numbers of the object are int64, all other numbers and those of
// assigned values float64. Here an int64 is an Int and a float64 is a Float or Decimal, so that 1 and 1.0 stay two values, as
// they are to Gatekeeper. Two more values occur while an object is mutated: a Go list that is nil (prints as null), and
// what stands for an answer of an external data provider. Both are held as sets, which JSON has none of.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "document/arena.h"
#include "document/value.h"

namespace portcullis::mutation {

// `value` with every number as a float64: what Go's encoding/json makes of an assigned value.
[[nodiscard]] document::Value WithFloats(const document::Value& value, document::Arena& arena);

// Go's deep equality. COST: parts that are shared are not walked.
[[nodiscard]] bool GoEqual(const document::Value& a, const document::Value& b);

// Go's %T and %v.
[[nodiscard]] std::string_view GoTypeOf(const document::Value& value);
[[nodiscard]] std::string GoTextOf(const document::Value& value);

// Appends JSON with numbers as Go's encoding/json writes them (1000000, 1e+21).
void AppendGoJson(const document::Value& value, std::string* out);

// The nil list.
[[nodiscard]] document::Value NilList();
[[nodiscard]] bool IsNilList(const document::Value& value);

// What stands for an answer: the source's number (see Mutator), and the key that is asked for.
[[nodiscard]] document::Value MakePlaceholder(std::int64_t source, std::string_view key,
                                              document::Arena& arena);
[[nodiscard]] bool IsPlaceholder(const document::Value& value);
[[nodiscard]] std::int64_t PlaceholderSource(const document::Value& value);
[[nodiscard]] std::string_view PlaceholderKey(const document::Value& value);

// `object` with one member set; undefined: taken out. The same handle where nothing changes. REQUIRES: an object.
[[nodiscard]] document::Value WithMember(const document::Value& object, std::string_view name,
                                         const document::Value& value, document::Arena& arena);
// `list` with one item replaced, or added where `at` is its size.
[[nodiscard]] document::Value WithItem(const document::Value& list, std::uint32_t at,
                                       const document::Value& value, document::Arena& arena);

}  // namespace portcullis::mutation
