// A certificate with its private key, as Go's tls.X509KeyPair reads it.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/builtins/certificate.h"
#include "rules/builtins/private_key.h"

namespace portcullis::builtins {

struct KeyPair {
  std::vector<std::string> chain;  // DER, the leaf first.
  Certificate leaf;
  PrivateKey key;
};

// Both in PEM, with other blocks around them or not.
[[nodiscard]] GoResult<KeyPair> ReadKeyPair(std::string_view certificate_pem,
                                            std::string_view key_pem);

}  // namespace portcullis::builtins
