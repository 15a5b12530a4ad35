// The end of a benchmark that cannot go on.

#pragma once

#include <cstdlib>
#include <iostream>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace portcullis::bench {

// What the result has; an error ends the process.
template <class T>
T Must(Result<T> result) {
  if (!result) {
    std::cerr << result.error().ToString() << "\n";
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

}  // namespace portcullis::bench
