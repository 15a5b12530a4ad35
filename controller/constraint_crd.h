// The CustomResourceDefinition of a template's constraints (gatekeeper.md 1.2).

#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "document/value.h"
#include "rules/policy/template.h"

namespace portcullis::controller {

// "k8suniqueingresshost.constraints.gatekeeper.sh"
[[nodiscard]] std::string ConstraintCrdName(std::string_view kind);

// The manifest as JSON. `object` is the ConstraintTemplate that `of` was compiled from: its labels, short names and, as the
// owner, its uid. ERRORS: kInvalidArgument: a schema that is not JSON.
[[nodiscard]] Result<std::string> MakeConstraintCrd(const document::Value& object,
                                                    const policy::Template& of);

}  // namespace portcullis::controller
