#include "rules/builtins/http_request.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>

#include "document/json.h"
#include "rules/builtins/certificate.h"
#include "rules/builtins/codec.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/go_time.h"
#include "rules/builtins/key_pair.h"
#include "rules/builtins/keys.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/uri.h"

namespace portcullis::builtins {
namespace {

using Kind = HttpProblem::Kind;

constexpr std::string_view kParameters[] = {"method",
                                            "url",
                                            "body",
                                            "enable_redirect",
                                            "force_json_decode",
                                            "force_yaml_decode",
                                            "headers",
                                            "raw_body",
                                            "tls_use_system_certs",
                                            "tls_ca_cert",
                                            "tls_ca_cert_file",
                                            "tls_ca_cert_env_variable",
                                            "tls_client_cert",
                                            "tls_client_cert_file",
                                            "tls_client_cert_env_variable",
                                            "tls_client_key",
                                            "tls_client_key_file",
                                            "tls_client_key_env_variable",
                                            "tls_insecure_skip_verify",
                                            "tls_server_name",
                                            "timeout",
                                            "cache",
                                            "force_cache",
                                            "force_cache_duration_seconds",
                                            "raise_error",
                                            "caching_mode",
                                            "max_retry_attempts",
                                            "cache_ignored_headers"};

std::unexpected<HttpProblem> Wrong(std::string message) {
  return std::unexpected(HttpProblem{Kind::kRequest, std::move(message)});
}

std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendGoQuoted(text, &quoted);
  return quoted;
}

std::string_view WithoutQuotes(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of('"'), text.size());
  return text.substr(begin, text.find_last_not_of('"') + 1 - begin);
}

bool IsTokenChar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

// "content-type" is "Content-Type"; what is no name stays.
std::string Canonical(std::string_view name) {
  std::string result(name);
  if (!std::ranges::all_of(result, IsTokenChar)) {
    return result;
  }
  bool upper = true;
  for (char& c : result) {
    if (upper && c >= 'a' && c <= 'z') {
      c = static_cast<char>(c - 'a' + 'A');
    } else if (!upper && c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
    upper = c == '-';
  }
  return result;
}

// Go's strconv.ParseBool of the Rego text.
std::expected<bool, HttpProblem> ParseBool(const Value& value) {
  const std::string text = document::ToRego(value);
  if (text == "true" || text == "1") {
    return true;
  }
  if (text == "false" || text == "0") {
    return false;
  }
  return Wrong("strconv.ParseBool: parsing " + Quoted(text) + ": invalid syntax");
}

std::expected<std::chrono::nanoseconds, HttpProblem> ParseTimeout(const Value& value) {
  if (value.is_number()) {
    const auto whole = AsGoInt(value);
    if (!whole) {
      return Wrong("invalid timeout number value " + document::NumberText(value) +
                   ", must be int64");
    }
    return std::chrono::nanoseconds(*whole);
  }
  if (!value.is_string()) {
    return std::unexpected(
        HttpProblem{Kind::kOperand, "operand 1 'timeout' must be one of {string, number} but got " +
                                        std::string(TypeName(value))});
  }
  const std::string_view text = value.string();
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size()) {
    return std::chrono::nanoseconds(number);
  }
  const auto duration = ParseGoDuration(text);
  if (!duration) {
    return Wrong("invalid timeout value " + Quoted(text) + ": " + duration.error());
  }
  return std::chrono::nanoseconds(*duration);
}

std::expected<std::string, std::string> ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    std::string reason = std::generic_category().message(errno);
    std::ranges::transform(reason, reason.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    });
    return std::unexpected("open " + path + ": " + reason);
  }
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

std::string Environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

bool HoldsCertificate(std::string_view pem) {
  while (const auto block = TakePemBlock(&pem)) {
    if (block->type == "CERTIFICATE" && ParseCertificates(block->bytes)) {
      return true;
    }
  }
  return false;
}

using Texts = std::map<std::string_view, std::string>;

std::expected<void, HttpProblem> UsePair(const std::string& certificate, const std::string& key,
                                         std::string_view before, HttpRequest* request) {
  if (const auto pair = ReadKeyPair(certificate, key); !pair) {
    return Wrong(std::string(before) + pair.error());
  }
  if (request->client_certificate.empty()) {
    request->client_certificate = certificate;
    request->client_key = key;
  }
  return {};
}

std::expected<void, HttpProblem> ReadClient(Texts& texts, HttpRequest* request) {
  if (!texts["tls_client_cert"].empty() && !texts["tls_client_key"].empty()) {
    const auto used = UsePair(texts["tls_client_cert"], texts["tls_client_key"], "", request);
    if (!used) {
      return used;
    }
  }
  if (!texts["tls_client_cert_file"].empty() && !texts["tls_client_key_file"].empty()) {
    const auto certificate = ReadFile(texts["tls_client_cert_file"]);
    const auto key = ReadFile(texts["tls_client_key_file"]);
    if (!certificate || !key) {
      return Wrong(certificate ? key.error() : certificate.error());
    }
    const auto used = UsePair(*certificate, *key, "", request);
    if (!used) {
      return used;
    }
  }
  const std::string& certificate = texts["tls_client_cert_env_variable"];
  const std::string& key = texts["tls_client_key_env_variable"];
  if (certificate.empty() || key.empty()) {
    return {};
  }
  return UsePair(Environment(certificate), Environment(key),
                 "cannot extract public/private key pair from envvars " + Quoted(certificate) +
                     ", " + Quoted(key) + ": ",
                 request);
}

std::expected<void, HttpProblem> ReadAuthorities(Texts& texts, HttpRequest* request) {
  std::string text = texts["tls_ca_cert"];
  for (std::size_t at = text.find("\\n"); at != std::string::npos; at = text.find("\\n", at)) {
    text.replace(at, 2, "\n");
  }
  if (!text.empty()) {
    if (!HoldsCertificate(text)) {
      return Wrong("could not append certificates");
    }
    request->authorities.append(text).append("\n");
  }
  if (const std::string& path = texts["tls_ca_cert_file"]; !path.empty()) {
    const auto pem = ReadFile(path);
    if (!pem) {
      return Wrong(pem.error());
    }
    if (!HoldsCertificate(*pem)) {
      return Wrong("could not append CA certificates from " + Quoted(path));
    }
    request->authorities.append(*pem).append("\n");
  }
  if (const std::string& name = texts["tls_ca_cert_env_variable"]; !name.empty()) {
    const std::string pem = Environment(name);
    if (!HoldsCertificate(pem)) {
      return Wrong("could not add CA certificates from envvar " + Quoted(name) +
                   ": could not append certificates");
    }
    request->authorities.append(pem).append("\n");
  }
  return {};
}

std::expected<void, HttpProblem> ReadHeaders(const Value& headers, HttpRequest* request) {
  for (std::uint32_t i = 0; i < headers.size(); ++i) {
    const Value name = headers.KeyAt(i);
    const Value value = headers.ValueAt(i);
    if (!value.is_string()) {
      std::string message;
      const GoArgument argument = ToGoArgument(value);
      FormatGo("invalid type for headers value %q", std::span(&argument, 1), 1 << 16, &message);
      return Wrong(std::move(message));
    }
    request->headers.emplace_back(
        Canonical(name.is_string() ? std::string(name.string()) : document::ToJson(name)),
        std::string(value.string()));
  }
  return {};
}

// "unix://localhost/path?socket=%2Ftmp%2Fa.sock" is HTTP over that socket.
void UseSocket(HttpRequest* request) {
  auto uri = ParseUri(request->url);
  if (!uri || uri->scheme != "unix" || uri->query.empty()) {
    return;
  }
  std::vector<std::pair<std::string, std::string>> rest;
  std::optional<std::string> socket;
  for (std::string_view query = uri->query; !query.empty();) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(part.find('='), part.size());
    auto name = UnescapeQuery(part.substr(0, equals));
    auto value = UnescapeQuery(part.substr(std::min(equals + 1, part.size())));
    if (!name || !value) {
      return;
    }
    if (*name != "socket") {
      rest.emplace_back(*std::move(name), *std::move(value));
    } else if (!socket) {
      socket = *std::move(value);
    }
  }
  std::ranges::stable_sort(rest, {}, &std::pair<std::string, std::string>::first);
  uri->scheme = "http";
  uri->query.clear();
  for (const auto& [name, value] : rest) {
    uri->query.append(uri->query.empty() ? "" : "&")
        .append(EscapeQuery(name))
        .append("=")
        .append(EscapeQuery(value));
  }
  request->unix_socket = socket.value_or("");
  request->url = uri->Text();
}

// One parameter. `texts` takes those that are strings and read later.
std::expected<void, HttpProblem> ReadParameter(std::string_view name, const Value& value,
                                               Texts* texts, HttpRequest* request) {
  constexpr std::string_view kStrings[] = {"method",
                                           "url",
                                           "raw_body",
                                           "tls_ca_cert",
                                           "tls_ca_cert_file",
                                           "tls_ca_cert_env_variable",
                                           "tls_client_cert",
                                           "tls_client_cert_file",
                                           "tls_client_cert_env_variable",
                                           "tls_client_key",
                                           "tls_client_key_file",
                                           "tls_client_key_env_variable",
                                           "tls_server_name"};
  if (std::ranges::find(kStrings, name) != std::end(kStrings)) {
    if (!value.is_string()) {
      return Wrong(Quoted(name) + " must be a string");
    }
    (*texts)[name] = WithoutQuotes(value.string());
    return {};
  }
  bool* flag = name == "enable_redirect"            ? &request->follows_redirects
               : name == "tls_use_system_certs"     ? &request->trusts_system
               : name == "tls_insecure_skip_verify" ? &request->verifies
                                                    : nullptr;
  if (flag != nullptr) {
    const auto truth = ParseBool(value);
    if (!truth) {
      return std::unexpected(truth.error());
    }
    *flag = name == "tls_insecure_skip_verify" ? !*truth : *truth;
  } else if (name == "body") {
    request->body = document::ToJson(value, document::JsonStyle::kGo);
  } else if (name == "headers") {
    if (!value.is_object()) {
      return Wrong("invalid type for headers key");
    }
  } else if (name == "timeout") {
    const auto timeout = ParseTimeout(value);
    if (!timeout) {
      return std::unexpected(timeout.error());
    }
    request->timeout = *timeout;
  }
  return {};
}

std::expected<void, HttpProblem> CheckUrl(const HttpRequest& request) {
  if (request.method.empty() ? false : !std::ranges::all_of(request.method, IsTokenChar)) {
    return Wrong("net/http: invalid method " + Quoted(request.method));
  }
  if (const auto uri = ParseUri(request.url); !uri) {
    return Wrong(uri.error());
  }
  return {};
}

}  // namespace

const std::string* HttpRequest::FindHeader(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known == name) {
      return &value;
    }
  }
  return nullptr;
}

std::optional<HttpProblem> CheckHttpParameters(CallContext& context, const Value& operand) {
  document::SetBuilder invalid(context.arena);
  for (std::uint32_t i = 0; i < operand.size(); ++i) {
    const Value name = operand.KeyAt(i);
    if (!name.is_string() ||
        std::ranges::find(kParameters, name.string()) == std::end(kParameters)) {
      invalid.Add(name);
    }
  }
  if (invalid.size() > 0) {
    return HttpProblem{Kind::kOperand, "operand 1 invalid request parameters(s): " +
                                           document::ToRego(invalid.Finish())};
  }
  document::SetBuilder missing(context.arena);
  for (const std::string_view name : {"method", "url"}) {
    if (!operand.Find(name).is_defined()) {
      missing.Add(Value::String(name));
    }
  }
  if (missing.size() > 0) {
    return HttpProblem{Kind::kOperand, "operand 1 missing required request parameters(s): " +
                                           document::ToRego(missing.Finish())};
  }
  return std::nullopt;
}

std::expected<bool, HttpProblem> HttpFlag(const Value& operand, std::string_view name) {
  const Value value = operand.Find(name);
  if (value.is_defined() && !value.is_boolean()) {
    return Wrong("invalid value for " + Quoted(name) + " field");
  }
  return value.is_true();
}

std::expected<HttpRequest, HttpProblem> ReadHttpRequest(const Value& operand) {
  HttpRequest request;
  request.timeout = std::chrono::seconds(5);
  Texts texts;
  for (std::uint32_t i = 0; i < operand.size(); ++i) {
    const auto read =
        ReadParameter(operand.KeyAt(i).string(), operand.ValueAt(i), &texts, &request);
    if (!read) {
      return std::unexpected(read.error());
    }
  }
  request.method = texts["method"];
  std::ranges::transform(request.method, request.method.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  request.url = texts["url"];
  if (operand.Find("raw_body").is_defined()) {
    request.body = texts["raw_body"];
  }
  request.server_name = texts["tls_server_name"];
  if (auto client = ReadClient(texts, &request); !client) {
    return std::unexpected(client.error());
  }
  if (auto authorities = ReadAuthorities(texts, &request); !authorities) {
    return std::unexpected(authorities.error());
  }
  UseSocket(&request);
  if (auto checked = CheckUrl(request); !checked) {
    return std::unexpected(checked.error());
  }
  if (auto headers = ReadHeaders(operand.Find("headers"), &request); !headers) {
    return std::unexpected(headers.error());
  }
  const std::string* host = request.FindHeader("Host");
  if (request.server_name.empty() && host != nullptr) {
    request.server_name = *host;
  }
  return request;
}

}  // namespace portcullis::builtins
