#include "document/yaml_tree.h"

#include <array>
#include <charconv>
#include <map>
#include <utility>

#include <yaml.h>

#include "base/error.h"
#include "document/number.h"
#include "document/yaml_scalar.h"

namespace portcullis::document {
namespace {

using Kind = YamlTree::Kind;
using Node = std::shared_ptr<const YamlTree>;
template <class T>
using Read = std::expected<T, std::string>;

constexpr std::uint32_t kMaximumDepth = 1000;

std::string_view View(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

class TreeReader {
 public:
  explicit TreeReader(std::string_view text) {
    initialized_ = yaml_parser_initialize(&parser_) != 0;
    if (initialized_) {
      yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
      yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                   text.size());
    }
  }
  ~TreeReader() {
    yaml_event_delete(&event_);
    if (initialized_) {
      yaml_parser_delete(&parser_);
    }
  }
  TreeReader(const TreeReader&) = delete;
  TreeReader& operator=(const TreeReader&) = delete;

  Read<Node> First() {
    if (!initialized_) {
      return std::unexpected("out of memory");
    }
    while (true) {
      TRY(Advance());
      if (event_.type == YAML_STREAM_END_EVENT) {
        return Node();
      }
      if (event_.type == YAML_DOCUMENT_START_EVENT) {
        TRY(Advance());
        auto root = TRY(ReadNode(0));
        TRY(Advance());  // What ends the document must be right too.
        return root;
      }
    }
  }

 private:
  Read<void> Advance() {
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_) != 0) {
      return {};
    }
    std::size_t line =
        parser_.context_mark.line != 0 ? parser_.context_mark.line : parser_.problem_mark.line;
    if (line != 0 && parser_.error == YAML_SCANNER_ERROR) {
      ++line;
    }
    return std::unexpected(
        (line == 0 ? "" : "line " + std::to_string(line) + ": ") +
        (parser_.problem == nullptr ? "unknown problem parsing YAML content" : parser_.problem));
  }

  Read<Node> ReadNode(std::uint32_t depth) {
    if (depth > kMaximumDepth) {
      return std::unexpected("exceeded max depth of " + std::to_string(kMaximumDepth));
    }
    auto node = std::make_shared<YamlTree>();
    node->line = static_cast<std::uint32_t>(event_.start_mark.line + 1);
    switch (event_.type) {
      case YAML_ALIAS_EVENT: {
        const std::string name(View(event_.data.alias.anchor));
        const auto found = anchors_.find(name);
        if (found == anchors_.end()) {
          return std::unexpected("unknown anchor '" + name + "' referenced");
        }
        if (found->second == nullptr) {
          return std::unexpected("anchor '" + name + "' value contains itself");
        }
        node->kind = Kind::kAlias;
        node->items.push_back(found->second);
        return node;
      }
      case YAML_SCALAR_EVENT:
        ReadScalar(*node);
        return Named(View(event_.data.scalar.anchor), std::move(node));
      case YAML_SEQUENCE_START_EVENT:
        node->kind = Kind::kSequence;
        return ReadItems(View(event_.data.sequence_start.anchor), std::move(node), depth,
                         YAML_SEQUENCE_END_EVENT);
      default:
        node->kind = Kind::kMapping;
        return ReadItems(View(event_.data.mapping_start.anchor), std::move(node), depth,
                         YAML_MAPPING_END_EVENT);
    }
  }

  Read<Node> ReadItems(std::string_view anchor, std::shared_ptr<YamlTree> node, std::uint32_t depth,
                       yaml_event_type_t end) {
    const std::string name(anchor);
    if (!name.empty()) {
      anchors_[name] = nullptr;
    }
    while (true) {
      TRY(Advance());
      if (event_.type == end) {
        return Named(name, std::move(node));
      }
      node->items.push_back(TRY(ReadNode(depth + 1)));
    }
  }

  Node Named(std::string_view anchor, Node node) {
    if (!anchor.empty()) {
      anchors_[std::string(anchor)] = node;
    }
    return node;
  }

  void ReadScalar(YamlTree& node) const {
    const auto& scalar = event_.data.scalar;
    node.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
    node.kind = Kind::kString;
    if (scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.quoted_implicit == 0) {
      Resolve(node);
    }
  }

  static void Resolve(YamlTree& node) {
    const YamlScalar scalar = ResolveYamlScalar(node.text);
    switch (scalar.kind) {
      case YamlScalar::Kind::kNull:
        node.kind = Kind::kNull;
        return;
      case YamlScalar::Kind::kTrue:
      case YamlScalar::Kind::kFalse:
        // yes and on are no booleans any more.
        if (node.text.size() >= 4 && (node.text.ends_with('e') || node.text.ends_with('E'))) {
          node.kind = Kind::kBoolean;
          node.boolean = scalar.kind == YamlScalar::Kind::kTrue;
        }
        return;
      case YamlScalar::Kind::kInt:
        node.kind = Kind::kInteger;
        node.number = std::to_string(scalar.integer);
        return;
      case YamlScalar::Kind::kUnsigned:
        node.kind = Kind::kInteger;
        node.number = std::to_string(scalar.natural);
        return;
      case YamlScalar::Kind::kFloat:
        node.kind = Kind::kFloat;
        AppendGoFloat(scalar.real, &node.number);
        return;
      case YamlScalar::Kind::kTimestamp:
        node.kind = Kind::kTimestamp;
        return;
      default:
        ResolveOctal(node);
    }
  }

  static void ResolveOctal(YamlTree& node) {
    std::string_view text = node.text;
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative ? 1 : 0);
    if (!text.starts_with("0o")) {
      return;
    }
    text.remove_prefix(2);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
    if (error == std::errc() && end == text.data() + text.size() && !text.starts_with('-')) {
      node.kind = Kind::kInteger;
      node.number = std::to_string(negative ? -value : value);
    }
  }

  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool initialized_ = false;
  std::map<std::string, Node, std::less<>> anchors_;  // Null: not read to its end yet.
};

}  // namespace

std::string_view YamlTree::Tag() const {
  static constexpr std::array<std::string_view, 9> kTags = {
      "!!null", "!!bool", "!!int", "!!float", "!!str", "!!timestamp", "!!seq", "!!map", ""};
  return kTags[static_cast<std::size_t>(kind)];
}

std::expected<std::shared_ptr<const YamlTree>, std::string> ParseYamlTree(std::string_view text) {
  return TreeReader(text).First();
}

}  // namespace portcullis::document
