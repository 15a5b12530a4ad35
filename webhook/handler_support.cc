#include "webhook/handler_support.h"

#include "mutation/go_value.h"

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

document::Value WithNamespace(const document::Value& object, std::string_view name_space,
                              document::Arena& arena) {
  const document::Value metadata = object.Find("metadata");
  if (metadata.is_defined() && !metadata.is_object()) {
    return object;
  }
  if (name_space.empty()) {
    return metadata.is_undefined()
               ? object
               : mutation::WithMember(object, "metadata",
                                      mutation::WithMember(metadata, "namespace", {}, arena),
                                      arena);
  }
  if (object.GetString({"metadata", "namespace"}) == name_space) {
    return object;
  }
  const document::Value old = metadata.is_object() ? metadata : document::Value::Object({});
  return mutation::WithMember(
      object, "metadata",
      mutation::WithMember(old, "namespace", document::Value::String(name_space), arena), arena);
}

}  // namespace portcullis::webhook
