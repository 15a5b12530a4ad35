#include "rules/rego/compile.h"

namespace portcullis::rego {

std::string Diagnostic::ToString() const {
  std::string text;
  if (location.file && !location.file->empty()) {
    text = *location.file + ':' + std::to_string(location.row) + ": ";
  } else if (location.row != 0) {
    text = std::to_string(location.row) + ':' + std::to_string(location.column) + ": ";
  }
  text += code + ": " + message;
  for (const std::string& line : details) {
    text += "\n\t" + line;
  }
  return text;
}

std::string ToString(const std::vector<Diagnostic>& diagnostics) {
  if (diagnostics.empty()) {
    return "no error(s)";
  }
  if (diagnostics.size() == 1) {
    return "1 error occurred: " + diagnostics[0].ToString();
  }
  std::string text = std::to_string(diagnostics.size()) + " errors occurred:";
  for (const Diagnostic& diagnostic : diagnostics) {
    text += '\n' + diagnostic.ToString();
  }
  return text;
}

}  // namespace portcullis::rego
