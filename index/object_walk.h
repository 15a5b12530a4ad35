// Walks the objects of some kinds, skipping those of all others with one seek each. Inside index/ only.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/object_key.h"
#include "store/store.h"

namespace portcullis::index {

class ObjectWalk {
 public:
  struct Step {
    std::string_view key_bytes;
    store::ObjectKeyView key;  // A parent marker where the name is empty.
    std::string_view record;
  };
  // Asked once for each namespace, group version and kind that is met.
  using Wanted = std::function<bool(const store::ObjectKeyView&)>;

  // The keys of `scope` after `after` (an encoded key; "" is the start) at the moment of `snapshot`, or of now if null.
  ObjectWalk(store::Store& store, const store::Snapshot* snapshot, store::Reading reading,
             store::Scope scope, std::string_view after, Wanted wanted);

  // Slices live until the next call. ERRORS: kCorruption.
  Result<std::optional<Step>> Next();

 private:
  std::unique_ptr<store::Iterator> it_;
  std::string scope_prefix_;
  std::string after_;
  Wanted wanted_;
  bool started_ = false;
  std::string group_;  // Start of every key of the group that wanted_ agreed to last.
};

}  // namespace portcullis::index
