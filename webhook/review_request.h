// The bytes of an AdmissionReview, read as Gatekeeper's webhook reads them (gatekeeper.md 4.1 and 13.18, 13.19).

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"

namespace portcullis::webhook {

// Arrays and objects within each other; Gatekeeper allows ten times as many.
inline constexpr std::uint32_t kMaxDepth = 1000;

// Slices live in the arena.
struct ReviewRequest {
  std::string_view api_version;  // Echoed by the reply.
  std::string_view kind;
  document::Value
      request;  // An object, maybe empty; its fields have the types that Kubernetes gives them.
  // A number of the object under review that float64 cannot hold, as it is spelt; empty: all can.
  std::string_view bad_number;
};

// Reads `body` into `arena`; numbers of objects as `numbers` says. ERRORS: kInvalidArgument with the text that Gatekeeper answers with code 400.
[[nodiscard]] Result<ReviewRequest> ReadReview(
    std::string_view content_type, std::string_view body, document::Arena& arena,
    document::NumberMode numbers = document::NumberMode::kFloat64);

// An object of a request as Kubernetes' decoder takes it: an object with a kind. Empty, or the decoder's text.
[[nodiscard]] std::string ObjectComplaint(const document::Value& object);

// "string", "number", … as Go's encoding/json names JSON types.
[[nodiscard]] std::string_view GoJsonType(const document::Value& value);

}  // namespace portcullis::webhook
