// io.jwt.*. SOURCE: OPA's policy reference, "Token Verification" and "Token Signing"; RFC 7515, RFC 7519.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "document/json.h"
#include "rules/builtins/codec.h"
#include "rules/builtins/families.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/json_number.h"
#include "rules/builtins/keys.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/prepared_cache.h"

namespace portcullis::builtins {
namespace {

using Keys = std::vector<JsonWebKey>;

struct Token {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;

  [[nodiscard]] std::string_view signed_part() const {
    return {header.data(), header.size() + 1 + payload.size()};
  }
};

std::expected<std::string, std::string> DecodePart(std::string_view part) {
  std::string padded(part);
  if (!part.ends_with('=')) {
    if (part.size() % 4 == 1) {
      return std::unexpected("illegal base64url string: " + padded);
    }
    padded.append((4 - part.size() % 4) % 4, '=');
  }
  auto bytes = DecodeBase64(padded, Base64::kUrl, Padding::kRequired);
  if (!bytes) {
    return std::unexpected("illegal base64 data at input byte " + std::to_string(bytes.error()));
  }
  return *std::move(bytes);
}

std::optional<Token> SplitToken(CallContext& context, const Value& value) {
  if (!value.is_string()) {
    context.FailOperand(1, "string", value);
    return std::nullopt;
  }
  const std::string_view text = value.string();
  if (!text.contains('.')) {
    context.Fail("encoded JWT had no period separators");
    return std::nullopt;
  }
  const auto sections = std::ranges::count(text, '.') + 1;
  if (sections != 3) {
    context.Fail("encoded JWT must have 3 sections, found " + std::to_string(sections));
    return std::nullopt;
  }
  const std::size_t first = text.find('.');
  const std::size_t second = text.find('.', first + 1);
  return Token{text.substr(0, first), text.substr(first + 1, second - first - 1),
               text.substr(second + 1)};
}

// The JSON object in `text`; undefined and a failure after `context_text` where it is none.
Value ParseObject(CallContext& context, std::string_view text, std::string_view context_text) {
  const auto parsed = document::ParseJson(
      text, context.arena, {.duplicates = document::DuplicateKeys::kKeepLast, .max_depth = 10000});
  if (!parsed) {
    return context.Fail(std::string(context_text) + "invalid JSON: " + parsed.error().message);
  }
  if (!parsed->is_object()) {
    return context.Fail(std::string(context_text) + "decoded JSON type was not an Object");
  }
  return *parsed;
}

Value DecodeHeader(CallContext& context, const Token& token) {
  const auto text = DecodePart(token.header);
  if (!text) {
    return context.Fail("JWT header had invalid encoding: " + text.error());
  }
  const Value header = ParseObject(context, *text, "bad JWT header: ");
  if (header.is_defined() && header.Find("enc").is_defined()) {
    return context.Fail("JWT is a JWE object, which is not supported");
  }
  return header;
}

std::optional<std::string> DecodePayload(CallContext& context, const Token& token) {
  auto text = DecodePart(token.payload);
  if (text) {
    return *std::move(text);
  }
  context.Fail("JWT payload had invalid encoding: " + text.error());
  return std::nullopt;
}

Value MakeTriple(CallContext& context, Value a, Value b, Value c) {
  const std::span<Value> items = context.arena.AllocateArray<Value>(3);
  items[0] = a;
  items[1] = b;
  items[2] = c;
  return Value::Array(items);
}

Value Decode(CallContext& context, Arguments arguments) {
  Value text = arguments[0];
  while (true) {
    if (context.ShouldHalt()) {
      return {};
    }
    const auto token = SplitToken(context, text);
    const Value header = token ? DecodeHeader(context, *token) : Value();
    if (!header.is_defined()) {
      return {};
    }
    const auto payload = DecodePayload(context, *token);
    if (!payload) {
      return {};
    }
    // The payload is a token itself, perhaps in quotes.
    if (header.GetString({"cty"}) == "JWT") {
      std::string_view inner = *payload;
      const std::size_t begin = std::min(inner.find_first_not_of("\"'"), inner.size());
      inner = inner.substr(begin, inner.find_last_not_of("\"'") + 1 - begin);
      text = MakeString(context, inner);
      continue;
    }
    const Value claims = ParseObject(context, *payload, "");
    if (!claims.is_defined()) {
      return {};
    }
    const auto signature = DecodePart(token->signature);
    if (!signature) {
      return context.Fail("JWT signature had invalid encoding: " + signature.error());
    }
    return MakeTriple(context, header, claims, MakeString(context, EncodeHex(*signature)));
  }
}

// The members of a header that say how to verify.
struct HeaderFields {
  std::string_view algorithm;
  std::string_view key_id;
  std::string_view content_type;
  bool unknown_critical = false;  // Something that must be understood is not.
};

std::optional<HeaderFields> ReadHeader(CallContext& context, const Value& header) {
  HeaderFields fields;
  for (const std::string_view name : {"alg", "cty", "kid", "typ"}) {
    const Value value = header.Find(name);
    if (!value.is_defined()) {
      continue;
    }
    if (!value.is_string()) {
      context.Fail(std::string(name) + ": must be a string");
      return std::nullopt;
    }
    if (name == "alg") {
      fields.algorithm = value.string();
    }
    if (name == "kid") {
      fields.key_id = value.string();
    }
    if (name == "cty") {
      fields.content_type = value.string();
    }
  }
  const Value critical = header.Find("crit");
  if (!critical.is_defined()) {
    return fields;
  }
  if (!critical.is_array() || critical.size() == 0 || !critical.ItemAt(0).is_string()) {
    context.Fail(critical.is_array() ? "crit: must be a nonempty list" : "crit: must be a list");
    return std::nullopt;
  }
  for (std::uint32_t i = 0; i < critical.size(); ++i) {
    const Value name = critical.ItemAt(i);
    const bool known = name.is_string() && (name.string() == "alg" || name.string() == "kid" ||
                                            name.string() == "typ" || name.string() == "cty" ||
                                            name.string() == "crit");
    if (name.is_string() && !known && header.Find(name).is_defined()) {
      fields.unknown_critical = true;
    }
  }
  return fields;
}

std::shared_ptr<const Keys> FindKeys(CallContext& context, std::string_view text) {
  std::string error;
  auto keys = context.prepared.Get<Keys>("jwt keys", text, [&]() -> std::shared_ptr<const Keys> {
    auto parsed = ParseVerificationKeys(text);
    if (parsed) {
      return std::make_shared<const Keys>(*std::move(parsed));
    }
    error = std::move(parsed).error();
    return nullptr;
  });
  if (!keys) {
    context.Fail(std::move(error));
  }
  return keys;
}

// The key that the header names decides alone; else any key that may be meant.
bool VerifyWithAny(const Keys& keys, const HeaderFields& header, std::string_view algorithm,
                   const Token& token, std::string_view signature) {
  const auto verifies = [&](const JsonWebKey& key) {
    return VerifySignature(key, algorithm, token.signed_part(), signature);
  };
  if (!header.key_id.empty()) {
    const auto named = std::ranges::find(keys, header.key_id, &JsonWebKey::id);
    if (named != keys.end()) {
      return verifies(*named);
    }
  }
  return std::ranges::any_of(keys, [&](const JsonWebKey& key) {
    return (key.algorithm.empty() || key.algorithm == header.algorithm) && verifies(key);
  });
}

template <const char* const& algorithm>
Value VerifyWithKey(CallContext& context, Arguments arguments) {
  const auto token = SplitToken(context, arguments[0]);
  const auto text = token ? StringOperand(context, arguments, 2) : std::nullopt;
  if (!text) {
    return {};
  }
  const auto keys = FindKeys(context, *text);
  if (!keys) {
    return {};
  }
  const auto signature = DecodePart(token->signature);
  if (!signature) {
    return context.Fail(signature.error());
  }
  const Value header = DecodeHeader(context, *token);
  const auto fields = header.is_defined() ? ReadHeader(context, header) : std::nullopt;
  if (!fields) {
    return {};
  }
  return Value::Boolean(VerifyWithAny(*keys, *fields, algorithm, *token, *signature));
}

template <Hash hash>
Value VerifyWithSecret(CallContext& context, Arguments arguments) {
  if (!StringOperand(context, arguments, 1)) {
    return {};
  }
  const auto secret = StringOperand(context, arguments, 2);
  const auto token = secret ? SplitToken(context, arguments[0]) : std::nullopt;
  if (!token) {
    return {};
  }
  const auto signature = DecodePart(token->signature);
  if (!signature) {
    return context.Fail(signature.error());
  }
  return Value::Boolean(EqualInConstantTime(*signature, Hmac(hash, *secret, token->signed_part())));
}

// What io.jwt.decode_verify demands.
struct Constraints {
  std::shared_ptr<const Keys> keys;
  std::string_view secret;
  std::string_view algorithm;
  std::string_view issuer;
  std::string_view audience;
  double time_ns = -1;
};

std::optional<Constraints> ReadConstraints(CallContext& context, const Value& object) {
  Constraints constraints;
  for (std::uint32_t i = 0; i < object.size(); ++i) {
    const std::string_view name = object.KeyAt(i).is_string() ? object.KeyAt(i).string() : "";
    const Value value = object.ValueAt(i);
    if (name == "time") {
      if (!value.is_number()) {
        context.Fail("token time constraint: must be a number");
        return std::nullopt;
      }
      constraints.time_ns = document::ToDouble(value);
      if (constraints.time_ns < 0) {
        context.Fail("token time constraint: must not be negative");
        return std::nullopt;
      }
      continue;
    }
    std::string_view* place = name == "secret" ? &constraints.secret
                              : name == "alg"  ? &constraints.algorithm
                              : name == "iss"  ? &constraints.issuer
                              : name == "aud"  ? &constraints.audience
                                               : nullptr;
    if (place == nullptr && name != "cert") {
      context.Fail("unknown token validation constraint: " + std::string(name));
      return std::nullopt;
    }
    if (!value.is_string()) {
      context.Fail(std::string(name) + " constraint: must be a string");
      return std::nullopt;
    }
    if (place != nullptr) {
      *place = value.string();
    } else if (constraints.keys = FindKeys(context, value.string()); !constraints.keys) {
      return std::nullopt;
    }
  }
  if (constraints.time_ns < 0) {
    constraints.time_ns = static_cast<double>(context.query_time_ns);
  }
  if (constraints.keys && !constraints.secret.empty()) {
    context.Fail("duplicate key constraints");
    return std::nullopt;
  }
  if (!constraints.keys && constraints.secret.empty()) {
    context.Fail("no key constraint");
    return std::nullopt;
  }
  return constraints;
}

bool HasAudience(const Value& audience, std::string_view wanted) {
  if (audience.is_string()) {
    return audience.string() == wanted;
  }
  for (std::uint32_t i = 0; audience.is_array() && i < audience.size(); ++i) {
    if (audience.ItemAt(i).is_string() && audience.ItemAt(i).string() == wanted) {
      return true;
    }
  }
  return false;
}

// Whether the claims hold; nothing after a failure.
std::optional<bool> CheckClaims(CallContext& context, const Value& claims,
                                const Constraints& constraints) {
  const Value issuer = claims.Find("iss");
  if (!constraints.issuer.empty() &&
      (!issuer.is_string() || issuer.string() != constraints.issuer)) {
    return false;
  }
  const Value audience = claims.Find("aud");
  if (audience.is_defined() ? !HasAudience(audience, constraints.audience)
                            : !constraints.audience.empty()) {
    return false;
  }
  std::string seconds;
  AppendGoFloat(constraints.time_ns / 1e9, 'g', -1, &seconds);
  const Value now = Value::Decimal(context.arena.CopyString(seconds));
  for (const std::string_view name : {"exp", "nbf"}) {
    const Value limit = claims.Find(name);
    if (!limit.is_defined()) {
      continue;
    }
    if (!limit.is_number()) {
      context.Fail(std::string(name) + " value must be a number");
      return std::nullopt;
    }
    const auto order = document::Compare(now, limit);
    if (name == "exp" ? order >= 0 : order < 0) {
      return false;
    }
  }
  return true;
}

bool IsJwt(std::string_view content_type) {
  return content_type.size() == 3 && (content_type[0] | 0x20) == 'j' &&
         (content_type[1] | 0x20) == 'w' && (content_type[2] | 0x20) == 't';
}

Value DecodeVerify(CallContext& context, Arguments arguments) {
  if (!ObjectOperand(context, arguments, 2)) {
    return {};
  }
  const auto constraints = ReadConstraints(context, arguments[1]);
  if (!constraints) {
    return {};
  }
  const auto unverified = [&] {
    return MakeTriple(context, Value::Boolean(false), Value::Object({}), Value::Object({}));
  };
  Value text = arguments[0];
  while (true) {
    if (context.ShouldHalt()) {
      return {};
    }
    const auto token = SplitToken(context, text);
    const Value header = token ? DecodeHeader(context, *token) : Value();
    const auto fields = header.is_defined() ? ReadHeader(context, header) : std::nullopt;
    if (!fields) {
      return {};
    }
    if (fields->algorithm.empty() || fields->unknown_critical) {
      return unverified();
    }
    if (!constraints->algorithm.empty() && constraints->algorithm != fields->algorithm) {
      return unverified();
    }
    const auto signature = DecodePart(token->signature);
    if (!signature) {
      return context.Fail(signature.error());
    }
    Keys secret;
    if (!constraints->keys) {
      secret.push_back({.secret = std::string(constraints->secret)});
    }
    if (!VerifyWithAny(constraints->keys ? *constraints->keys : secret, *fields, fields->algorithm,
                       *token, *signature)) {
      return unverified();
    }
    const auto payload = DecodePayload(context, *token);
    if (!payload) {
      return {};
    }
    if (IsJwt(fields->content_type)) {
      text = MakeString(context, *payload);
      continue;
    }
    const Value claims = ParseObject(context, *payload, "");
    if (!claims.is_defined()) {
      return {};
    }
    const auto valid = CheckClaims(context, claims, *constraints);
    if (!valid) {
      return {};
    }
    return *valid ? MakeTriple(context, Value::Boolean(true), header, claims) : unverified();
  }
}

Value EncodeSignText(CallContext& context, std::string_view header, std::string_view payload,
                     std::string_view jwk) {
  const auto keys = ParseJsonWebKeys(jwk);
  if (!keys) {
    return context.Fail("failed to parse JWK: " + keys.error());
  }
  if (keys->empty()) {
    return context.Fail("no keys found in JWK set");
  }
  if (header.empty()) {
    return context.Fail(
        "missing or invalid 'alg' header: cannot parse JSON: cannot parse empty string; "
        "unparsed tail: \"\"");
  }
  const auto fields = document::ParseJson(header, context.arena,
                                          {.duplicates = document::DuplicateKeys::kKeepLast});
  if (!fields) {
    return context.Fail("missing or invalid 'alg' header: cannot parse JSON: " +
                        fields.error().message);
  }
  const Value algorithm = fields->Find("alg");
  if (!algorithm.is_defined()) {
    return context.Fail("missing or invalid 'alg' header: jwsbb: header \"alg\" not found");
  }
  if (!algorithm.is_string() || !IsSignatureAlgorithm(algorithm.string())) {
    return context.Fail("unknown JWS algorithm: " +
                        (algorithm.is_string() ? std::string(algorithm.string()) : ""));
  }
  const Value type = fields->Find("typ");
  const bool is_jwt = !type.is_string() || type.string() == "JWT";
  if (is_jwt && !document::ParseJson(payload, context.arena,
                                     {.duplicates = document::DuplicateKeys::kKeepLast})) {
    return context.Fail("type is JWT but payload is not JSON");
  }
  std::string text = EncodeBase64(header, Base64::kUrl, Padding::kNone);
  text.append(".").append(EncodeBase64(payload, Base64::kUrl, Padding::kNone));
  const auto signature = Sign(keys->front(), algorithm.string(), text);
  if (!signature) {
    return context.Fail("failed to sign: the key does not fit " + std::string(algorithm.string()));
  }
  text.append(".").append(EncodeBase64(*signature, Base64::kUrl, Padding::kNone));
  return MakeString(context, text);
}

Value EncodeSign(CallContext& context, Arguments arguments) {
  if (const auto fault = NumberFault(context, arguments[1])) {
    return context.Fail("failed to marshal JWT payload: " + *fault);
  }
  const auto json = [&](std::size_t i) {
    return document::ToJson(arguments[i], document::JsonStyle::kGo);
  };
  return EncodeSignText(context, json(0), json(1), json(2));
}

Value EncodeSignRaw(CallContext& context, Arguments arguments) {
  const auto jwk = StringOperand(context, arguments, 3);
  const auto header = jwk ? StringOperand(context, arguments, 1) : std::nullopt;
  const auto payload = header ? StringOperand(context, arguments, 2) : std::nullopt;
  if (!payload) {
    return {};
  }
  return EncodeSignText(context, *header, *payload, *jwk);
}

constexpr const char* kRs256 = "RS256";
constexpr const char* kRs384 = "RS384";
constexpr const char* kRs512 = "RS512";
constexpr const char* kPs256 = "PS256";
constexpr const char* kPs384 = "PS384";
constexpr const char* kPs512 = "PS512";
constexpr const char* kEs256 = "ES256";
constexpr const char* kEs384 = "ES384";
constexpr const char* kEs512 = "ES512";
constexpr const char* kEdDsa = "EdDSA";

constexpr std::string_view kVerifyType = "(string, string) -> boolean";
constexpr Builtin kBuiltins[] = {
    {.name = "io.jwt.decode",
     .type = "(string) -> [object[any: any], object[any: any], string]",
     .function = Decode},
    {.name = "io.jwt.decode_verify",
     .type = "(string, object[string: any]) -> [boolean, object[any: any], object[any: any]]",
     .function = DecodeVerify,
     .nondeterministic = true},
    {.name = "io.jwt.encode_sign",
     .type = "(object[string: any], object[string: any], object[string: any]) -> string",
     .function = EncodeSign,
     .nondeterministic = true},
    {.name = "io.jwt.encode_sign_raw",
     .type = "(string, string, string) -> string",
     .function = EncodeSignRaw,
     .nondeterministic = true},
    {.name = "io.jwt.verify_rs256", .type = kVerifyType, .function = VerifyWithKey<kRs256>},
    {.name = "io.jwt.verify_rs384", .type = kVerifyType, .function = VerifyWithKey<kRs384>},
    {.name = "io.jwt.verify_rs512", .type = kVerifyType, .function = VerifyWithKey<kRs512>},
    {.name = "io.jwt.verify_ps256", .type = kVerifyType, .function = VerifyWithKey<kPs256>},
    {.name = "io.jwt.verify_ps384", .type = kVerifyType, .function = VerifyWithKey<kPs384>},
    {.name = "io.jwt.verify_ps512", .type = kVerifyType, .function = VerifyWithKey<kPs512>},
    {.name = "io.jwt.verify_es256", .type = kVerifyType, .function = VerifyWithKey<kEs256>},
    {.name = "io.jwt.verify_es384", .type = kVerifyType, .function = VerifyWithKey<kEs384>},
    {.name = "io.jwt.verify_es512", .type = kVerifyType, .function = VerifyWithKey<kEs512>},
    {.name = "io.jwt.verify_eddsa", .type = kVerifyType, .function = VerifyWithKey<kEdDsa>},
    {.name = "io.jwt.verify_hs256",
     .type = kVerifyType,
     .function = VerifyWithSecret<Hash::kSha256>},
    {.name = "io.jwt.verify_hs384",
     .type = kVerifyType,
     .function = VerifyWithSecret<Hash::kSha384>},
    {.name = "io.jwt.verify_hs512",
     .type = kVerifyType,
     .function = VerifyWithSecret<Hash::kSha512>},
};

}  // namespace

std::span<const Builtin> JwtBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
