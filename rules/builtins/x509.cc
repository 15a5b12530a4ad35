// crypto.x509.* and crypto.parse_private_keys. SOURCE: OPA's policy reference, "Crypto".

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "document/json.h"
#include "rules/builtins/certificate.h"
#include "rules/builtins/codec.h"
#include "rules/builtins/families.h"
#include "rules/builtins/key_pair.h"
#include "rules/builtins/keys.h"
#include "rules/builtins/operands.h"
#include "rules/builtins/private_key.h"

namespace portcullis::builtins {
namespace {

constexpr std::string_view kPem = "-----BEGIN";

GoResult<std::string> Decode(std::string_view base64) {
  auto bytes = DecodeBase64(base64, Base64::kStandard, Padding::kRequired);
  if (!bytes) {
    return std::unexpected("illegal base64 data at input byte " + std::to_string(bytes.error()));
  }
  return *std::move(bytes);
}

GoResult<std::vector<Certificate>> CertificatesOfPem(std::string_view pem) {
  std::string der;
  while (const auto block = TakePemBlock(&pem)) {
    if (block->type != "CERTIFICATE") {
      return std::unexpected("PEM block type is '" + block->type + "', expected CERTIFICATE");
    }
    der.append(block->bytes);
  }
  return ParseCertificates(der);
}

// PEM, or PEM or DER in base64.
GoResult<std::vector<Certificate>> CertificatesOf(std::string_view text) {
  if (text.starts_with(kPem)) {
    return CertificatesOfPem(text);
  }
  const auto bytes = Decode(text);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  return bytes->starts_with(kPem) ? CertificatesOfPem(*bytes) : ParseCertificates(*bytes);
}

Value ParseAll(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  const auto certificates = CertificatesOf(*text);
  if (!certificates) {
    return context.Fail(certificates.error());
  }
  document::ArrayBuilder values(context.arena);
  for (const Certificate& certificate : *certificates) {
    values.Add(ToValue(context, certificate, UriStrings::kWith));
  }
  return values.Finish();
}

Value Pair(CallContext& context, bool valid, Value list) {
  const std::span<Value> items = context.arena.AllocateArray<Value>(2);
  items[0] = Value::Boolean(valid);
  items[1] = list;
  return Value::Array(items);
}

Value Verify(CallContext& context, const std::vector<Certificate>& certificates,
             const VerifyOptions& options, UriStrings uris) {
  const std::int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                                  context.clock.WallNow().time_since_epoch())
                                  .count();
  const auto chain =
      certificates.size() < 2 ? std::nullopt : VerifyChain(certificates, options, now_ns);
  document::ArrayBuilder values(context.arena);
  for (const std::size_t place : chain.value_or(std::vector<std::size_t>())) {
    values.Add(ToValue(context, certificates[place], uris));
  }
  return Pair(context, chain.has_value(), values.Finish());
}

Value ParseAndVerify(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  const auto certificates = CertificatesOf(*text);
  if (!certificates) {
    return Pair(context, false, Value::Array({}));
  }
  return Verify(context, *certificates, {}, UriStrings::kWith);
}

std::string_view WithoutQuotes(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of('"'), text.size());
  return text.substr(begin, text.find_last_not_of('"') + 1 - begin);
}

GoResult<std::vector<std::int64_t>> ReadUsages(const Value& value) {
  // By Go's number.
  constexpr std::string_view kNames[] = {"Any",
                                         "ServerAuth",
                                         "ClientAuth",
                                         "CodeSigning",
                                         "EmailProtection",
                                         "IPSECEndSystem",
                                         "IPSECTunnel",
                                         "IPSECUser",
                                         "TimeStamping",
                                         "OCSPSigning",
                                         "MicrosoftServerGatedCrypto",
                                         "NetscapeServerGatedCrypto",
                                         "MicrosoftCommercialCodeSigning",
                                         "MicrosoftKernelCodeSigning"};
  if (!IsCollection(value)) {
    return std::unexpected("'KeyUsages' should be an Array or Set");
  }
  std::vector<std::int64_t> usages;
  std::string unknown;
  for (std::uint32_t i = 0; i < value.size(); ++i) {
    if (!value.ItemAt(i).is_string()) {
      continue;
    }
    const std::string_view name = WithoutQuotes(value.ItemAt(i).string());
    constexpr std::string_view kPrefix = "KeyUsage";
    const auto* const found = std::ranges::find(
        kNames, name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : std::string_view());
    if (found == std::end(kNames)) {
      unknown.append(unknown.empty() ? "" : " ").append(name);
    } else {
      usages.push_back(found - std::begin(kNames));
    }
  }
  if (!unknown.empty()) {
    return std::unexpected("invalid entries for 'KeyUsages' found: [" + unknown + "]");
  }
  return usages;
}

GoResult<VerifyOptions> ReadOptions(const Value& object) {
  VerifyOptions options;
  for (std::uint32_t i = 0; i < object.size(); ++i) {
    if (!object.KeyAt(i).is_string()) {
      continue;
    }
    const std::string_view name = object.KeyAt(i).string();
    const Value value = object.ValueAt(i);
    if (name == "DNSName") {
      if (!value.is_string()) {
        return std::unexpected("'DNSName' should be a string");
      }
      options.dns_name = WithoutQuotes(value.string());
    } else if (name == "CurrentTime") {
      if (!value.is_number()) {
        return std::unexpected("'CurrentTime' should be a number");
      }
      options.time_ns = AsGoInt(value);
      if (!options.time_ns) {
        return std::unexpected("'CurrentTime' should be a valid int64 number");
      }
    } else if (name == "MaxConstraintComparisons") {
      // Go takes the number and does not use it.
      if (!value.is_number()) {
        return std::unexpected("'MaxConstraintComparisons' should be a number");
      }
      if (!AsGoInt(value)) {
        return std::unexpected("'MaxConstraintComparisons' should be a valid number");
      }
    } else if (name == "KeyUsages") {
      auto usages = ReadUsages(value);
      if (!usages) {
        return std::unexpected(usages.error());
      }
      options.usages = *std::move(usages);
    } else {
      return std::unexpected("invalid key option");
    }
  }
  return options;
}

Value ParseAndVerifyWithOptions(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text || !ObjectOperand(context, arguments, 2)) {
    return {};
  }
  const auto certificates = CertificatesOf(*text);
  if (!certificates) {
    return Pair(context, false, Value::Array({}));
  }
  const auto options = ReadOptions(arguments[1]);
  if (!options) {
    return context.Fail(options.error());
  }
  return Verify(context, *certificates, *options, UriStrings::kWithout);
}

Value ParseRequest(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  std::string bytes(*text);
  if (!text->starts_with("-----BEGIN CERTIFICATE REQUEST-----")) {
    auto decoded = Decode(*text);
    if (!decoded) {
      return context.Fail(decoded.error());
    }
    bytes = *std::move(decoded);
  }
  std::string_view rest = bytes;
  if (auto block = TakePemBlock(&rest)) {
    if (block->type != "CERTIFICATE REQUEST") {
      return context.Fail("invalid PEM-encoded certificate signing request");
    }
    bytes = std::move(block->bytes);
  }
  const auto request = ParseCertificateRequest(bytes);
  return request ? ToValue(context, *request) : context.Fail(request.error());
}

// A part of a pair as PEM; what is no PEM is base64 of PEM or DER.
GoResult<std::string> AsPem(std::string_view text, std::string_view begin, std::string_view type) {
  if (text.starts_with("-----BEGIN ")) {
    return std::string(text);
  }
  auto bytes = Decode(text);
  if (!bytes || bytes->starts_with(begin)) {
    return bytes;
  }
  std::string pem = "-----BEGIN " + std::string(type) + "-----\n";
  pem.append(EncodeBase64(*bytes, Base64::kStandard, Padding::kRequired));
  return pem + "\n-----END " + std::string(type) + "-----\n";
}

Value ParseKeyPair(CallContext& context, Arguments arguments) {
  const auto certificate = StringOperand(context, arguments, 1);
  if (!certificate) {
    return {};
  }
  if (!arguments[1].is_string()) {
    return context.FailOperand(1, "string", arguments[1]);
  }
  const auto certificate_pem = AsPem(*certificate, "-----BEGIN ", "CERTIFICATE");
  if (!certificate_pem) {
    return context.Fail(certificate_pem.error());
  }
  const auto key_pem = AsPem(arguments[1].string(), kPem, "PRIVATE KEY");
  if (!key_pem) {
    return context.Fail(key_pem.error());
  }
  const auto pair = ReadKeyPair(*certificate_pem, *key_pem);
  if (!pair) {
    return context.Fail(pair.error());
  }
  document::ArrayBuilder blocks(context.arena);
  for (const std::string& block : pair->chain) {
    blocks.Add(MakeString(context, EncodeBase64(block, Base64::kStandard, Padding::kRequired)));
  }
  document::ObjectBuilder object(context.arena);
  object.Add("Certificate", blocks.Finish());
  object.Add("PrivateKey", ToValue(context, pair->key));
  object.Add("SupportedSignatureAlgorithms", Value::Null());
  object.Add("OCSPStaple", Value::Null());
  object.Add("SignedCertificateTimestamps", Value::Null());
  object.Add("Leaf", ToValue(context, pair->leaf, UriStrings::kWithout));
  return object.Finish();
}

GoResult<std::vector<PrivateKey>> PrivateKeysOf(std::string_view text) {
  std::string decoded;
  if (auto bytes = Decode(text)) {
    decoded = *std::move(bytes);
    text = decoded;
  }
  std::vector<PrivateKey> keys;
  while (const auto block = TakePemBlock(&text)) {
    if (block->type != "RSA PRIVATE KEY" && block->type != "PRIVATE KEY" &&
        block->type != "EC PRIVATE KEY") {
      continue;
    }
    auto key = block->type == "RSA PRIVATE KEY" ? ParsePkcs1Key(block->bytes)
               : block->type == "PRIVATE KEY"   ? ParsePkcs8Key(block->bytes)
                                                : ParseEcKey(block->bytes);
    if (!key) {
      return std::unexpected(key.error());
    }
    keys.push_back(*std::move(key));
  }
  return keys;
}

Value ParsePrivateKeys(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  if (text->empty()) {
    return Value::Null();
  }
  const auto keys = PrivateKeysOf(*text);
  if (!keys) {
    return context.Fail(keys.error());
  }
  document::ArrayBuilder values(context.arena);
  for (const PrivateKey& key : *keys) {
    values.Add(ToValue(context, key));
  }
  return values.Finish();
}

// The first private key, of any kind, as a JWK.
Value ParseRsaPrivateKey(CallContext& context, Arguments arguments) {
  const auto text = StringOperand(context, arguments, 1);
  if (!text) {
    return {};
  }
  if (text->empty()) {
    return context.Fail("input PEM data was empty");
  }
  std::string pem(*text);
  if (!pem.starts_with(kPem)) {
    auto decoded = Decode(pem);
    if (!decoded) {
      return context.Fail(decoded.error());
    }
    pem = *std::move(decoded);
  }
  const auto keys = PrivateKeysOf(pem);
  if (!keys) {
    return context.Fail(keys.error());
  }
  if (keys->empty()) {
    return Value::Null();
  }
  const auto key = ToJsonWebKey(context, keys->front());
  return key ? *key : context.Fail(key.error());
}

constexpr Builtin kBuiltins[] = {
    {.name = "crypto.x509.parse_certificates",
     .type = "(string) -> array[object[string: any]]",
     .function = ParseAll},
    {.name = "crypto.x509.parse_and_verify_certificates",
     .type = "(string) -> [boolean, array[object[string: any]]]",
     .function = ParseAndVerify},
    {.name = "crypto.x509.parse_and_verify_certificates_with_options",
     .type = "(string, object[string: any]) -> [boolean, array[object[string: any]]]",
     .function = ParseAndVerifyWithOptions},
    {.name = "crypto.x509.parse_certificate_request",
     .type = "(string) -> object[string: any]",
     .function = ParseRequest},
    {.name = "crypto.x509.parse_keypair",
     .type = "(string, string) -> object[string: any]",
     .function = ParseKeyPair},
    {.name = "crypto.x509.parse_rsa_private_key",
     .type = "(string) -> object[string: any]",
     .function = ParseRsaPrivateKey},
    {.name = "crypto.parse_private_keys",
     .type = "(string) -> array[object[string: any]]",
     .function = ParsePrivateKeys},
};

}  // namespace

std::span<const Builtin> X509Builtins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
