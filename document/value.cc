#include "document/value.h"

#include <algorithm>
#include <cstring>

#include <xxhash.h>

#include "document/encoded_document.h"
#include "document/number.h"
#include "document/walk_guard.h"

namespace portcullis::document {
namespace {

// Up to here looking at every key is faster than halving.
constexpr std::uint32_t kFewMembers = 8;
// Longer strings are walks too, of a part for so many bytes.
constexpr std::size_t kLongText = 256;

std::strong_ordering CompareStrings(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  if (common > kLongText && !MayWalk(common / kLongText)) {
    return std::strong_ordering::equal;
  }
  const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  return order != 0 ? order <=> 0 : a.size() <=> b.size();
}

bool EqualStrings(std::string_view a, std::string_view b) {
  if (a.size() > kLongText && a.size() == b.size() && !MayWalk(a.size() / kLongText)) {
    return true;
  }
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

std::strong_ordering CompareItems(const Value& a, const Value& b) {
  const std::uint32_t common = std::min(a.size(), b.size());
  if (!MayWalk(common)) {
    return std::strong_ordering::equal;
  }
  for (std::uint32_t i = 0; i < common; ++i) {
    if (const auto order = Compare(a.ItemAt(i), b.ItemAt(i)); order != 0) {
      return order;
    }
  }
  return a.size() <=> b.size();
}

std::strong_ordering CompareMembers(const Value& a, const Value& b) {
  const std::uint32_t common = std::min(a.size(), b.size());
  if (!MayWalk(common)) {
    return std::strong_ordering::equal;
  }
  for (std::uint32_t i = 0; i < common; ++i) {
    if (const auto order = Compare(a.KeyAt(i), b.KeyAt(i)); order != 0) {
      return order;
    }
    if (const auto order = Compare(a.ValueAt(i), b.ValueAt(i)); order != 0) {
      return order;
    }
  }
  return a.size() <=> b.size();
}

bool EqualItems(const Value& a, const Value& b) {
  const std::uint32_t size = a.size();
  if (size != b.size()) {
    return false;
  }
  if (!MayWalk(size)) {
    return true;
  }
  for (std::uint32_t i = 0; i < size; ++i) {
    if (!Equal(a.ItemAt(i), b.ItemAt(i))) {
      return false;
    }
  }
  return true;
}

bool EqualMembers(const Value& a, const Value& b) {
  const std::uint32_t size = a.size();
  if (size != b.size()) {
    return false;
  }
  if (!MayWalk(size)) {
    return true;
  }
  for (std::uint32_t i = 0; i < size; ++i) {
    if (!Equal(a.KeyAt(i), b.KeyAt(i)) || !Equal(a.ValueAt(i), b.ValueAt(i))) {
      return false;
    }
  }
  return true;
}

std::uint64_t Mix(std::uint64_t hash, std::uint64_t next) {
  hash = (hash ^ next) * 0x9e3779b97f4a7c15;
  return hash ^ (hash >> 32);
}

}  // namespace

Value Value::Find(std::string_view key) const {
  if (tag_ == Tag::kObjectView) {
    return ViewFind(key);
  }
  if (tag_ == Tag::kSet) {
    return Find(String(key));
  }
  if (tag_ != Tag::kObject) {
    return {};
  }
  const Member* const members = payload_.members;
  if (size_ <= kFewMembers) {
    for (std::uint32_t i = 0; i < size_; ++i) {
      const Value& candidate = members[i].key;
      if (candidate.is_string() && EqualStrings(candidate.string(), key)) {
        return members[i].value;
      }
    }
    return {};
  }
  std::uint32_t low = 0;
  std::uint32_t high = size_;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const Value& candidate = members[middle].key;
    const auto order = candidate.is_string() ? CompareStrings(candidate.string(), key)
                                             : candidate.type() <=> Type::kString;
    if (order == 0) {
      return members[middle].value;
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return {};
}

Value Value::Find(const Value& key) const {
  if (is_array()) {
    const std::optional<std::int64_t> index = key.is_int()      ? key.integer()
                                              : key.is_number() ? AsGoInt(key)
                                                                : std::nullopt;
    return index && *index >= 0 && *index < std::int64_t{size()}
               ? ItemAt(static_cast<std::uint32_t>(*index))
               : Value();
  }
  if (is_object() && key.is_string()) {
    return Find(key.string());
  }
  if (tag_ != Tag::kObject && tag_ != Tag::kSet) {
    return {};
  }
  std::uint32_t low = 0;
  std::uint32_t high = size_;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const Value& candidate =
        tag_ == Tag::kSet ? payload_.items[middle] : payload_.members[middle].key;
    const auto order = Compare(candidate, key);
    if (order == 0) {
      return tag_ == Tag::kSet ? candidate : payload_.members[middle].value;
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return {};
}

Value Value::Get(std::initializer_list<std::string_view> path) const {
  Value at = *this;
  for (const std::string_view key : path) {
    at = at.Find(key);
  }
  return at;
}

std::string_view Value::GetString(std::initializer_list<std::string_view> path) const {
  const Value found = Get(path);
  return found.is_string() ? found.string() : std::string_view();
}

std::uint32_t Value::ViewSize() const {
  return payload_.document->Count(size_);
}

Value Value::ViewItem(std::uint32_t i) const {
  return payload_.document->Item(size_, i);
}

Value Value::ViewKey(std::uint32_t i) const {
  return payload_.document->Item(size_, i);
}

Value Value::ViewValue(std::uint32_t i) const {
  return payload_.document->Item(size_, i + payload_.document->Count(size_));
}

Value Value::ViewFind(std::string_view key) const {
  return payload_.document->Find(size_, key);
}

std::strong_ordering Compare(const Value& a, const Value& b) {
  const Type type = a.type();
  if (type != b.type()) {
    return type <=> b.type();
  }
  switch (type) {
    case Type::kUndefined:
    case Type::kNull:
      return std::strong_ordering::equal;
    case Type::kBoolean:
      return a.is_true() <=> b.is_true();
    case Type::kNumber:
      return CompareNumbers(a, b);
    case Type::kString:
      return CompareStrings(a.string(), b.string());
    case Type::kArray:
    case Type::kSet:
      return CompareItems(a, b);
    case Type::kObject:
      return CompareMembers(a, b);
  }
  return std::strong_ordering::equal;
}

bool Equal(const Value& a, const Value& b) {
  const Type type = a.type();
  if (type != b.type()) {
    return false;
  }
  switch (type) {
    case Type::kUndefined:
    case Type::kNull:
      return true;
    case Type::kBoolean:
      return a.is_true() == b.is_true();
    case Type::kNumber:
      return CompareNumbers(a, b) == 0;
    case Type::kString:
      return EqualStrings(a.string(), b.string());
    case Type::kArray:
    case Type::kSet:
      return EqualItems(a, b);
    case Type::kObject:
      return EqualMembers(a, b);
  }
  return false;
}

std::uint64_t Hash(const Value& value) {
  auto hash = static_cast<std::uint64_t>(value.type());
  switch (value.type()) {
    case Type::kUndefined:
    case Type::kNull:
      return Mix(hash, 0);
    case Type::kBoolean:
      return Mix(hash, value.is_true() ? 1 : 0);
    case Type::kNumber:
      return HashNumber(value);
    case Type::kString:
      if (value.string().size() > kLongText && !MayWalk(value.string().size() / kLongText)) {
        return hash;
      }
      return XXH3_64bits(value.string().data(), value.string().size());
    case Type::kArray:
    case Type::kSet:
      hash = Mix(hash, value.size());
      if (!MayWalk(value.size())) {
        return hash;
      }
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        hash = Mix(hash, Hash(value.ItemAt(i)));
      }
      return hash;
    case Type::kObject:
      hash = Mix(hash, value.size());
      if (!MayWalk(value.size())) {
        return hash;
      }
      for (std::uint32_t i = 0; i < value.size(); ++i) {
        hash = Mix(Mix(hash, Hash(value.KeyAt(i))), Hash(value.ValueAt(i)));
      }
      return hash;
  }
  return hash;
}

}  // namespace portcullis::document
