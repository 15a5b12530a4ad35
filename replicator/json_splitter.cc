#include "replicator/json_splitter.h"

#include <utility>

namespace portcullis::replicator {
namespace {

constexpr std::size_t kMaxKeyBytes = 64;

bool IsSpace(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

std::unexpected<Error> JsonSplitter::FailHere(std::string message) const {
  return Fail(ErrorCode::kInvalidArgument, std::move(message), Position{{}, line_, 0});
}

Result<void> JsonSplitter::Feed(std::string_view bytes) {
  for (const char c : bytes) {
    TRY(Step(c));
    if (c == '\n') {
      ++line_;
    }
  }
  return {};
}

Result<void> JsonSplitter::Finish() {
  if (depth_ != 0 || in_string_) {
    return FailHere("JSON ends in the middle of a value");
  }
  return {};
}

Result<void> JsonSplitter::Capture(char c) {
  // The commas between items are left out with them: `whole_` stays JSON.
  if (in_items_ && depth_ == 2) {
    return {};
  }
  std::string& into = in_items_ ? item_ : whole_;
  if (into.size() >= limit_bytes_) {
    return Fail(ErrorCode::kExhausted,
                "an object of more than " + std::to_string(limit_bytes_) + " bytes",
                Position{{}, in_items_ ? item_line_ : whole_line_, 0});
  }
  into += c;
  return {};
}

Result<void> JsonSplitter::Step(char c) {
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    }
    if (in_string_ && depth_ == 1 && text_.size() < kMaxKeyBytes) {
      text_ += c;
    }
    return Capture(c);
  }
  switch (c) {
    case '"':
      if (depth_ == 0 || (in_items_ && depth_ == 2)) {
        return FailHere("a JSON object was expected");
      }
      in_string_ = true;
      if (depth_ == 1) {
        text_.clear();
        text_is_key_ = false;
      }
      return Capture(c);
    case ':':
      text_is_key_ = text_is_key_ || depth_ == 1;
      return Capture(c);
    case ',':
      if (depth_ == 1) {
        text_is_key_ = false;
      }
      return Capture(c);
    case '{':
    case '[': {
      if (depth_ == 0) {
        if (c == '[') {
          return FailHere("a JSON object was expected, not an array");
        }
        whole_.clear();
        whole_line_ = line_;
        has_items_ = false;
        text_is_key_ = false;
      }
      const bool begins_items = depth_ == 1 && c == '[' && text_is_key_ && text_ == "items";
      if (in_items_ && depth_ == 2) {
        if (c == '[') {
          return FailHere("an item of a list is not an object");
        }
        item_.clear();
        item_line_ = line_;
      }
      ++depth_;
      if (begins_items) {
        TRY(Capture(c));
        in_items_ = true;
        has_items_ = true;
        return {};
      }
      return Capture(c);
    }
    case '}':
    case ']':
      if (depth_ == 0) {
        return FailHere("JSON closes what it did not open");
      }
      if (in_items_ && depth_ == 2) {
        in_items_ = false;
      }
      TRY(Capture(c));
      --depth_;
      return Close();
    default:
      if (IsSpace(c) && depth_ <= 2) {
        return {};
      }
      if (depth_ == 0 || (in_items_ && depth_ == 2)) {
        return FailHere("a JSON object was expected");
      }
      return Capture(c);
  }
}

Result<void> JsonSplitter::Close() {
  if (in_items_ && depth_ == 2) {
    return take_(item_, item_line_);
  }
  if (depth_ == 0 && !has_items_) {
    return take_(whole_, whole_line_);
  }
  return {};
}

}  // namespace portcullis::replicator
