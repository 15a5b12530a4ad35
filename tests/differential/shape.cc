#include "tests/differential/shape.h"

#include <algorithm>
#include <array>

namespace portcullis::differential {
namespace {

// As they stand in quotes.
constexpr std::array<std::string_view, 22> kWords = {
    "a", "b", "c", "d",   "a",  "b",       "c",         "foo",   "bar",   "x-y",  "a.b",
    "é", "",  "1", "A b", "10", "\\u00e9", "\\\"q\\\\", "<&%s>", "x\\ny", "日本", "{a}"};
constexpr std::array<std::string_view, 5> kKeys = {"a", "b", "c", "d", "foo"};
constexpr std::array<std::string_view, 28> kNumbers = {"0",
                                                       "1",
                                                       "2",
                                                       "3",
                                                       "4",
                                                       "5",
                                                       "1",
                                                       "2",
                                                       "3",
                                                       "0",
                                                       "1",
                                                       "2",
                                                       "-1",
                                                       "10",
                                                       "0.5",
                                                       "1.5",
                                                       "1.0",
                                                       "1e2",
                                                       "12345678901234567890",
                                                       "0.1",
                                                       "2.0",
                                                       "100",
                                                       "1e-3",
                                                       "7",
                                                       "3.0",
                                                       "-2",
                                                       "1E2",
                                                       "10.25"};
constexpr std::array<std::string_view, 3> kNamespaces = {"a", "b", "foo"};
constexpr std::array<std::string_view, 3> kGroupVersions = {"v1", "apps/v1",
                                                            "networking.k8s.io/v1"};
constexpr std::array<std::string_view, 3> kObjectKinds = {"Pod", "Service", "Ingress"};
constexpr std::array<std::string_view, 4> kFieldNames = {"a", "b", "c", "n"};

}  // namespace

ShapePtr Simple(Kind kind) {
  return std::make_shared<Shape>(Shape{kind, nullptr, {}, {}});
}
ShapePtr ArrayOf(ShapePtr item) {
  return std::make_shared<Shape>(Shape{Kind::kArray, std::move(item), {}, {}});
}
ShapePtr SetOf(ShapePtr item) {
  return std::make_shared<Shape>(Shape{Kind::kSet, std::move(item), {}, {}});
}
ShapePtr MapOf(ShapePtr item, std::span<const std::string_view> keys) {
  return std::make_shared<Shape>(
      Shape{Kind::kMap,
            std::move(item),
            keys.empty() ? std::span<const std::string_view>(kKeys) : keys,
            {}});
}
ShapePtr RecordOf(std::vector<std::pair<std::string, ShapePtr>> fields) {
  return std::make_shared<Shape>(Shape{Kind::kRecord, nullptr, {}, std::move(fields)});
}

ShapePtr ObjectShape() {
  const ShapePtr text = Simple(Kind::kString);
  return RecordOf(
      {{"apiVersion", text},
       {"kind", text},
       {"metadata", RecordOf({{"name", text}, {"namespace", text}, {"labels", MapOf(text)}})},
       {"spec",
        RecordOf({{"host", text},
                  {"n", Simple(Kind::kNumber)},
                  {"rules", ArrayOf(RecordOf({{"host", text}, {"port", Simple(Kind::kNumber)}}))},
                  {"tags", ArrayOf(text)},
                  {"selector", MapOf(text)}})}});
}

ShapePtr InventoryShape() {
  const ShapePtr kinds = MapOf(MapOf(MapOf(ObjectShape()), kObjectKinds), kGroupVersions);
  return RecordOf({{"cluster", kinds}, {"namespace", MapOf(kinds, kNamespaces)}});
}

std::string RandomInventory(Random& random) {
  const auto tree = [&](std::span<const std::string_view> keys, const auto& below) {
    std::string text;
    for (const std::string_view key : keys) {
      if (const std::string inner = random.Chance(60) ? below(std::string(key)) : "";
          !inner.empty()) {
        text += (text.empty() ? "{\"" : ", \"") + std::string(key) + "\": " + inner;
      }
    }
    return text.empty() ? text : text + '}';
  };
  const ShapePtr shape = ObjectShape();
  const Shape& spec = *shape->fields.back().second;
  const auto kinds = [&](const std::string& space) {
    return tree(kGroupVersions, [&](const std::string& version) {
      return tree(kObjectKinds, [&](const std::string& kind) {
        return tree(kKeys, [&](const std::string& name) {
          return R"({"apiVersion": ")" + version + R"(", "kind": ")" + kind +
                 R"(", "metadata": {"name": ")" + name + '"' +
                 (space.empty() ? "" : R"(, "namespace": ")" + space + '"') + R"(, "labels": )" +
                 Constant(random, *MapOf(Simple(Kind::kString))) + R"(}, "spec": )" +
                 Constant(random, spec, true) + '}';
        });
      });
    });
  };
  const std::string cluster = random.Chance(60) ? kinds("") : "";
  const std::string namespaces = tree(kNamespaces, kinds);
  std::string text = cluster.empty() ? "" : "\"cluster\": " + cluster;
  if (!namespaces.empty()) {
    text += (text.empty() ? "" : ", ") + std::string("\"namespace\": ") + namespaces;
  }
  return '{' + text + '}';
}

bool IsScalar(const Shape& shape) {
  return shape.kind == Kind::kNull || shape.kind == Kind::kBoolean || shape.kind == Kind::kNumber ||
         shape.kind == Kind::kString;
}

bool IsCollection(const Shape& shape) {
  return shape.kind == Kind::kArray || shape.kind == Kind::kSet || shape.kind == Kind::kMap;
}

bool Same(const Shape& a, const Shape& b) {
  if (&a == &b) {
    return true;
  }
  if (a.kind != b.kind || a.fields.size() != b.fields.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.fields.size(); ++i) {
    if (a.fields[i].first != b.fields[i].first || !Same(*a.fields[i].second, *b.fields[i].second)) {
      return false;
    }
  }
  return !a.item || Same(*a.item, *b.item);
}

bool Holds(const Shape& whole, const Shape& part) {
  if (Same(whole, part) || (whole.item && Holds(*whole.item, part))) {
    return true;
  }
  return std::ranges::any_of(whole.fields,
                             [&](const auto& field) { return Holds(*field.second, part); });
}

ShapePtr RandomScalar(Random& random) {
  const unsigned roll = random.Below(20);
  return Simple(roll < 9    ? Kind::kString
                : roll < 17 ? Kind::kNumber
                : roll < 19 ? Kind::kBoolean
                            : Kind::kNull);
}

ShapePtr RandomShape(Random& random, int depth, bool sets) {
  if (depth <= 0 || random.Chance(30)) {
    return RandomScalar(random);
  }
  switch (random.Below(sets ? 4 : 3)) {
    case 0:
      return ArrayOf(RandomShape(random, depth - 1, sets));
    case 1:
      return MapOf(RandomShape(random, depth - 1, sets));
    case 2: {
      std::vector<std::pair<std::string, ShapePtr>> fields;
      for (const std::string_view name : kFieldNames) {
        if (random.Chance(60)) {
          fields.emplace_back(name, RandomShape(random, depth - 1, sets));
        }
      }
      if (fields.empty()) {
        fields.emplace_back("a", RandomScalar(random));
      }
      return RecordOf(std::move(fields));
    }
    default:
      return SetOf(RandomShape(random, depth - 1, sets));
  }
}

std::string_view RandomWord(Random& random) {
  return random.Pick(kWords);
}
std::string RandomNumber(Random& random) {
  return std::string(random.Pick(kNumbers));
}
std::string_view RandomKey(Random& random, const Shape& map) {
  return random.Pick(map.keys);
}

std::string Constant(Random& random, const Shape& shape, bool holes) {
  const auto quoted = [](std::string_view word) { return '"' + std::string(word) + '"'; };
  std::string text;
  switch (shape.kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBoolean:
      return random.Chance(60) ? "true" : "false";
    case Kind::kNumber:
      return RandomNumber(random);
    case Kind::kString:
      return quoted(RandomWord(random));
    case Kind::kAny:
      return Constant(random, *RandomScalar(random));
    case Kind::kArray:
    case Kind::kSet: {
      const unsigned size = random.Below(4);
      if (shape.kind == Kind::kSet && size == 0) {
        return "set()";
      }
      for (unsigned i = 0; i < size; ++i) {
        text += (i == 0 ? "" : ", ") + Constant(random, *shape.item, holes);
      }
      return shape.kind == Kind::kSet ? '{' + text + '}' : '[' + text + ']';
    }
    case Kind::kMap: {
      // A key twice would have no one meaning as JSON.
      for (std::size_t i = 0; i < shape.keys.size(); ++i) {
        const std::string_view key = shape.keys[i];
        if (random.Chance(50)) {
          text += (text.empty() ? "" : ", ") + quoted(key) + ": " +
                  Constant(random, *shape.item, holes);
        }
      }
      return '{' + text + '}';
    }
    case Kind::kRecord: {
      for (const auto& [name, field] : shape.fields) {
        if (!holes || random.Chance(93)) {
          text +=
              (text.empty() ? "" : ", ") + quoted(name) + ": " + Constant(random, *field, holes);
        }
      }
      return '{' + text + '}';
    }
  }
  return text;
}

}  // namespace portcullis::differential
