// Any bytes are answered: with a reply that is JSON, and without a crash.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "document/json.h"
#include "tests/webhook/admission_world.h"
#include "webhook/request_reader.h"

namespace {

using namespace portcullis;

// The bytes as an AdmissionReview.
void AsReview(std::string_view bytes) {
  static webhook::AdmissionWorld& world = *[] {
    auto* made = new webhook::AdmissionWorld;
    made->LoadFile(webhook::AdmissionCases() / "setup.yaml");
    made->BuildIndexes();
    return made;
  }();
  static const auto handler =
      world.MakeHandler({.evaluation_timeout = std::chrono::milliseconds(200)}).release();
  const webhook::AdmissionOutcome outcome = handler->Admit("application/json", bytes);
  document::Arena arena;
  if (!document::ParseJson(outcome.body, arena)) {
    std::abort();
  }
}

// The bytes as a connection.
void AsRequests(std::string_view bytes) {
  webhook::RequestReader reader(4096, 4096);
  while (!bytes.empty()) {
    const std::size_t used = reader.Consume(bytes);
    bytes.remove_prefix(used);
    if (reader.state() == webhook::RequestReader::State::kComplete) {
      (void)reader.request();
      reader.Reset();
    } else if (used == 0) {
      break;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  AsReview(bytes);
  AsRequests(bytes);
  return 0;
}
