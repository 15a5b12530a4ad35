// Bytes from an API server or a file: however a stream is cut, the pieces are the same; lists and events are read or refused.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "document/json.h"
#include "replicator/json_splitter.h"
#include "replicator/kubernetes_messages.h"

namespace {

using portcullis::Result;
using portcullis::replicator::JsonSplitter;

constexpr std::size_t kPieceBytes = 4096;

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// The pieces with their lines, and how it ended. `step` bytes at a time.
std::vector<std::string> Split(std::string_view text, std::size_t step) {
  std::vector<std::string> pieces;
  JsonSplitter splitter(kPieceBytes,
                        [&](std::string_view piece, std::uint32_t line) -> Result<void> {
                          Require(piece.size() <= kPieceBytes);
                          pieces.push_back(std::to_string(line) + ": " + std::string(piece));
                          return {};
                        });
  for (std::size_t at = 0; at < text.size(); at += step) {
    if (const auto fed = splitter.Feed(text.substr(at, step)); !fed) {
      pieces.push_back(fed.error().ToString());
      return pieces;
    }
  }
  const auto finished = splitter.Finish();
  pieces.push_back(finished ? "end" : finished.error().ToString());
  return pieces;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace document = portcullis::document;
  namespace replicator = portcullis::replicator;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> whole = Split(text, std::max<std::size_t>(size, 1));
  Require(Split(text, 1) == whole);
  Require(Split(text, 1 + size / 3) == whole);

  document::Arena arena;
  const document::GroupVersionKind type{.group = "", .version = "v1", .kind = "Pod"};
  static_cast<void>(replicator::FindResourceName(text, "Pod"));
  if (const auto page = replicator::ParseListPage(text, type, arena)) {
    for (const document::Value& item : page->items) {
      static_cast<void>(replicator::IsBeingDeleted(item));
      Require(!document::ToJson(item).empty());
    }
    static_cast<void>(replicator::ResourceVersionNumber(page->resource_version));
  }
  if (const auto event = replicator::ParseWatchEvent(text, type, arena)) {
    using replicator::EventType;
    const bool has_object = event->type == EventType::kPut || event->type == EventType::kDelete;
    Require(event->object.is_object() || !has_object);
  }
  return 0;
}
