#include <algorithm>
#include <utility>

#include "base/error.h"
#include "rules/builtins/certificate.h"
#include "rules/builtins/codec.h"
#include "rules/builtins/go_format.h"
#include "rules/builtins/ip.h"

namespace portcullis::builtins {
namespace {

std::unexpected<std::string> Wrong(std::string_view text) {
  return std::unexpected("x509: " + std::string(text));
}

std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendGoQuoted(text, &quoted);
  return quoted;
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<std::uint8_t>(c) < 0x80; });
}

template <class T>
void Add(MaybeList<T>* list, T item) {
  if (!*list) {
    list->emplace();
  }
  (*list)->push_back(std::move(item));
}

enum class Purpose : std::uint8_t { kName, kConstraint };

bool IsDomain(std::string_view text, Purpose purpose) {
  if (text.empty()) {
    return true;
  }
  if (text.ends_with('.')) {
    return false;
  }
  if (purpose == Purpose::kConstraint && text.starts_with('.')) {
    text.remove_prefix(1);
  }
  return !text.starts_with('.') && !text.contains("..") &&
         std::ranges::all_of(text, [](char c) { return c >= 33 && c <= 126; });
}

bool IsMailAtom(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-/=?^_`{|}~.").contains(c);
}

bool IsQuotable(char c) {
  return c == 11 || c == 12 || (c >= 1 && c <= 9) || c >= 14;
}

// RFC 2821's Mailbox.
bool IsMailbox(std::string_view text) {
  std::size_t at = 0;
  if (text.starts_with('"')) {
    for (at = 1; at < text.size() && text[at] != '"'; ++at) {
      const char c = text[at];
      if (c == '\\') {
        if (++at == text.size() || !IsQuotable(text[at])) {
          return false;
        }
      } else if (!IsQuotable(c) || c == '\t') {
        return false;
      }
    }
    ++at;
  } else {
    bool escaped = false;
    while (at < text.size() && (IsMailAtom(text[at]) || text[at] == '\\' || escaped)) {
      escaped = !escaped && text[at] == '\\';
      ++at;
    }
    const std::string_view local = text.substr(0, at);
    if (local.empty() || escaped || local.starts_with('.') || local.ends_with('.') ||
        local.contains("..")) {
      return false;
    }
  }
  return at < text.size() && text[at] == '@' && IsDomain(text.substr(at + 1), Purpose::kName);
}

GoResult<NameConstraints> ParseSubtrees(std::string_view bytes, bool* unhandled) {
  NameConstraints constraints;
  DerReader subtrees(bytes);
  while (!subtrees.empty()) {
    auto subtree = subtrees.Enter(DerTag::kSequence);
    const auto base = subtree ? subtree->TakeAny() : std::nullopt;
    if (!base) {
      return Wrong("invalid NameConstraints extension");
    }
    const std::string value(base->contents);
    const bool named =
        base->tag == Context(1) || base->tag == Context(2) || base->tag == Context(6);
    if (named && !IsAscii(value)) {
      return Wrong("invalid constraint value: x509: " + Quoted(value) +
                   " cannot be encoded as an IA5String");
    }
    if (base->tag == Context(2)) {
      if (!IsDomain(value, Purpose::kConstraint)) {
        return Wrong("failed to parse dnsName constraint " + Quoted(value));
      }
      Add(&constraints.dns, value);
    } else if (base->tag == Context(7)) {
      if (value.size() != 8 && value.size() != 32) {
        return Wrong("IP constraint contained value of length " + std::to_string(value.size()));
      }
      const AddressRange range{value.substr(0, value.size() / 2), value.substr(value.size() / 2)};
      std::string bits;
      for (const char c : range.mask) {
        for (int i = 7; i >= 0; --i) {
          bits.push_back((c >> i & 1) != 0 ? '1' : '0');
        }
      }
      if (bits.contains("01")) {
        return Wrong("IP constraint contained invalid mask " + EncodeHex(range.mask));
      }
      Add(&constraints.addresses, range);
    } else if (base->tag == Context(1)) {
      if (value.contains('@') ? !IsMailbox(value) : !IsDomain(value, Purpose::kConstraint)) {
        return Wrong("failed to parse rfc822Name constraint " + Quoted(value));
      }
      Add(&constraints.email, value);
    } else if (base->tag == Context(6)) {
      if (ParseIp(value)) {
        return Wrong("failed to parse URI constraint " + Quoted(value) + ": cannot be IP address");
      }
      if (!IsDomain(value, Purpose::kConstraint)) {
        return Wrong("failed to parse URI constraint " + Quoted(value));
      }
      Add(&constraints.uri, value);
    } else {
      *unhandled = true;
    }
  }
  return constraints;
}

GoResult<void> ReadNameConstraints(Certificate* out, const CertificateExtension& extension,
                                   bool* unhandled) {
  DerReader outer(extension.value);
  auto top = outer.Enter(DerTag::kSequence);
  std::optional<std::string_view> permitted;
  std::optional<std::string_view> excluded;
  if (!top || !outer.empty() || !top->TakeOptional(ContextSequence(0), &permitted) ||
      !top->TakeOptional(ContextSequence(1), &excluded) || !top->empty()) {
    return Wrong("invalid NameConstraints extension");
  }
  if (permitted.value_or("").empty() && excluded.value_or("").empty()) {
    return Wrong("empty name constraints extension");
  }
  out->permitted = TRY(ParseSubtrees(permitted.value_or(""), unhandled));
  out->excluded = TRY(ParseSubtrees(excluded.value_or(""), unhandled));
  out->name_constraints_critical = extension.critical;
  return {};
}

GoResult<void> ReadBasicConstraints(Certificate* out, std::string_view der) {
  auto sequence = DerReader(der).Enter(DerTag::kSequence);
  if (!sequence) {
    return Wrong("invalid basic constraints");
  }
  std::optional<bool> is_ca = false;
  if (sequence->NextIs(DerTag::kBoolean)) {
    is_ca = sequence->TakeBoolean();
  }
  std::optional<std::int64_t> steps = -1;
  if (is_ca && sequence->NextIs(DerTag::kInteger)) {
    steps = sequence->TakeInt64();
    if (steps && *steps < 0) {
      steps.reset();
    }
  }
  if (!is_ca || !steps) {
    return Wrong("invalid basic constraints");
  }
  out->has_basic_constraints = true;
  out->is_ca = *is_ca;
  out->max_path = {*steps, *steps == 0};
  return {};
}

GoResult<void> ReadRevocation(Certificate* out, std::string_view der) {
  auto points = DerReader(der).Enter(DerTag::kSequence);
  if (!points) {
    return Wrong("invalid CRL distribution points");
  }
  while (!points->empty()) {
    auto point = points->Enter(DerTag::kSequence);
    std::optional<std::string_view> name;
    if (!point || !point->TakeOptional(ContextSequence(0), &name)) {
      return Wrong("invalid CRL distribution point");
    }
    if (!name) {
      continue;
    }
    auto full = DerReader(*name).Enter(ContextSequence(0));
    if (!full) {
      return Wrong("invalid CRL distribution point");
    }
    while (full->NextIs(Context(6))) {
      const auto uri = full->TakeAny();
      if (!uri) {
        return Wrong("invalid CRL distribution point");
      }
      Add(&out->revocation_urls, std::string(uri->contents));
    }
  }
  return {};
}

GoResult<void> ReadPolicyConstraints(Certificate* out, std::string_view der) {
  auto sequence = DerReader(der).Enter(DerTag::kSequence);
  if (!sequence) {
    return Wrong("invalid policy constraints extension");
  }
  for (const auto& [number, limit] :
       {std::pair{0, &out->require_policy}, std::pair{1, &out->inhibit_mapping}}) {
    if (sequence->NextIs(Context(number))) {
      const auto steps = sequence->TakeInt64(Context(number));
      if (!steps) {
        return Wrong("invalid policy constraints extension");
      }
      *limit = {*steps, *steps == 0};
    }
  }
  return {};
}

GoResult<void> ReadUsages(Certificate* out, std::string_view der) {
  static const ObjectId kUsages[] = {{2, 5, 29, 37, 0},
                                     {1, 3, 6, 1, 5, 5, 7, 3, 1},
                                     {1, 3, 6, 1, 5, 5, 7, 3, 2},
                                     {1, 3, 6, 1, 5, 5, 7, 3, 3},
                                     {1, 3, 6, 1, 5, 5, 7, 3, 4},
                                     {1, 3, 6, 1, 5, 5, 7, 3, 5},
                                     {1, 3, 6, 1, 5, 5, 7, 3, 6},
                                     {1, 3, 6, 1, 5, 5, 7, 3, 7},
                                     {1, 3, 6, 1, 5, 5, 7, 3, 8},
                                     {1, 3, 6, 1, 5, 5, 7, 3, 9},
                                     {1, 3, 6, 1, 4, 1, 311, 10, 3, 3},
                                     {2, 16, 840, 1, 113730, 4, 1},
                                     {1, 3, 6, 1, 4, 1, 311, 2, 1, 22},
                                     {1, 3, 6, 1, 4, 1, 311, 61, 1, 1}};
  auto sequence = DerReader(der).Enter(DerTag::kSequence);
  if (!sequence) {
    return Wrong("invalid extended key usages");
  }
  while (!sequence->empty()) {
    auto id = sequence->TakeObjectId();
    if (!id) {
      return Wrong("invalid extended key usages");
    }
    const auto* const known = std::ranges::find(kUsages, *id);
    if (known != std::end(kUsages)) {
      Add(&out->extended_usage, std::int64_t{known - std::begin(kUsages)});
    } else {
      Add(&out->unknown_usage, *std::move(id));
    }
  }
  return {};
}

// An identifier of parts of any size, dotted; nothing where it is malformed.
std::optional<std::string> DottedOfAnySize(std::string_view bytes) {
  std::string text;
  BigInt part;
  bool inside = false;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (!inside && byte == 0x80) {
      return std::nullopt;
    }
    mpz_mul_2exp(part.get(), part.get(), 7);
    mpz_add_ui(part.get(), part.get(), byte & 0x7F);
    inside = (byte & 0x80) != 0;
    if (inside) {
      continue;
    }
    if (text.empty()) {
      const std::uint64_t first = mpz_cmp_ui(part.get(), 80) >= 0 ? 2 : mpz_get_ui(part.get()) / 40;
      text = std::to_string(first);
      mpz_sub_ui(part.get(), part.get(), first * 40);
    }
    text.append(".").append(part.Text());
    part = BigInt();
  }
  return inside || text.empty() ? std::nullopt : std::optional(std::move(text));
}

GoResult<void> ReadPolicies(Certificate* out, std::string_view der) {
  auto sequence = DerReader(der).Enter(DerTag::kSequence);
  if (!sequence) {
    return Wrong("invalid certificate policies");
  }
  out->policy_identifiers.emplace();
  while (!sequence->empty()) {
    auto policy = sequence->Enter(DerTag::kSequence);
    const auto id = policy ? policy->Take(DerTag::kObjectId) : std::nullopt;
    auto text = id ? DottedOfAnySize(id->contents) : std::nullopt;
    if (!text ||
        (out->policies && std::ranges::find(*out->policies, *text) != out->policies->end())) {
      return Wrong("invalid certificate policies");
    }
    Add(&out->policies, *std::move(text));
    if (auto fitting = DerReader(id->whole).TakeObjectId()) {
      out->policy_identifiers->push_back(*std::move(fitting));
    }
  }
  return {};
}

GoResult<void> ReadPolicyMappings(Certificate* out, std::string_view der) {
  auto sequence = DerReader(der).Enter(DerTag::kSequence);
  if (!sequence) {
    return Wrong("invalid policy mappings extension");
  }
  while (!sequence->empty()) {
    auto pair = sequence->Enter(DerTag::kSequence);
    const auto issuer = pair ? pair->Take(DerTag::kObjectId) : std::nullopt;
    const auto subject = issuer ? pair->Take(DerTag::kObjectId) : std::nullopt;
    if (!subject) {
      return Wrong("invalid policy mappings extension");
    }
    Add(&out->policy_mappings, std::pair(DottedOfAnySize(issuer->contents).value_or(""),
                                         DottedOfAnySize(subject->contents).value_or("")));
  }
  return {};
}

GoResult<void> ReadAuthorityKey(Certificate* out, const CertificateExtension& extension) {
  if (extension.critical) {
    return Wrong("authority key identifier incorrectly marked critical");
  }
  auto sequence = DerReader(extension.value).Enter(DerTag::kSequence);
  if (!sequence) {
    return Wrong("invalid authority key identifier");
  }
  std::optional<std::string_view> id;
  if (!sequence->TakeOptional(Context(0), &id)) {
    return Wrong("invalid authority key identifier");
  }
  if (id) {
    out->authority_key_id = *id;
  }
  return {};
}

GoResult<void> ReadAuthorityAccess(Certificate* out, const CertificateExtension& extension) {
  if (extension.critical) {
    return Wrong("authority info access incorrectly marked critical");
  }
  auto sequence = DerReader(extension.value).Enter(DerTag::kSequence);
  if (!sequence) {
    return Wrong("invalid authority info access");
  }
  while (!sequence->empty()) {
    auto access = sequence->Enter(DerTag::kSequence);
    const auto method = access ? access->TakeObjectId() : std::nullopt;
    std::optional<std::string_view> uri;
    if (!method || !access->TakeOptional(Context(6), &uri)) {
      return Wrong("invalid authority info access");
    }
    if (uri && *method == ObjectId{1, 3, 6, 1, 5, 5, 7, 48, 1}) {
      Add(&out->ocsp_servers, std::string(*uri));
    } else if (uri && *method == ObjectId{1, 3, 6, 1, 5, 5, 7, 48, 2}) {
      Add(&out->issuer_urls, std::string(*uri));
    }
  }
  return {};
}

// One of id-ce: 2.5.29.number.
GoResult<void> ReadStandard(Certificate* out, const CertificateExtension& extension,
                            bool* unhandled) {
  const std::string_view der = extension.value;
  switch (extension.id[3]) {
    case 14: {
      if (extension.critical) {
        return Wrong("subject key identifier incorrectly marked critical");
      }
      const auto id = DerReader(der).Take(DerTag::kOctetString);
      if (!id) {
        return Wrong("invalid subject key identifier");
      }
      out->subject_key_id = id->contents;
      return {};
    }
    case 15: {
      const auto bits = DerReader(der).TakeBits();
      if (!bits) {
        return Wrong("invalid key usage");
      }
      for (std::size_t i = 0; i < 9; ++i) {
        out->key_usage |= std::int64_t{bits->At(i)} << i;
      }
      return {};
    }
    case 17: {
      auto names = TRY(ParseAlternativeNames(der));
      out->names = std::move(names);
      *unhandled =
          !out->names.dns && !out->names.email && !out->names.addresses && !out->names.uris;
      return {};
    }
    case 19:
      return ReadBasicConstraints(out, der);
    case 30:
      return ReadNameConstraints(out, extension, unhandled);
    case 31:
      return ReadRevocation(out, der);
    case 32:
      return ReadPolicies(out, der);
    case 33:
      return ReadPolicyMappings(out, der);
    case 35:
      return ReadAuthorityKey(out, extension);
    case 36:
      return ReadPolicyConstraints(out, der);
    case 37:
      return ReadUsages(out, der);
    case 54: {
      const auto steps = DerReader(der).TakeInt64();
      if (!steps) {
        return Wrong("invalid inhibit any policy extension");
      }
      out->inhibit_any_policy = {*steps, *steps == 0};
      return {};
    }
    default:
      *unhandled = true;
      return {};
  }
}

}  // namespace

GoResult<AlternativeNames> ParseAlternativeNames(std::string_view der) {
  AlternativeNames names;
  auto sequence = DerReader(der).Enter(DerTag::kSequence);
  if (!sequence) {
    return Wrong("invalid subject alternative names");
  }
  while (!sequence->empty()) {
    const auto name = sequence->TakeAny();
    if (!name) {
      return Wrong("invalid subject alternative name");
    }
    const std::string value(name->contents);
    if (name->tag == Context(1)) {
      if (!IsAscii(value)) {
        return Wrong("SAN rfc822Name is malformed");
      }
      Add(&names.email, value);
    } else if (name->tag == Context(2)) {
      if (!IsAscii(value)) {
        return Wrong("SAN dNSName is malformed");
      }
      Add(&names.dns, value);
    } else if (name->tag == Context(6)) {
      if (!IsAscii(value)) {
        return Wrong("SAN uniformResourceIdentifier is malformed");
      }
      auto uri = ParseUri(value);
      if (!uri) {
        return Wrong("cannot parse URI " + Quoted(value) + ": " + uri.error());
      }
      if (!IsDomain(uri->host, Purpose::kName)) {
        return Wrong("cannot parse URI " + Quoted(value) + ": invalid domain");
      }
      Add(&names.uris, *std::move(uri));
    } else if (name->tag == Context(7)) {
      if (value.size() != 4 && value.size() != 16) {
        return Wrong("cannot parse IP address of length " + std::to_string(value.size()));
      }
      Add(&names.addresses, value);
    }
  }
  return names;
}

GoResult<void> ReadExtensions(Certificate* certificate) {
  const MaybeList<CertificateExtension>& extensions = certificate->extensions;
  for (std::size_t i = 0; extensions && i < extensions->size(); ++i) {
    const CertificateExtension& extension = (*extensions)[i];
    const ObjectId& id = extension.id;
    bool unhandled = false;
    GoResult<void> read;
    if (id.size() == 4 && id[0] == 2 && id[1] == 5 && id[2] == 29) {
      read = ReadStandard(certificate, extension, &unhandled);
    } else if (id == ObjectId{1, 3, 6, 1, 5, 5, 7, 1, 1}) {
      read = ReadAuthorityAccess(certificate, extension);
    } else {
      unhandled = true;
    }
    if (!read) {
      return read;
    }
    if (extension.critical && unhandled) {
      Add(&certificate->unhandled_critical, id);
    }
  }
  return {};
}

}  // namespace portcullis::builtins
