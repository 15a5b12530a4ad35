// The request of http.send: what OPA reads from the operand. SOURCE: OPA's policy reference, "HTTP".

#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/builtins/builtin.h"

namespace portcullis::builtins {

struct HttpRequest {
  std::string method;  // In capitals.
  std::string url;
  std::string body;
  std::vector<std::pair<std::string, std::string>>
      headers;                         // Names as Go writes them: "Content-Type".
  std::chrono::nanoseconds timeout{};  // Of one attempt with its redirects; 0 or less: none.
  bool follows_redirects = false;
  std::int64_t retries = 0;
  std::string unix_socket;  // Empty: none.

  bool verifies = true;
  bool trusts_system = false;                  // The system's authorities, beside `authorities`.
  std::string authorities;                     // PEM; empty: the system's alone.
  std::string client_certificate, client_key;  // PEM; both or none.
  std::string server_name;                     // Empty: the URL's host.

  [[nodiscard]] const std::string* FindHeader(std::string_view name) const;
};

struct HttpProblem {
  enum class Kind : std::uint8_t {
    kOperand,  // eval_type_error
    kRequest,  // eval_builtin_error
    kNetwork,  // The same, but of the network.
    kTimeout,
  };
  Kind kind = Kind::kRequest;
  std::string message = {};
};

// REQUIRES: `operand` is an object.
[[nodiscard]] std::expected<HttpRequest, HttpProblem> ReadHttpRequest(const Value& operand);

// Names that are not parameters, and parameters that are missing, come before all else.
[[nodiscard]] std::optional<HttpProblem> CheckHttpParameters(CallContext& context,
                                                             const Value& operand);

// The flag, or false where it is not there.
[[nodiscard]] std::expected<bool, HttpProblem> HttpFlag(const Value& operand,
                                                        std::string_view name);

}  // namespace portcullis::builtins
