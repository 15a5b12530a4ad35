// Keys of an index that are no path into the object: a program computes them, in a language that index/ does not know. Whoever
// opens the inventory brings the means to run it.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"

namespace portcullis::index {

// One program, ready to run. THREADS: Keys may be called in parallel.
class KeyProgram {
 public:
  virtual ~KeyProgram() = default;
  // The keys of `object`, in any order; nothing: they cannot be told (a limit was reached), and every look-up gives the object.
  // The same object always has the same keys. LIFETIME: they live in `arena` or in the object. COST: bounded by the program's
  // own limits, whatever the object.
  [[nodiscard]] virtual std::optional<std::vector<document::Value>> Keys(
      const document::Value& object, document::Arena& arena) const = 0;
};

// THREADS: any.
class KeyPrograms {
 public:
  virtual ~KeyPrograms() = default;
  // ERRORS: kInvalidArgument: the text is no program (of this version).
  [[nodiscard]] virtual Result<std::shared_ptr<const KeyProgram>> Make(
      const std::string& text) const = 0;
};

}  // namespace portcullis::index
