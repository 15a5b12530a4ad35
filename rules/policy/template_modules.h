// The Rego of a template made ready for compilation, as Gatekeeper packages it (gatekeeper.md 3.1): the entry module becomes
// data.template, libraries go below data.libs, and neither may reach further than data.inventory and data.lib.
// SOURCE: frameworks/constraint pkg/regorewriter and pkg/client/drivers/rego.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "rules/rego/ast.h"

namespace portcullis::policy {

struct TemplateSource {
  std::string rego;
  std::vector<std::string> libraries;
  rego::Version version = rego::Version::kV0;
  bool may_read_inventory = true;
};

// The modules to compile: the driver's own, the entry module, then the libraries. ERRORS: kInvalidArgument with Gatekeeper's text (gatekeeper.md 3.5).
[[nodiscard]] Result<std::vector<std::unique_ptr<rego::Module>>> PrepareModules(
    const TemplateSource& source);

}  // namespace portcullis::policy
