// Private keys as Go's crypto/x509 reads them (PKCS #1, PKCS #8, SEC 1).

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/builtins/certificate.h"

namespace portcullis::builtins {

struct RsaPrivateKey {
  RsaPublicKey open;
  BigInt d;
  std::vector<BigInt> primes;
  BigInt dp, dq, q_inverse;
};
struct EcPrivateKey {
  EcPublicKey open;
  BigInt d;
};
struct EdPrivateKey {
  std::string seed;
  std::string open;
  bool signs = true;  // Ed25519; else X25519.
};
using PrivateKey = std::variant<RsaPrivateKey, EcPrivateKey, EdPrivateKey>;

[[nodiscard]] GoResult<PrivateKey> ParsePkcs1Key(std::string_view der);
[[nodiscard]] GoResult<PrivateKey> ParsePkcs8Key(std::string_view der);
[[nodiscard]] GoResult<PrivateKey> ParseEcKey(std::string_view der);

// As encoding/json shows Go's types of them.
[[nodiscard]] Value ToValue(CallContext& context, const PrivateKey& key);
// As a JSON Web Key. ERRORS: a curve that has none.
[[nodiscard]] GoResult<Value> ToJsonWebKey(CallContext& context, const PrivateKey& key);

}  // namespace portcullis::builtins
