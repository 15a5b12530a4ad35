// X.509 certificates, requests and their keys, read as Go's crypto/x509 reads them and shown as its encoding/json shows them.
// SOURCE: RFC 5280, RFC 2986; Go's documentation of crypto/x509.

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/builtins/builtin.h"
#include "rules/builtins/der.h"
#include "rules/builtins/uri.h"

namespace portcullis::builtins {

// The error is Go's text.
template <class T>
using GoResult = std::expected<T, std::string>;

struct NamePart {
  enum class Form : std::uint8_t { kText, kBytes };
  ObjectId type;
  std::string value;
  Form form = Form::kText;  // Bytes are shown in base64.
};
using DistinguishedName = std::vector<NamePart>;

struct CertificateExtension {
  ObjectId id;
  bool critical = false;
  std::string value;  // DER
};

struct RsaPublicKey {
  BigInt modulus;
  std::int64_t exponent = 0;
};
struct DsaPublicKey {
  BigInt p, q, g, y;
};
struct EcPublicKey {
  int curve = 0;  // OpenSSL's number of it.
  BigInt x, y;
};
struct EdPublicKey {
  std::string bytes;
};
using AnyPublicKey =
    std::variant<std::monostate, RsaPublicKey, DsaPublicKey, EcPublicKey, EdPublicKey>;

// What a certificate and a request have alike.
struct SubjectKeyInfo {
  std::string raw;
  int algorithm = 0;  // Go's number; 0 is unknown.
  AnyPublicKey key;
};

// An absent list is shown as null and an empty one as [].
template <class T>
using MaybeList = std::optional<std::vector<T>>;

struct AlternativeNames {
  MaybeList<std::string> dns, email;
  MaybeList<std::string> addresses;  // 4 or 16 bytes each.
  MaybeList<Uri> uris;
};

struct AddressRange {
  std::string address;
  std::string mask;
};
struct NameConstraints {
  MaybeList<std::string> dns, email, uri;
  MaybeList<AddressRange> addresses;
};

// What an extension limits to a number of steps.
struct StepLimit {
  std::int64_t steps = 0;
  bool zero = false;  // The number is there and is 0.
};

struct Certificate {
  std::string raw, raw_tbs, raw_subject, raw_issuer;
  SubjectKeyInfo key;
  std::string signature;
  int signature_algorithm = 0;  // Go's number; 0 is unknown.
  std::int64_t version = 0;     // From 1.
  BigInt serial_number;
  DistinguishedName issuer, subject;
  std::string not_before, not_after;  // RFC 3339
  MaybeList<CertificateExtension> extensions;
  MaybeList<ObjectId> unhandled_critical;

  std::int64_t key_usage = 0;
  MaybeList<std::int64_t> extended_usage;  // Go's numbers.
  MaybeList<ObjectId> unknown_usage;
  bool has_basic_constraints = false;
  bool is_ca = false;
  StepLimit max_path;
  std::optional<std::string> subject_key_id, authority_key_id;
  MaybeList<std::string> ocsp_servers, issuer_urls, revocation_urls;
  AlternativeNames names;
  bool name_constraints_critical = false;
  NameConstraints permitted, excluded;
  MaybeList<std::string> policies;         // Dotted, of any size.
  MaybeList<ObjectId> policy_identifiers;  // Those that fit.
  MaybeList<std::pair<std::string, std::string>> policy_mappings;
  StepLimit inhibit_any_policy, inhibit_mapping, require_policy;
};

struct CertificateRequest {
  std::string raw, raw_tbs, raw_subject;
  SubjectKeyInfo key;
  std::string signature;
  int signature_algorithm = 0;
  std::int64_t version = 0;
  DistinguishedName subject;
  // Each with its sets of (type, value); only those that Go can hold as such.
  struct Attribute {
    ObjectId type;
    std::vector<DistinguishedName> values;
  };
  MaybeList<Attribute> attributes;
  MaybeList<CertificateExtension> extensions;
  AlternativeNames names;
};

// Certificates one after another.
[[nodiscard]] GoResult<std::vector<Certificate>> ParseCertificates(std::string_view der);
[[nodiscard]] GoResult<CertificateRequest> ParseCertificateRequest(std::string_view der);

// OpenSSL's number of a curve that Go knows; 0 for any other.
[[nodiscard]] int CurveNumber(const ObjectId& curve);
// The parts of the above.
[[nodiscard]] GoResult<DistinguishedName> ParseDistinguishedName(std::string_view der);
[[nodiscard]] GoResult<SubjectKeyInfo> ParseSubjectKeyInfo(DerReader* from);
// Go's number of the algorithm in the contents of an AlgorithmIdentifier. ERRORS: Go's text.
[[nodiscard]] GoResult<int> ParseSignatureAlgorithm(std::string_view contents);
[[nodiscard]] GoResult<CertificateExtension> ParseExtension(std::string_view contents);
// Reads what the extensions say into the certificate's fields.
[[nodiscard]] GoResult<void> ReadExtensions(Certificate* certificate);
[[nodiscard]] GoResult<AlternativeNames> ParseAlternativeNames(std::string_view der);

enum class UriStrings : std::uint8_t { kWithout, kWith };
[[nodiscard]] Value ToValue(CallContext& context, const Certificate& certificate, UriStrings uris);
[[nodiscard]] Value ToValue(CallContext& context, const CertificateRequest& request);

struct VerifyOptions {
  std::string dns_name;
  std::optional<std::int64_t> time_ns;  // Since 1970; now where it is absent.
  std::vector<std::int64_t> usages;     // Go's numbers of extended key usages; one must hold.
};
// The chain from the last certificate to the first, which is trusted; the others may stand between. Their places in
// `certificates`; nothing where there is no valid chain. REQUIRES: two at least.
[[nodiscard]] std::optional<std::vector<std::size_t>> VerifyChain(
    const std::vector<Certificate>& certificates, const VerifyOptions& options,
    std::int64_t now_ns);
inline constexpr std::int64_t kAnyUsage = 0;
inline constexpr std::int64_t kServerAuthUsage = 1;

}  // namespace portcullis::builtins
