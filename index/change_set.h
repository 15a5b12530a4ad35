// What a set of changes may name: objects of its own kind, under whole keys. Inside index/ only.

#pragma once

#include "base/error.h"
#include "document/object.h"
#include "store/object_key.h"

namespace portcullis::index {

[[nodiscard]] inline bool IsOfType(const store::ObjectKeyView& key,
                                   const document::GroupVersionKind& type) {
  return key.kind == type.kind && key.group_version == type.group_version();
}

// The key of an object that is of `type`. ERRORS: kInvalidArgument: it is of another type; store::KeyOf's.
[[nodiscard]] inline Result<store::ObjectKey> KeyOfType(const document::ObjectIdentity& identity,
                                                        const document::GroupVersionKind& type) {
  if (identity.type != type) {
    return Fail(ErrorCode::kInvalidArgument, "an object of " + identity.type.ToString() +
                                                 " among changes of " + type.ToString());
  }
  return store::KeyOf(identity);
}

}  // namespace portcullis::index
