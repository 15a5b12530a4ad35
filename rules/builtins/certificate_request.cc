#include <algorithm>
#include <utility>

#include "base/error.h"
#include "rules/builtins/certificate.h"
#include "rules/builtins/go_asn1.h"

namespace portcullis::builtins {
namespace {

GoResult<std::vector<CertificateExtension>> ParseExtensions(std::string_view der) {
  std::vector<CertificateExtension> extensions;
  auto list = TRY(GoAsn1(der).Enter(""));
  while (!list.empty()) {
    const auto element = TRY(list.Take(DerTag::kSequence, "Extension"));
    extensions.push_back(TRY(ParseExtension(element.contents)));
  }
  return extensions;
}

// Type and sets of type and value; nothing where the attribute is of another form, as challengePassword is.
std::optional<CertificateRequest::Attribute> ParseAttribute(std::string_view contents) {
  DerReader reader(contents);
  auto type = reader.TakeObjectId();
  auto sets = type ? reader.Enter(DerTag::kSet) : std::nullopt;
  if (!sets || !reader.empty()) {
    return std::nullopt;
  }
  CertificateRequest::Attribute attribute{*std::move(type), {}};
  while (!sets->empty()) {
    auto set = sets->Enter(DerTag::kSequence);
    if (!set) {
      return std::nullopt;
    }
    DistinguishedName& values = attribute.values.emplace_back();
    while (!set->empty()) {
      auto pair = set->Enter(DerTag::kSequence);
      auto id = pair ? pair->TakeObjectId() : std::nullopt;
      // A value that is no text is shown by its bytes: requested extensions are such.
      const auto value = id ? pair->TakeAny() : std::nullopt;
      if (!value || !pair->empty()) {
        return std::nullopt;
      }
      values.push_back(
          {*std::move(id), std::string(value->contents),
           value->tag == DerTag::kOctetString ? NamePart::Form::kBytes : NamePart::Form::kText});
    }
  }
  return attribute;
}

GoResult<void> ReadAttributes(std::string_view bytes, CertificateRequest* request) {
  static const ObjectId kExtensionRequest = {1, 2, 840, 113549, 1, 9, 14};
  GoAsn1 attributes(bytes);
  while (!attributes.empty()) {
    const auto element = TRY(attributes.TakeAny());
    if (element.tag != DerTag::kSequence) {
      continue;
    }
    if (auto attribute = ParseAttribute(element.contents)) {
      (request->attributes ? *request->attributes : request->attributes.emplace())
          .push_back(*std::move(attribute));
    }
    DerReader reader(element.contents);
    const auto type = reader.TakeObjectId();
    auto set = type == kExtensionRequest ? reader.Enter(DerTag::kSet) : std::nullopt;
    const auto first = set ? set->TakeAny() : std::nullopt;
    if (!first || !reader.empty()) {
      continue;
    }
    auto extensions = TRY(ParseExtensions(first->whole));
    for (CertificateExtension& extension : extensions) {
      auto& list = request->extensions ? *request->extensions : request->extensions.emplace();
      if (std::ranges::find(list, extension.id, &CertificateExtension::id) != list.end()) {
        return std::unexpected("x509: certificate request contains duplicate requested extensions");
      }
      list.push_back(std::move(extension));
    }
  }
  return {};
}

GoResult<void> ReadBody(std::string_view contents, CertificateRequest* request) {
  GoAsn1 body(contents);
  request->version = TRY(body.TakeInt());
  const auto subject = TRY(body.TakeAny());
  request->raw_subject = subject.whole;
  const std::string_view key_bytes = body.rest();
  TRY(body.Take(DerTag::kSequence, "publicKeyInfo"));
  const auto attributes = TRY(body.Take(ContextSequence(0), ""));
  DerReader reader(key_bytes);
  request->key = TRY(ParseSubjectKeyInfo(&reader));
  request->subject = TRY(ParseDistinguishedName(subject.whole));
  return ReadAttributes(attributes.contents, request);
}

}  // namespace

GoResult<CertificateRequest> ParseCertificateRequest(std::string_view der) {
  CertificateRequest request;
  GoAsn1 outer(der);
  const auto whole = TRY(outer.Take(DerTag::kSequence, "certificateRequest"));
  request.raw = whole.whole;
  GoAsn1 fields(whole.contents);
  const auto body = TRY(fields.Take(DerTag::kSequence, "tbsCertificateRequest"));
  request.raw_tbs = body.whole;
  TRY(ReadBody(body.contents, &request));
  const auto algorithm = TRY(fields.Take(DerTag::kSequence, "AlgorithmIdentifier"));
  request.signature_algorithm = TRY(ParseSignatureAlgorithm(algorithm.contents));
  const auto signature = TRY(fields.TakeBits());
  request.signature = signature.RightAligned();
  if (!outer.empty()) {
    return std::unexpected("asn1: syntax error: trailing data");
  }
  for (std::size_t i = 0; request.extensions && i < request.extensions->size(); ++i) {
    const CertificateExtension& extension = (*request.extensions)[i];
    if (extension.id == ObjectId{2, 5, 29, 17}) {
      request.names = TRY(ParseAlternativeNames(extension.value));
    }
  }
  return request;
}

}  // namespace portcullis::builtins
