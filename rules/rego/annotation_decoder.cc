#include "rules/rego/annotation_decoder.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "rules/rego/text.h"

namespace portcullis::rego {
namespace {

using document::YamlTree;
using Kind = YamlTree::Kind;
using Node = std::shared_ptr<const YamlTree>;

// Beyond this the aliases of a text are taken for an attack.
constexpr std::uint64_t kMaximumNodes = 100'000;

}  // namespace

const YamlTree& AnnotationDecoder::Target(const YamlTree& node) {
  return node.kind == Kind::kAlias ? Target(*node.items[0]) : node;
}

void AnnotationDecoder::Refuse(const YamlTree& node, std::string_view type) {
  std::string value;
  if (node.IsScalar()) {
    value = " `" + (node.text.size() > 10 ? node.text.substr(0, 7) + "..." : node.text) + '`';
  }
  errors.push_back("line " + std::to_string(node.line) + ": cannot unmarshal " +
                   std::string(node.Tag()) + value + " into " + std::string(type));
}

bool AnnotationDecoder::Text(const YamlTree& alias, std::string& out) {
  const YamlTree& node = Target(alias);
  if (node.kind == Kind::kNull) {
    return false;
  }
  if (!node.IsScalar()) {
    Refuse(node, kStringType);
    return false;
  }
  out = node.text;
  return true;
}

void AnnotationDecoder::Boolean(const YamlTree& alias, bool& out) {
  const YamlTree& node = Target(alias);
  static constexpr std::string_view kYes[] = {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON"};
  static constexpr std::string_view kNo[] = {"n", "N", "no", "No", "NO", "off", "Off", "OFF"};
  if (node.kind == Kind::kBoolean) {
    out = node.boolean;
  } else if (node.kind == Kind::kString && std::ranges::find(kYes, node.text) != std::end(kYes)) {
    out = true;
  } else if (node.kind == Kind::kString && std::ranges::find(kNo, node.text) != std::end(kNo)) {
    out = false;
  } else if (node.kind != Kind::kNull) {
    Refuse(node, "bool");
  }
}

void AnnotationDecoder::List(const YamlTree& alias, std::string_view type,
                             const std::function<void(const YamlTree&)>& each) {
  const YamlTree& node = Target(alias);
  if (node.kind == Kind::kNull) {
    return;
  }
  if (node.kind != Kind::kSequence) {
    return Refuse(node, type);
  }
  for (const Node& item : node.items) {
    each(*item);
  }
}

bool AnnotationDecoder::Map(const YamlTree& alias, PlainTree& out) {
  const YamlTree& node = Target(alias);
  if (node.kind == Kind::kNull) {
    return false;
  }
  if (node.kind != Kind::kMapping) {
    Refuse(node, kMapType);
    return false;
  }
  out.kind = Kind::kMapping;
  return Members(node, out, true);
}

bool AnnotationDecoder::Any(const YamlTree& alias, PlainTree& out) {
  const YamlTree& node = Target(alias);
  if (++decoded_ > kMaximumNodes) {
    exceeded = true;
    return false;
  }
  out.kind = node.kind;
  out.boolean = node.boolean;
  out.text = node.number.empty() ? node.text : node.number;
  if (node.kind == Kind::kSequence) {
    for (const Node& item : node.items) {
      PlainTree value;
      if (Any(*item, value)) {
        out.items.push_back(std::move(value));
      }
    }
  }
  return node.kind != Kind::kMapping || Members(node, out, false);
}

bool AnnotationDecoder::CheckKeys(const YamlTree& node) {
  const std::size_t before = errors.size();
  for (std::size_t i = 0; i < node.items.size(); i += 2) {
    const YamlTree& first = *node.items[i];
    for (std::size_t j = i + 2; j < node.items.size(); j += 2) {
      const YamlTree& second = *node.items[j];
      if (first.IsScalar() == second.IsScalar() && first.text == second.text) {
        errors.push_back("line " + std::to_string(second.line) + ": mapping key " +
                         Quote(second.text) + " already defined at line " +
                         std::to_string(first.line));
      }
    }
  }
  return errors.size() == before;
}

bool AnnotationDecoder::Members(const YamlTree& node, PlainTree& out, bool text_keys) {
  if (!CheckKeys(node)) {
    return false;
  }
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const YamlTree& key = Target(*node.items[i]);
    if (IsMerge(*node.items[i])) {
      Merge(*node.items[i + 1], out, text_keys);
      continue;
    }
    std::string name;
    if (text_keys ? !Text(key, name) : !key.IsScalar()) {
      continue;
    }
    name = key.text;
    out.text_keys = out.text_keys && (text_keys || key.kind == Kind::kString);
    PlainTree value;
    if (Any(*node.items[i + 1], value)) {
      out.members.insert_or_assign(std::move(name), std::move(value));
    }
  }
  return true;
}

void AnnotationDecoder::Merge(const YamlTree& alias, PlainTree& out, bool text_keys) {
  const YamlTree& node = Target(alias);
  if (node.kind == Kind::kSequence) {
    for (const Node& item : node.items) {
      Merge(*item, out, text_keys);
    }
    return;
  }
  PlainTree other;
  if (node.kind == Kind::kMapping && Members(node, other, text_keys)) {
    out.members.merge(other.members);
  }
}

}  // namespace portcullis::rego
