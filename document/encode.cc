#include <cstring>
#include <limits>
#include <unordered_map>
#include <vector>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include "document/document.capnp.h"
#include "document/encoded_document.h"
#include "document/encoding.h"

namespace portcullis::document {
namespace {

constexpr std::size_t kMostListed = (std::size_t{1} << 29) - 1;  // Of a Cap'n Proto list.

// Lays a value out as nodes and text.
class Encoder {
 public:
  Result<void> Run(const Value& value) {
    nodes_.push_back(0);
    return Write(value, 0, 0);
  }
  [[nodiscard]] const std::vector<std::uint64_t>& nodes() const { return nodes_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Result<void> Write(const Value& value, std::size_t at, std::uint32_t depth) {
    switch (value.type()) {
      case Type::kNull:
        return Set(at, Node(NodeKind::kNull, 0, 0));
      case Type::kBoolean:
        return Set(at, Node(value.is_true() ? NodeKind::kTrue : NodeKind::kFalse, 0, 0));
      case Type::kNumber:
        return WriteNumber(value, at);
      case Type::kString:
        return WriteText(NodeKind::kString, value.string(), at);
      case Type::kArray:
        return WriteArray(value, at, depth + 1);
      case Type::kObject:
        return WriteObject(value, at, depth + 1);
      case Type::kUndefined:
      case Type::kSet:
        break;
    }
    return Fail(ErrorCode::kInvalidArgument, "only JSON values are stored, not sets");
  }

  Result<void> Set(std::size_t at, Node node) {
    nodes_[at] = node.bits();
    return {};
  }

  Result<void> WriteNumber(const Value& number, std::size_t at) {
    if (number.is_decimal()) {
      return WriteText(NodeKind::kDecimal, number.decimal_text(), at);
    }
    if (number.is_float()) {
      return WriteEightBytes(NodeKind::kFloat, number.float_number(), at);
    }
    const std::int64_t value = number.integer();
    if (value >= Node::kLeastSmallInt && value <= Node::kMostSmallInt) {
      return Set(at, Node::SmallInt(value));
    }
    return WriteEightBytes(NodeKind::kInt, value, at);
  }

  template <class T>
  Result<void> WriteEightBytes(NodeKind kind, T value, std::size_t at) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    return Set(at, Node(kind, sizeof(T), TRY(AddText({bytes, sizeof(T)}))));
  }

  Result<void> WriteText(NodeKind kind, std::string_view text, std::size_t at) {
    if (text.size() > Node::kMostCount) {
      return Fail(ErrorCode::kExhausted, "a string of 256 MiB or more");
    }
    std::uint32_t offset = 0;
    if (text.size() <= kMostSharedText) {
      const auto known = shared_.find(text);
      offset = known != shared_.end() ? known->second : TRY(AddText(text));
      if (known == shared_.end()) {
        shared_.emplace(text, offset);
      }
    } else {
      offset = TRY(AddText(text));
    }
    return Set(at, Node(kind, static_cast<std::uint32_t>(text.size()), offset));
  }

  Result<std::uint32_t> AddText(std::string_view text) {
    if (text_.size() + text.size() > kMostListed) {
      return Fail(ErrorCode::kExhausted, "a document with text of 512 MiB or more");
    }
    const auto offset = static_cast<std::uint32_t>(text_.size());
    text_ += text;
    return offset;
  }

  // Takes a run of nodes for a container; returns the first.
  Result<std::uint32_t> TakeRun(NodeKind kind, std::uint32_t count, std::size_t width,
                                std::size_t at, std::uint32_t depth) {
    if (depth > kMostEncodedDepth) {
      return Fail(ErrorCode::kExhausted,
                  "more than " + std::to_string(kMostEncodedDepth) + " levels deep");
    }
    const std::size_t first = nodes_.size();
    if (count > Node::kMostCount || first + width > kMostListed) {
      return Fail(ErrorCode::kExhausted, "too many values for one document");
    }
    nodes_.resize(first + width);
    TRY(Set(at, Node(kind, count, static_cast<std::uint32_t>(first))));
    return static_cast<std::uint32_t>(first);
  }

  Result<void> WriteArray(const Value& value, std::size_t at, std::uint32_t depth) {
    const std::uint32_t count = value.size();
    const std::uint32_t first = TRY(TakeRun(NodeKind::kArray, count, count, at, depth));
    for (std::uint32_t i = 0; i < count; ++i) {
      TRY(Write(value.ItemAt(i), first + i, depth));
    }
    return {};
  }

  Result<void> WriteObject(const Value& value, std::size_t at, std::uint32_t depth) {
    const std::uint32_t count = value.size();
    const std::uint32_t first =
        TRY(TakeRun(NodeKind::kObject, count, std::size_t{2} * count, at, depth));
    for (std::uint32_t i = 0; i < count; ++i) {
      const Value key = value.KeyAt(i);
      if (!key.is_string()) {
        return Fail(ErrorCode::kInvalidArgument, "only JSON values are stored: a key is no string");
      }
      TRY(WriteText(NodeKind::kString, key.string(), first + i));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      TRY(Write(value.ValueAt(i), first + count + i, depth));
    }
    return {};
  }

  std::vector<std::uint64_t> nodes_;
  std::string text_;
  std::unordered_map<std::string_view, std::uint32_t> shared_;
};

std::size_t WordsOf(std::size_t bytes) {
  return bytes / sizeof(capnp::word) + 1;
}

capnp::Text::Reader ToText(const std::string& text) {
  return {text.data(), text.size()};
}

std::string ToMessage(const Encoder& encoder, const ObjectIdentity& identity) {
  const std::string api_version = identity.type.group_version();
  constexpr std::size_t kStructWords = 16;
  std::size_t words = kStructWords + encoder.nodes().size() + WordsOf(encoder.text().size());
  for (const std::string* field : {&identity.uid, &identity.resource_version, &api_version,
                                   &identity.type.kind, &identity.name_space, &identity.name}) {
    words += WordsOf(field->size());
  }
  // Exactly one segment, so that a reader never follows a far pointer.
  capnp::MallocMessageBuilder message(static_cast<kj::uint>(words),
                                      capnp::AllocationStrategy::FIXED_SIZE);
  wire::Document::Builder root = message.initRoot<wire::Document>();
  root.setVersion(kEncodingVersion);
  root.setUid(ToText(identity.uid));
  root.setResourceVersion(ToText(identity.resource_version));
  root.setApiVersion(ToText(api_version));
  root.setKind(ToText(identity.type.kind));
  root.setNamespace(ToText(identity.name_space));
  root.setName(ToText(identity.name));
  auto nodes = root.initNodes(static_cast<kj::uint>(encoder.nodes().size()));
  for (std::size_t i = 0; i < encoder.nodes().size(); ++i) {
    nodes.set(static_cast<kj::uint>(i), encoder.nodes()[i]);
  }
  root.setText({reinterpret_cast<const kj::byte*>(encoder.text().data()), encoder.text().size()});
  const kj::Array<capnp::word> flat = capnp::messageToFlatArray(message);
  const auto bytes = flat.asChars();
  return {bytes.begin(), bytes.size()};
}

}  // namespace

Result<std::string> Encode(const Value& value) {
  Encoder encoder;
  TRY(encoder.Run(value));
  try {
    return ToMessage(encoder, IdentityOf(value).value_or(ObjectIdentity{}));
  } catch (const kj::Exception& exception) {
    return Fail(ErrorCode::kInternal,
                std::string("Cap'n Proto: ") + exception.getDescription().cStr());
  }
}

}  // namespace portcullis::document
