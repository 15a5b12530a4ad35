#include "webhook/review_reply.h"

#include <cstddef>

#include <openssl/evp.h>

#include "document/json.h"

namespace portcullis::webhook {
namespace {

void AppendText(std::string_view text, std::string* out) {
  document::AppendJsonString(text, document::JsonStyle::kGo, out);
}

void AppendBase64(std::string_view bytes, std::string* out) {
  const std::size_t at = out->size();
  out->resize(at + (bytes.size() + 2) / 3 * 4 + 1);  // OpenSSL ends the text with a NUL.
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out->data() + at),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out->resize(at + static_cast<std::size_t>(size));
}

void AppendResponse(std::string_view uid, const ReviewReply& reply, std::string* out) {
  *out += R"("response":{"uid":)";
  AppendText(uid, out);
  *out += reply.allowed ? R"(,"allowed":true,"status":{"metadata":{})"
                        : R"(,"allowed":false,"status":{"metadata":{})";
  if (!reply.message.empty()) {
    *out += R"(,"message":)";
    AppendText(reply.message, out);
  }
  if (!reply.reason.empty()) {
    *out += R"(,"reason":)";
    AppendText(reply.reason, out);
  }
  *out += R"(,"code":)";
  *out += std::to_string(reply.code);
  *out += '}';
  if (!reply.patch.empty()) {
    *out += R"(,"patch":")";
    AppendBase64(reply.patch, out);
    *out += R"(","patchType":"JSONPatch")";
  }
  if (!reply.warnings.empty()) {
    *out += R"(,"warnings":)";
    char before = '[';
    for (const std::string& warning : reply.warnings) {
      *out += before;
      AppendText(warning, out);
      before = ',';
    }
    *out += ']';
  }
  *out += "}}\n";
}

}  // namespace

void AppendReply(std::string_view api_version, std::string_view kind, std::string_view uid,
                 const ReviewReply& reply, std::string* out) {
  if (api_version.empty() && kind.empty()) {
    api_version = "admission.k8s.io/v1";
    kind = "AdmissionReview";
  }
  *out += '{';
  if (!kind.empty()) {
    *out += R"("kind":)";
    AppendText(kind, out);
    *out += ',';
  }
  if (!api_version.empty()) {
    *out += R"("apiVersion":)";
    AppendText(api_version, out);
    *out += ',';
  }
  AppendResponse(uid, reply, out);
}

void AppendBareReply(const ReviewReply& reply, std::string* out) {
  *out += '{';
  AppendResponse("", reply, out);
}

}  // namespace portcullis::webhook
