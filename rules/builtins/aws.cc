// providers.aws.sign_req: AWS Signature Version 4. SOURCE: AWS's documentation "Create a signed AWS API request".

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "document/json.h"
#include "rules/builtins/codec.h"
#include "rules/builtins/families.h"
#include "rules/builtins/go_time.h"
#include "rules/builtins/keys.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/uri.h"

namespace portcullis::builtins {
namespace {

using Headers = std::map<std::string, std::string>;

// What http.send knows: a request has nothing else.
constexpr std::array<std::string_view, 28> kRequestParameters = {"body",
                                                                 "cache",
                                                                 "cache_ignored_headers",
                                                                 "caching_mode",
                                                                 "enable_redirect",
                                                                 "force_cache",
                                                                 "force_cache_duration_seconds",
                                                                 "force_json_decode",
                                                                 "force_yaml_decode",
                                                                 "headers",
                                                                 "max_retry_attempts",
                                                                 "method",
                                                                 "raise_error",
                                                                 "raw_body",
                                                                 "timeout",
                                                                 "tls_ca_cert",
                                                                 "tls_ca_cert_env_variable",
                                                                 "tls_ca_cert_file",
                                                                 "tls_client_cert",
                                                                 "tls_client_cert_env_variable",
                                                                 "tls_client_cert_file",
                                                                 "tls_client_key",
                                                                 "tls_client_key_env_variable",
                                                                 "tls_client_key_file",
                                                                 "tls_insecure_skip_verify",
                                                                 "tls_server_name",
                                                                 "tls_use_system_certs",
                                                                 "url"};

// False, and a failure that names them, where there are some.
bool CheckNone(CallContext& context, document::SetBuilder names, int operand,
               const std::string& complaint) {
  if (names.size() == 0) {
    return true;
  }
  context.FailType("operand " + std::to_string(operand) + " " + complaint +
                   " parameters(s): " + document::ToRego(names.Finish()));
  return false;
}

bool CheckMembers(CallContext& context, const Value& object, int operand,
                  std::span<const std::string_view> names, const std::string& what) {
  document::SetBuilder missing(context.arena);
  for (const std::string_view name : names) {
    if (object.Find(name).is_undefined()) {
      missing.Add(Value::String(name));
    }
  }
  return CheckNone(context, std::move(missing), operand, "missing required " + what);
}

bool CheckStrings(CallContext& context, const Value& object, int operand,
                  std::span<const std::string_view> names, const std::string& what) {
  document::SetBuilder invalid(context.arena);
  for (const std::string_view name : names) {
    if (!object.Find(name).is_string()) {
      invalid.Add(Value::String(name));
    }
  }
  return CheckNone(context, std::move(invalid), operand, "invalid values for required " + what);
}

bool CheckRequestParameters(CallContext& context, const Value& request) {
  document::SetBuilder unknown(context.arena);
  for (std::uint32_t i = 0; i < request.size(); ++i) {
    const Value key = request.KeyAt(i);
    if (!key.is_string() ||
        std::ranges::find(kRequestParameters, key.string()) == kRequestParameters.end()) {
      unknown.Add(key);
    }
  }
  return CheckNone(context, std::move(unknown), 1, "invalid request");
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// What the signature covers, line by line.
std::string CanonicalRequest(std::string_view method, const Uri& uri, const Headers& headers,
                             const std::string& signed_names, const std::string& content_hash) {
  std::string text(method);
  text.append("\n").append(uri.EscapedPath()).append("\n").append(uri.query).append("\n");
  for (const auto& [name, value] : headers) {
    text.append(name).append(":").append(value).append("\n");
  }
  return text.append("\n").append(signed_names).append("\n").append(content_hash);
}

Value Sign(CallContext& context, Arguments arguments) {
  constexpr std::array<std::string_view, 4> kConfiguration = {
      "aws_access_key", "aws_region", "aws_secret_access_key", "aws_service"};
  constexpr std::array<std::string_view, 2> kRequest = {"method", "url"};
  // OPA counts each of the three as its first operand.
  if (!ObjectOperand(context, arguments, 1) || !ObjectOperand(context, arguments.subspan(1), 1)) {
    return {};
  }
  const Value& request = arguments[0];
  const Value& configuration = arguments[1];
  if (!CheckMembers(context, configuration, 2, kConfiguration, "AWS config") ||
      !CheckStrings(context, configuration, 2, kConfiguration, "AWS config") ||
      !NumberOperand(context, arguments.subspan(2), 1)) {
    return {};
  }
  const auto time_ns = AsGoInt(arguments[2]);
  if (!time_ns) {
    return context.FailType("operand 3 could not convert time_ns value into a unix timestamp");
  }
  if (!CheckRequestParameters(context, request) ||
      !CheckMembers(context, request, 1, kRequest, "request")) {
    return {};
  }
  const Value given_headers = request.Find("headers");
  if (given_headers.is_defined() && !given_headers.is_object()) {
    return context.FailOperand(0, "object", given_headers);
  }
  if (!CheckStrings(context, request, 1, kRequest, "request")) {
    return {};
  }
  const auto uri = ParseUri(request.GetString({"url"}));
  if (!uri) {
    return context.Fail(uri.error());
  }
  const Value unsigned_payload = configuration.Find("disable_payload_signing");
  if (unsigned_payload.is_defined() && !unsigned_payload.is_boolean()) {
    return context.FailType("operand 2 invalid value for 'disable_payload_signing' in AWS config");
  }

  const Value raw_body = request.Find("raw_body");
  const Value body = request.Find("body");
  const std::string content = raw_body.is_defined()
                                  ? std::string(raw_body.is_string() ? raw_body.string() : "")
                              : body.is_defined() ? document::ToJson(body, document::JsonStyle::kGo)
                                                  : "";
  const std::string content_hash =
      unsigned_payload.is_true() ? "UNSIGNED-PAYLOAD" : EncodeHex(Digest(Hash::kSha256, content));
  const CivilTime time =
      ToCivil(*time_ns / 1000000000 - (*time_ns % 1000000000 < 0 ? 1 : 0), 0, 0, "UTC");
  const std::string day = FormatTime(time, "20060102");
  const std::string moment = FormatTime(time, "20060102T150405Z");
  const std::string service(configuration.GetString({"aws_service"}));
  const std::string region(configuration.GetString({"aws_region"}));

  Headers added = {{"host", uri->host}, {"x-amz-date", moment}};
  if (service == "s3" || service == "glacier") {
    added["x-amz-content-sha256"] = content_hash;
  }
  const std::string_view session = configuration.GetString({"aws_session_token"});
  if (!session.empty()) {
    added["x-amz-security-token"] = session;
  }

  Headers covered = added;
  document::ObjectBuilder headers(context.arena);
  for (std::uint32_t i = 0; i < given_headers.size(); ++i) {
    const Value key = given_headers.KeyAt(i);
    const Value value = given_headers.ValueAt(i);
    const std::string_view text = value.is_string() ? value.string() : "";
    const std::string_view written = key.is_string() ? key.string() : "";
    const std::string name = Lower(written);
    headers.Add(written, Value::String(text));
    if (name != "authorization" && name != "user-agent" && name != "x-amzn-trace-id") {
      covered[name] = text;
    }
  }
  std::string names;
  for (const auto& [name, value] : covered) {
    names.append(names.empty() ? "" : ";").append(name);
  }

  const std::string scope = day + "/" + region + "/" + service + "/aws4_request";
  const std::string canonical =
      CanonicalRequest(request.GetString({"method"}), *uri, covered, names, content_hash);
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + moment + "\n" + scope + "\n" +
                              EncodeHex(Digest(Hash::kSha256, canonical));
  std::string key = "AWS4" + std::string(configuration.GetString({"aws_secret_access_key"}));
  for (const std::string& part : {day, region, service, std::string("aws4_request")}) {
    key = Hmac(Hash::kSha256, key, part);
  }
  const std::string authorization =
      "AWS4-HMAC-SHA256 Credential=" + std::string(configuration.GetString({"aws_access_key"})) +
      "/" + scope + ",SignedHeaders=" + names +
      ",Signature=" + EncodeHex(Hmac(Hash::kSha256, key, to_sign));

  headers.Add("Authorization", MakeString(context, authorization));
  for (const auto& [name, value] : added) {
    headers.Add(MakeString(context, name), MakeString(context, value));
  }
  document::ObjectBuilder result(context.arena);
  for (std::uint32_t i = 0; i < request.size(); ++i) {
    result.Add(request.KeyAt(i), request.ValueAt(i));
  }
  result.Add("headers", headers.Finish());
  return result.Finish();
}

constexpr Builtin kBuiltins[] = {
    {.name = "providers.aws.sign_req",
     .type = "(object[string: any], object[string: any], number) -> object[any: any]",
     .function = Sign},
};

}  // namespace

std::span<const Builtin> AwsBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
