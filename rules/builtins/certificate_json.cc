// Certificates as Go's encoding/json writes them.

#include <cstring>

#include "document/utf8.h"
#include "rules/builtins/certificate.h"
#include "rules/builtins/codec.h"
#include "rules/builtins/ip.h"
#include "rules/builtins/operands.h"

namespace portcullis::builtins {
namespace {

class GoWriter {
 public:
  explicit GoWriter(CallContext& context) : context_(context) {}

  Value Text(std::string_view text) {
    return MakeString(context_, document::ReplaceInvalidUtf8(text));
  }
  Value Bytes(std::string_view bytes) {
    return MakeString(context_, EncodeBase64(bytes, Base64::kStandard, Padding::kRequired));
  }
  Value Bytes(const std::optional<std::string>& bytes) {
    return bytes ? Bytes(std::string_view(*bytes)) : Value::Null();
  }
  Value Number(const BigInt& number) { return ToValue(number, context_.arena); }

  template <class T, class Show>
  Value List(const std::vector<T>& list, Show show) {
    const std::span<Value> items = context_.arena.AllocateArray<Value>(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      items[i] = show(list[i]);
    }
    return Value::Array(items);
  }
  template <class T, class Show>
  Value List(const MaybeList<T>& list, Show show) {
    return list ? List(*list, show) : Value::Null();
  }
  Value Texts(const MaybeList<std::string>& list) {
    return List(list, [&](const std::string& text) { return Text(text); });
  }
  Value Id(const ObjectId& id) {
    return List(id, [](std::int64_t part) { return Value::Int(part); });
  }
  Value Ids(const MaybeList<ObjectId>& list) {
    return List(list, [&](const ObjectId& id) { return Id(id); });
  }
  Value Address(std::string_view bytes) {
    IpAddress address;
    if (bytes.size() == 4) {
      address.bytes[10] = address.bytes[11] = 0xFF;
    }
    std::memcpy(address.bytes.data() + 16 - bytes.size(), bytes.data(), bytes.size());
    return MakeString(context_, address.Text());
  }

  Value TypeAndValue(const NamePart& part) {
    document::ObjectBuilder object(context_.arena);
    object.Add("Type", Id(part.type));
    object.Add("Value", part.form == NamePart::Form::kText ? Text(part.value)
                                                           : Bytes(std::string_view(part.value)));
    return object.Finish();
  }

  Value Name(const DistinguishedName& name) {
    document::ObjectBuilder object(context_.arena);
    constexpr std::pair<std::int64_t, std::string_view> kLists[] = {
        {6, "Country"},  {10, "Organization"}, {11, "OrganizationalUnit"}, {7, "Locality"},
        {8, "Province"}, {9, "StreetAddress"}, {17, "PostalCode"}};
    const auto is = [](const NamePart& part, std::int64_t number) {
      return part.type == ObjectId{2, 5, 4, number};
    };
    for (const auto& [number, member] : kLists) {
      MaybeList<std::string> values;
      for (const NamePart& part : name) {
        if (is(part, number)) {
          (values ? *values : values.emplace()).push_back(part.value);
        }
      }
      object.Add(member, Texts(values));
    }
    std::string_view common;
    std::string_view serial;
    for (const NamePart& part : name) {
      common = is(part, 3) ? part.value : common;
      serial = is(part, 5) ? part.value : serial;
    }
    object.Add("CommonName", Text(common));
    object.Add("SerialNumber", Text(serial));
    object.Add("Names", name.empty() ? Value::Null() : List(name, [&](const NamePart& part) {
                 return TypeAndValue(part);
               }));
    object.Add("ExtraNames", Value::Null());
    return object.Finish();
  }

  Value Key(const AnyPublicKey& key) {
    document::ObjectBuilder object(context_.arena);
    if (const auto* rsa = std::get_if<RsaPublicKey>(&key)) {
      object.Add("N", Number(rsa->modulus));
      object.Add("E", Value::Int(rsa->exponent));
    } else if (const auto* dsa = std::get_if<DsaPublicKey>(&key)) {
      object.Add("P", Number(dsa->p));
      object.Add("Q", Number(dsa->q));
      object.Add("G", Number(dsa->g));
      object.Add("Y", Number(dsa->y));
    } else if (const auto* ec = std::get_if<EcPublicKey>(&key)) {
      object.Add("Curve", Value::Object({}));
      object.Add("X", Number(ec->x));
      object.Add("Y", Number(ec->y));
    } else if (const auto* ed = std::get_if<EdPublicKey>(&key)) {
      return Bytes(std::string_view(ed->bytes));
    } else {
      return Value::Null();
    }
    return object.Finish();
  }

  Value Extensions(const MaybeList<CertificateExtension>& list) {
    return List(list, [&](const CertificateExtension& extension) {
      document::ObjectBuilder object(context_.arena);
      object.Add("Id", Id(extension.id));
      object.Add("Critical", Value::Boolean(extension.critical));
      object.Add("Value", Bytes(std::string_view(extension.value)));
      return object.Finish();
    });
  }

  Value Url(const Uri& uri) {
    document::ObjectBuilder object(context_.arena);
    object.Add("Scheme", Text(uri.scheme));
    object.Add("Opaque", Text(uri.opaque));
    object.Add("User", uri.user ? Value::Object({}) : Value::Null());
    object.Add("Host", Text(uri.host));
    object.Add("Path", Text(uri.path));
    object.Add("RawPath", Text(uri.raw_path));
    object.Add("OmitHost", Value::Boolean(uri.omit_host));
    object.Add("ForceQuery", Value::Boolean(uri.force_query));
    object.Add("RawQuery", Text(uri.query));
    object.Add("Fragment", Text(uri.fragment));
    object.Add("RawFragment", Text(uri.raw_fragment));
    return object.Finish();
  }

  void AddNames(const AlternativeNames& names, document::ObjectBuilder* object) {
    object->Add("DNSNames", Texts(names.dns));
    object->Add("EmailAddresses", Texts(names.email));
    object->Add("IPAddresses",
                List(names.addresses, [&](const std::string& bytes) { return Address(bytes); }));
    object->Add("URIs", List(names.uris, [&](const Uri& uri) { return Url(uri); }));
  }

  Value Ranges(const MaybeList<AddressRange>& ranges) {
    return List(ranges, [&](const AddressRange& range) {
      document::ObjectBuilder object(context_.arena);
      object.Add("IP", Address(range.address));
      object.Add("Mask", Bytes(std::string_view(range.mask)));
      return object.Finish();
    });
  }

  Value Mappings(const MaybeList<std::pair<std::string, std::string>>& mappings) {
    return List(mappings, [&](const std::pair<std::string, std::string>& mapping) {
      document::ObjectBuilder object(context_.arena);
      object.Add("IssuerDomainPolicy", Text(mapping.first));
      object.Add("SubjectDomainPolicy", Text(mapping.second));
      return object.Finish();
    });
  }

 private:
  CallContext& context_;
};

}  // namespace

Value ToValue(CallContext& context, const Certificate& certificate, UriStrings uris) {
  GoWriter go(context);
  document::ObjectBuilder object(context.arena);
  object.Add("Raw", go.Bytes(std::string_view(certificate.raw)));
  object.Add("RawTBSCertificate", go.Bytes(std::string_view(certificate.raw_tbs)));
  object.Add("RawSubjectPublicKeyInfo", go.Bytes(std::string_view(certificate.key.raw)));
  object.Add("RawSubject", go.Bytes(std::string_view(certificate.raw_subject)));
  object.Add("RawIssuer", go.Bytes(std::string_view(certificate.raw_issuer)));
  object.Add("Signature", go.Bytes(std::string_view(certificate.signature)));
  object.Add("SignatureAlgorithm", Value::Int(certificate.signature_algorithm));
  object.Add("PublicKeyAlgorithm", Value::Int(certificate.key.algorithm));
  object.Add("PublicKey", go.Key(certificate.key.key));
  object.Add("Version", Value::Int(certificate.version));
  object.Add("SerialNumber", go.Number(certificate.serial_number));
  object.Add("Issuer", go.Name(certificate.issuer));
  object.Add("Subject", go.Name(certificate.subject));
  object.Add("NotBefore", go.Text(certificate.not_before));
  object.Add("NotAfter", go.Text(certificate.not_after));
  object.Add("KeyUsage", Value::Int(certificate.key_usage));
  object.Add("Extensions", go.Extensions(certificate.extensions));
  object.Add("ExtraExtensions", Value::Null());
  object.Add("UnhandledCriticalExtensions", go.Ids(certificate.unhandled_critical));
  object.Add("ExtKeyUsage", go.List(certificate.extended_usage,
                                    [](std::int64_t usage) { return Value::Int(usage); }));
  object.Add("UnknownExtKeyUsage", go.Ids(certificate.unknown_usage));
  object.Add("BasicConstraintsValid", Value::Boolean(certificate.has_basic_constraints));
  object.Add("IsCA", Value::Boolean(certificate.is_ca));
  object.Add("SubjectKeyId", go.Bytes(certificate.subject_key_id));
  object.Add("AuthorityKeyId", go.Bytes(certificate.authority_key_id));
  object.Add("OCSPServer", go.Texts(certificate.ocsp_servers));
  object.Add("IssuingCertificateURL", go.Texts(certificate.issuer_urls));
  object.Add("CRLDistributionPoints", go.Texts(certificate.revocation_urls));
  go.AddNames(certificate.names, &object);
  if (uris == UriStrings::kWith) {
    object.Add("URIStrings", go.List(certificate.names.uris,
                                     [&](const Uri& uri) { return go.Text(uri.Text()); }));
  }
  object.Add("PermittedDNSDomainsCritical", Value::Boolean(certificate.name_constraints_critical));
  object.Add("PermittedDNSDomains", go.Texts(certificate.permitted.dns));
  object.Add("PermittedEmailAddresses", go.Texts(certificate.permitted.email));
  object.Add("PermittedURIDomains", go.Texts(certificate.permitted.uri));
  object.Add("PermittedIPRanges", go.Ranges(certificate.permitted.addresses));
  object.Add("ExcludedDNSDomains", go.Texts(certificate.excluded.dns));
  object.Add("ExcludedEmailAddresses", go.Texts(certificate.excluded.email));
  object.Add("ExcludedURIDomains", go.Texts(certificate.excluded.uri));
  object.Add("ExcludedIPRanges", go.Ranges(certificate.excluded.addresses));
  object.Add("Policies", go.Texts(certificate.policies));
  object.Add("PolicyIdentifiers", go.Ids(certificate.policy_identifiers));
  object.Add("PolicyMappings", go.Mappings(certificate.policy_mappings));
  const auto add_limit = [&](std::string_view name, std::string_view zero, const StepLimit& limit) {
    object.Add(name, Value::Int(limit.steps));
    object.Add(zero, Value::Boolean(limit.zero));
  };
  add_limit("MaxPathLen", "MaxPathLenZero", certificate.max_path);
  add_limit("InhibitAnyPolicy", "InhibitAnyPolicyZero", certificate.inhibit_any_policy);
  add_limit("InhibitPolicyMapping", "InhibitPolicyMappingZero", certificate.inhibit_mapping);
  add_limit("RequireExplicitPolicy", "RequireExplicitPolicyZero", certificate.require_policy);
  return object.Finish();
}

Value ToValue(CallContext& context, const CertificateRequest& request) {
  GoWriter go(context);
  document::ObjectBuilder object(context.arena);
  object.Add("Raw", go.Bytes(std::string_view(request.raw)));
  object.Add("RawTBSCertificateRequest", go.Bytes(std::string_view(request.raw_tbs)));
  object.Add("RawSubjectPublicKeyInfo", go.Bytes(std::string_view(request.key.raw)));
  object.Add("RawSubject", go.Bytes(std::string_view(request.raw_subject)));
  object.Add("Version", Value::Int(request.version));
  object.Add("Signature", go.Bytes(std::string_view(request.signature)));
  object.Add("SignatureAlgorithm", Value::Int(request.signature_algorithm));
  object.Add("PublicKeyAlgorithm", Value::Int(request.key.algorithm));
  object.Add("PublicKey", go.Key(request.key.key));
  object.Add("Subject", go.Name(request.subject));
  object.Add(
      "Attributes", go.List(request.attributes, [&](const CertificateRequest::Attribute& set) {
        document::ObjectBuilder attribute(context.arena);
        attribute.Add("Type", go.Id(set.type));
        attribute.Add("Value", go.List(set.values, [&](const DistinguishedName& values) {
          return go.List(values, [&](const NamePart& part) { return go.TypeAndValue(part); });
        }));
        return attribute.Finish();
      }));
  object.Add("Extensions", go.Extensions(request.extensions));
  object.Add("ExtraExtensions", Value::Null());
  go.AddNames(request.names, &object);
  return object.Finish();
}

}  // namespace portcullis::builtins
