// A JSON or Rego value, as the whole program passes it: a 16-byte handle that is a scalar, a node
// in an arena, or a view into an encoded document (document/encoding.h). Handles are copied freely;
// whoever owns the arena or the bytes keeps them alive. Everything that a Value points to is
// immutable.
//
// Numbers keep their spelling until arithmetic: a small whole number is an int64, what Go would
// hold as float64 is a double (printed as strconv.FormatFloat(x, 'g', -1, 64): 1e+06), all else is
// its exact decimal text ("1.50", "1e400").
//
// THREADS: const everywhere; values may be read in parallel.

#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document/arena.h"

namespace portcullis::document {

struct EncodedDocument;  // An opened encoded document: document/encoding.h.
struct Member;

// In Rego's total order of types.
enum class Type : std::uint8_t {
  kUndefined,  // No value at all. Never inside another value.
  kNull,
  kBoolean,
  kNumber,
  kString,
  kArray,
  kObject,
  kSet,
};

class Value {
 public:
  constexpr Value() = default;  // Undefined.

  static constexpr Value Null() { return Value(Tag::kNull, 0); }
  static constexpr Value Boolean(bool value) { return Value(value ? Tag::kTrue : Tag::kFalse, 0); }
  static constexpr Value Int(std::int64_t value) {
    Value result(Tag::kInt, 0);
    result.payload_.integer = value;
    return result;
  }
  // A Go float64. Whole numbers that print alike either way (|value| < 1e6, not -0) become Int.
  // REQUIRES: finite.
  static Value Float(double value);
  // An exact decimal number. REQUIRES: `text` is a JSON number, or one but for a sign '+', leading zeros or digits missing
  // beside its point; it stays alive. Canonical int64 texts become Int.
  static Value Decimal(std::string_view text);
  // Bytes that stay alive; meant to be UTF-8. At most 4 GiB.
  static constexpr Value String(std::string_view text) {
    Value result(Tag::kString, static_cast<std::uint32_t>(text.size()));
    result.payload_.text = text.data();
    return result;
  }
  // Storage that stays alive, usually an arena's (see the builders below).
  static constexpr Value Array(std::span<const Value> items) {
    Value result(Tag::kArray, static_cast<std::uint32_t>(items.size()));
    result.payload_.items = items.data();
    return result;
  }
  // REQUIRES: sorted by Compare of the keys, no key twice.
  static constexpr Value Object(std::span<const Member> members);
  // REQUIRES: sorted by Compare, no member twice.
  static constexpr Value Set(std::span<const Value> items) {
    Value result(Tag::kSet, static_cast<std::uint32_t>(items.size()));
    result.payload_.items = items.data();
    return result;
  }

  [[nodiscard]] Type type() const { return kTypes[static_cast<std::size_t>(tag_)]; }
  [[nodiscard]] bool is_undefined() const { return tag_ == Tag::kUndefined; }
  [[nodiscard]] bool is_defined() const { return tag_ != Tag::kUndefined; }
  [[nodiscard]] bool is_null() const { return tag_ == Tag::kNull; }
  [[nodiscard]] bool is_false() const { return tag_ == Tag::kFalse; }
  [[nodiscard]] bool is_true() const { return tag_ == Tag::kTrue; }
  [[nodiscard]] bool is_boolean() const { return is_false() || is_true(); }
  [[nodiscard]] bool is_number() const {
    return tag_ == Tag::kInt || tag_ == Tag::kFloat || tag_ == Tag::kDecimal;
  }
  [[nodiscard]] bool is_string() const { return tag_ == Tag::kString; }
  [[nodiscard]] bool is_array() const { return tag_ == Tag::kArray || tag_ == Tag::kArrayView; }
  [[nodiscard]] bool is_object() const { return tag_ == Tag::kObject || tag_ == Tag::kObjectView; }
  [[nodiscard]] bool is_set() const { return tag_ == Tag::kSet; }
  // The three ways in which a number is held.
  [[nodiscard]] bool is_int() const { return tag_ == Tag::kInt; }
  [[nodiscard]] bool is_float() const { return tag_ == Tag::kFloat; }
  [[nodiscard]] bool is_decimal() const { return tag_ == Tag::kDecimal; }

  // Each REQUIRES that the value is of that kind.
  [[nodiscard]] std::string_view string() const { return {payload_.text, size_}; }
  [[nodiscard]] std::int64_t integer() const { return payload_.integer; }
  [[nodiscard]] double float_number() const { return payload_.real; }
  [[nodiscard]] std::string_view decimal_text() const { return {payload_.text, size_}; }

  // Items of an array or set, members of an object; 0 for everything else.
  [[nodiscard]] std::uint32_t size() const {
    return tag_ >= Tag::kArrayView ? ViewSize() : tag_ >= Tag::kArray ? size_ : 0;
  }
  // The i-th item of an array or set, in order. REQUIRES: i < size(). COST: constant, views too.
  [[nodiscard]] Value ItemAt(std::uint32_t i) const {
    return tag_ == Tag::kArrayView ? ViewItem(i) : payload_.items[i];
  }
  // The i-th key and value of an object, keys in order. REQUIRES: i < size(). COST: constant, views
  // too.
  [[nodiscard]] Value KeyAt(std::uint32_t i) const;
  [[nodiscard]] Value ValueAt(std::uint32_t i) const;
  // What Rego's x[key] is: the member of an object, the item of an array at a whole number, the
  // member of a set itself; undefined where there is none, and for scalars. COST: logarithmic in
  // size(); constant for arrays.
  [[nodiscard]] Value Find(const Value& key) const;
  [[nodiscard]] Value Find(std::string_view key) const;
  // Find along several string keys: Get({"metadata", "name"}).
  [[nodiscard]] Value Get(std::initializer_list<std::string_view> path) const;
  // The string at `path`, or an empty one.
  [[nodiscard]] std::string_view GetString(std::initializer_list<std::string_view> path) const;

 private:
  friend struct EncodedDocument;
  enum class Tag : std::uint8_t {
    kUndefined,
    kNull,
    kFalse,
    kTrue,
    kInt,
    kFloat,
    kDecimal,
    kString,
    kArray,
    kObject,
    kSet,
    kArrayView,   // size_ is the node's number in payload_.document.
    kObjectView,  // The same.
  };
  // By tag.
  static constexpr Type kTypes[] = {Type::kUndefined, Type::kNull,   Type::kBoolean, Type::kBoolean,
                                    Type::kNumber,    Type::kNumber, Type::kNumber,  Type::kString,
                                    Type::kArray,     Type::kObject, Type::kSet,     Type::kArray,
                                    Type::kObject};
  constexpr Value(Tag tag, std::uint32_t size) : tag_(tag), size_(size) {}

  // The members above, for views.
  [[nodiscard]] std::uint32_t ViewSize() const;
  [[nodiscard]] Value ViewItem(std::uint32_t i) const;
  [[nodiscard]] Value ViewKey(std::uint32_t i) const;
  [[nodiscard]] Value ViewValue(std::uint32_t i) const;
  [[nodiscard]] Value ViewFind(std::string_view key) const;

  Tag tag_ = Tag::kUndefined;
  std::uint32_t size_ = 0;
  union Payload {
    std::int64_t integer = 0;
    double real;
    const char* text;
    const Value* items;
    const Member* members;
    const EncodedDocument* document;
  } payload_;
};
static_assert(sizeof(Value) == 16);

struct Member {
  Value key;
  Value value;
};

constexpr Value Value::Object(std::span<const Member> members) {
  Value result(Tag::kObject, static_cast<std::uint32_t>(members.size()));
  result.payload_.members = members.data();
  return result;
}

inline Value Value::KeyAt(std::uint32_t i) const {
  return tag_ == Tag::kObjectView ? ViewKey(i) : payload_.members[i].key;
}

inline Value Value::ValueAt(std::uint32_t i) const {
  return tag_ == Tag::kObjectView ? ViewValue(i) : payload_.members[i].value;
}

// Rego's total order: null < false < true < numbers < strings (by bytes) < arrays < objects < sets;
// undefined first. Numbers compare by the exact value of their spelling (1 == 1.0 == 1e0; a Float
// is its shortest decimal, not its binary fraction); exponents beyond 10^17 are one. Arrays and
// sets compare item by item; objects compare key by key and value by value in key order, as OPA
// does.
[[nodiscard]] std::strong_ordering Compare(const Value& a, const Value& b);
[[nodiscard]] bool Equal(const Value& a, const Value& b);
// Agrees with Equal: numbers of one value hash alike, views and arena nodes of one content hash
// alike.
[[nodiscard]] std::uint64_t Hash(const Value& value);

// A number's spelling, as OPA prints it. REQUIRES: a number.
[[nodiscard]] std::string NumberText(const Value& number);
// The nearest double. REQUIRES: a number. Overflow gives an infinity.
[[nodiscard]] double ToDouble(const Value& number);
// The number as an int64 if it is whole and fits ("1.0" and 1e3 do).
[[nodiscard]] std::optional<std::int64_t> ToInt64(const Value& number);

// The number as OPA reads an int64, for an index too: "2.0" is one, 1e3 is not. REQUIRES: a number.
[[nodiscard]] std::optional<std::int64_t> AsGoInt(const Value& number);

// A copy that depends on nothing but `arena`: strings, views, all.
[[nodiscard]] Value DeepCopy(const Value& value, Arena& arena);
// The same value in which every number is what Go's float64 would hold (see NumberMode in
// document/json.h), but those beyond float64, which stay. LIFETIME: parts without such numbers are
// shared with `value`.
[[nodiscard]] Value WithFloatNumbers(const Value& value, Arena& arena);

// Collects items and makes an array of them. LIFETIME: the result lives in the arena.
class ArrayBuilder {
 public:
  explicit ArrayBuilder(Arena& arena) : arena_(arena) {}
  void Add(Value item) { items_.push_back(item); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  // Leaves the builder empty.
  [[nodiscard]] Value Finish();

 private:
  Arena& arena_;
  std::vector<Value> items_;
};

// Collects members and makes a set: sorted, and of equal members the first that was added stays.
class SetBuilder {
 public:
  explicit SetBuilder(Arena& arena) : arena_(arena) {}
  void Add(Value item) { items_.push_back(item); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] Value Finish();

 private:
  Arena& arena_;
  std::vector<Value> items_;
};

// Collects members and makes an object, sorted by key.
class ObjectBuilder {
 public:
  explicit ObjectBuilder(Arena& arena) : arena_(arena) {}
  void Add(Value key, Value value) { members_.push_back({key, value}); }
  // `key` stays alive.
  void Add(std::string_view key, Value value) { Add(Value::String(key), value); }
  [[nodiscard]] std::size_t size() const { return members_.size(); }
  // Of equal keys the last that was added stays.
  [[nodiscard]] Value Finish();
  // Of equal keys with equal values the first stays; with unequal values there is no object:
  // undefined.
  [[nodiscard]] Value FinishUnique();

 private:
  Arena& arena_;
  std::vector<Member> members_;
};

}  // namespace portcullis::document
