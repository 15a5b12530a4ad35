// What print() writes. Internal to rules/rego.

#pragma once

#include <functional>
#include <string>

#include "document/value.h"

namespace portcullis::rego {

// Appends a line for each combination of what the operands can be. An operand is a set: empty where it was undefined, with
// several members where it had several values. False: `may_go_on`, which is asked every so often, said no.
[[nodiscard]] bool AppendPrinted(const document::Value& operands,
                                 const std::function<bool()>& may_go_on, std::string* out);

}  // namespace portcullis::rego
