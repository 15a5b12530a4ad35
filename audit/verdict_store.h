// The verdicts of the audit in the store (family `verdicts`): what each constraint has against each object, and what the verdict
// of each object read.
//
//   'v' constraint kind NUL constraint name NUL object key    an encoded document (document/encoding.h):
//         {"action": text, "actions": [text…], "labels": {…}, "violations": [{"details": JSON text, "message": text}…]}
//         and of an object that is not in the inventory, where it has them, "resourceVersion": text, "uid": text
//   'o' object key            1 (format) tokens (4 bytes, big-endian) tokens * token (16 bytes) (kind NUL name NUL)…
//         of an object with violations or reads: what it read (index/reads.h), and the constraints with a 'v' record
//   'x' object key            the same of an object that is not in the inventory; its tokens are the number of the audit, alone
//   'r' token object key      nothing: the object's verdict read this
//   'n' namespace             the digest of the Namespace object that verdicts were made with (16 bytes)
//   'p' kind NUL name         the digest of the constraint and its template that verdicts were made with (16 bytes)
//   'p'                       the digest of all else that they were made with
//
// An object key is as in store/object_key.h. These bytes are frozen.

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/object_review.h"
#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"
#include "index/reads.h"
#include "store/object_key.h"
#include "store/store.h"

namespace portcullis::audit {

// One 'v' record. LIFETIME: the call that gives it.
struct KeptFindings {
  std::string_view constraint_kind;
  std::string_view constraint_name;
  store::ObjectKeyView object;
  document::Value record;
};

// What a listing leaves out; empty parts leave out nothing.
struct FindingsFilter {
  std::string constraint_kind;
  std::string constraint_name;  // REQUIRES: constraint_kind.
  std::string name_space;
  std::string object_kind;
};

// Gives the bytes of each record that passes to `take` until it returns false.
// COST: a step a record; of one constraint's alone where the filter names it. ERRORS: kCorruption; what `take` returns.
using TakeRecord = std::function<Result<bool>(std::string_view key, std::string_view value)>;
[[nodiscard]] Result<void> VisitRecords(store::Store& store, const FindingsFilter& filter,
                                        const TakeRecord& take);

// Gives a record to `take` until it returns false, by constraint kind and name, then object.
// COST: a step a record; of one constraint's alone where the filter names it. ERRORS: kCorruption.
[[nodiscard]] Result<void> VisitFindings(store::Store& store, const FindingsFilter& filter,
                                         const std::function<bool(const KeptFindings&)>& take);

enum class Trust : std::uint8_t { kOwn, kForeign };  // Bytes that this program wrote, or may have.

// A record as it lies in the store. Nothing: these bytes are none. LIFETIME: of the bytes and the arena.
[[nodiscard]] std::optional<KeptFindings> DecodeFindings(std::string_view key,
                                                         std::string_view value, Trust trust,
                                                         document::Arena& arena);

// THREADS: one.
class VerdictStore {
 public:
  // LIFETIME: the store outlives it.
  explicit VerdictStore(store::Store& store) : store_(store) {}

  // Whose objects these are.
  enum class Origin : std::uint8_t { kInventory, kOutside };

  // Makes the records of one object tell this, which `batch` then writes; an object at most once a batch.
  // Whether violations differ from those that are kept. ERRORS: kCorruption.
  Result<bool> Put(store::Batch& batch, std::string_view key_bytes, Origin origin,
                   const ObjectFindings& findings, const document::Value& metadata,
                   std::span<const index::ReadToken> reads);

  // Adds the objects whose verdict read this, up to `limit` in the set. False: there are more.
  Result<bool> AddReaders(const index::ReadToken& token, std::size_t limit,
                          std::set<std::string>* key_bytes);

  // The keys of objects with records from `begin` on and before `end`.
  Result<std::vector<std::string>> Keys(Origin origin, std::string_view begin,
                                        std::string_view end);
  // Removes the records of objects outside of the inventory that another audit than this one made.
  Result<void> RemoveOutsideBut(const index::ReadToken& audit);

  // All records of a constraint.
  void DeleteConstraint(store::Batch& batch, const policy::ConstraintKey& key);
  // The kinds of objects that have a record of this constraint.
  Result<std::set<std::string>> ObjectKinds(const policy::ConstraintKey& key);

  // Digests by what they are of: "p…" and "n…", see above.
  Result<std::map<std::string, std::string>> Digests(char prefix);

 private:
  store::Store& store_;
};

[[nodiscard]] std::string DigestKey(const policy::ConstraintKey& key);
[[nodiscard]] std::string NamespaceDigestKey(std::string_view name);

}  // namespace portcullis::audit
