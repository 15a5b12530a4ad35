#include "webhook/namespace_label.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "document/arena.h"
#include "document/value.h"
#include "webhook/handler_support.h"
#include "webhook/review_reply.h"
#include "webhook/review_request.h"

namespace portcullis::webhook {
namespace {

using document::Value;

constexpr std::string_view kLabel = "admission.gatekeeper.sh/ignore";
ReviewReply Allow(std::string message) {
  return {
      .allowed = true, .code = kOk, .reason = {}, .message = std::move(message), .warnings = {}};
}

ReviewReply Deny(std::int32_t code, std::string message) {
  return {.allowed = false,
          .code = code,
          .reason = "Forbidden",
          .message = std::move(message),
          .warnings = {}};
}

bool IsExempt(const ExemptNamespaces& exempt, std::string_view name) {
  return std::ranges::find(exempt.names, name) != exempt.names.end() ||
         std::ranges::any_of(exempt.prefixes,
                             [name](const std::string& each) { return name.starts_with(each); }) ||
         std::ranges::any_of(exempt.suffixes,
                             [name](const std::string& each) { return name.ends_with(each); });
}

ReviewReply Decide(const Value& request, const ExemptNamespaces& exempt) {
  if (request.GetString({"operation"}) == "DELETE") {
    return Allow("Delete is always allowed");
  }
  if (!request.GetString({"kind", "group"}).empty() ||
      request.GetString({"kind", "kind"}) != "Namespace") {
    return Allow("Not a namespace");
  }
  const Value object = request.Find("object");
  if (!object.is_object()) {
    return Deny(kInternalError, "while deserializing resource: unexpected end of JSON input");
  }
  if (const std::string complaint = ObjectComplaint(object); !complaint.empty()) {
    return Deny(kInternalError, "while deserializing resource: " + complaint);
  }
  const std::string_view name = object.GetString({"metadata", "name"});
  if (IsExempt(exempt, name)) {
    return Allow("Namespace " + std::string(name) + " is allowed to set " + std::string(kLabel));
  }
  if (!object.Get({"metadata", "labels", kLabel}).is_undefined()) {
    return Deny(kForbidden, "Only exempt namespace can have the " + std::string(kLabel) + " label");
  }
  return Allow("Namespace is not setting the " + std::string(kLabel) + " label");
}

}  // namespace

void AdmitNamespaceLabel(std::string_view content_type, std::string_view body,
                         const ExemptNamespaces& exempt, std::string* reply) {
  document::Arena arena;
  const auto review = ReadReview(content_type, body, arena);
  if (!review) {
    AppendBareReply({.allowed = false,
                     .code = kBadRequest,
                     .reason = {},
                     .message = review.error().message,
                     .warnings = {}},
                    reply);
    return;
  }
  AppendReply(review->api_version, review->kind, review->request.GetString({"uid"}),
              Decide(review->request, exempt), reply);
}

}  // namespace portcullis::webhook
