// The server's certificate: what it says, where it lies, and a self-signed one where nobody gives
// another.

#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace portcullis::webhook {

// A certificate chain and its private key, in PEM.
struct CertificatePair {
  std::string certificate;
  std::string key;
};

// Who a certificate is for.
struct CertificateNames {
  std::string common_name = "portcullis";
  std::vector<std::string> dns_names = {"localhost"};
  std::vector<std::string> ip_addresses = {"127.0.0.1", "::1"};
};

struct CertificateInfo {
  std::string common_name;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  std::chrono::system_clock::time_point not_after;
  bool made_here = false;  // By MakeSelfSigned.
};

inline constexpr std::chrono::hours kSelfSignedLifetime{24 * 365};
inline constexpr std::chrono::hours kRenewBefore{24 * 90};

// ECDSA P-256, valid from an hour ago for kSelfSignedLifetime; it is its own authority.
// ERRORS: kInvalidArgument: an address that is none. kInternal: OpenSSL failed.
[[nodiscard]] Result<CertificatePair> MakeSelfSigned(const CertificateNames& names, Clock& clock);

inline constexpr std::chrono::hours kAuthorityLifetime{24 * 365 * 10};

// An authority that signs certificates, as Gatekeeper's rotator makes them: RSA, the key in PKCS #1. COST: a tenth of a second.
[[nodiscard]] Result<CertificatePair> MakeAuthority(const std::string& name, Clock& clock);

// As MakeSelfSigned, signed by an authority. ERRORS: and kInvalidArgument: `authority` is no good.
[[nodiscard]] Result<CertificatePair> MakeSigned(const CertificateNames& names,
                                                 const CertificatePair& authority, Clock& clock);

// Whether certificate and key belong together, `authority` (PEM) has signed it, it is for `dns_name` (empty: any), and all that
// holds for kRenewBefore from now.
[[nodiscard]] bool IsGood(const CertificatePair& pair, const std::string& authority,
                          const std::string& dns_name, Clock& clock);

// What the first certificate of a PEM text says. ERRORS: kInvalidArgument: no certificate in it.
[[nodiscard]] Result<CertificateInfo> ReadCertificate(const std::string& pem);

// tls.crt and tls.key of `directory`, checked to belong to each other.
// ERRORS: kNotFound: one is missing. kInvalidArgument: unreadable, or the key is another
// certificate's.
[[nodiscard]] Result<CertificatePair> LoadCertificate(const std::filesystem::path& directory);

// LoadCertificate, after making a self-signed one where there is none. One that was made here is
// made anew when it is about to expire (kRenewBefore) or lacks a name; somebody else's is never
// touched. ca.crt is what clients trust; tls.key gets mode 0600. ERRORS: LoadCertificate's;
// kUnavailable: the directory cannot be written.
[[nodiscard]] Result<CertificatePair> EnsureCertificate(const std::filesystem::path& directory,
                                                        const CertificateNames& names,
                                                        Clock& clock);

// Makes tls.crt, tls.key and ca.crt of `directory` hold this; one after the other: whoever reads a half-written pair finds that
// it does not fit together. ERRORS: kUnavailable: the directory cannot be written.
[[nodiscard]] Result<void> StoreCertificate(const std::filesystem::path& directory,
                                            const CertificatePair& pair,
                                            const std::string& authority);

}  // namespace portcullis::webhook
