#include "webhook/certificate.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace portcullis::webhook {
namespace {

// The organisation by which a certificate of ours is known again.
constexpr std::string_view kOrganisation = "portcullis self-signed";
// A certificate chain is a few KiB; what is longer is another file.
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 20;

template <auto Function>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    Function(pointer);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Deleter<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;

std::unexpected<Error> OpensslFailure(ErrorCode code, std::string what) {
  std::array<char, 256> text{};
  if (const unsigned long error = ERR_get_error(); error != 0) {
    ERR_error_string_n(error, text.data(), text.size());
    what += std::string(": ") + text.data();
  }
  ERR_clear_error();
  return Fail(code, std::move(what));
}

// How OpenSSL writes a list of alternative names: "DNS:localhost,IP:127.0.0.1".
Result<std::string> AlternativeNames(const CertificateNames& names) {
  std::string list;
  const auto add = [&list](std::string_view type, const std::string& name) {
    list += list.empty() ? "" : ",";
    list += std::string(type) + ":" + name;
  };
  for (const std::string& name : names.dns_names) {
    // The list's own separators would let one name become several.
    if (name.empty() || name.find_first_of(",:\n ") != std::string::npos) {
      return Fail(ErrorCode::kInvalidArgument, "certificate: not a DNS name: \"" + name + "\"");
    }
    add("DNS", name);
  }
  for (const std::string& address : names.ip_addresses) {
    if (address.find_first_not_of("0123456789abcdefABCDEF.:") != std::string::npos) {
      return Fail(ErrorCode::kInvalidArgument, "certificate: not an address: \"" + address + "\"");
    }
    add("IP", address);
  }
  return list;
}

Result<void> AddExtension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return OpensslFailure(ErrorCode::kInvalidArgument, "certificate: cannot add " + value);
  }
  return {};
}

Result<void> AddName(X509_NAME* name, const char* field, std::string_view value) {
  if (X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(value.data()),
                                 static_cast<int>(value.size()), -1, 0) != 1) {
    return OpensslFailure(ErrorCode::kInvalidArgument,
                          "certificate: bad name \"" + std::string(value) + "\"");
  }
  return {};
}

Result<std::string> BioText(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  if (size <= 0) {
    return OpensslFailure(ErrorCode::kInternal, "certificate: nothing written");
  }
  return std::string(data, static_cast<std::size_t>(size));
}

Result<void> SetSerialAndDates(X509* certificate, std::chrono::hours valid_for, Clock& clock) {
  std::array<unsigned char, 16> serial{};
  if (RAND_bytes(serial.data(), static_cast<int>(serial.size())) != 1) {
    return OpensslFailure(ErrorCode::kInternal, "certificate: no randomness");
  }
  serial[0] &= 0x7F;  // Positive, as the standard wants it.
  const std::unique_ptr<BIGNUM, Deleter<BN_free>> number(
      BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  const std::time_t now = std::chrono::system_clock::to_time_t(clock.WallNow());
  constexpr std::time_t kHour = 3600;
  const auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(valid_for);
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr ||
      ASN1_TIME_set(X509_getm_notBefore(certificate), now - kHour) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate), now + lifetime.count()) == nullptr) {
    return OpensslFailure(ErrorCode::kInternal, "certificate: serial number and dates");
  }
  return {};
}

Result<std::string> ReadFile(const std::filesystem::path& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error == std::errc::no_such_file_or_directory) {
    return Fail(ErrorCode::kNotFound, path.string() + " is not there");
  }
  if (error || size > kMaxFileBytes) {
    return Fail(ErrorCode::kInvalidArgument,
                path.string() + (error ? ": " + error.message() : " is too large"));
  }
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in && !in.eof()) {
    return Fail(ErrorCode::kInvalidArgument, "cannot read " + path.string());
  }
  if (text.empty()) {
    return Fail(ErrorCode::kInvalidArgument, path.string() + " is empty or cannot be read");
  }
  return text;
}

// Under another name first: a reader sees the old file or the new one, never half of one.
Result<void> WriteFile(const std::filesystem::path& path, const std::string& text, mode_t mode) {
  const std::string temporary = path.string() + ".new";
  ::unlink(temporary.c_str());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) {
    return Fail(ErrorCode::kUnavailable, "cannot write " + temporary + ": " + std::strerror(errno));
  }
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = ::write(file, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      const int reason = errno;
      ::close(file);
      return Fail(ErrorCode::kUnavailable,
                  "cannot write " + temporary + ": " + std::strerror(reason));
    }
    done += static_cast<std::size_t>(wrote);
  }
  if (::fsync(file) != 0 || ::close(file) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    return Fail(ErrorCode::kUnavailable,
                "cannot write " + path.string() + ": " + std::strerror(errno));
  }
  return {};
}

CertificatePtr ParseCertificate(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return CertificatePtr(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
}

// An encrypted key must fail rather than ask at a terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*encrypting*/, void* /*context*/) {
  return 0;
}

KeyPtr ParseKey(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return KeyPtr(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr) : nullptr);
}

std::string NameEntry(X509* certificate, int field) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, field, -1);
  if (at < 0) {
    return {};
  }
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string AddressText(const unsigned char* bytes, int size) {
  if (size == 4) {
    return std::to_string(bytes[0]) + "." + std::to_string(bytes[1]) + "." +
           std::to_string(bytes[2]) + "." + std::to_string(bytes[3]);
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < size; ++i) {
    text += kHex[bytes[i] >> 4];
    text += kHex[bytes[i] & 15];
  }
  return text;
}

void ReadAlternativeNames(X509* certificate, CertificateInfo* info) {
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      info->dns_names.emplace_back(
          reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
          static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      info->ip_addresses.push_back(AddressText(ASN1_STRING_get0_data(name->d.iPAddress),
                                               ASN1_STRING_length(name->d.iPAddress)));
    }
  }
}

// Whether a certificate made here still serves: it has every DNS name and time left.
bool Serves(const CertificateInfo& info, const CertificateNames& names, Clock& clock) {
  const bool named = std::ranges::all_of(names.dns_names, [&info](const std::string& name) {
    return std::ranges::find(info.dns_names, name) != info.dns_names.end();
  });
  return named && clock.WallNow() + kRenewBefore < info.not_after;
}

// What a certificate is to be.
struct Wanted {
  const CertificateNames& names;
  std::string_view organisation;  // Empty: none.
  bool is_authority = false;
  const char* key_usage = nullptr;
  std::chrono::hours valid_for;
};

struct Issuer {
  CertificatePtr certificate;
  KeyPtr key;
};

Result<void> FillIn(X509* certificate, const Wanted& wanted, EVP_PKEY* key, const Issuer* issuer,
                    Clock& clock) {
  TRY(SetSerialAndDates(certificate, wanted.valid_for, clock));
  X509_NAME* subject = X509_get_subject_name(certificate);
  if (!wanted.organisation.empty()) {
    TRY(AddName(subject, "O", wanted.organisation));
  }
  TRY(AddName(subject, "CN", wanted.names.common_name));
  const X509_NAME* signer =
      issuer == nullptr ? subject : X509_get_subject_name(issuer->certificate.get());
  if (X509_set_issuer_name(certificate, signer) != 1 || X509_set_pubkey(certificate, key) != 1) {
    return OpensslFailure(ErrorCode::kInternal, "certificate: cannot be filled in");
  }
  TRY(AddExtension(certificate, NID_basic_constraints,
                   wanted.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE"));
  TRY(AddExtension(certificate, NID_key_usage, wanted.key_usage));
  TRY(AddExtension(certificate, NID_ext_key_usage, "serverAuth,clientAuth"));
  const std::string alternatives = TRY(AlternativeNames(wanted.names));
  if (!alternatives.empty()) {
    TRY(AddExtension(certificate, NID_subject_alt_name, alternatives));
  }
  return {};
}

// RSA keys in PKCS #1, which Gatekeeper reads; others in PKCS #8.
bool WriteKey(BIO* out, EVP_PKEY* key) {
  return EVP_PKEY_is_a(key, "RSA") == 1
             ? PEM_write_bio_PrivateKey_traditional(out, key, nullptr, nullptr, 0, nullptr,
                                                    nullptr) == 1
             : PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
}

// Without an issuer it signs itself.
Result<CertificatePair> MakeCertificate(const Wanted& wanted, EVP_PKEY* key, const Issuer* issuer,
                                        Clock& clock) {
  const CertificatePtr certificate(X509_new());
  if (key == nullptr || !certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1) {
    return OpensslFailure(ErrorCode::kInternal, "certificate: cannot make a key");
  }
  TRY(FillIn(certificate.get(), wanted, key, issuer, clock));
  if (X509_sign(certificate.get(), issuer == nullptr ? key : issuer->key.get(), EVP_sha256()) ==
      0) {
    return OpensslFailure(ErrorCode::kInternal, "certificate: cannot be signed");
  }
  const BioPtr certificate_text(BIO_new(BIO_s_mem()));
  const BioPtr key_text(BIO_new(BIO_s_mem()));
  if (!certificate_text || !key_text ||
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
      !WriteKey(key_text.get(), key)) {
    return OpensslFailure(ErrorCode::kInternal, "certificate: cannot be written");
  }
  // One after the other: g++ 12 forgets what a brace holds when a later element returns.
  CertificatePair pair;
  pair.certificate = TRY(BioText(certificate_text.get()));
  pair.key = TRY(BioText(key_text.get()));
  return pair;
}

}  // namespace

Result<CertificatePair> MakeSelfSigned(const CertificateNames& names, Clock& clock) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  return MakeCertificate({.names = names,
                          .organisation = kOrganisation,
                          .is_authority = true,
                          .key_usage = "critical,digitalSignature,keyCertSign",
                          .valid_for = kSelfSignedLifetime},
                         key.get(), nullptr, clock);
}

Result<CertificatePair> MakeAuthority(const std::string& name, Clock& clock) {
  const KeyPtr key(EVP_RSA_gen(2048));
  CertificateNames names;
  names.common_name = name;
  names.dns_names = {name};
  names.ip_addresses.clear();
  return MakeCertificate({.names = names,
                          .organisation = "gatekeeper",
                          .is_authority = true,
                          .key_usage = "critical,digitalSignature,keyEncipherment,keyCertSign",
                          .valid_for = kAuthorityLifetime},
                         key.get(), nullptr, clock);
}

Result<CertificatePair> MakeSigned(const CertificateNames& names, const CertificatePair& authority,
                                   Clock& clock) {
  const Issuer issuer{.certificate = ParseCertificate(authority.certificate),
                      .key = ParseKey(authority.key)};
  if (!issuer.certificate || !issuer.key) {
    return OpensslFailure(ErrorCode::kInvalidArgument, "certificate: the authority is no good");
  }
  const KeyPtr key(EVP_EC_gen("P-256"));
  return MakeCertificate({.names = names,
                          .organisation = {},
                          .is_authority = false,
                          .key_usage = "critical,digitalSignature,keyEncipherment",
                          .valid_for = kSelfSignedLifetime},
                         key.get(), &issuer, clock);
}

bool IsGood(const CertificatePair& pair, const std::string& authority, const std::string& dns_name,
            Clock& clock) {
  const CertificatePtr certificate = ParseCertificate(pair.certificate);
  const CertificatePtr issuer = ParseCertificate(authority);
  const KeyPtr key = ParseKey(pair.key);
  const StorePtr store(X509_STORE_new());
  const StoreContextPtr context(X509_STORE_CTX_new());
  bool good = certificate && issuer && key && store && context &&
              X509_check_private_key(certificate.get(), key.get()) == 1 &&
              X509_STORE_add_cert(store.get(), issuer.get()) == 1 &&
              X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr) == 1;
  if (good) {
    X509_STORE_CTX_set_time(context.get(), 0,
                            std::chrono::system_clock::to_time_t(clock.WallNow() + kRenewBefore));
    good = X509_verify_cert(context.get()) == 1 &&
           (dns_name.empty() ||
            X509_check_host(certificate.get(), dns_name.data(), dns_name.size(), 0, nullptr) == 1);
  }
  ERR_clear_error();
  return good;
}

Result<CertificateInfo> ReadCertificate(const std::string& pem) {
  const CertificatePtr certificate = ParseCertificate(pem);
  if (!certificate) {
    return OpensslFailure(ErrorCode::kInvalidArgument, "not a PEM certificate");
  }
  std::tm expires{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &expires) != 1) {
    return OpensslFailure(ErrorCode::kInvalidArgument, "certificate: no date of expiry");
  }
  CertificateInfo info{
      .common_name = NameEntry(certificate.get(), NID_commonName),
      .dns_names = {},
      .ip_addresses = {},
      .not_after = std::chrono::system_clock::from_time_t(::timegm(&expires)),
      .made_here = NameEntry(certificate.get(), NID_organizationName) == kOrganisation,
  };
  ReadAlternativeNames(certificate.get(), &info);
  return info;
}

Result<CertificatePair> LoadCertificate(const std::filesystem::path& directory) {
  CertificatePair pair;
  pair.certificate = TRY(ReadFile(directory / "tls.crt"));
  pair.key = TRY(ReadFile(directory / "tls.key"));
  const CertificatePtr certificate = ParseCertificate(pair.certificate);
  if (!certificate) {
    return OpensslFailure(ErrorCode::kInvalidArgument,
                          (directory / "tls.crt").string() + " holds no certificate");
  }
  const KeyPtr key = ParseKey(pair.key);
  if (!key) {
    return OpensslFailure(ErrorCode::kInvalidArgument,
                          (directory / "tls.key").string() + " holds no private key");
  }
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return Fail(ErrorCode::kInvalidArgument,
                (directory / "tls.key").string() + " is not the key of the certificate beside it");
  }
  return pair;
}

Result<CertificatePair> EnsureCertificate(const std::filesystem::path& directory,
                                          const CertificateNames& names, Clock& clock) {
  auto present = LoadCertificate(directory);
  if (present) {
    const CertificateInfo info = TRY(ReadCertificate(present->certificate));
    if (!info.made_here || Serves(info, names, clock)) {
      return present;
    }
  } else if (present.error().code != ErrorCode::kNotFound) {
    return present;
  } else if (std::filesystem::exists(directory / "tls.crt") ||
             std::filesystem::exists(directory / "tls.key")) {
    // Half a pair was put there by somebody: overwriting it would hide the mistake.
    return present;
  }
  CertificatePair made = TRY(MakeSelfSigned(names, clock));
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return Fail(ErrorCode::kUnavailable,
                "cannot make " + directory.string() + ": " + error.message());
  }
  TRY(StoreCertificate(directory, made, made.certificate));
  return made;
}

Result<void> StoreCertificate(const std::filesystem::path& directory, const CertificatePair& pair,
                              const std::string& authority) {
  TRY(WriteFile(directory / "tls.key", pair.key, 0600));
  TRY(WriteFile(directory / "tls.crt", pair.certificate, 0644));
  return WriteFile(directory / "ca.crt", authority, 0644);
}

}  // namespace portcullis::webhook
