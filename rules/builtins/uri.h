// URLs as Go's net/url reads them.

#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace portcullis::builtins {

struct Uri {
  std::string scheme;
  std::string opaque;               // Of "mailto:a@b".
  std::optional<std::string> user;  // "name:password", escaped.
  std::string host;                 // With its port, and brackets around an IPv6 address.
  std::string path;
  std::string raw_path;  // As written, where that is not what escaping the path gives.
  std::string query;
  std::string fragment;
  std::string raw_fragment;  // As raw_path.
  bool omit_host = false;    // "scheme:/path"
  bool force_query = false;  // Ends in a question mark.

  // The path as it goes over the wire.
  [[nodiscard]] std::string EscapedPath() const;
  // The whole of it.
  [[nodiscard]] std::string Text() const;
};

// ERRORS: Go's text.
[[nodiscard]] std::expected<Uri, std::string> ParseUri(std::string_view text);

}  // namespace portcullis::builtins
