#include "document/encoded_document.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "document/number.h"

namespace portcullis::document {

static_assert(std::endian::native == std::endian::little, "nodes are read in place");

Value EncodedDocument::Number(Node node) const {
  if (node.kind() == NodeKind::kFloat) {
    double value = 0;
    std::memcpy(&value, text + node.offset(), sizeof(value));
    return Value::Float(value);
  }
  if (node.kind() == NodeKind::kDecimal) {
    const std::string_view spelling = Text(node);
    const double value = numbers == NumberMode::kFloat64 ? DecimalToDouble(spelling) : INFINITY;
    return std::isfinite(value) ? Value::Float(value) : Value::Decimal(spelling);
  }
  std::int64_t value = node.small_int();
  if (node.kind() == NodeKind::kInt) {
    std::memcpy(&value, text + node.offset(), sizeof(value));
  }
  return numbers == NumberMode::kFloat64 ? Value::Float(static_cast<double>(value))
                                         : Value::Int(value);
}

Value EncodedDocument::At(std::uint32_t node) const {
  const Node found(nodes[node]);
  switch (found.kind()) {
    case NodeKind::kNull:
      return Value::Null();
    case NodeKind::kFalse:
      return Value::Boolean(false);
    case NodeKind::kTrue:
      return Value::Boolean(true);
    case NodeKind::kSmallInt:
    case NodeKind::kInt:
    case NodeKind::kFloat:
    case NodeKind::kDecimal:
      return Number(found);
    case NodeKind::kString:
      return Value::String(Text(found));
    case NodeKind::kArray:
    case NodeKind::kObject: {
      Value view(
          found.kind() == NodeKind::kArray ? Value::Tag::kArrayView : Value::Tag::kObjectView,
          node);
      view.payload_.document = this;
      return view;
    }
  }
  return {};
}

Value EncodedDocument::Find(std::uint32_t object, std::string_view key) const {
  const Node found(nodes[object]);
  const std::uint64_t* const keys = nodes + found.offset();
  std::uint32_t low = 0;
  std::uint32_t high = found.count();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const std::string_view candidate = Text(Node(keys[middle]));
    const int order = candidate.compare(key);
    if (order == 0) {
      return At(found.offset() + found.count() + middle);
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return {};
}

}  // namespace portcullis::document
