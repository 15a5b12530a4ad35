#include "audit/verdict_store.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "document/encoding.h"

namespace portcullis::audit {
namespace {

using document::Member;
using document::Value;
using policy::ConstraintKey;
using store::Family;

constexpr char kFormat = 1;
constexpr std::size_t kHeader = 5;
constexpr std::size_t kKeysABatch = 1024;

struct ObjectRecord {
  std::vector<index::ReadToken> reads;
  std::set<ConstraintKey> constraints;
};

std::string ConstraintPrefix(const ConstraintKey& key) {
  std::string bytes = "v" + key.kind;
  bytes += '\0';
  if (!key.name.empty()) {
    bytes += key.name;
    bytes += '\0';
  }
  return bytes;
}

std::string ObjectPrefix(VerdictStore::Origin origin) {
  return origin == VerdictStore::Origin::kInventory ? "o" : "x";
}

std::string ReaderPrefix(const index::ReadToken& token) {
  std::string bytes = "r";
  index::AppendToken(token, &bytes);
  return bytes;
}

std::string EncodeRecord(std::span<const index::ReadToken> reads, const ObjectFindings& findings) {
  std::string bytes(1, kFormat);
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>((reads.size() >> shift) & 0xff));
  }
  for (const index::ReadToken& token : reads) {
    index::AppendToken(token, &bytes);
  }
  for (const auto& [key, each] : findings) {
    bytes += key.kind;
    bytes += '\0';
    bytes += key.name;
    bytes += '\0';
  }
  return bytes;
}

std::unexpected<Error> Damaged() {
  return Fail(ErrorCode::kCorruption, "a verdict in the store is damaged");
}

Result<ObjectRecord> DecodeRecord(std::string_view bytes) {
  ObjectRecord record;
  if (bytes.size() < kHeader || bytes[0] != kFormat) {
    return Damaged();
  }
  std::size_t count = 0;
  for (const char c : bytes.substr(1, 4)) {
    count = (count << 8) | static_cast<unsigned char>(c);
  }
  bytes.remove_prefix(kHeader);
  if (bytes.size() / index::kReadTokenBytes < count) {
    return Damaged();
  }
  for (std::size_t i = 0; i < count; ++i) {
    record.reads.push_back(index::ReadTokenOf(bytes.substr(0, index::kReadTokenBytes)));
    bytes.remove_prefix(index::kReadTokenBytes);
  }
  while (!bytes.empty()) {
    const std::size_t kind = bytes.find('\0');
    const std::size_t name = kind == std::string_view::npos ? kind : bytes.find('\0', kind + 1);
    if (name == std::string_view::npos) {
      return Damaged();
    }
    record.constraints.insert(
        {std::string(bytes.substr(0, kind)), std::string(bytes.substr(kind + 1, name - kind - 1))});
    bytes.remove_prefix(name + 1);
  }
  return record;
}

Value Texts(const std::vector<std::string>& texts, document::Arena& arena) {
  const std::span<Value> items = arena.AllocateArray<Value>(texts.size());
  std::ranges::transform(texts, items.begin(),
                         [](const std::string& text) { return Value::String(text); });
  return Value::Array(items);
}

Result<std::string> EncodeFindings(const Findings& findings, const Value& metadata,
                                   VerdictStore::Origin origin) {
  document::Arena arena;
  const std::span<Value> violations = arena.AllocateArray<Value>(findings.violations.size());
  for (std::size_t i = 0; i < violations.size(); ++i) {
    const std::span<Member> fields = arena.AllocateArray<Member>(2);
    fields[0] = {Value::String("details"), Value::String(findings.violations[i].details)};
    fields[1] = {Value::String("message"), Value::String(findings.violations[i].message)};
    violations[i] = Value::Object(fields);
  }
  const Value labels = metadata.Find("labels");
  document::ObjectBuilder record(arena);
  record.Add("action", Value::String(findings.enforcement_action));
  record.Add("actions", Texts(findings.actions, arena));
  record.Add("labels", labels.is_object() ? labels : Value::Object({}));
  // Of an object in the inventory they are there.
  for (const std::string_view field : {"resourceVersion", "uid"}) {
    const Value text = metadata.Find(field);
    if (origin == VerdictStore::Origin::kOutside && text.is_string()) {
      record.Add(field, text);
    }
  }
  record.Add("violations", Value::Array(violations));
  return document::Encode(record.Finish());
}

}  // namespace

std::optional<KeptFindings> DecodeFindings(std::string_view key, std::string_view value,
                                           Trust trust, document::Arena& arena) {
  KeptFindings findings;
  if (!key.starts_with('v')) {
    return std::nullopt;
  }
  key.remove_prefix(1);
  for (std::string_view* part : {&findings.constraint_kind, &findings.constraint_name}) {
    const std::size_t end = key.find('\0');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    *part = key.substr(0, end);
    key.remove_prefix(end + 1);
  }
  const std::optional<store::ObjectKeyView> object = store::DecodeKey(key);
  const Result<Value> record = trust == Trust::kOwn ? document::OpenTrusted(value, arena)
                                                    : document::OpenUntrusted(value, arena);
  if (!object || !record || !record->is_object()) {
    return std::nullopt;
  }
  findings.object = *object;
  findings.record = *record;
  return findings;
}

namespace {

// The object key within the key of a 'v' record.
std::string_view ObjectPartOf(std::string_view key) {
  for (int part = 0; part < 2; ++part) {
    const std::size_t end = key.find('\0');
    key = end == std::string_view::npos ? std::string_view() : key.substr(end + 1);
  }
  return key;
}

}  // namespace

Result<void> VisitRecords(store::Store& store, const FindingsFilter& filter,
                          const TakeRecord& take) {
  const std::string prefix =
      filter.constraint_kind.empty()
          ? "v"
          : ConstraintPrefix({filter.constraint_kind, filter.constraint_name});
  const std::unique_ptr<store::Iterator> it =
      store.NewIterator(Family::kVerdicts, store::Reading::kScanOnce, nullptr);
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    const std::optional<store::ObjectKeyView> object = store::DecodeKey(ObjectPartOf(it->key()));
    if (!object) {
      return Damaged();
    }
    if ((!filter.name_space.empty() && object->name_space != filter.name_space) ||
        (!filter.object_kind.empty() && object->kind != filter.object_kind)) {
      continue;
    }
    if (!TRY(take(it->key(), it->value()))) {
      return {};
    }
  }
  return it->Check();
}

Result<void> VisitFindings(store::Store& store, const FindingsFilter& filter,
                           const std::function<bool(const KeptFindings&)>& take) {
  document::Arena arena;
  return VisitRecords(store, filter,
                      [&](std::string_view key, std::string_view value) -> Result<bool> {
                        arena.Reset();
                        const auto findings = DecodeFindings(key, value, Trust::kOwn, arena);
                        return findings ? Result<bool>(take(*findings)) : Damaged();
                      });
}

Result<bool> VerdictStore::Put(store::Batch& batch, std::string_view key_bytes, Origin origin,
                               const ObjectFindings& findings, const Value& metadata,
                               std::span<const index::ReadToken> reads) {
  const std::string object_key = ObjectPrefix(origin) + std::string(key_bytes);
  store::PinnedValue stored;
  ObjectRecord before;
  const bool known = TRY(store_.Get(Family::kVerdicts, object_key, nullptr, &stored));
  if (known) {
    before = TRY(DecodeRecord(stored.bytes()));
  }
  if (origin == Origin::kInventory) {
    // Its kind was not replicated yet.
    const std::string outside_key = ObjectPrefix(Origin::kOutside) + std::string(key_bytes);
    store::PinnedValue outside;
    if (TRY(store_.Get(Family::kVerdicts, outside_key, nullptr, &outside))) {
      before.constraints.merge(TRY(DecodeRecord(outside.bytes())).constraints);
      batch.Delete(Family::kVerdicts, outside_key);
    }
  }
  bool differs = false;
  for (const ConstraintKey& key : before.constraints) {
    if (!findings.contains(key)) {
      batch.Delete(Family::kVerdicts, ConstraintPrefix(key) + std::string(key_bytes));
      differs = true;
    }
  }
  store::PinnedValue kept;
  for (const auto& [key, each] : findings) {
    const std::string record_key = ConstraintPrefix(key) + std::string(key_bytes);
    const std::string record = TRY(EncodeFindings(each, metadata, origin));
    if (!TRY(store_.Get(Family::kVerdicts, record_key, nullptr, &kept)) || kept.bytes() != record) {
      batch.Put(Family::kVerdicts, record_key, record);
      differs = true;
    }
  }
  if (origin == Origin::kInventory) {
    for (const index::ReadToken& token : before.reads) {
      if (!std::ranges::binary_search(reads, token)) {
        batch.Delete(Family::kVerdicts, ReaderPrefix(token) + std::string(key_bytes));
      }
    }
    for (const index::ReadToken& token : reads) {
      if (!std::ranges::binary_search(before.reads, token)) {
        batch.Put(Family::kVerdicts, ReaderPrefix(token) + std::string(key_bytes), "");
      }
    }
  }
  const bool needed = !findings.empty() || (origin == Origin::kInventory && !reads.empty());
  if (needed) {
    const std::string record = EncodeRecord(reads, findings);
    if (!known || stored.bytes() != record) {
      batch.Put(Family::kVerdicts, object_key, record);
    }
  } else if (known) {
    batch.Delete(Family::kVerdicts, object_key);
  }
  return differs;
}

Result<bool> VerdictStore::AddReaders(const index::ReadToken& token, std::size_t limit,
                                      std::set<std::string>* key_bytes) {
  const std::string prefix = ReaderPrefix(token);
  const std::unique_ptr<store::Iterator> it =
      store_.NewIterator(Family::kVerdicts, store::Reading::kOrdered, nullptr);
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    key_bytes->emplace(it->key().substr(prefix.size()));
    if (key_bytes->size() > limit) {
      return false;
    }
  }
  TRY(it->Check());
  return true;
}

Result<std::vector<std::string>> VerdictStore::Keys(Origin origin, std::string_view begin,
                                                    std::string_view end) {
  const std::string prefix = ObjectPrefix(origin);
  std::vector<std::string> keys;
  const std::unique_ptr<store::Iterator> it =
      store_.NewIterator(Family::kVerdicts, store::Reading::kOrdered, nullptr);
  for (it->Seek(prefix + std::string(begin)); it->Valid() && it->key().starts_with(prefix);
       it->Next()) {
    const std::string_view key = it->key().substr(prefix.size());
    if (!end.empty() && key >= end) {
      break;
    }
    keys.emplace_back(key);
  }
  TRY(it->Check());
  return keys;
}

Result<void> VerdictStore::RemoveOutsideBut(const index::ReadToken& audit) {
  const std::string prefix = ObjectPrefix(Origin::kOutside);
  const std::unique_ptr<store::Batch> batch = store_.NewBatch();
  const std::unique_ptr<store::Iterator> it =
      store_.NewIterator(Family::kVerdicts, store::Reading::kScanOnce, nullptr);
  std::size_t keys = 0;
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    const ObjectRecord record = TRY(DecodeRecord(it->value()));
    if (std::ranges::find(record.reads, audit) != record.reads.end()) {
      continue;
    }
    batch->Delete(Family::kVerdicts, it->key());
    for (const ConstraintKey& key : record.constraints) {
      batch->Delete(Family::kVerdicts,
                    ConstraintPrefix(key) + std::string(it->key().substr(prefix.size())));
    }
    if (++keys % kKeysABatch == 0) {
      TRY(store_.Write(*batch));
      batch->Clear();
    }
  }
  TRY(it->Check());
  return batch->empty() ? Result<void>() : store_.Write(*batch);
}

void VerdictStore::DeleteConstraint(store::Batch& batch, const ConstraintKey& key) {
  const std::string begin = ConstraintPrefix(key);
  std::string end = begin;
  end.back() = '\x01';
  batch.DeleteRange(Family::kVerdicts, begin, end);
}

Result<std::set<std::string>> VerdictStore::ObjectKinds(const ConstraintKey& key) {
  const std::string prefix = ConstraintPrefix(key);
  std::set<std::string> kinds;
  const std::unique_ptr<store::Iterator> it =
      store_.NewIterator(Family::kVerdicts, store::Reading::kScanOnce, nullptr);
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    if (const auto object = store::DecodeKey(it->key().substr(prefix.size()))) {
      kinds.emplace(object->kind);
    }
  }
  TRY(it->Check());
  return kinds;
}

Result<std::map<std::string, std::string>> VerdictStore::Digests(char prefix) {
  std::map<std::string, std::string> digests;
  const std::string begin(1, prefix);
  const std::unique_ptr<store::Iterator> it =
      store_.NewIterator(Family::kVerdicts, store::Reading::kOrdered, nullptr);
  for (it->Seek(begin); it->Valid() && it->key().starts_with(begin); it->Next()) {
    digests.emplace(it->key(), it->value());
  }
  TRY(it->Check());
  return digests;
}

std::string DigestKey(const ConstraintKey& key) {
  std::string bytes = "p" + key.kind;
  bytes += '\0';
  bytes += key.name;
  return bytes;
}

std::string NamespaceDigestKey(std::string_view name) {
  return "n" + std::string(name);
}

}  // namespace portcullis::audit
