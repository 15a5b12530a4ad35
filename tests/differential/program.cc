#include "tests/differential/program.h"

#include "document/json.h"

namespace portcullis::differential {
namespace {

void AppendText(std::string_view key, std::string_view text, std::string* out) {
  *out += ",\"" + std::string(key) + "\":";
  document::AppendJsonString(text, document::JsonStyle::kCompact, out);
}

}  // namespace

std::string ToRequest(const Program& program, std::uint64_t id) {
  std::string out = "{\"id\":" + std::to_string(id) + ",\"modules\":{";
  std::string separator;
  for (const auto& [name, text] : program.modules) {
    out += separator;
    document::AppendJsonString(name, document::JsonStyle::kCompact, &out);
    out += ':';
    document::AppendJsonString(text, document::JsonStyle::kCompact, &out);
    separator = ",";
  }
  out += '}';
  AppendText("version", program.version, &out);
  AppendText("query", program.query, &out);
  if (!program.input.empty()) {
    out += ",\"input\":" + program.input;
  }
  if (!program.data.empty()) {
    out += ",\"data\":" + program.data;
  }
  out += ",\"timeout_ms\":2000";
  out += program.strict ? ",\"strict\":true" : "";
  out += program.strict_builtin_errors ? ",\"strict_builtin_errors\":true" : "";
  out += program.inventory ? ",\"inventory\":true" : "";
  return out + '}';
}

std::string ToText(const Program& program) {
  std::string out;
  for (const auto& [name, text] : program.modules) {
    out += "--- " + name + " (" + program.version + ")\n" + text;
  }
  out += "--- query: " + program.query + "\n--- input: " + program.input +
         "\n--- data: " + program.data + '\n';
  out += program.strict ? "--- strict\n" : "";
  out += program.strict_builtin_errors ? "--- strict builtin errors\n" : "";
  out += program.inventory ? "--- data.inventory in a store\n" : "";
  return out;
}

}  // namespace portcullis::differential
