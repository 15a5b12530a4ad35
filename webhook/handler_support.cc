#include "webhook/handler_support.h"

namespace portcullis::webhook {

void Answer(ReviewReply& reply, std::int32_t code, std::string message) {
  reply.allowed = code < kBadRequest;
  reply.code = code;
  reply.message = std::move(message);
}

void AnswerPanic(const Logger& logger, std::string_view what, std::string_view complaint,
                 ReviewReply& reply) {
  logger.Error(what, {{"error", complaint}});
  Answer(reply, kInternalError, "panic: " + std::string(complaint) + " [recovered]");
  reply.patch.clear();
}

std::vector<double> RequestDurationBounds() {
  std::vector<double> bounds;
  for (int i = 1; i <= 9; ++i) {
    bounds.push_back(i / 1000.0);
  }
  for (int i = 1; i <= 9; ++i) {
    bounds.push_back(i / 100.0);
  }
  for (int i = 1; i <= 10; ++i) {
    bounds.push_back(i / 10.0);
  }
  for (int i = 3; i <= 20; ++i) {
    bounds.push_back(i / 2.0);
  }
  return bounds;
}

}  // namespace portcullis::webhook
