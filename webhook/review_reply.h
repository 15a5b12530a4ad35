// The reply to an AdmissionReview, in the bytes that Go's encoding/json makes of it:
//   {"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"…","allowed":false,"status":{"metadata":{},
//    "message":"…","reason":"Forbidden","code":403},"warnings":["…"]}} and a line feed.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace portcullis::webhook {

struct ReviewReply {
  bool allowed = false;
  std::int32_t code = 0;
  std::string_view reason;  // Empty: left out.
  std::string message;      // Empty: left out.
  std::vector<std::string> warnings;
  std::string patch = {};  // A JSON patch, sent in base64; empty: left out.
};

// Appends the reply to a review that was read. Without version and kind it is a v1 AdmissionReview.
void AppendReply(std::string_view api_version, std::string_view kind, std::string_view uid,
                 const ReviewReply& reply, std::string* out);
// Appends the reply to what could not be read: without version, kind and uid.
void AppendBareReply(const ReviewReply& reply, std::string* out);

}  // namespace portcullis::webhook
