#include <algorithm>
#include <utility>

#include "rules/builtins/certificate.h"
#include "rules/builtins/go_asn1.h"

namespace portcullis::builtins {
namespace {

GoResult<std::vector<CertificateExtension>> ParseExtensions(std::string_view der) {
  std::vector<CertificateExtension> extensions;
  auto list = GoAsn1(der).Enter("");
  if (!list) {
    return std::unexpected(list.error());
  }
  while (!list->empty()) {
    const auto element = list->Take(DerTag::kSequence, "Extension");
    if (!element) {
      return std::unexpected(element.error());
    }
    auto extension = ParseExtension(element->contents);
    if (!extension) {
      return std::unexpected(extension.error());
    }
    extensions.push_back(*std::move(extension));
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
    const auto element = attributes.TakeAny();
    if (!element) {
      return std::unexpected(element.error());
    }
    if (element->tag != DerTag::kSequence) {
      continue;
    }
    if (auto attribute = ParseAttribute(element->contents)) {
      (request->attributes ? *request->attributes : request->attributes.emplace())
          .push_back(*std::move(attribute));
    }
    DerReader reader(element->contents);
    const auto type = reader.TakeObjectId();
    auto set = type == kExtensionRequest ? reader.Enter(DerTag::kSet) : std::nullopt;
    const auto first = set ? set->TakeAny() : std::nullopt;
    if (!first || !reader.empty()) {
      continue;
    }
    auto extensions = ParseExtensions(first->whole);
    if (!extensions) {
      return std::unexpected(extensions.error());
    }
    for (CertificateExtension& extension : *extensions) {
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
  const auto version = body.TakeInt();
  if (!version) {
    return std::unexpected(version.error());
  }
  request->version = *version;
  const auto subject = body.TakeAny();
  if (!subject) {
    return std::unexpected(subject.error());
  }
  request->raw_subject = subject->whole;
  const std::string_view key_bytes = body.rest();
  if (const auto key = body.Take(DerTag::kSequence, "publicKeyInfo"); !key) {
    return std::unexpected(key.error());
  }
  const auto attributes = body.Take(ContextSequence(0), "");
  if (!attributes) {
    return std::unexpected(attributes.error());
  }
  DerReader reader(key_bytes);
  auto key = ParseSubjectKeyInfo(&reader);
  if (!key) {
    return std::unexpected(key.error());
  }
  request->key = *std::move(key);
  auto name = ParseDistinguishedName(subject->whole);
  if (!name) {
    return std::unexpected(name.error());
  }
  request->subject = *std::move(name);
  return ReadAttributes(attributes->contents, request);
}

}  // namespace

GoResult<CertificateRequest> ParseCertificateRequest(std::string_view der) {
  CertificateRequest request;
  GoAsn1 outer(der);
  const auto whole = outer.Take(DerTag::kSequence, "certificateRequest");
  if (!whole) {
    return std::unexpected(whole.error());
  }
  request.raw = whole->whole;
  GoAsn1 fields(whole->contents);
  const auto body = fields.Take(DerTag::kSequence, "tbsCertificateRequest");
  if (!body) {
    return std::unexpected(body.error());
  }
  request.raw_tbs = body->whole;
  const auto read = ReadBody(body->contents, &request);
  if (!read) {
    return std::unexpected(read.error());
  }
  const auto algorithm = fields.Take(DerTag::kSequence, "AlgorithmIdentifier");
  if (!algorithm) {
    return std::unexpected(algorithm.error());
  }
  const auto number = ParseSignatureAlgorithm(algorithm->contents);
  if (!number) {
    return std::unexpected(number.error());
  }
  request.signature_algorithm = *number;
  const auto signature = fields.TakeBits();
  if (!signature) {
    return std::unexpected(signature.error());
  }
  request.signature = signature->RightAligned();
  if (!outer.empty()) {
    return std::unexpected("asn1: syntax error: trailing data");
  }
  for (std::size_t i = 0; request.extensions && i < request.extensions->size(); ++i) {
    const CertificateExtension& extension = (*request.extensions)[i];
    if (extension.id == ObjectId{2, 5, 29, 17}) {
      auto names = ParseAlternativeNames(extension.value);
      if (!names) {
        return std::unexpected(names.error());
      }
      request.names = *std::move(names);
    }
  }
  return request;
}

}  // namespace portcullis::builtins
