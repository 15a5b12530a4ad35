// What can go wrong, and how a function says so.
//
// A function that can fail returns Result<T>. The caller hands an error on with TRY, adding context once per layer:
//
//   Result<Template> Load(std::string_view path) {
//     std::string text = TRY(ReadFile(path));
//     return AddContext(ParseTemplate(text), "load template " + path);
//   }

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace portcullis {

// One code per reaction of the caller.
enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  // The input is wrong: correct it.
  kNotFound,         // What was named does not exist.
  kConflict,         // Somebody else holds it or changed it first: read again.
  kUnavailable,      // Not now: try again later.
  kCorruption,       // Stored bytes are not what was written: restore or rebuild.
  kExhausted,        // A limit was reached (memory, time, size, disk).
  kInternal,         // A broken promise of ours or of a library.
};

std::string_view ErrorCodeName(ErrorCode code);

// A place in a text that a person wrote. Lines and columns count from 1; columns are in bytes. 0 means unknown.
struct Position {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::optional<Position> position;

  // "file:line:column: message" with what is known of the position.
  [[nodiscard]] std::string ToString() const;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] std::unexpected<Error> Fail(ErrorCode code, std::string message);
[[nodiscard]] std::unexpected<Error> Fail(ErrorCode code, std::string message, Position position);

// Makes an error of an error: puts "context: " before the message.
[[nodiscard]] inline auto With(std::string context) {
  return [context = std::move(context)](Error error) {
    error.message = context + ": " + error.message;
    return error;
  };
}

// The same result; an error with "context: " before its message.
template <class T>
[[nodiscard]] Result<T> AddContext(Result<T> result, std::string context) {
  if (!result) {  // g++ 12's std::expected has no transform_error yet.
    return std::unexpected(With(std::move(context))(std::move(result).error()));
  }
  return result;
}

}  // namespace portcullis

// The value of a Result, or a return of its error from the enclosing function.
#define TRY(expression)                                      \
  __extension__({                                            \
    auto try_result = (expression);                          \
    if (!try_result)                                         \
      return std::unexpected(std::move(try_result).error()); \
    *std::move(try_result);                                  \
  })
