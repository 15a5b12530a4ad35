#include "base/error.h"

namespace portcullis {

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid argument";
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kCorruption:
      return "corruption";
    case ErrorCode::kExhausted:
      return "exhausted";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

std::string Error::ToString() const {
  std::string text;
  if (position) {
    text = position->file;
    for (std::uint32_t number : {position->line, position->column}) {
      if (number == 0) {
        break;
      }
      if (!text.empty()) {
        text += ':';
      }
      text += std::to_string(number);
    }
    if (!text.empty()) {
      text += ": ";
    }
  }
  return text + message;
}

std::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{.code = code, .message = std::move(message), .position = {}});
}

std::unexpected<Error> Fail(ErrorCode code, std::string message, Position position) {
  return std::unexpected(
      Error{.code = code, .message = std::move(message), .position = std::move(position)});
}

}  // namespace portcullis
