// Keys that sign and verify: from certificates, PEM and JSON Web Keys, by OpenSSL.

#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/value.h"

struct evp_pkey_st;

namespace portcullis::builtins {

using PublicKey = std::shared_ptr<evp_pkey_st>;

struct JsonWebKey {
  std::string algorithm = {};  // "alg"; empty where none is named.
  std::string id = {};         // "kid"
  PublicKey key = {};          // With its private part where the JWK has one. Null for a secret.
  std::string secret = {};     // "k" of kty "oct".
};

// Go's name of a signature algorithm ("RS256", "EdDSA") is one that Verify and Sign know.
[[nodiscard]] bool IsSignatureAlgorithm(std::string_view algorithm);

// A JWK or a set of them. ERRORS: what is wrong.
[[nodiscard]] std::expected<std::vector<JsonWebKey>, std::string> ParseJsonWebKeys(
    std::string_view text);
// A certificate or public key in PEM, or what ParseJsonWebKeys reads. ERRORS: OPA's text.
[[nodiscard]] std::expected<std::vector<JsonWebKey>, std::string> ParseVerificationKeys(
    std::string_view text);

// Whether `signature` is the JWS signature of `text`. False also where key and algorithm do not go together.
[[nodiscard]] bool VerifySignature(const JsonWebKey& key, std::string_view algorithm,
                                   std::string_view text, std::string_view signature);
[[nodiscard]] std::optional<std::string> Sign(const JsonWebKey& key, std::string_view algorithm,
                                              std::string_view text);

// One block of a PEM text.
struct PemBlock {
  std::string type;   // "CERTIFICATE"
  std::string bytes;  // DER
};
// The next block of `text`, which is moved behind it; nothing where no whole block follows.
[[nodiscard]] std::optional<PemBlock> TakePemBlock(std::string_view* text);

enum class Hash : std::uint8_t { kMd5, kSha1, kSha256, kSha384, kSha512 };
[[nodiscard]] std::string Digest(Hash hash, std::string_view bytes);
[[nodiscard]] std::string Hmac(Hash hash, std::string_view key, std::string_view bytes);
[[nodiscard]] bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace portcullis::builtins
