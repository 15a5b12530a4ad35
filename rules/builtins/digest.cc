// crypto.md5 to crypto.sha256 and crypto.hmac.*.

#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "rules/builtins/codec.h"
#include "rules/builtins/families.h"
#include "rules/builtins/keys.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

const EVP_MD* Algorithm(Hash hash) {
  switch (hash) {
    case Hash::kMd5:
      return EVP_md5();
    case Hash::kSha1:
      return EVP_sha1();
    case Hash::kSha256:
      return EVP_sha256();
    case Hash::kSha384:
      return EVP_sha384();
    case Hash::kSha512:
      return EVP_sha512();
  }
  return nullptr;
}

template <Hash hash>
Value DigestOf(CallContext& context, Arguments arguments) {
  const auto bytes = StringOperand(context, arguments, 1);
  if (!bytes) {
    return {};
  }
  return MakeString(context, EncodeHex(Digest(hash, *bytes)));
}

template <Hash hash>
Value HmacOf(CallContext& context, Arguments arguments) {
  const auto bytes = StringOperand(context, arguments, 1);
  const auto key = bytes ? StringOperand(context, arguments, 2) : std::nullopt;
  if (!key) {
    return {};
  }
  return MakeString(context, EncodeHex(Hmac(hash, *key, *bytes)));
}

Value HmacEqual(CallContext& context, Arguments arguments) {
  const auto a = StringOperand(context, arguments, 1);
  const auto b = a ? StringOperand(context, arguments, 2) : std::nullopt;
  if (!b) {
    return {};
  }
  return Value::Boolean(EqualInConstantTime(*a, *b));
}

constexpr std::string_view kDigestType = "(string) -> string";
constexpr std::string_view kHmacType = "(string, string) -> string";
constexpr Builtin kBuiltins[] = {
    {.name = "crypto.md5", .type = kDigestType, .function = DigestOf<Hash::kMd5>},
    {.name = "crypto.sha1", .type = kDigestType, .function = DigestOf<Hash::kSha1>},
    {.name = "crypto.sha256", .type = kDigestType, .function = DigestOf<Hash::kSha256>},
    {.name = "crypto.hmac.md5", .type = kHmacType, .function = HmacOf<Hash::kMd5>},
    {.name = "crypto.hmac.sha1", .type = kHmacType, .function = HmacOf<Hash::kSha1>},
    {.name = "crypto.hmac.sha256", .type = kHmacType, .function = HmacOf<Hash::kSha256>},
    {.name = "crypto.hmac.sha512", .type = kHmacType, .function = HmacOf<Hash::kSha512>},
    {.name = "crypto.hmac.equal", .type = "(string, string) -> boolean", .function = HmacEqual},
};

}  // namespace

std::string Digest(Hash hash, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, Algorithm(hash), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string Hmac(Hash hash, std::string_view key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  // Without a key's bytes OpenSSL would go on with the last key.
  HMAC(Algorithm(hash), key.empty() ? "" : key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::span<const Builtin> DigestBuiltins() {
  return kBuiltins;
}

}  // namespace portcullis::builtins
