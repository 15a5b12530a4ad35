// What an API server says about one kind: discovery, pages of a list, events of a watch. Bytes in,
// values out.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "document/arena.h"
#include "document/object.h"
#include "document/value.h"

namespace portcullis::replicator {

// The name of a kind in URLs: "ingresses".
// ERRORS: kInvalidArgument: not an APIResourceList. Nothing: it has no such kind that can be listed
// and watched.
[[nodiscard]] Result<std::optional<std::string>> FindResourceName(std::string_view resource_list,
                                                                  std::string_view kind);

struct ListPage {
  std::vector<document::Value> items;  // With apiVersion and kind, which a page leaves out.
  std::string resource_version;
  std::string continue_token;  // Empty: the last page.
};
// ERRORS: kInvalidArgument: not a list of this kind. LIFETIME: the items live in `arena`.
[[nodiscard]] Result<ListPage> ParseListPage(std::string_view text,
                                             const document::GroupVersionKind& type,
                                             document::Arena& arena);

enum class EventType : std::uint8_t { kPut, kDelete, kBookmark, kError };

struct WatchEvent {
  EventType type = EventType::kBookmark;
  document::Value object;        // Of kPut and kDelete.
  std::string resource_version;  // Of all but kError.
  std::int64_t error_code = 0;   // Of kError: as an HTTP status.
  std::string error_message;
};
// One line of a watch. ERRORS: kInvalidArgument: not an event about this kind. LIFETIME: the object
// lives in `arena`.
[[nodiscard]] Result<WatchEvent> ParseWatchEvent(std::string_view line,
                                                 const document::GroupVersionKind& type,
                                                 document::Arena& arena);

// Resource versions of one kind as numbers, where they are (all that etcd gives are); nothing for
// others.
[[nodiscard]] std::optional<std::uint64_t> ResourceVersionNumber(std::string_view text);

// An object that is being deleted: the inventory and the policies do without it at once, as
// Gatekeeper's do.
[[nodiscard]] bool IsBeingDeleted(const document::Value& object);

}  // namespace portcullis::replicator
