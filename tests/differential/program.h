// One program for both engines: modules, documents, a query, options.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace portcullis::differential {

struct Program {
  std::map<std::string, std::string> modules;  // Text by file name.
  std::string version = "v1";                  // Of the modules: "v0" or "v1".
  std::string query;
  std::string input;  // JSON; empty: there is none.
  std::string data;   // JSON.
  bool strict = false;
  bool strict_builtin_errors = false;
  // data.inventory is a store too (portcullis_peer), and all ways to read it must agree.
  bool inventory = false;
  friend bool operator==(const Program&, const Program&) = default;
};

// The request of tests/opa_peer, a line without its end.
[[nodiscard]] std::string ToRequest(const Program& program, std::uint64_t id);
// For people.
[[nodiscard]] std::string ToText(const Program& program);

}  // namespace portcullis::differential
