// A policy with its input and data as one text, so that a fuzzer can change all of it:
//
//   <flags> <module> { "\n#module\n" <module> } [ "\n#input\n" <JSON> ] [ "\n#data\n" <JSON> ]
//
// `flags` is one byte, of which the low four bits count: '0' to '?'. The separators are comments of Rego, so that a text
// stays a program where a mutation moves them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/builtins/builtin.h"
#include "rules/rego/compile.h"

namespace portcullis::fuzz {

struct Program {
  rego::Version version = rego::Version::kV0;  // 1
  bool strict = false;                         // 2
  bool keep_prints = false;                    // 4
  bool strict_builtin_errors = false;          // 8
  std::vector<std::string> modules;            // At least one.
  std::string input;                           // Empty: there is none.
  std::string data;
};

[[nodiscard]] Program ReadProgram(const std::uint8_t* bytes, std::size_t size);
[[nodiscard]] std::string WriteProgram(const Program& program);

// All builtins but those that ask the network.
[[nodiscard]] const builtins::Catalog& OfflineCatalog();

[[nodiscard]] rego::Checked<std::shared_ptr<const rego::CompiledPolicy>> CompileProgram(
    const Program& program);

// Ends the process, saying which promise did not hold, where it does not.
void Require(bool holds, std::string_view promise, std::string_view text = {});

}  // namespace portcullis::fuzz
