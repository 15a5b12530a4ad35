#include "rules/builtins/private_key.h"

#include <algorithm>
#include <utility>

#include <openssl/obj_mac.h>

#include "base/error.h"
#include "rules/builtins/codec.h"
#include "rules/builtins/go_asn1.h"
#include "rules/builtins/openssl_ptr.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

std::unexpected<std::string> Wrong(std::string_view text) {
  return std::unexpected("x509: " + std::string(text));
}

std::string Bytes(const BigInt& number, std::size_t size = 0) {
  const std::size_t length = (number.bits() + 7) / 8;
  std::string bytes(std::max(size, length), '\0');
  mpz_export(bytes.data() + bytes.size() - length, nullptr, 1, 1, 0, 0, number.get());
  return bytes;
}

// What stands in a private key, before it is known to be one.
struct RsaFields {
  std::int64_t version = 0;
  RsaPrivateKey key;
  bool has_precomputed = false;
};

GoResult<RsaFields> ReadRsaFields(std::string_view der) {
  RsaFields fields;
  auto sequence = TRY(GoAsn1(der).Enter("pkcs1PrivateKey"));
  fields.version = TRY(sequence.TakeInt());
  RsaPrivateKey& key = fields.key;
  key.primes.resize(2);
  const auto read = [&](BigInt* place) -> GoResult<void> {
    *place = TRY(sequence.TakeBigInt());
    return {};
  };
  TRY(read(&key.open.modulus));
  key.open.exponent = TRY(sequence.TakeInt());
  for (BigInt* place : {&key.d, &key.primes[0], &key.primes[1]}) {
    TRY(read(place));
  }
  int precomputed = 0;
  for (BigInt* place : {&key.dp, &key.dq, &key.q_inverse}) {
    if (sequence.NextIs(DerTag::kInteger)) {
      TRY(read(place));
      ++precomputed;
    }
  }
  fields.has_precomputed = precomputed == 3;
  if (!sequence.NextIs(DerTag::kSequence)) {
    return fields;
  }
  auto more = sequence.Enter("");
  while (more && !more->empty()) {
    auto prime = more->Enter("pkcs1AdditionalRSAPrime");
    key.primes.push_back(TRY(prime ? prime->TakeBigInt() : std::unexpected(prime.error())));
  }
  return more ? GoResult<RsaFields>(std::move(fields)) : std::unexpected(more.error());
}

BigInt MinusOne(const BigInt& number) {
  BigInt result;
  mpz_sub_ui(result.get(), number.get(), 1);
  return result;
}

BigInt Modulo(const BigInt& number, const BigInt& modulus) {
  BigInt result;
  mpz_mod(result.get(), number.get(), modulus.get());
  return result;
}

bool Same(const BigInt& a, const BigInt& b) {
  return mpz_cmp(a.get(), b.get()) == 0;
}

// Go's crypto/rsa looks at a key before it uses it.
GoResult<void> CheckRsa(const RsaPrivateKey& key) {
  const auto wrong = [](std::string_view text) {
    return std::unexpected("crypto/rsa: " + std::string(text));
  };
  const BigInt& n = key.open.modulus;
  const std::int64_t e = key.open.exponent;
  if (mpz_even_p(n.get()) != 0) {
    return wrong("public modulus is even");
  }
  if (e < 2) {
    return wrong("public exponent too small or negative");
  }
  if (e % 2 == 0) {
    return wrong("public exponent is even");
  }
  if (e > 0x7FFFFFFF) {
    return wrong("public exponent too large");
  }
  if (key.primes.size() > 2) {
    BigInt product(1);
    for (const BigInt& prime : key.primes) {
      if (mpz_cmp_ui(prime.get(), 1) <= 0) {
        return wrong("prime factor is <= 1");
      }
      BigInt common;
      mpz_gcd(common.get(), product.get(), prime.get());
      if (!Same(common, BigInt(1))) {
        return wrong("prime factors are not relatively prime");
      }
      mpz_mul(product.get(), product.get(), prime.get());
    }
    return {};
  }
  BigInt product;
  mpz_mul(product.get(), key.primes[0].get(), key.primes[1].get());
  if (!Same(product, n)) {
    return wrong("p * q != n");
  }
  const auto is_one = [](const BigInt& a, const BigInt& b, const BigInt& modulus) {
    BigInt result;
    mpz_mul(result.get(), a.get(), b.get());
    return Same(Modulo(result, modulus), BigInt(1));
  };
  const BigInt p_less = MinusOne(key.primes[0]);
  const BigInt q_less = MinusOne(key.primes[1]);
  if (p_less.sign() <= 0 || q_less.sign() <= 0) {
    return wrong("invalid prime");
  }
  if (!is_one(key.dp, BigInt(e), p_less) || !is_one(key.dq, BigInt(e), q_less)) {
    return wrong("invalid CRT exponent");
  }
  if (!is_one(key.q_inverse, key.primes[1], key.primes[0])) {
    return wrong("invalid CRT coefficient");
  }
  if (!Same(Modulo(key.d, p_less), key.dp)) {
    return wrong("d does not match dP");
  }
  if (!Same(Modulo(key.d, q_less), key.dq)) {
    return wrong("d does not match dQ");
  }
  BigInt difference;
  mpz_sub(difference.get(), key.primes[0].get(), key.primes[1].get());
  mpz_abs(difference.get(), difference.get());
  if (difference.sign() == 0) {
    return wrong("p == q");
  }
  if (difference.bits() + 100 <= n.bits() / 2) {
    return wrong("|p - q| too small");
  }
  if (key.d.bits() <= n.bits() / 2) {
    return wrong("d too small");
  }
  return {};
}

struct EcFields {
  std::int64_t version = 0;
  std::string_view secret;
  ObjectId curve;
};

GoResult<EcFields> ReadEcFields(std::string_view der) {
  EcFields fields;
  auto sequence = TRY(GoAsn1(der).Enter("ecPrivateKey"));
  fields.version = TRY(sequence.TakeInt());
  const auto secret = TRY(sequence.Take(DerTag::kOctetString, ""));
  fields.secret = secret.contents;
  const auto parameters = TRY(sequence.TakeOptional(ContextSequence(0)));
  if (parameters) {
    fields.curve = TRY(GoAsn1(parameters->contents).TakeObjectId());
  }
  // The public key is computed; here it must only be well formed.
  const auto open = TRY(sequence.TakeOptional(ContextSequence(1)));
  if (open) {
    TRY(GoAsn1(open->contents).TakeBits());
  }
  return fields;
}

struct Pkcs8Fields {
  ObjectId algorithm;
  std::string_view parameters;
  std::string_view key;
};

GoResult<Pkcs8Fields> ReadPkcs8Fields(std::string_view der) {
  Pkcs8Fields fields;
  auto sequence = TRY(GoAsn1(der).Enter("pkcs8"));
  TRY(sequence.TakeInt());
  auto algorithm = TRY(sequence.Enter("AlgorithmIdentifier"));
  fields.algorithm = TRY(algorithm.TakeObjectId());
  fields.parameters = algorithm.rest();
  const auto key = TRY(sequence.Take(DerTag::kOctetString, ""));
  fields.key = key.contents;
  return fields;
}

constexpr std::string_view kUsePkcs1 =
    "failed to parse private key (use ParsePKCS1PrivateKey instead for this key format)";
constexpr std::string_view kUsePkcs8 =
    "failed to parse private key (use ParsePKCS8PrivateKey instead for this key format)";
constexpr std::string_view kUseEc =
    "failed to parse private key (use ParseECPrivateKey instead for this key format)";

GoResult<PrivateKey> MakeEcKey(const EcFields& fields, const ObjectId& curve) {
  if (fields.version != 1) {
    return Wrong("unknown EC private key version " + std::to_string(fields.version));
  }
  const int number = CurveNumber(curve);
  if (number == 0) {
    return Wrong("unknown elliptic curve");
  }
  const Owned<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(number));
  const auto size = static_cast<std::size_t>((EC_GROUP_order_bits(group.get()) + 7) / 8);
  std::string_view secret = fields.secret;
  while (secret.size() > size) {
    if (secret[0] != '\0') {
      return Wrong("invalid private key length");
    }
    secret.remove_prefix(1);
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(secret.data());
  const OwnedBignum scalar(BN_bin2bn(bytes, static_cast<int>(secret.size()), nullptr));
  if (BN_is_zero(scalar.get())) {
    return std::unexpected("ecdsa: private key is zero");
  }
  if (BN_cmp(scalar.get(), EC_GROUP_get0_order(group.get())) >= 0) {
    return std::unexpected("input overflows the modulus");
  }
  const Owned<EC_POINT, EC_POINT_free> point(EC_POINT_new(group.get()));
  const OwnedBignum x(BN_new());
  const OwnedBignum y(BN_new());
  if (EC_POINT_mul(group.get(), point.get(), scalar.get(), nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_get_affine_coordinates(group.get(), point.get(), x.get(), y.get(), nullptr) != 1) {
    return std::unexpected("ecdsa: invalid private key");
  }
  const auto convert = [](const BIGNUM* from) {
    std::string raw(static_cast<std::size_t>(BN_num_bytes(from)), '\0');
    BN_bn2bin(from, reinterpret_cast<unsigned char*>(raw.data()));
    BigInt to;
    mpz_import(to.get(), raw.size(), 1, 1, 0, 0, raw.data());
    return to;
  };
  return EcPrivateKey{{number, convert(x.get()), convert(y.get())}, convert(scalar.get())};
}

GoResult<PrivateKey> MakeEdKey(const Pkcs8Fields& fields, int type, std::string_view name) {
  const std::string kind(name);
  if (!fields.parameters.empty()) {
    return Wrong("invalid " + kind + " private key parameters");
  }
  const auto seed = GoAsn1(fields.key).Take(DerTag::kOctetString, "");
  if (!seed) {
    return Wrong("invalid " + kind + " private key: " + seed.error());
  }
  const std::string_view bytes = seed->contents;
  if (bytes.size() != 32) {
    return type == EVP_PKEY_ED25519
               ? Wrong("invalid Ed25519 private key length: " + std::to_string(bytes.size()))
               : std::unexpected<std::string>("crypto/ecdh: invalid private key size");
  }
  const OwnedKey key(EVP_PKEY_new_raw_private_key(
      type, nullptr, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  std::string open(32, '\0');
  std::size_t size = open.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(open.data()),
                                          &size) != 1) {
    return Wrong("invalid " + kind + " private key");
  }
  return EdPrivateKey{std::string(bytes), std::move(open), type == EVP_PKEY_ED25519};
}

std::string Base64Url(std::string_view bytes) {
  return EncodeBase64(bytes, Base64::kUrl, Padding::kNone);
}

}  // namespace

GoResult<PrivateKey> ParsePkcs1Key(std::string_view der) {
  DerReader whole(der);
  if (whole.Take(DerTag::kSequence) && !whole.empty()) {
    return std::unexpected("asn1: syntax error: trailing data");
  }
  auto fields = ReadRsaFields(der);
  if (!fields) {
    return ReadEcFields(der)      ? Wrong(kUseEc)
           : ReadPkcs8Fields(der) ? Wrong(kUsePkcs8)
                                  : std::unexpected(fields.error());
  }
  if (fields->version > 1) {
    return Wrong("unsupported private key version");
  }
  RsaPrivateKey& key = fields->key;
  bool positive = key.open.modulus.sign() > 0 && key.d.sign() > 0 && key.primes[0].sign() > 0 &&
                  key.primes[1].sign() > 0;
  if (fields->has_precomputed) {
    positive = positive && key.dp.sign() > 0 && key.dq.sign() > 0 && key.q_inverse.sign() > 0;
  }
  if (!positive) {
    return Wrong("private key contains zero or negative value");
  }
  for (std::size_t i = 2; i < key.primes.size(); ++i) {
    if (key.primes[i].sign() <= 0) {
      return Wrong("private key contains zero or negative prime");
    }
  }
  if (!fields->has_precomputed || key.primes.size() > 2) {
    const BigInt p_less = MinusOne(key.primes[0]);
    const BigInt q_less = MinusOne(key.primes[1]);
    if (p_less.sign() == 0 || q_less.sign() == 0 ||
        mpz_invert(key.q_inverse.get(), key.primes[1].get(), key.primes[0].get()) == 0) {
      return std::unexpected("crypto/rsa: invalid prime");
    }
    key.dp = Modulo(key.d, p_less);
    key.dq = Modulo(key.d, q_less);
  }
  TRY(CheckRsa(key));
  return std::move(key);
}

GoResult<PrivateKey> ParsePkcs8Key(std::string_view der) {
  const auto fields = ReadPkcs8Fields(der);
  if (!fields) {
    return ReadEcFields(der)    ? Wrong(kUseEc)
           : ReadRsaFields(der) ? Wrong(kUsePkcs1)
                                : std::unexpected(fields.error());
  }
  const std::string algorithm = Dotted(fields->algorithm);
  if (algorithm == "1.2.840.113549.1.1.1") {
    auto key = ParsePkcs1Key(fields->key);
    return key ? std::move(key)
               : Wrong("failed to parse RSA private key embedded in PKCS#8: " + key.error());
  }
  if (algorithm == "1.2.840.10045.2.1") {
    const auto ec = ReadEcFields(fields->key);
    const auto curve = DerReader(fields->parameters).TakeObjectId();
    auto key = ec ? MakeEcKey(*ec, curve.value_or(ec->curve)) : ParseEcKey(fields->key);
    return key ? std::move(key)
               : Wrong("failed to parse EC private key embedded in PKCS#8: " + key.error());
  }
  if (algorithm == "1.3.101.112") {
    return MakeEdKey(*fields, EVP_PKEY_ED25519, "Ed25519");
  }
  if (algorithm == "1.3.101.110") {
    return MakeEdKey(*fields, EVP_PKEY_X25519, "X25519");
  }
  return Wrong("PKCS#8 wrapping contained private key with unknown algorithm: " + algorithm);
}

GoResult<PrivateKey> ParseEcKey(std::string_view der) {
  const auto fields = ReadEcFields(der);
  if (!fields) {
    return ReadPkcs8Fields(der) ? Wrong(kUsePkcs8)
           : ReadRsaFields(der) ? Wrong(kUsePkcs1)
                                : Wrong("failed to parse EC private key: " + fields.error());
  }
  return MakeEcKey(*fields, fields->curve);
}

Value ToValue(CallContext& context, const PrivateKey& key) {
  document::ObjectBuilder object(context.arena);
  if (const auto* ed = std::get_if<EdPrivateKey>(&key)) {
    return ed->signs ? MakeString(context, EncodeBase64(ed->seed + ed->open, Base64::kStandard,
                                                        Padding::kRequired))
                     : Value::Object({});
  }
  const auto number = [&](const BigInt& value) { return ToValue(value, context.arena); };
  if (const auto* ec = std::get_if<EcPrivateKey>(&key)) {
    object.Add("Curve", Value::Object({}));
    object.Add("X", number(ec->open.x));
    object.Add("Y", number(ec->open.y));
    object.Add("D", number(ec->d));
    return object.Finish();
  }
  const auto& rsa = std::get<RsaPrivateKey>(key);
  object.Add("N", number(rsa.open.modulus));
  object.Add("E", Value::Int(rsa.open.exponent));
  object.Add("D", number(rsa.d));
  document::ArrayBuilder primes(context.arena);
  document::ArrayBuilder remainders(context.arena);
  BigInt product(1);
  for (std::size_t i = 0; i < rsa.primes.size(); ++i) {
    const BigInt& prime = rsa.primes[i];
    primes.Add(number(prime));
    if (i >= 2) {
      BigInt coefficient;
      mpz_invert(coefficient.get(), product.get(), prime.get());
      document::ObjectBuilder values(context.arena);
      values.Add("Exp", number(Modulo(rsa.d, MinusOne(prime))));
      values.Add("Coeff", number(coefficient));
      values.Add("R", number(product));
      remainders.Add(values.Finish());
    }
    mpz_mul(product.get(), product.get(), prime.get());
  }
  object.Add("Primes", primes.Finish());
  document::ObjectBuilder precomputed(context.arena);
  precomputed.Add("Dp", number(rsa.dp));
  precomputed.Add("Dq", number(rsa.dq));
  precomputed.Add("Qinv", number(rsa.q_inverse));
  precomputed.Add("CRTValues", remainders.Finish());
  object.Add("Precomputed", precomputed.Finish());
  return object.Finish();
}

GoResult<Value> ToJsonWebKey(CallContext& context, const PrivateKey& key) {
  document::ObjectBuilder object(context.arena);
  const auto add = [&](std::string_view name, std::string_view bytes) {
    object.Add(name, MakeString(context, Base64Url(bytes)));
  };
  if (const auto* ed = std::get_if<EdPrivateKey>(&key)) {
    object.Add("kty", Value::String("OKP"));
    object.Add("crv", Value::String(ed->signs ? "Ed25519" : "X25519"));
    add("d", ed->seed);
    add("x", ed->open);
    return object.Finish();
  }
  if (const auto* ec = std::get_if<EcPrivateKey>(&key)) {
    const int curve = ec->open.curve;
    if (curve == NID_secp224r1) {
      return std::unexpected(
          "failed to initialize *jwk.ecdsaPrivateKey from *ecdsa.PrivateKey: jwk: failed to get "
          "algorithm for converting ECDSA private key to JWK: unknown elliptic curve: P-224");
    }
    const std::size_t size = curve == NID_X9_62_prime256v1 ? 32 : curve == NID_secp384r1 ? 48 : 66;
    object.Add("kty", Value::String("EC"));
    object.Add("crv", Value::String(size == 32 ? "P-256" : size == 48 ? "P-384" : "P-521"));
    add("d", Bytes(ec->d, size));
    add("x", Bytes(ec->open.x, size));
    add("y", Bytes(ec->open.y, size));
    return object.Finish();
  }
  const auto& rsa = std::get<RsaPrivateKey>(key);
  object.Add("kty", Value::String("RSA"));
  add("n", Bytes(rsa.open.modulus));
  add("e", Bytes(BigInt(rsa.open.exponent)));
  add("d", Bytes(rsa.d));
  add("p", Bytes(rsa.primes[0]));
  add("q", Bytes(rsa.primes[1]));
  add("dp", Bytes(rsa.dp));
  add("dq", Bytes(rsa.dq));
  add("qi", Bytes(rsa.q_inverse));
  return object.Finish();
}

}  // namespace portcullis::builtins
