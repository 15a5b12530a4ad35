// Context for the errors of a Result: g++ 12's std::expected has no transform_error yet.

#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace portcullis::replicator {

// The same result; before the message of an error stands "context: ".
template <class T>
[[nodiscard]] Result<T> Annotate(Result<T> result, std::string context) {
  if (!result) {
    return std::unexpected(With(std::move(context))(std::move(result).error()));
  }
  return result;
}

}  // namespace portcullis::replicator
