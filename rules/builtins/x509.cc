// crypto.x509.* and crypto.parse_private_keys. SOURCE: OPA's policy reference, "Crypto".

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "document/json.h"
#include "rules/builtins/certificate.h"
#include "rules/builtins/codec.h"
#include "rules/builtins/families.h"
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

// "[A B]", as Go prints a list.
std::string Listed(const std::vector<std::string>& names) {
  std::string text = "[";
  for (const std::string& name : names) {
    text.append(text.size() == 1 ? "" : " ").append(name);
  }
  return text + "]";
}

GoResult<std::vector<std::string>> CertificateBlocks(std::string_view pem) {
  std::vector<std::string> blocks;
  std::vector<std::string> skipped;
  while (auto block = TakePemBlock(&pem)) {
    if (block->type == "CERTIFICATE") {
      blocks.push_back(std::move(block->bytes));
    } else {
      skipped.push_back(std::move(block->type));
    }
  }
  if (!blocks.empty()) {
    return blocks;
  }
  if (skipped.empty()) {
    return std::unexpected("tls: failed to find any PEM data in certificate input");
  }
  if (skipped.size() == 1 && skipped[0].ends_with("PRIVATE KEY")) {
    return std::unexpected(
        "tls: failed to find certificate PEM data in certificate input, but did find a private "
        "key; PEM inputs may have been switched");
  }
  return std::unexpected(
      "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM "
      "blocks of the following types: " +
      Listed(skipped));
}

GoResult<std::string> KeyBlock(std::string_view pem) {
  std::vector<std::string> skipped;
  while (auto block = TakePemBlock(&pem)) {
    if (block->type == "PRIVATE KEY" || block->type.ends_with(" PRIVATE KEY")) {
      return std::move(block->bytes);
    }
    skipped.push_back(std::move(block->type));
  }
  if (skipped.empty()) {
    return std::unexpected("tls: failed to find any PEM data in key input");
  }
  if (skipped.size() == 1 && skipped[0] == "CERTIFICATE") {
    return std::unexpected(
        "tls: found a certificate rather than a key in the PEM for the private key");
  }
  return std::unexpected(
      "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after "
      "skipping PEM blocks of the following types: " +
      Listed(skipped));
}

GoResult<PrivateKey> ParseAnyKey(std::string_view der) {
  if (auto key = ParsePkcs1Key(der)) {
    return key;
  }
  if (auto key = ParsePkcs8Key(der)) {
    const auto* ed = std::get_if<EdPrivateKey>(&*key);
    if (ed != nullptr && !ed->signs) {
      return std::unexpected("tls: found unknown private key type in PKCS#8 wrapping");
    }
    return key;
  }
  auto key = ParseEcKey(der);
  return key ? std::move(key) : std::unexpected("tls: failed to parse private key");
}

// Whether the key is the certificate's. ERRORS: Go's text.
GoResult<void> CheckPair(const AnyPublicKey& open, const PrivateKey& key) {
  const auto same = [](const BigInt& a, const BigInt& b) { return mpz_cmp(a.get(), b.get()) == 0; };
  bool fits = false;
  bool matches = false;
  if (const auto* rsa = std::get_if<RsaPublicKey>(&open)) {
    const auto* secret = std::get_if<RsaPrivateKey>(&key);
    fits = secret != nullptr;
    matches =
        fits && same(secret->open.modulus, rsa->modulus) && secret->open.exponent == rsa->exponent;
  } else if (const auto* ec = std::get_if<EcPublicKey>(&open)) {
    const auto* secret = std::get_if<EcPrivateKey>(&key);
    fits = secret != nullptr;
    matches = fits && secret->open.curve == ec->curve && same(secret->open.x, ec->x) &&
              same(secret->open.y, ec->y);
  } else if (const auto* ed = std::get_if<EdPublicKey>(&open)) {
    const auto* secret = std::get_if<EdPrivateKey>(&key);
    fits = secret != nullptr;
    matches = fits && secret->open == ed->bytes;
  } else {
    return std::unexpected("tls: unknown public key algorithm");
  }
  if (!fits) {
    return std::unexpected("tls: private key type does not match public key type");
  }
  if (!matches) {
    return std::unexpected("tls: private key does not match public key");
  }
  return {};
}

struct KeyPair {
  std::vector<std::string> blocks;
  Certificate leaf;
  PrivateKey key;
};

// What is no PEM is base64 of PEM or DER.
GoResult<std::vector<std::string>> CertificateInput(std::string_view text) {
  if (text.starts_with("-----BEGIN ")) {
    return CertificateBlocks(text);
  }
  auto bytes = Decode(text);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  return bytes->starts_with("-----BEGIN ") ? CertificateBlocks(*bytes)
                                           : std::vector{*std::move(bytes)};
}

GoResult<std::string> KeyInput(std::string_view text) {
  if (text.starts_with("-----BEGIN ")) {
    return KeyBlock(text);
  }
  auto bytes = Decode(text);
  return bytes && bytes->starts_with(kPem) ? KeyBlock(*bytes) : bytes;
}

GoResult<KeyPair> ReadPair(std::string_view certificate_text, std::string_view key_text) {
  // Both are decoded before either is read.
  for (const std::string_view text : {certificate_text, key_text}) {
    if (!text.starts_with("-----BEGIN ")) {
      if (auto decoded = Decode(text); !decoded) {
        return std::unexpected(decoded.error());
      }
    }
  }
  auto blocks = CertificateInput(certificate_text);
  if (!blocks) {
    return std::unexpected(blocks.error());
  }
  const auto der = KeyInput(key_text);
  if (!der) {
    return std::unexpected(der.error());
  }
  auto certificates = ParseCertificates(blocks->front());
  if (!certificates) {
    return std::unexpected(certificates.error());
  }
  if (certificates->size() != 1) {
    return std::unexpected(certificates->empty() ? "x509: malformed certificate"
                                                 : "x509: trailing data");
  }
  auto key = ParseAnyKey(*der);
  if (!key) {
    return std::unexpected(key.error());
  }
  if (const auto checked = CheckPair(certificates->front().key.key, *key); !checked) {
    return std::unexpected(checked.error());
  }
  return KeyPair{*std::move(blocks), std::move(certificates->front()), *std::move(key)};
}

Value ParseKeyPair(CallContext& context, Arguments arguments) {
  const auto certificate = StringOperand(context, arguments, 1);
  if (!certificate) {
    return {};
  }
  if (!arguments[1].is_string()) {
    return context.FailOperand(1, "string", arguments[1]);
  }
  const auto pair = ReadPair(*certificate, arguments[1].string());
  if (!pair) {
    return context.Fail(pair.error());
  }
  document::ArrayBuilder blocks(context.arena);
  for (const std::string& block : pair->blocks) {
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
