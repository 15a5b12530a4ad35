#include "rules/rego/trace/file_names.h"

#include <algorithm>
#include <vector>

namespace portcullis::rego::trace {
namespace {

// The folders of a path without the first.
std::string_view InnerFolders(std::string_view path) {
  const std::size_t last = path.rfind('/');
  std::string_view folder = last == std::string_view::npos ? "." : path.substr(0, last);
  if (folder.starts_with('/')) {
    folder.remove_prefix(1);
  }
  const std::size_t first = folder.find('/');
  return first == std::string_view::npos || first == 0 ? folder : folder.substr(first + 1);
}

std::string_view LongestCommon(const std::vector<std::string_view>& texts) {
  const std::string_view first = texts.front();
  for (std::size_t length = first.size(); length > 0; --length) {
    for (std::size_t at = 0; at + length <= first.size(); ++at) {
      const std::string_view part = first.substr(at, length);
      if (std::ranges::all_of(texts, [part](std::string_view text) {
            return text.find(part) != std::string_view::npos;
          })) {
        return part;
      }
    }
  }
  return {};
}

}  // namespace

void Shorten(std::map<std::string_view, std::string>& names, std::size_t longest,
             std::size_t room) {
  constexpr std::string_view kDots = "...";
  std::vector<std::string_view> folders;
  for (const auto& [path, name] : names) {
    folders.push_back(InnerFolders(path));
  }
  std::string_view common = LongestCommon(folders);
  const std::size_t rest = longest - common.size() + kDots.size();
  if (rest < room) {
    common.remove_suffix(std::min(room - rest, common.size()));
  }
  if (common.size() <= kDots.size()) {
    return;
  }
  for (auto& [path, name] : names) {
    name.replace(name.find(common), common.size(), kDots);
  }
}

}  // namespace portcullis::rego::trace
