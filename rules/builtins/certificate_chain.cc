// The chain from a leaf to a trusted certificate: OpenSSL builds and checks it, and what Go demands beyond is checked here.

#include <algorithm>
#include <map>

#include "rules/builtins/certificate.h"
#include "rules/builtins/ip.h"
#include "rules/builtins/openssl_ptr.h"

namespace portcullis::builtins {
namespace {

using OwnedStore = Owned<X509_STORE, X509_STORE_free>;
using OwnedStoreContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
using Parts = std::vector<std::string_view>;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return lower;
}

Parts Labels(std::string_view host) {
  Parts labels;
  while (true) {
    const std::size_t dot = host.find('.');
    labels.push_back(host.substr(0, dot));
    if (dot == host.npos) {
      return labels;
    }
    host.remove_prefix(dot + 1);
  }
}

enum class HostKind : std::uint8_t { kInput, kPattern };

bool IsHost(std::string_view host, HostKind kind) {
  if (kind == HostKind::kInput && host.ends_with('.')) {
    host.remove_suffix(1);
  }
  if (host.empty() || host == "*") {
    return false;
  }
  const Parts labels = Labels(host);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string_view label = labels[i];
    if (kind == HostKind::kPattern && i == 0 && label == "*") {
      continue;
    }
    const bool valid = std::ranges::all_of(label, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_';
    });
    if (label.empty() || label.starts_with('-') || !valid) {
      return false;
    }
  }
  return true;
}

bool MatchesPattern(std::string_view pattern, std::string_view host) {
  const Parts wanted = Labels(pattern);
  const Parts given = Labels(host.ends_with('.') ? host.substr(0, host.size() - 1) : host);
  if (wanted.size() != given.size()) {
    return false;
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!(i == 0 && wanted[i] == "*") && wanted[i] != given[i]) {
      return false;
    }
  }
  return true;
}

// The common name is not looked at.
bool IsFor(const Certificate& certificate, const std::string& name) {
  std::string_view address = name;
  if (name.size() >= 3 && name.starts_with('[') && name.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  if (const auto ip = ParseIp(address)) {
    for (const std::string& bytes :
         certificate.names.addresses.value_or(std::vector<std::string>())) {
      IpAddress candidate;
      if (bytes.size() == 4) {
        candidate.bytes[10] = candidate.bytes[11] = 0xFF;
      }
      std::ranges::copy(bytes, candidate.bytes.end() - static_cast<std::ptrdiff_t>(bytes.size()));
      if (candidate == *ip) {
        return true;
      }
    }
    return false;
  }
  const std::string host = Lower(name);
  for (const std::string& dns : certificate.names.dns.value_or(std::vector<std::string>())) {
    const std::string pattern = Lower(dns);
    if (IsHost(host, HostKind::kInput) && IsHost(pattern, HostKind::kPattern)
            ? MatchesPattern(pattern, host)
            : pattern == host && !host.empty() && host != ".") {
      return true;
    }
  }
  return false;
}

OwnedCertificate ToOpenSsl(const Certificate& certificate) {
  const auto* at = reinterpret_cast<const unsigned char*>(certificate.raw.data());
  return OwnedCertificate(d2i_X509(nullptr, &at, static_cast<long>(certificate.raw.size())));
}

// Each certificate that names usages must allow one of those that are left, from the root down.
bool AllowsUsage(const std::vector<const Certificate*>& chain, std::vector<std::int64_t> usages) {
  if (usages.empty()) {
    usages.push_back(kServerAuthUsage);
  }
  if (std::ranges::find(usages, kAnyUsage) != usages.end()) {
    return true;
  }
  for (auto certificate = chain.rbegin(); certificate != chain.rend(); ++certificate) {
    if (!(*certificate)->extended_usage && !(*certificate)->unknown_usage) {
      continue;
    }
    const auto allowed = (*certificate)->extended_usage.value_or(std::vector<std::int64_t>());
    if (std::ranges::find(allowed, kAnyUsage) != allowed.end()) {
      continue;
    }
    std::erase_if(usages, [&](std::int64_t usage) {
      return std::ranges::find(allowed, usage) == allowed.end();
    });
    if (usages.empty()) {
      return false;
    }
  }
  return true;
}

// What Go refuses and OpenSSL does not.
bool IsAcceptable(const std::vector<const Certificate*>& chain) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const Certificate& certificate = *chain[i];
    const bool last = i + 1 == chain.size();
    if (certificate.unhandled_critical) {
      return false;
    }
    // MD5, SHA-1 and DSA are not trusted; a root's own signature is not looked at.
    const int algorithm = certificate.signature_algorithm;
    const bool trusted = algorithm >= 4 && !(algorithm >= 7 && algorithm <= 9);
    if (!trusted && !last) {
      return false;
    }
    if (i == 0) {
      continue;
    }
    const bool refuses = certificate.version == 3
                             ? !certificate.has_basic_constraints || !certificate.is_ca
                             : certificate.has_basic_constraints && !certificate.is_ca;
    const bool signs = certificate.key_usage == 0 || (certificate.key_usage & (1 << 5)) != 0;
    if (refuses || !signs || (!last && !certificate.is_ca)) {
      return false;
    }
    if (certificate.has_basic_constraints && certificate.max_path.steps >= 0 &&
        static_cast<std::int64_t>(i) - 1 > certificate.max_path.steps) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<std::vector<std::size_t>> VerifyChain(const std::vector<Certificate>& certificates,
                                                    const VerifyOptions& options,
                                                    std::int64_t now_ns) {
  const Certificate& leaf = certificates.back();
  if (!options.dns_name.empty() && !IsFor(leaf, options.dns_name)) {
    return std::nullopt;
  }
  std::map<std::string_view, std::size_t> places;
  std::vector<OwnedCertificate> parsed;
  const OwnedStore store(X509_STORE_new());
  const std::unique_ptr<STACK_OF(X509), FreeStack> intermediates(sk_X509_new_null());
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    places.emplace(certificates[i].raw, i);
    parsed.push_back(ToOpenSsl(certificates[i]));
    if (!parsed.back()) {
      return std::nullopt;
    }
    if (i > 0 && i + 1 < certificates.size()) {
      sk_X509_push(intermediates.get(), parsed.back().get());
    }
  }
  X509_STORE_add_cert(store.get(), parsed.front().get());
  const OwnedStoreContext context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), store.get(), parsed.back().get(), intermediates.get()) !=
      1) {
    return std::nullopt;
  }
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  const std::int64_t time_ns = options.time_ns.value_or(now_ns);
  const std::int64_t seconds = time_ns / 1'000'000'000 - (time_ns % 1'000'000'000 < 0 ? 1 : 0);
  X509_VERIFY_PARAM_set_time(parameters, seconds);
  // Critical extensions that OpenSSL does not know are judged by what Go knows. A trusted certificate need not be a root.
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_IGNORE_CRITICAL |
                                              X509_V_FLAG_POLICY_CHECK);
  if (X509_verify_cert(context.get()) != 1) {
    return std::nullopt;
  }
  std::vector<std::size_t> chain;
  std::vector<const Certificate*> members;
  STACK_OF(X509)* found = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 0; i < sk_X509_num(found); ++i) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(sk_X509_value(found, i), &der);
    if (size < 0) {
      return std::nullopt;
    }
    const std::string_view raw(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    const auto place = places.find(raw);
    OPENSSL_free(der);
    if (place == places.end()) {
      return std::nullopt;
    }
    chain.push_back(place->second);
    members.push_back(&certificates[place->second]);
  }
  if (!IsAcceptable(members) || !AllowsUsage(members, options.usages)) {
    return std::nullopt;
  }
  return chain;
}

}  // namespace portcullis::builtins
