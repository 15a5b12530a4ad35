// Cuts a stream of JSON objects into pieces that can be parsed by themselves: each top-level object, or, where it has an
// array `items` as Kubernetes' lists have, each item of that.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace portcullis::replicator {

// THREADS: one.
class JsonSplitter {
 public:
  // Takes the text of an object and the line on which it begins.
  using Take = std::function<Result<void>(std::string_view text, std::uint32_t line)>;

  // ERRORS of the methods: kInvalidArgument: what is between the pieces is not JSON of that form (their inside is not looked at);
  // kExhausted: a piece longer than `limit_bytes`; what `take` returns.
  JsonSplitter(std::size_t limit_bytes, Take take)
      : limit_bytes_(limit_bytes), take_(std::move(take)) {}

  Result<void> Feed(std::string_view bytes);
  // No more bytes come.
  Result<void> Finish();

 private:
  Result<void> Step(char c);
  Result<void> Capture(char c);
  Result<void> Close();
  [[nodiscard]] std::unexpected<Error> FailHere(std::string message) const;

  const std::size_t limit_bytes_;
  const Take take_;
  std::uint32_t line_ = 1;
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;

  // The object that is being captured: a whole one, without the items that were cut out of it, or one item.
  std::string whole_;
  std::uint32_t whole_line_ = 1;
  std::string item_;
  std::uint32_t item_line_ = 1;

  std::string text_;          // Of the string at depth 1 that is being read, or was read last.
  bool text_is_key_ = false;  // A colon came after it.
  bool in_items_ = false;
  bool has_items_ = false;
};

}  // namespace portcullis::replicator
