// Names of files in a column of places. Internal to rules/rego/trace.
// SOURCE: OPA's internal/strings, TruncateFilePaths.

#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace portcullis::rego::trace {

// Puts "..." for what all the names have in common within their folders, as far as it must go for the longest place, of
// `longest` bytes, to fit into `room`.
void Shorten(std::map<std::string_view, std::string>& names, std::size_t longest, std::size_t room);

}  // namespace portcullis::rego::trace
