// What the generator knows of a value: enough to write terms that the type checker accepts and that find something.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/differential/random.h"

namespace portcullis::differential {

enum class Kind : std::uint8_t {
  kNull,
  kBoolean,
  kNumber,
  kString,
  kArray,   // of `item`
  kSet,     // of `item`
  kMap,     // strings of `keys` to `item`
  kRecord,  // `fields`
  kAny,     // Not known.
};

struct Shape;
using ShapePtr = std::shared_ptr<const Shape>;

struct Shape {
  Kind kind = Kind::kAny;
  ShapePtr item;
  std::span<const std::string_view> keys;
  std::vector<std::pair<std::string, ShapePtr>> fields;
};

[[nodiscard]] ShapePtr Simple(Kind kind);
[[nodiscard]] ShapePtr ArrayOf(ShapePtr item);
[[nodiscard]] ShapePtr SetOf(ShapePtr item);
// Without keys: those that all programs share.
[[nodiscard]] ShapePtr MapOf(ShapePtr item, std::span<const std::string_view> keys = {});
[[nodiscard]] ShapePtr RecordOf(std::vector<std::pair<std::string, ShapePtr>> fields);
// The trees of data.inventory: namespace/<name>/<group version>/<kind>/<name>, cluster/<group version>/<kind>/<name>.
[[nodiscard]] ShapePtr InventoryShape();
[[nodiscard]] ShapePtr ObjectShape();
// Some objects as JSON, each where its metadata says.
[[nodiscard]] std::string RandomInventory(Random& random);

[[nodiscard]] bool IsScalar(const Shape& shape);
[[nodiscard]] bool IsCollection(const Shape& shape);
[[nodiscard]] bool Same(const Shape& a, const Shape& b);
// A value of this shape has one of the other inside it, or is one.
[[nodiscard]] bool Holds(const Shape& whole, const Shape& part);

[[nodiscard]] ShapePtr RandomScalar(Random& random);
// `sets`: where a document may not have them (JSON), no.
[[nodiscard]] ShapePtr RandomShape(Random& random, int depth, bool sets);

// A word that programs, inputs and data share.
[[nodiscard]] std::string_view RandomWord(Random& random);
[[nodiscard]] std::string RandomNumber(Random& random);
[[nodiscard]] std::string_view RandomKey(Random& random, const Shape& map);
// A value as Rego writes it; for shapes without sets this is JSON too, and then some fields may be missing (`holes`).
[[nodiscard]] std::string Constant(Random& random, const Shape& shape, bool holes = false);

}  // namespace portcullis::differential
