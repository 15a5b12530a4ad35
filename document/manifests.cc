#include <utility>

#include "document/yaml.h"

namespace portcullis::document {
namespace {

constexpr std::string_view kListSuffix = "List";

bool IsList(const Value& document) {
  return document.GetString({"kind"}).ends_with(kListSuffix) && document.Find("items").is_array();
}

// An item of a typed list may leave out what the list's own kind says.
Value WithTypeOf(const Value& list, const Value& item, Arena& arena) {
  const std::string_view list_kind = list.GetString({"kind"});
  const bool typed = list_kind != kListSuffix;
  const bool complete = item.Find("apiVersion").is_defined() && item.Find("kind").is_defined();
  if (!typed || complete || !item.is_object()) {
    return item;
  }
  ObjectBuilder members(arena);
  members.Add("apiVersion", list.Find("apiVersion"));
  members.Add("kind", Value::String(list_kind.substr(0, list_kind.size() - kListSuffix.size())));
  for (std::uint32_t i = 0; i < item.size(); ++i) {
    members.Add(item.KeyAt(i), item.ValueAt(i));
  }
  return members.Finish();
}

void AddManifests(const Value& value, std::uint32_t line, Arena& arena,
                  std::vector<YamlDocument>* manifests) {
  if (!IsList(value)) {
    manifests->push_back({value, line});
    return;
  }
  const Value items = value.Find("items");
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    AddManifests(WithTypeOf(value, items.ItemAt(i), arena), line, arena, manifests);
  }
}

}  // namespace

Result<std::vector<YamlDocument>> ParseManifests(std::string_view text, Arena& arena,
                                                 const ParseOptions& options) {
  std::vector<YamlDocument> manifests;
  for (const YamlDocument& document : TRY(ParseYaml(text, arena, options))) {
    if (!document.value.is_null()) {
      AddManifests(document.value, document.line, arena, &manifests);
    }
  }
  return manifests;
}

}  // namespace portcullis::document
