// A Provider of external data, as its manifest has it (gatekeeper.md 1.7).

#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "document/value.h"

namespace portcullis::mutation {

struct Provider {
  std::string url;
  std::string authorities;  // PEM: who may vouch for the server.
  std::chrono::seconds timeout{};
};

// ERRORS: kInvalidArgument with Gatekeeper's text.
[[nodiscard]] Result<Provider> ReadProvider(const document::Value& object);

}  // namespace portcullis::mutation
