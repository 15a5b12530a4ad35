#include "replicator/kubernetes_messages.h"

#include <charconv>
#include <utility>

#include "base/error.h"
#include "document/json.h"

namespace portcullis::replicator {
namespace {

using document::Value;

Result<Value> Parse(std::string_view text, document::Arena& arena) {
  document::ParseOptions options;
  options.duplicates = document::DuplicateKeys::kKeepLast;
  options.max_bytes = text.size();  // The reflector has bounded what it collects.
  return document::ParseJson(text, arena, options);
}

Value WithType(const Value& object, const document::GroupVersionKind& type,
               document::Arena& arena) {
  document::ObjectBuilder builder(arena);
  for (std::uint32_t i = 0; i < object.size(); ++i) {
    builder.Add(object.KeyAt(i), object.ValueAt(i));
  }
  builder.Add("apiVersion", Value::String(arena.CopyString(type.group_version())));
  builder.Add("kind", Value::String(arena.CopyString(type.kind)));
  return builder.Finish();
}

// Whether the object is of this kind and has what replication needs of it.
Result<void> CheckObject(const Value& object, const document::GroupVersionKind& type) {
  const document::ObjectIdentity identity = TRY(document::IdentityOf(object));
  if (identity.type != type) {
    return Fail(ErrorCode::kInvalidArgument,
                "an object of kind " + identity.type.ToString() + " among " + type.ToString());
  }
  return {};
}

bool Contains(const Value& array, std::string_view text) {
  for (std::uint32_t i = 0; array.is_array() && i < array.size(); ++i) {
    const Value item = array.ItemAt(i);
    if (item.is_string() && item.string() == text) {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<std::optional<std::string>> FindResourceName(std::string_view resource_list,
                                                    std::string_view kind) {
  document::Arena arena;
  const Value root = TRY(AddContext(Parse(resource_list, arena), "discovery"));
  const Value resources = root.Find("resources");
  if (root.GetString({"kind"}) != "APIResourceList" || !resources.is_array()) {
    return Fail(ErrorCode::kInvalidArgument, "discovery: not an APIResourceList");
  }
  for (std::uint32_t i = 0; i < resources.size(); ++i) {
    const Value resource = resources.ItemAt(i);
    const std::string_view name = resource.GetString({"name"});
    // A subresource ("deployments/scale") has the kind of what it takes.
    const bool is_subresource = name.find('/') != std::string_view::npos;
    const Value verbs = resource.Find("verbs");
    if (resource.GetString({"kind"}) == kind && !is_subresource && !name.empty() &&
        Contains(verbs, "list") && Contains(verbs, "watch")) {
      return std::optional(std::string(name));
    }
  }
  return std::nullopt;
}

Result<ListPage> ParseListPage(std::string_view text, const document::GroupVersionKind& type,
                               document::Arena& arena) {
  const Value root = TRY(AddContext(Parse(text, arena), "list"));
  const Value items = root.Find("items");
  ListPage page;
  page.resource_version = root.GetString({"metadata", "resourceVersion"});
  page.continue_token = root.GetString({"metadata", "continue"});
  // An empty list may have null for its items.
  const bool has_items = items.is_array() || items.is_null();
  if (!root.is_object() || !has_items || page.resource_version.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "list: not a list of Kubernetes objects");
  }
  page.items.reserve(items.size());
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    Value item = items.ItemAt(i);
    if (item.is_object() &&
        (item.Find("kind").is_undefined() || item.Find("apiVersion").is_undefined())) {
      item = WithType(item, type, arena);
    }
    TRY(AddContext(CheckObject(item, type), "list: item " + std::to_string(i)));
    page.items.push_back(item);
  }
  return page;
}

Result<WatchEvent> ParseWatchEvent(std::string_view line, const document::GroupVersionKind& type,
                                   document::Arena& arena) {
  const Value root = TRY(AddContext(Parse(line, arena), "watch event"));
  const std::string_view name = root.GetString({"type"});
  WatchEvent event;
  event.object = root.Find("object");
  if (name == "ERROR") {
    event.type = EventType::kError;
    event.error_code =
        document::ToInt64(event.object.Find("code").is_number() ? event.object.Find("code")
                                                                : Value::Int(0))
            .value_or(0);
    event.error_message = event.object.GetString({"message"});
    return event;
  }
  event.resource_version = event.object.GetString({"metadata", "resourceVersion"});
  if (event.resource_version.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "watch event: without a resourceVersion");
  }
  if (name == "BOOKMARK") {
    return event;
  }
  if (name != "ADDED" && name != "MODIFIED" && name != "DELETED") {
    return Fail(ErrorCode::kInvalidArgument,
                "watch event: of unknown type \"" + std::string(name) + "\"");
  }
  event.type = name == "DELETED" ? EventType::kDelete : EventType::kPut;
  TRY(AddContext(CheckObject(event.object, type), "watch event"));
  return event;
}

std::optional<std::uint64_t> ResourceVersionNumber(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

bool IsBeingDeleted(const Value& object) {
  const Value when = object.Get({"metadata", "deletionTimestamp"});
  return when.is_string();
}

}  // namespace portcullis::replicator
