#include "rules/builtins/key_pair.h"

#include <utility>

#include "base/error.h"
#include "rules/builtins/keys.h"

namespace portcullis::builtins {
namespace {

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

}  // namespace

GoResult<KeyPair> ReadKeyPair(std::string_view certificate_pem, std::string_view key_pem) {
  auto chain = TRY(CertificateBlocks(certificate_pem));
  const auto der = TRY(KeyBlock(key_pem));
  auto certificates = TRY(ParseCertificates(chain.front()));
  if (certificates.size() != 1) {
    return std::unexpected(certificates.empty() ? "x509: malformed certificate"
                                                : "x509: trailing data");
  }
  auto key = TRY(ParseAnyKey(der));
  TRY(CheckPair(certificates.front().key.key, key));
  return KeyPair{std::move(chain), std::move(certificates.front()), std::move(key)};
}

}  // namespace portcullis::builtins
