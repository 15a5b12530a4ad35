#include <cmath>
#include <cstring>
#include <limits>

#include <capnp/any.h>
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/exception.h>

#include "document/document.capnp.h"
#include "document/encoded_document.h"
#include "document/encoding.h"
#include "document/number.h"
#include "document/utf8.h"

namespace portcullis::document {
namespace {

std::unexpected<Error> Corrupt(std::string message) {
  return Fail(ErrorCode::kCorruption, "encoded document: " + std::move(message));
}

std::string_view View(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

// Runs `use` on the root of the message in `words`, which are aligned.
template <class Use>
auto WithRoot(std::span<const std::uint64_t> words, Use use)
    -> decltype(use(std::declval<wire::Document::Reader>())) {
  static_assert(sizeof(capnp::word) == sizeof(std::uint64_t));
  // Nothing is read through Cap'n Proto but the root, so there is nothing to amplify.
  capnp::ReaderOptions options;
  options.traversalLimitInWords = std::numeric_limits<std::uint64_t>::max();
  try {
    capnp::FlatArrayMessageReader message(
        kj::arrayPtr(reinterpret_cast<const capnp::word*>(words.data()), words.size()), options);
    const auto root = message.getRoot<wire::Document>();
    if (root.getVersion() == 0 || root.getVersion() > kEncodingVersion) {
      return Corrupt("of version " + std::to_string(root.getVersion()) +
                     "; this program reads up to " + std::to_string(kEncodingVersion));
    }
    return use(root);
  } catch (const kj::Exception& exception) {
    return Corrupt(exception.getDescription().cStr());
  }
}

Result<std::span<const std::uint64_t>> CopyWords(std::string_view bytes, Arena& arena) {
  if (bytes.empty() || bytes.size() % sizeof(std::uint64_t) != 0) {
    return Corrupt("of " + std::to_string(bytes.size()) + " bytes, which is not whole words");
  }
  const auto words = arena.AllocateArray<std::uint64_t>(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

Result<const EncodedDocument*> OpenRoot(wire::Document::Reader root, Arena& arena,
                                        NumberMode numbers) {
  const capnp::AnyList::Reader nodes = root.getNodes();
  const kj::ArrayPtr<const kj::byte> bytes = nodes.getRawBytes();
  const capnp::Data::Reader text = root.getText();
  // A list of structures would be read as one of numbers too, but does not lie in place.
  if (nodes.getElementSize() != capnp::ElementSize::EIGHT_BYTES || nodes.size() == 0) {
    return Corrupt("without nodes");
  }
  return arena.New<EncodedDocument>(
      EncodedDocument{.nodes = reinterpret_cast<const std::uint64_t*>(bytes.begin()),
                      .text = reinterpret_cast<const char*>(text.begin()),
                      .node_count = nodes.size(),
                      .text_size = static_cast<std::uint32_t>(text.size()),
                      .numbers = numbers});
}

// Walks every node as the writer laid them out, and so finds gaps, cycles and shared runs.
class Validator {
 public:
  explicit Validator(const EncodedDocument& document) : document_(document) {}

  Result<void> Run() {
    if (!Check(0, 0)) {
      return Corrupt(what_);
    }
    if (next_free_ != document_.node_count) {
      return Corrupt("nodes that belong to nothing");
    }
    return {};
  }

 private:
  bool Refuse(const char* what) {
    what_ = what;
    return false;
  }

  bool Check(std::uint32_t at, std::uint32_t depth) {
    const Node node(document_.nodes[at]);
    switch (node.kind()) {
      case NodeKind::kNull:
      case NodeKind::kFalse:
      case NodeKind::kTrue:
      case NodeKind::kSmallInt:
        return true;
      case NodeKind::kInt:
        return CheckSlice(node, sizeof(std::int64_t));
      case NodeKind::kFloat:
        return CheckFloat(node);
      case NodeKind::kDecimal:
        return CheckText(node) &&
               (IsJsonNumber(document_.Text(node)) || Refuse("a number that is none"));
      case NodeKind::kString:
        return CheckString(node);
      case NodeKind::kArray:
        return CheckArray(node, depth + 1);
      case NodeKind::kObject:
        return CheckObject(node, depth + 1);
    }
    return Refuse("a node of an unknown kind");
  }

  bool CheckSlice(Node node, std::uint32_t size) {
    if (node.offset() > document_.text_size || document_.text_size - node.offset() < size) {
      return Refuse("text beyond its end");
    }
    return true;
  }

  bool CheckFloat(Node node) {
    double value = 0;
    if (!CheckSlice(node, sizeof(value))) {
      return false;
    }
    std::memcpy(&value, document_.text + node.offset(), sizeof(value));
    return std::isfinite(value) || Refuse("a number that is not finite");
  }

  // Long texts are never shared; were they, a small message could make the checks take as long as
  // it likes.
  bool CheckText(Node node) {
    if (!CheckSlice(node, node.count())) {
      return false;
    }
    if (node.count() > kMostSharedText) {
      long_text_ += node.count();
    }
    return long_text_ <= document_.text_size || Refuse("long text that is shared");
  }

  bool CheckString(Node node) {
    return CheckText(node) &&
           (IsValidUtf8(document_.Text(node)) || Refuse("text that is not UTF-8"));
  }

  bool CheckRun(Node node, std::uint64_t width, std::uint32_t depth) {
    if (depth > kMostEncodedDepth) {
      return Refuse("more than 1000 levels deep");
    }
    if (node.offset() != next_free_ || document_.node_count - next_free_ < width) {
      return Refuse("a run of nodes that is out of place");
    }
    next_free_ += static_cast<std::uint32_t>(width);
    return true;
  }

  bool CheckArray(Node node, std::uint32_t depth) {
    if (!CheckRun(node, node.count(), depth)) {
      return false;
    }
    for (std::uint32_t i = 0; i < node.count(); ++i) {
      if (!Check(node.offset() + i, depth)) {
        return false;
      }
    }
    return true;
  }

  bool CheckObject(Node node, std::uint32_t depth) {
    if (!CheckRun(node, std::uint64_t{2} * node.count(), depth)) {
      return false;
    }
    std::string_view previous;
    for (std::uint32_t i = 0; i < node.count(); ++i) {
      const Node key(document_.nodes[node.offset() + i]);
      if (key.kind() != NodeKind::kString) {
        return Refuse("a key that is no string");
      }
      if (!CheckString(key)) {
        return false;
      }
      if (i > 0 && document_.Text(key) <= previous) {
        return Refuse("keys that are not in order");
      }
      previous = document_.Text(key);
    }
    for (std::uint32_t i = 0; i < node.count(); ++i) {
      if (!Check(node.offset() + node.count() + i, depth)) {
        return false;
      }
    }
    return true;
  }

  const EncodedDocument& document_;
  std::uint32_t next_free_ = 1;
  std::uint64_t long_text_ = 0;
  const char* what_ = "";
};

ObjectIdentity StatedIdentity(wire::Document::Reader root) {
  return {.type = MakeGroupVersionKind(View(root.getApiVersion()), View(root.getKind())),
          .name_space = std::string(View(root.getNamespace())),
          .name = std::string(View(root.getName())),
          .uid = std::string(View(root.getUid())),
          .resource_version = std::string(View(root.getResourceVersion()))};
}

}  // namespace

Result<Value> OpenTrusted(std::string_view bytes, Arena& arena, NumberMode numbers) {
  const auto words = TRY(CopyWords(bytes, arena));
  return WithRoot(words, [&](wire::Document::Reader root) -> Result<Value> {
    return TRY(OpenRoot(root, arena, numbers))->At(0);
  });
}

Result<Value> OpenUntrusted(std::string_view bytes, Arena& arena, NumberMode numbers) {
  const auto words = TRY(CopyWords(bytes, arena));
  return WithRoot(words, [&](wire::Document::Reader root) -> Result<Value> {
    const EncodedDocument* const document = TRY(OpenRoot(root, arena, numbers));
    TRY(Validator(*document).Run());
    const Value value = document->At(0);
    if (StatedIdentity(root) != IdentityOf(value).value_or(ObjectIdentity{})) {
      return Corrupt("an identity that is not its object's");
    }
    return value;
  });
}

Result<ObjectIdentity> IdentityOfEncoded(std::string_view bytes) {
  Arena arena;
  const auto words = TRY(CopyWords(bytes, arena));
  return WithRoot(words, [](wire::Document::Reader root) -> Result<ObjectIdentity> {
    ObjectIdentity identity = StatedIdentity(root);
    if (identity.name.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "not an encoded Kubernetes object");
    }
    return identity;
  });
}

}  // namespace portcullis::document
