// PEM blocks as Go's encoding/pem finds them.

#include <string>

#include "rules/builtins/codec.h"
#include "rules/builtins/keys.h"

namespace portcullis::builtins {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kEnd = "\n-----END ";
constexpr std::string_view kDashes = "-----";

struct Line {
  std::string_view text;  // Without white space at its end.
  std::size_t size = 0;   // With all of it.
};

Line FirstLine(std::string_view text) {
  const std::size_t end = text.find('\n');
  const Line line{text.substr(0, end), end == text.npos ? text.size() : end + 1};
  return {line.text.substr(0, line.text.find_last_not_of(" \t\r") + 1), line.size};
}

// The block whose BEGIN line starts at `begin` and whose END line follows the line end at `end`.
std::optional<PemBlock> ReadBlock(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t at = begin + kBegin.size();
  const Line type_line = FirstLine(text.substr(at));
  if (!type_line.text.ends_with(kDashes)) {
    return std::nullopt;
  }
  const std::string_view type = type_line.text.substr(0, type_line.text.size() - kDashes.size());
  at += type_line.size;
  const std::size_t after_type = at;
  for (Line line = FirstLine(text.substr(at)); line.text.contains(':');
       line = FirstLine(text.substr(at))) {
    at += line.size;
  }
  if (at > after_type && at > end) {
    return std::nullopt;  // No line between the headers and the end.
  }
  const std::string_view trailer = text.substr(end + kEnd.size());
  const std::string closing = std::string(type) + std::string(kDashes);
  if (!trailer.starts_with(closing) || !FirstLine(trailer.substr(closing.size())).text.empty()) {
    return std::nullopt;
  }
  std::string base64(at < end ? text.substr(at, end - at) : "");
  std::erase_if(base64, [](char c) { return c == ' ' || c == '\t'; });
  auto bytes = DecodeBase64(base64, Base64::kStandard, Padding::kRequired);
  if (!bytes) {
    return std::nullopt;
  }
  return PemBlock{std::string(type), *std::move(bytes)};
}

}  // namespace

std::optional<PemBlock> TakePemBlock(std::string_view* text) {
  std::size_t searched = 0;
  for (std::size_t end = text->find(kEnd); end != text->npos; end = text->find(kEnd, searched)) {
    // The last BEGIN before the END, which skips those without one.
    const std::size_t begin = text->substr(searched, end - searched).rfind(kBegin);
    const std::size_t from = searched + begin;
    searched = end + kEnd.size();
    if (begin == text->npos || (begin > 0 && (*text)[from - 1] != '\n')) {
      continue;
    }
    if (auto block = ReadBlock(*text, from, end)) {
      const std::string_view trailer = text->substr(end + kEnd.size());
      text->remove_prefix(end + kEnd.size() + FirstLine(trailer).size);
      return block;
    }
  }
  return std::nullopt;
}

}  // namespace portcullis::builtins
