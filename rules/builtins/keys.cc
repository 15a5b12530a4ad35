#include "rules/builtins/keys.h"

#include <utility>

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include "document/arena.h"
#include "document/json.h"
#include "rules/builtins/codec.h"
#include "rules/builtins/openssl_ptr.h"

namespace portcullis::builtins {
namespace {

using document::Value;

// What a signature algorithm is made of.
struct Scheme {
  std::string_view name;
  enum class Kind : std::uint8_t { kHmac, kRsa, kRsaPss, kEcdsa, kEddsa } kind;
  Hash hash;
};
constexpr Scheme kSchemes[] = {
    {"HS256", Scheme::Kind::kHmac, Hash::kSha256},
    {"HS384", Scheme::Kind::kHmac, Hash::kSha384},
    {"HS512", Scheme::Kind::kHmac, Hash::kSha512},
    {"RS256", Scheme::Kind::kRsa, Hash::kSha256},
    {"RS384", Scheme::Kind::kRsa, Hash::kSha384},
    {"RS512", Scheme::Kind::kRsa, Hash::kSha512},
    {"PS256", Scheme::Kind::kRsaPss, Hash::kSha256},
    {"PS384", Scheme::Kind::kRsaPss, Hash::kSha384},
    {"PS512", Scheme::Kind::kRsaPss, Hash::kSha512},
    {"ES256", Scheme::Kind::kEcdsa, Hash::kSha256},
    {"ES384", Scheme::Kind::kEcdsa, Hash::kSha384},
    {"ES512", Scheme::Kind::kEcdsa, Hash::kSha512},
    {"EdDSA", Scheme::Kind::kEddsa, Hash::kSha512},
};

const Scheme* FindScheme(std::string_view name) {
  for (const Scheme& scheme : kSchemes) {
    if (scheme.name == name) {
      return &scheme;
    }
  }
  return nullptr;
}

const EVP_MD* Algorithm(Hash hash) {
  return hash == Hash::kSha256 ? EVP_sha256() : hash == Hash::kSha384 ? EVP_sha384() : EVP_sha512();
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// A member of a JWK in base64url, or nothing.
std::optional<std::string> Member(const Value& jwk, std::string_view name) {
  const Value member = jwk.Find(name);
  if (!member.is_string()) {
    return std::nullopt;
  }
  std::string_view text = member.string();
  while (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  auto bytes = DecodeBase64(text, Base64::kUrl, Padding::kNone);
  if (!bytes) {
    return std::nullopt;
  }
  return *std::move(bytes);
}

OwnedBignum ToBignum(std::string_view bytes) {
  return OwnedBignum(BN_bin2bn(Bytes(bytes), static_cast<int>(bytes.size()), nullptr));
}

// Makes a key of OpenSSL's `type` ("RSA", "EC") from named parameters.
class KeyBuilder {
 public:
  void Number(const char* name, std::string_view bytes) {
    numbers_.push_back(ToBignum(bytes));
    OSSL_PARAM_BLD_push_BN(builder_.get(), name, numbers_.back().get());
  }
  void Text(const char* name, const char* text) {
    OSSL_PARAM_BLD_push_utf8_string(builder_.get(), name, text, 0);
  }
  void Octets(const char* name, std::string bytes) {
    octets_.push_back(std::make_unique<std::string>(std::move(bytes)));
    OSSL_PARAM_BLD_push_octet_string(builder_.get(), name, octets_.back()->data(),
                                     octets_.back()->size());
  }
  PublicKey Build(const char* type, bool with_private) {
    const OwnedParams params(OSSL_PARAM_BLD_to_param(builder_.get()));
    const OwnedKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key,
                          with_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                          params.get()) != 1) {
      return nullptr;
    }
    return {key, EVP_PKEY_free};
  }

 private:
  OwnedParamBuilder builder_{OSSL_PARAM_BLD_new()};
  // The builder points to these until it is done.
  std::vector<OwnedBignum> numbers_;
  std::vector<std::unique_ptr<std::string>> octets_;
};

PublicKey RsaKey(const Value& jwk) {
  const auto modulus = Member(jwk, "n");
  const auto exponent = Member(jwk, "e");
  if (!modulus || !exponent) {
    return nullptr;
  }
  KeyBuilder builder;
  builder.Number(OSSL_PKEY_PARAM_RSA_N, *modulus);
  builder.Number(OSSL_PKEY_PARAM_RSA_E, *exponent);
  const auto secret = Member(jwk, "d");
  if (secret) {
    builder.Number(OSSL_PKEY_PARAM_RSA_D, *secret);
    constexpr std::pair<const char*, const char*> kParts[] = {
        {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
        {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
        {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
        {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
        {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
    for (const auto& [name, parameter] : kParts) {
      if (const auto part = Member(jwk, name)) {
        builder.Number(parameter, *part);
      }
    }
  }
  return builder.Build("RSA", secret.has_value());
}

PublicKey EcKey(const Value& jwk) {
  constexpr std::pair<std::string_view, std::pair<const char*, std::size_t>> kCurves[] = {
      {"P-256", {"P-256", 32}}, {"P-384", {"P-384", 48}}, {"P-521", {"P-521", 66}}};
  for (const auto& [name, curve] : kCurves) {
    if (jwk.GetString({"crv"}) != name) {
      continue;
    }
    auto x = Member(jwk, "x");
    auto y = Member(jwk, "y");
    if (!x || !y || x->size() > curve.second || y->size() > curve.second) {
      return nullptr;
    }
    x->insert(0, curve.second - x->size(), '\0');
    y->insert(0, curve.second - y->size(), '\0');
    KeyBuilder builder;
    builder.Text(OSSL_PKEY_PARAM_GROUP_NAME, curve.first);
    builder.Octets(OSSL_PKEY_PARAM_PUB_KEY, "\x04" + *x + *y);
    const auto secret = Member(jwk, "d");
    if (secret) {
      builder.Number(OSSL_PKEY_PARAM_PRIV_KEY, *secret);
    }
    return builder.Build("EC", secret.has_value());
  }
  return nullptr;
}

PublicKey EdKey(const Value& jwk) {
  const auto secret = Member(jwk, "d");
  const auto open = Member(jwk, "x");
  if (jwk.GetString({"crv"}) != "Ed25519" || !open) {
    return nullptr;
  }
  EVP_PKEY* key =
      secret
          ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(*secret), secret->size())
          : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(*open), open->size());
  return key == nullptr ? nullptr : PublicKey(key, EVP_PKEY_free);
}

std::optional<JsonWebKey> ToKey(const Value& jwk) {
  if (!jwk.is_object()) {
    return std::nullopt;
  }
  JsonWebKey result;
  result.algorithm = jwk.GetString({"alg"});
  result.id = jwk.GetString({"kid"});
  const std::string_view type = jwk.GetString({"kty"});
  if (type == "oct") {
    auto secret = Member(jwk, "k");
    if (!secret) {
      return std::nullopt;
    }
    result.secret = *std::move(secret);
    return result;
  }
  result.key = type == "RSA"   ? RsaKey(jwk)
               : type == "EC"  ? EcKey(jwk)
               : type == "OKP" ? EdKey(jwk)
                               : nullptr;
  if (!result.key) {
    return std::nullopt;
  }
  return result;
}

// r and s side by side, as JWS has them, in the DER that OpenSSL reads.
std::optional<std::string> ToDerSignature(std::string_view signature) {
  const std::size_t half = signature.size() / 2;
  const OwnedSignature pair(ECDSA_SIG_new());
  OwnedBignum r = ToBignum(signature.substr(0, half));
  OwnedBignum s = ToBignum(signature.substr(half));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.release(), s.release()) != 1) {
    return std::nullopt;
  }
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size < 0) {
    return std::nullopt;
  }
  std::string result(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return result;
}

std::optional<std::string> FromDerSignature(std::string_view der, EVP_PKEY* key) {
  const unsigned char* at = Bytes(der);
  const OwnedSignature pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!pair) {
    return std::nullopt;
  }
  const int size = (EVP_PKEY_get_bits(key) + 7) / 8;
  std::string result(2 * static_cast<std::size_t>(size), '\0');
  auto* out = reinterpret_cast<unsigned char*>(result.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, size);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + size, size);
  return result;
}

bool Fits(const Scheme& scheme, EVP_PKEY* key) {
  switch (scheme.kind) {
    case Scheme::Kind::kHmac:
      return false;
    case Scheme::Kind::kRsa:
    case Scheme::Kind::kRsaPss:
      return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
    case Scheme::Kind::kEcdsa:
      return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
    case Scheme::Kind::kEddsa:
      return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
  }
  return false;
}

bool SetPadding(const Scheme& scheme, EVP_PKEY_CTX* context, int salt_length) {
  return scheme.kind != Scheme::Kind::kRsaPss ||
         (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
          EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt_length) == 1);
}

}  // namespace

bool IsSignatureAlgorithm(std::string_view algorithm) {
  return FindScheme(algorithm) != nullptr;
}

std::expected<std::vector<JsonWebKey>, std::string> ParseJsonWebKeys(std::string_view text) {
  document::Arena arena;
  const auto parsed =
      document::ParseJson(text, arena, {.duplicates = document::DuplicateKeys::kKeepLast});
  if (!parsed) {
    return std::unexpected(parsed.error().message);
  }
  if (!parsed->is_object()) {
    return std::unexpected("not an object");
  }
  std::vector<JsonWebKey> keys;
  const Value set = parsed->Find("keys");
  if (!set.is_defined()) {
    auto key = ToKey(*parsed);
    if (!key) {
      return std::unexpected("no key of a known type");
    }
    keys.push_back(*std::move(key));
    return keys;
  }
  for (std::uint32_t i = 0; set.is_array() && i < set.size(); ++i) {
    auto key = ToKey(set.ItemAt(i));
    if (!key) {
      return std::unexpected("no key of a known type");
    }
    keys.push_back(*std::move(key));
  }
  return keys;
}

std::expected<std::vector<JsonWebKey>, std::string> ParseVerificationKeys(std::string_view text) {
  std::string_view rest = text;
  const auto block = TakePemBlock(&rest);
  if (block) {
    if (!rest.empty()) {
      return std::unexpected("extra data after a PEM certificate block");
    }
    const unsigned char* at = Bytes(block->bytes);
    const auto size = static_cast<long>(block->bytes.size());
    JsonWebKey key;
    if (block->type == "CERTIFICATE") {
      const OwnedCertificate certificate(d2i_X509(nullptr, &at, size));
      if (certificate) {
        key.key = PublicKey(X509_get_pubkey(certificate.get()), EVP_PKEY_free);
      }
      if (!key.key) {
        return std::unexpected("failed to parse a PEM certificate: x509: malformed certificate");
      }
    } else if (block->type == "PUBLIC KEY") {
      key.key = PublicKey(d2i_PUBKEY(nullptr, &at, size), EVP_PKEY_free);
      if (!key.key) {
        return std::unexpected("failed to parse a PEM public key: asn1: structure error");
      }
    } else {
      return std::unexpected("failed to extract a Key from the PEM certificate");
    }
    return std::vector{std::move(key)};
  }
  auto keys = ParseJsonWebKeys(text);
  if (!keys) {
    return std::unexpected("failed to parse a JWK key (set): " + keys.error());
  }
  std::erase_if(*keys, [](const JsonWebKey& key) {
    return !key.algorithm.empty() && !IsSignatureAlgorithm(key.algorithm);
  });
  return keys;
}

bool VerifySignature(const JsonWebKey& key, std::string_view algorithm, std::string_view text,
                     std::string_view signature) {
  const Scheme* scheme = FindScheme(algorithm);
  if (scheme == nullptr) {
    return false;
  }
  if (scheme->kind == Scheme::Kind::kHmac) {
    return !key.key && EqualInConstantTime(Hmac(scheme->hash, key.secret, text), signature);
  }
  if (!key.key || !Fits(*scheme, key.key.get())) {
    return false;
  }
  std::string bytes(signature);
  if (scheme->kind == Scheme::Kind::kEcdsa) {
    auto der = ToDerSignature(signature);
    if (!der) {
      return false;
    }
    bytes = *std::move(der);
  }
  const OwnedDigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  const EVP_MD* digest = scheme->kind == Scheme::Kind::kEddsa ? nullptr : Algorithm(scheme->hash);
  return EVP_DigestVerifyInit(context.get(), &key_context, digest, nullptr, key.key.get()) == 1 &&
         SetPadding(*scheme, key_context, RSA_PSS_SALTLEN_AUTO) &&
         EVP_DigestVerify(context.get(), Bytes(bytes), bytes.size(), Bytes(text), text.size()) == 1;
}

std::optional<std::string> Sign(const JsonWebKey& key, std::string_view algorithm,
                                std::string_view text) {
  const Scheme* scheme = FindScheme(algorithm);
  if (scheme == nullptr) {
    return std::nullopt;
  }
  if (scheme->kind == Scheme::Kind::kHmac) {
    if (key.key) {
      return std::nullopt;
    }
    return Hmac(scheme->hash, key.secret, text);
  }
  if (!key.key || !Fits(*scheme, key.key.get())) {
    return std::nullopt;
  }
  const OwnedDigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  const EVP_MD* digest = scheme->kind == Scheme::Kind::kEddsa ? nullptr : Algorithm(scheme->hash);
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), &key_context, digest, nullptr, key.key.get()) != 1 ||
      !SetPadding(*scheme, key_context, RSA_PSS_SALTLEN_DIGEST) ||
      EVP_DigestSign(context.get(), nullptr, &size, Bytes(text), text.size()) != 1) {
    return std::nullopt;
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     Bytes(text), text.size()) != 1) {
    return std::nullopt;
  }
  signature.resize(size);
  return scheme->kind == Scheme::Kind::kEcdsa ? FromDerSignature(signature, key.key.get())
                                              : signature;
}

}  // namespace portcullis::builtins
