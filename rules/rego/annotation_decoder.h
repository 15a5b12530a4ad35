// The YAML of an annotation as Go's yaml.v3 decodes it, with its texts.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "document/yaml_tree.h"

namespace portcullis::rego {

// Go's names of what texts, lists and maps are decoded into.
inline constexpr std::string_view kStringType = "string";
inline constexpr std::string_view kListType = "[]interface {}";
inline constexpr std::string_view kMapType = "map[string]interface {}";

// A tree without aliases. In maps the last of equal keys counts.
struct PlainTree {
  document::YamlTree::Kind kind = document::YamlTree::Kind::kNull;
  std::string text;  // Of strings and times as written, of numbers as Go prints them.
  bool boolean = false;
  bool text_keys = true;         // Of maps.
  std::vector<PlainTree> items;  // Of sequences.
  std::map<std::string, PlainTree, std::less<>>
      members;  // Of maps; keys that are no strings as they print.

  [[nodiscard]] const PlainTree* Find(std::string_view key) const {
    auto found = members.find(key);
    return found == members.end() ? nullptr : &found->second;
  }
};

// Decodes a tree, and gathers what does not fit.
class AnnotationDecoder {
 public:
  using YamlTree = document::YamlTree;

  std::vector<std::string> errors;
  bool exceeded = false;
  static const YamlTree& Target(const YamlTree& node);
  void Refuse(const YamlTree& node, std::string_view type);
  // False: nothing is to be stored.
  bool Text(const YamlTree& alias, std::string& out);
  void Boolean(const YamlTree& alias, bool& out);
  // Calls `each` with the items of a sequence.
  void List(const YamlTree& alias, std::string_view type,
            const std::function<void(const YamlTree&)>& each);
  // A map with strings as keys; false where it is none.
  bool Map(const YamlTree& alias, PlainTree& out);
  bool Any(const YamlTree& alias, PlainTree& out);
  // The keys of a map are all different.
  bool CheckKeys(const YamlTree& node);

 private:
  bool Members(const YamlTree& node, PlainTree& out, bool text_keys);
  static bool IsMerge(const YamlTree& key) {
    return key.kind == YamlTree::Kind::kString && key.text == "<<";
  }
  // Members of another map, where there are none of the name.
  void Merge(const YamlTree& alias, PlainTree& out, bool text_keys);

  std::uint64_t decoded_ = 0;
};

}  // namespace portcullis::rego
