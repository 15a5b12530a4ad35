// A part of a rule that depends on nothing but one object, written out as a module of its own: the program of an index whose keys
// it computes (rules/rego/key_programs.h runs it).

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rules/rego/ast.h"
#include "rules/rego/compile.h"

namespace portcullis::rego {

struct ProgramSource {
  // What the keys are made by, in the order of the body.
  std::vector<const Expr*> expressions;
  const Term* key = nullptr;  // The value that they give.
  // In the first expressions this reference stands for the object from `object_end` on.
  const Term* object = nullptr;
  std::size_t object_end = 0;
  // How keys come of the value: itself, each item of it, or, of a set or object, the least member (or its emptiness); or the least
  // key or item of whatever it is (or {}: there is none).
  enum class Keys : std::uint8_t {
    kValue,
    kItems,
    kLeastMember,
    kLeastName,
    kLeastKey,
    kLeastItem
  } keys = Keys::kValue;
  // Of kLeastKey and kLeastItem: {} also stands for objects in which the value is undefined.
  bool or_undefined = false;
};

// Equal parts of different policies give equal texts: names that do not matter are numbered. Nothing: something in it depends on
// more than the object, or cannot be written out; `reason` says what.
[[nodiscard]] std::optional<std::string> ProgramText(const CompiledPolicy& policy,
                                                     const ProgramSource& source,
                                                     std::string* reason);

}  // namespace portcullis::rego
