// One exchange over HTTP/1.1, by libcurl: http, https and sockets of this machine, nothing else.

#pragma once

#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "rules/builtins/builtin.h"
#include "rules/builtins/http_request.h"

namespace portcullis::builtins {

// A larger body is an error. What the arena may hold bounds it as well.
inline constexpr std::size_t kMaxHttpBodyBytes = std::size_t{1} << 26;

struct HttpReply {
  std::string status;  // "200 OK"
  int status_code = 0;
  // Names in lower case, each with its values in the order in which they came.
  std::vector<std::pair<std::string, std::vector<std::string>>> headers;
  std::string body;

  [[nodiscard]] std::string_view Header(
      std::string_view name) const;  // The first value; empty: none.
};

// Waits for the reply, for the request's timeout at most and never beyond the context's deadline: then the context halts.
// ERRORS: Go's text where there is one.
[[nodiscard]] std::expected<HttpReply, HttpProblem> SendHttp(CallContext& context,
                                                             const HttpRequest& request);

}  // namespace portcullis::builtins
