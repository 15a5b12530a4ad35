#include "rules/builtins/certificate.h"

#include <algorithm>
#include <utility>

#include <openssl/obj_mac.h>

#include "base/error.h"
#include "document/utf8.h"
#include "rules/builtins/go_time.h"
#include "rules/builtins/openssl_ptr.h"

namespace portcullis::builtins {
namespace {

std::unexpected<std::string> Wrong(std::string_view text) {
  return std::unexpected("x509: " + std::string(text));
}

bool IsPrintable(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("'()+,-./ :=?*&").contains(c);
}

GoResult<std::string> Utf16(std::string_view bytes) {
  if (bytes.size() % 2 != 0) {
    return std::unexpected("invalid BMPString");
  }
  if (bytes.ends_with(std::string_view("\0\0", 2))) {
    bytes.remove_suffix(2);
  }
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const std::uint32_t code = static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i]))
                                   << 8 |
                               static_cast<std::uint8_t>(bytes[i + 1]);
    if (code >= 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF) ||
        (code >= 0xD800 && code <= 0xDFFF)) {
      return std::unexpected("invalid BMPString");
    }
    document::AppendRune(code, &text);
  }
  return text;
}

// Go's cryptobyte prints a tag as a number.
GoResult<std::string> Text(const DerElement& element) {
  const std::string_view bytes = element.contents;
  const auto valid = [&](bool (*fits)(char), std::string_view kind) -> GoResult<std::string> {
    if (std::ranges::all_of(bytes, fits)) {
      return std::string(bytes);
    }
    return std::unexpected("invalid " + std::string(kind));
  };
  switch (element.tag) {
    case DerTag::kT61String: {
      std::string text;
      for (const char c : bytes) {
        document::AppendRune(static_cast<std::uint8_t>(c), &text);
      }
      return text;
    }
    case DerTag::kPrintableString:
      return valid(IsPrintable, "PrintableString");
    case DerTag::kUtf8String:
      if (!document::IsValidUtf8(bytes)) {
        return std::unexpected("invalid UTF-8 string");
      }
      return std::string(bytes);
    case DerTag::kBmpString:
      return Utf16(bytes);
    case DerTag::kIa5String:
      return valid([](char c) { return static_cast<std::uint8_t>(c) < 0x80; }, "IA5String");
    case DerTag::kNumericString:
      return valid([](char c) { return (c >= '0' && c <= '9') || c == ' '; }, "NumericString");
    default:
      return std::unexpected("unsupported string type: " +
                             std::to_string(static_cast<int>(element.tag)));
  }
}

// The seconds east of UTC that a time ends with.
std::optional<int> Offset(std::string_view text) {
  if (text.ends_with('Z')) {
    return 0;
  }
  if (text.size() < 5) {
    return std::nullopt;
  }
  const std::string_view zone = text.substr(text.size() - 5);
  const bool digits =
      std::ranges::all_of(zone.substr(1), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || (zone[0] != '+' && zone[0] != '-')) {
    return std::nullopt;
  }
  const int minutes =
      ((zone[1] - '0') * 10 + (zone[2] - '0')) * 60 + (zone[3] - '0') * 10 + (zone[4] - '0');
  return (zone[0] == '-' ? -60 : 60) * minutes;
}

// The time of a layout, if writing it by the layout gives the same text.
std::optional<CivilTime> ParseExactly(std::string_view layout, std::string_view text) {
  const auto instant = ParseTime(layout, text);
  const auto offset = Offset(text);
  if (!instant || !offset) {
    return std::nullopt;
  }
  CivilTime time = ToCivil(instant->unix_seconds, 0, *offset, "");
  return FormatTime(time, layout) == text ? std::optional(std::move(time)) : std::nullopt;
}

GoResult<std::string> ParseDate(DerReader* from) {
  std::optional<CivilTime> time;
  if (from->NextIs(DerTag::kUtcTime)) {
    if (const auto element = from->TakeAny()) {
      time = ParseExactly("060102150405Z0700", element->contents);
      if (!time) {
        time = ParseExactly("0601021504Z0700", element->contents);
      }
    }
    if (!time) {
      return Wrong("malformed UTCTime");
    }
    if (time->year >= 2050) {
      time->year -= 100;
    }
  } else if (from->NextIs(DerTag::kGeneralizedTime)) {
    if (const auto element = from->TakeAny()) {
      time = ParseExactly("20060102150405Z0700", element->contents);
    }
    if (!time) {
      return Wrong("malformed GeneralizedTime");
    }
  } else {
    return Wrong("unsupported time format");
  }
  return FormatTime(*time, "2006-01-02T15:04:05Z07:00");
}

const ObjectId kRsaKey = {1, 2, 840, 113549, 1, 1, 1};
const ObjectId kDsaKey = {1, 2, 840, 10040, 4, 1};
const ObjectId kEcKey = {1, 2, 840, 10045, 2, 1};
const ObjectId kEd25519Key = {1, 3, 101, 112};

GoResult<AnyPublicKey> ParseRsa(std::string_view parameters, std::string_view bytes) {
  if (parameters != std::string_view("\x05\0", 2)) {
    return Wrong("RSA key missing NULL parameters");
  }
  auto sequence = DerReader(bytes).Enter(DerTag::kSequence);
  if (!sequence) {
    return Wrong("invalid RSA public key");
  }
  auto modulus = sequence->TakeInteger();
  if (!modulus) {
    return Wrong("invalid RSA modulus");
  }
  const auto exponent = sequence->TakeInt64();
  if (!exponent) {
    return Wrong("invalid RSA public exponent");
  }
  if (modulus->sign() <= 0) {
    return Wrong("RSA modulus is not a positive number");
  }
  if (*exponent <= 0) {
    return Wrong("RSA public exponent is not a positive number");
  }
  return RsaPublicKey{*std::move(modulus), *exponent};
}

GoResult<AnyPublicKey> ParseEc(std::string_view parameters, std::string_view bytes) {
  const auto curve = DerReader(parameters).TakeObjectId();
  if (!curve) {
    return Wrong("invalid ECDSA parameters");
  }
  const int number = CurveNumber(*curve);
  if (number == 0) {
    return Wrong("unsupported elliptic curve");
  }
  const Owned<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(number));
  const Owned<EC_POINT, EC_POINT_free> point(EC_POINT_new(group.get()));
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  if (!bytes.starts_with('\x04')) {
    return std::unexpected("ecdsa: invalid uncompressed public key");
  }
  const std::string name = "P" + std::to_string(EC_GROUP_get_degree(group.get()));
  const auto size = static_cast<std::size_t>((EC_GROUP_get_degree(group.get()) + 7) / 8);
  if (bytes.size() != 1 + 2 * size) {
    return std::unexpected("invalid " + name + " point encoding");
  }
  if (EC_POINT_oct2point(group.get(), point.get(), data, bytes.size(), nullptr) != 1) {
    return std::unexpected(name + " point not on curve");
  }
  const std::size_t half = (bytes.size() - 1) / 2;
  EcPublicKey key{number, {}, {}};
  mpz_import(key.x.get(), half, 1, 1, 0, 0, bytes.data() + 1);
  mpz_import(key.y.get(), half, 1, 1, 0, 0, bytes.data() + 1 + half);
  return key;
}

GoResult<AnyPublicKey> ParseDsa(std::string_view parameters, std::string_view bytes) {
  auto y = DerReader(bytes).TakeInteger();
  if (!y) {
    return Wrong("invalid DSA public key");
  }
  auto sequence = DerReader(parameters).Enter(DerTag::kSequence);
  auto p = sequence ? sequence->TakeInteger() : std::nullopt;
  auto q = p ? sequence->TakeInteger() : std::nullopt;
  auto g = q ? sequence->TakeInteger() : std::nullopt;
  if (!g) {
    return Wrong("invalid DSA parameters");
  }
  if (y->sign() <= 0 || p->sign() <= 0 || q->sign() <= 0 || g->sign() <= 0) {
    return Wrong("zero or negative DSA parameter");
  }
  return DsaPublicKey{*std::move(p), *std::move(q), *std::move(g), *std::move(y)};
}

GoResult<Certificate> ParseCertificate(std::string_view der) {
  Certificate certificate;
  const auto whole = DerReader(der).Take(DerTag::kSequence);
  if (!whole) {
    return Wrong("malformed certificate");
  }
  certificate.raw = whole->whole;
  DerReader outer(whole->contents);
  const auto tbs_element = outer.Take(DerTag::kSequence);
  if (!tbs_element) {
    return Wrong("malformed tbs certificate");
  }
  certificate.raw_tbs = tbs_element->whole;
  DerReader tbs(tbs_element->contents);
  if (tbs.NextIs(ContextSequence(0))) {
    auto version = tbs.Enter(ContextSequence(0));
    const auto number = version ? version->TakeInt64() : std::nullopt;
    if (!number || !version->empty() || *number < 0) {
      return Wrong("malformed version");
    }
    certificate.version = *number;
  }
  if (++certificate.version > 3) {
    return Wrong("invalid version");
  }
  auto serial = tbs.TakeInteger();
  if (!serial) {
    return Wrong("malformed serial number");
  }
  if (serial->sign() < 0) {
    return Wrong("negative serial number");
  }
  certificate.serial_number = *std::move(serial);

  const auto algorithm = tbs.Take(DerTag::kSequence);
  if (!algorithm) {
    return Wrong("malformed signature algorithm identifier");
  }
  const auto outer_algorithm = outer.Take(DerTag::kSequence);
  if (!outer_algorithm) {
    return Wrong("malformed algorithm identifier");
  }
  if (algorithm->contents != outer_algorithm->contents) {
    return Wrong("inner and outer signature algorithm identifiers don't match");
  }
  certificate.signature_algorithm = TRY(ParseSignatureAlgorithm(algorithm->contents));

  const auto issuer = tbs.Take(DerTag::kSequence);
  if (!issuer) {
    return Wrong("malformed issuer");
  }
  certificate.raw_issuer = issuer->whole;
  certificate.issuer = TRY(ParseDistinguishedName(issuer->whole));

  auto validity = tbs.Enter(DerTag::kSequence);
  if (!validity) {
    return Wrong("malformed validity");
  }
  for (std::string* date : {&certificate.not_before, &certificate.not_after}) {
    *date = TRY(ParseDate(&*validity));
  }

  const auto subject = tbs.Take(DerTag::kSequence);
  if (!subject) {
    return Wrong("malformed issuer");
  }
  certificate.raw_subject = subject->whole;
  certificate.subject = TRY(ParseDistinguishedName(subject->whole));

  certificate.key = TRY(ParseSubjectKeyInfo(&tbs));

  if (certificate.version > 1) {
    std::optional<std::string_view> ignored;
    if (!tbs.TakeOptional(Context(1), &ignored)) {
      return Wrong("malformed issuerUniqueID");
    }
    if (!tbs.TakeOptional(Context(2), &ignored)) {
      return Wrong("malformed subjectUniqueID");
    }
  }
  std::optional<std::string_view> extensions;
  if (certificate.version == 3 && !tbs.TakeOptional(ContextSequence(3), &extensions)) {
    return Wrong("malformed extensions");
  }
  if (extensions) {
    auto sequence = DerReader(*extensions).Enter(DerTag::kSequence);
    if (!sequence) {
      return Wrong("malformed extensions");
    }
    std::vector<CertificateExtension> list;
    while (!sequence->empty()) {
      const auto element = sequence->Take(DerTag::kSequence);
      if (!element) {
        return Wrong("malformed extension");
      }
      auto extension = TRY(ParseExtension(element->contents));
      if (std::ranges::find(list, extension.id, &CertificateExtension::id) != list.end()) {
        return Wrong("certificate contains duplicate extension with OID \"" + Dotted(extension.id) +
                     "\"");
      }
      list.push_back(std::move(extension));
    }
    if (!list.empty()) {
      certificate.extensions = std::move(list);
    }
    TRY(ReadExtensions(&certificate));
  }
  const auto signature = outer.TakeBits();
  if (!signature) {
    return Wrong("malformed signature");
  }
  certificate.signature = signature->RightAligned();
  return certificate;
}

}  // namespace

int CurveNumber(const ObjectId& curve) {
  static const std::pair<ObjectId, int> kCurves[] = {
      {{1, 3, 132, 0, 33}, NID_secp224r1},
      {{1, 2, 840, 10045, 3, 1, 7}, NID_X9_62_prime256v1},
      {{1, 3, 132, 0, 34}, NID_secp384r1},
      {{1, 3, 132, 0, 35}, NID_secp521r1}};
  for (const auto& [id, number] : kCurves) {
    if (id == curve) {
      return number;
    }
  }
  return 0;
}

GoResult<DistinguishedName> ParseDistinguishedName(std::string_view der) {
  DistinguishedName name;
  auto sequence = DerReader(der).Enter(DerTag::kSequence);
  if (!sequence) {
    return Wrong("invalid RDNSequence");
  }
  while (!sequence->empty()) {
    auto set = sequence->Enter(DerTag::kSet);
    if (!set) {
      return Wrong("invalid RDNSequence");
    }
    while (!set->empty()) {
      auto attribute = set->Enter(DerTag::kSequence);
      if (!attribute) {
        return Wrong("invalid RDNSequence: invalid attribute");
      }
      auto type = attribute->TakeObjectId();
      if (!type) {
        return Wrong("invalid RDNSequence: invalid attribute type");
      }
      const auto value = attribute->TakeAny();
      if (!value) {
        return Wrong("invalid RDNSequence: invalid attribute value");
      }
      auto text = Text(*value);
      if (!text) {
        return Wrong("invalid RDNSequence: invalid attribute value: " + text.error());
      }
      name.push_back({.type = *std::move(type), .value = *std::move(text)});
    }
  }
  return name;
}

GoResult<SubjectKeyInfo> ParseSubjectKeyInfo(DerReader* from) {
  SubjectKeyInfo info;
  const auto element = from->Take(DerTag::kSequence);
  if (!element) {
    return Wrong("malformed spki");
  }
  info.raw = element->whole;
  DerReader contents(element->contents);
  auto algorithm = contents.Enter(DerTag::kSequence);
  if (!algorithm) {
    return Wrong("malformed public key algorithm identifier");
  }
  const auto id = algorithm->TakeObjectId();
  if (!id) {
    return Wrong("malformed OID");
  }
  std::string_view parameters;
  if (!algorithm->empty()) {
    const auto any = algorithm->TakeAny();
    if (!any) {
      return Wrong("malformed parameters");
    }
    parameters = any->whole;
  }
  const auto bits = contents.TakeBits();
  if (!bits) {
    return Wrong("malformed subjectPublicKey");
  }
  const std::string bytes = bits->RightAligned();
  GoResult<AnyPublicKey> key = AnyPublicKey();
  if (*id == kRsaKey) {
    info.algorithm = 1;
    key = ParseRsa(parameters, bytes);
  } else if (*id == kDsaKey) {
    info.algorithm = 2;
    key = ParseDsa(parameters, bytes);
  } else if (*id == kEcKey) {
    info.algorithm = 3;
    key = ParseEc(parameters, bytes);
  } else if (*id == kEd25519Key) {
    info.algorithm = 4;
    if (!parameters.empty()) {
      return Wrong("Ed25519 key encoded with illegal parameters");
    }
    if (bytes.size() != 32) {
      return Wrong("wrong Ed25519 public key size");
    }
    key = EdPublicKey{bytes};
  }
  if (!key) {
    return std::unexpected(key.error());
  }
  info.key = *std::move(key);
  return info;
}

GoResult<int> ParseSignatureAlgorithm(std::string_view contents) {
  DerReader reader(contents);
  const auto id = reader.TakeObjectId();
  if (!id) {
    return Wrong("malformed OID");
  }
  std::string_view parameters;
  if (!reader.empty()) {
    const auto any = reader.TakeAny();
    if (!any) {
      return Wrong("malformed parameters");
    }
    parameters = any->whole;
  }
  static const std::pair<ObjectId, int> kAlgorithms[] = {
      {{1, 2, 840, 113549, 1, 1, 4}, 2},  {{1, 2, 840, 113549, 1, 1, 5}, 3},
      {{1, 3, 14, 3, 2, 29}, 3},          {{1, 2, 840, 113549, 1, 1, 11}, 4},
      {{1, 2, 840, 113549, 1, 1, 12}, 5}, {{1, 2, 840, 113549, 1, 1, 13}, 6},
      {{1, 2, 840, 10040, 4, 3}, 7},      {{2, 16, 840, 1, 101, 3, 4, 3, 2}, 8},
      {{1, 2, 840, 10045, 4, 1}, 9},      {{1, 2, 840, 10045, 4, 3, 2}, 10},
      {{1, 2, 840, 10045, 4, 3, 3}, 11},  {{1, 2, 840, 10045, 4, 3, 4}, 12}};
  for (const auto& [known, number] : kAlgorithms) {
    if (known == *id) {
      return number;
    }
  }
  if (*id == kEd25519Key) {
    return parameters.empty() ? 16 : 0;
  }
  if (*id != ObjectId{1, 2, 840, 113549, 1, 1, 10}) {
    return 0;
  }
  // RSA-PSS, whose hash is also the mask's and as long as the salt.
  const auto* at = reinterpret_cast<const unsigned char*>(parameters.data());
  const Owned<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free> pss(
      d2i_RSA_PSS_PARAMS(nullptr, &at, static_cast<long>(parameters.size())));
  if (!pss || pss->hashAlgorithm == nullptr || pss->maskGenAlgorithm == nullptr ||
      pss->saltLength == nullptr ||
      (pss->trailerField != nullptr && ASN1_INTEGER_get(pss->trailerField) != 1)) {
    return 0;
  }
  const auto plain = [](const X509_ALGOR* used) {
    return used->parameter == nullptr || ASN1_TYPE_get(used->parameter) == V_ASN1_NULL;
  };
  const X509_ALGOR* mask = pss->maskGenAlgorithm;
  if (!plain(pss->hashAlgorithm) || OBJ_obj2nid(mask->algorithm) != NID_mgf1 ||
      mask->parameter == nullptr || ASN1_TYPE_get(mask->parameter) != V_ASN1_SEQUENCE) {
    return 0;
  }
  const Owned<X509_ALGOR, X509_ALGOR_free> mask_hash(static_cast<X509_ALGOR*>(
      ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), mask->parameter)));
  const int hash = OBJ_obj2nid(pss->hashAlgorithm->algorithm);
  if (!mask_hash || !plain(mask_hash.get()) || OBJ_obj2nid(mask_hash->algorithm) != hash) {
    return 0;
  }
  const long salt = ASN1_INTEGER_get(pss->saltLength);
  return hash == NID_sha256 && salt == 32   ? 13
         : hash == NID_sha384 && salt == 48 ? 14
         : hash == NID_sha512 && salt == 64 ? 15
                                            : 0;
}

GoResult<CertificateExtension> ParseExtension(std::string_view contents) {
  DerReader reader(contents);
  CertificateExtension extension;
  auto id = reader.TakeObjectId();
  if (!id) {
    return Wrong("malformed extension OID field");
  }
  extension.id = *std::move(id);
  if (reader.NextIs(DerTag::kBoolean)) {
    const auto critical = reader.TakeBoolean();
    if (!critical) {
      return Wrong("malformed extension critical field");
    }
    extension.critical = *critical;
  }
  const auto value = reader.Take(DerTag::kOctetString);
  if (!value) {
    return Wrong("malformed extension value field");
  }
  extension.value = value->contents;
  return extension;
}

GoResult<std::vector<Certificate>> ParseCertificates(std::string_view der) {
  std::vector<Certificate> certificates;
  while (!der.empty()) {
    auto certificate = TRY(ParseCertificate(der));
    der.remove_prefix(certificate.raw.size());
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

}  // namespace portcullis::builtins
