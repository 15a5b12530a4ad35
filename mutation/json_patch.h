// The JSON patch (RFC 6902) that makes one object of another.

#pragma once

#include <cstddef>
#include <string>

#include "document/value.h"

namespace portcullis::mutation {

// Appends the patch, a JSON array. Returns its number of operations. Numbers are equal when JSON says so: 1 and 1.0 are.
// COST: linear in what differs; shared parts are not walked.
std::size_t AppendJsonPatch(const document::Value& before, const document::Value& after,
                            std::string* out);

}  // namespace portcullis::mutation
