// Any text is parsed, as a module and as a query, in the version that its first byte names; a query that was read and
// printed is read again as the same one.

#include <cstddef>
#include <cstdint>
#include <string>

#include "rules/rego/compile.h"
#include "tests/fuzz/program.h"

using portcullis::fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace rego = portcullis::rego;
  if (size == 0) {
    return 0;
  }
  const rego::Version version = (data[0] & 1) != 0 ? rego::Version::kV1 : rego::Version::kV0;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto module = rego::ParseModule("fuzz.rego", text, version);
  if (!module) {
    Require(!rego::ToString(module.error()).empty(), "what is refused has a reason");
  } else {
    for (const auto& rule : (*module)->rules) {
      Require(rego::Compare(*rule, *rego::Clone(*rule)) == 0, "a copy equals what it was made of");
      static_cast<void>(rego::ToString(rule->body));
    }
  }
  const auto query = rego::ParseQuery(text, version);
  if (!query) {
    return 0;
  }
  const std::string printed = rego::ToString(*query);
  const auto again = rego::ParseQuery(printed, version);
  // OPA's printer leaves out what some texts need (parentheses around logical operands, imports): not all are read again.
  if (again) {
    Require(rego::ToString(*again) == printed, "what is printed is read as what was printed",
            printed + "\n" + rego::ToString(*again));
  }
  return 0;
}
