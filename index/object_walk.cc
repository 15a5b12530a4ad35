#include "index/object_walk.h"

#include <utility>

namespace portcullis::index {

ObjectWalk::ObjectWalk(store::Store& store, const store::Snapshot* snapshot, store::Reading reading,
                       store::Scope scope, std::string_view after, Wanted wanted)
    : it_(store.NewIterator(store::Family::kObjects, reading, snapshot)),
      after_(after),
      wanted_(std::move(wanted)) {
  store::AppendTreePrefix(scope, {}, &scope_prefix_);
}

Result<std::optional<ObjectWalk::Step>> ObjectWalk::Next() {
  if (started_) {
    it_->Next();
  } else {
    started_ = true;
    it_->Seek(after_.empty() ? scope_prefix_ : after_);
    if (it_->Valid() && it_->key() == after_) {
      it_->Next();
    }
  }
  while (it_->Valid() && it_->key().starts_with(scope_prefix_)) {
    const std::string_view key_bytes = it_->key();
    const std::optional<store::ObjectKeyView> key = store::DecodeKey(key_bytes);
    if (!key) {
      return Fail(ErrorCode::kCorruption, "the store holds an object under bytes that are no key");
    }
    const std::string_view group = key_bytes.substr(0, key_bytes.size() - key->name.size());
    if (group == group_ || wanted_(*key)) {
      group_ = group;
      return Step{.key_bytes = key_bytes, .key = *key, .record = it_->value()};
    }
    // Every group ends in NUL: the next one begins where that byte is 1.
    std::string next(group);
    next.back() = '\x01';
    it_->Seek(next);
  }
  TRY(it_->Check());
  return std::nullopt;
}

}  // namespace portcullis::index
