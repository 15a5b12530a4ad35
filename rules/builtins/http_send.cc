// http.send. SOURCE: OPA's policy reference, "HTTP". As Gatekeeper runs OPA, replies are kept within one query and not beyond
// it: `cache` and `force_cache` change nothing else.

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <string>

#include "document/json.h"
#include "document/yaml.h"
#include "rules/builtins/families.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/http_transfer.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {

// What was sent in this query, and what came back, by the text of the request.
struct SentRequests {
  std::map<std::string, std::expected<HttpReply, HttpProblem>, std::less<>> replies;
  std::size_t bytes = 0;
};

namespace {

using Kind = HttpProblem::Kind;

// Replies beyond these bytes are not kept: the request is sent again.
constexpr std::size_t kMaxKeptBytes = std::size_t{1} << 27;

std::string_view MediaType(const HttpReply& reply) {
  const std::string_view type = reply.Header("content-type");
  return type.substr(0, type.find(';'));
}

bool IsJson(const HttpReply& reply) {
  std::string type(MediaType(reply));
  type.erase(type.find_last_not_of(" \t") + 1);
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return type == "application/json" ||
         (type.starts_with("application/") && type.ends_with("+json") &&
          std::ranges::count(type, '/') == 1);
}

bool IsYaml(const HttpReply& reply) {
  const std::string_view type = reply.Header("content-type");
  return type.contains("application/yaml") || type.contains("application/x-yaml");
}

// What cannot be decoded is null.
Value DecodeBody(CallContext& context, const HttpReply& reply, bool as_json, bool as_yaml) {
  if (as_json || IsJson(reply)) {
    const auto json =
        document::ParseJson(reply.body, context.arena,
                            {.duplicates = document::DuplicateKeys::kKeepLast, .max_depth = 10000});
    return json ? *json : Value::Null();
  }
  if (as_yaml || IsYaml(reply)) {
    const auto documents = document::ParseYaml(reply.body, context.arena);
    return documents && !documents->empty() ? documents->front().value : Value::Null();
  }
  return Value::Null();
}

Value ToValue(CallContext& context, const HttpReply& reply, bool as_json, bool as_yaml) {
  document::ObjectBuilder headers(context.arena);
  for (const auto& [name, values] : reply.headers) {
    document::ArrayBuilder list(context.arena);
    for (const std::string& value : values) {
      list.Add(MakeString(context, value));
    }
    headers.Add(context.arena.CopyString(name), list.Finish());
  }
  document::ObjectBuilder result(context.arena);
  result.Add("status", MakeString(context, reply.status));
  result.Add("status_code", Value::Int(reply.status_code));
  result.Add("body", DecodeBody(context, reply, as_json, as_yaml));
  result.Add("raw_body", MakeString(context, reply.body));
  result.Add("headers", headers.Finish());
  return result.Finish();
}

std::unexpected<HttpProblem> Wrong(std::string message) {
  return std::unexpected(HttpProblem{Kind::kRequest, std::move(message)});
}

// The text under which the reply to a request is kept: headers that cache_ignored_headers names are left out.
std::expected<std::string, HttpProblem> KeyOf(CallContext& context, const Value& operand) {
  const Value ignored = operand.Find("cache_ignored_headers");
  const Value headers = operand.Find("headers");
  document::ObjectBuilder key(context.arena);
  for (std::uint32_t i = 0; i < operand.size(); ++i) {
    key.Add(operand.KeyAt(i), operand.ValueAt(i));
  }
  key.Add("cache_ignored_headers", Value::Null());
  if (ignored.is_defined() && headers.is_defined()) {
    bool strings = ignored.is_array();
    for (std::uint32_t i = 0; strings && i < ignored.size(); ++i) {
      strings = ignored.ItemAt(i).is_string();
    }
    if (!strings) {
      return Wrong("cache_ignored_headers must be an array of strings");
    }
    if (!headers.is_object()) {
      return Wrong("invalid type for headers key");
    }
    document::ObjectBuilder kept(context.arena);
    for (std::uint32_t i = 0; i < headers.size(); ++i) {
      bool keeps = true;
      for (std::uint32_t k = 0; keeps && k < ignored.size(); ++k) {
        keeps = !document::Equal(headers.KeyAt(i), ignored.ItemAt(k));
      }
      if (keeps) {
        kept.Add(headers.KeyAt(i), headers.ValueAt(i));
      }
    }
    key.Add("headers", kept.Finish());
  }
  return document::ToRego(key.Finish());
}

// The parameters of caches that last beyond a query are read for their errors.
std::expected<void, HttpProblem> CheckCaching(const Value& operand) {
  if (const auto cache = HttpFlag(operand, "cache"); !cache) {
    return std::unexpected(cache.error());
  }
  const auto forced = HttpFlag(operand, "force_cache");
  if (!forced) {
    return std::unexpected(forced.error());
  }
  if (!*forced) {
    return {};
  }
  const Value seconds = operand.Find("force_cache_duration_seconds");
  if (!seconds.is_defined()) {
    return Wrong("'force_cache' set but 'force_cache_duration_seconds' parameter is missing");
  }
  const std::string text = document::ToRego(seconds);
  std::int32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size()) {
    return {};
  }
  std::string message = "strconv.ParseInt: parsing ";
  AppendGoQuoted(text, &message);
  return Wrong(message + (read.ec == std::errc::result_out_of_range ? ": value out of range"
                                                                    : ": invalid syntax"));
}

std::expected<std::int64_t, HttpProblem> Retries(const Value& operand) {
  const Value attempts = operand.Find("max_retry_attempts");
  if (!attempts.is_defined()) {
    return 0;
  }
  const auto number = attempts.is_number() ? AsGoInt(attempts) : std::nullopt;
  if (!number || *number < 0) {
    return Wrong("invalid value " + document::ToRego(attempts) +
                 " for field \"max_retry_attempts\"");
  }
  return *number;
}

bool IsKept(int status) {
  constexpr int kStatuses[] = {200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501};
  return std::ranges::find(kStatuses, status) != std::end(kStatuses);
}

std::expected<HttpReply, HttpProblem> Send(CallContext& context, const Value& operand) {
  auto request = ReadHttpRequest(operand);
  if (!request) {
    return std::unexpected(request.error());
  }
  const auto retries = Retries(operand);
  if (!retries) {
    return std::unexpected(retries.error());
  }
  request->retries = *retries;
  return SendHttp(context, *request);
}

std::expected<Value, HttpProblem> Exchange(CallContext& context, const Value& operand) {
  if (auto problem = CheckHttpParameters(context, operand)) {
    return std::unexpected(*std::move(problem));
  }
  const auto key = KeyOf(context, operand);
  if (!key) {
    return std::unexpected(key.error());
  }
  if (const auto checked = CheckCaching(operand); !checked) {
    return std::unexpected(checked.error());
  }
  std::shared_ptr<SentRequests>& sent = context.query().sent;
  if (!sent) {
    sent = std::make_shared<SentRequests>();
  }
  auto known = sent->replies.find(*key);
  std::expected<HttpReply, HttpProblem> fresh;
  if (known == sent->replies.end()) {
    fresh = Send(context, operand);
    const std::size_t bytes = key->size() + (fresh ? fresh->body.size() : 0);
    if ((!fresh || IsKept(fresh->status_code)) && sent->bytes + bytes <= kMaxKeptBytes) {
      sent->bytes += bytes;
      known = sent->replies.emplace(*key, std::move(fresh)).first;
    }
  }
  const auto& reply = known == sent->replies.end() ? fresh : known->second;
  if (!reply) {
    return std::unexpected(reply.error());
  }
  const auto as_json = HttpFlag(operand, "force_json_decode");
  if (!as_json) {
    return std::unexpected(as_json.error());
  }
  const auto as_yaml = HttpFlag(operand, "force_yaml_decode");
  if (!as_yaml) {
    return std::unexpected(as_yaml.error());
  }
  return ToValue(context, *reply, *as_json, *as_yaml);
}

// The result under raise_error: false.
Value ErrorResult(CallContext& context, const HttpProblem& problem) {
  const bool network = problem.kind == Kind::kNetwork || problem.kind == Kind::kTimeout;
  std::string message = problem.message;
  if (!network) {
    message.insert(0, problem.kind == Kind::kOperand ? "eval_type_error: http.send: "
                                                     : "eval_builtin_error: http.send: ");
  }
  document::ObjectBuilder error(context.arena);
  error.Add("code", Value::String(network ? "eval_http_send_network_error"
                                          : "eval_http_send_internal_error"));
  error.Add("message", MakeString(context, message));
  document::ObjectBuilder result(context.arena);
  result.Add("status_code", Value::Int(0));
  result.Add("error", error.Finish());
  return result.Finish();
}

// `Get "http://host/": context deadline …` is told as "Get http://host/: request timed out".
std::string TimeoutText(const std::string& message) {
  const std::size_t quote = message.find('"');
  const std::size_t end = message.find("\": ", quote + 1);
  return message.substr(0, quote) + message.substr(quote + 1, end - quote - 1) +
         ": request timed out";
}

Value HttpSend(CallContext& context, Arguments arguments) {
  if (!ObjectOperand(context, arguments, 1)) {
    return {};
  }
  const Value operand = arguments[0];
  const Value raise = operand.Find("raise_error");
  if (raise.is_defined() && !raise.is_boolean()) {
    return context.Fail("invalid value for raise_error field");
  }
  const auto result = Exchange(context, operand);
  if (context.failure == FailureKind::kHalt) {
    return {};
  }
  if (result) {
    return *result;
  }
  if (raise.is_false()) {
    return ErrorResult(context, result.error());
  }
  switch (result.error().kind) {
    case Kind::kOperand:
      return context.FailType(result.error().message);
    case Kind::kTimeout:
      return context.Fail(TimeoutText(result.error().message));
    default:
      return context.Fail(result.error().message);
  }
}

constexpr Builtin kBuiltins[] = {
    {.name = "http.send",
     .type = "(object[string: any]) -> object[any: any]",
     .function = HttpSend,
     .nondeterministic = true},
};

}  // namespace

std::span<const Builtin> HttpBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
