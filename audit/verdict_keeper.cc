#include "audit/verdict_keeper.h"

#include <algorithm>
#include <utility>

#include <xxhash.h>

#include "document/json.h"
#include "index/reads.h"

namespace portcullis::audit {
namespace {

using document::Value;
using store::Family;

constexpr std::size_t kChangesAPiece = 256;
constexpr std::size_t kObjectsAPiece = 256;
// A change that concerns more objects than this becomes a walk over all of them.
constexpr std::size_t kMostReaders = std::size_t{1} << 16;
// Raised when what is evaluated alike is kept otherwise.
constexpr std::string_view kVersion = "1";
constexpr std::string_view kRestDigestKey = "p";

std::string Digest(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  std::string bytes;
  index::AppendToken({hash.low64, hash.high64}, &bytes);
  return bytes;
}

std::map<std::string, std::string> DigestsOf(const Policies& policies, std::string_view source) {
  std::map<std::string, std::string> digests;
  for (const policy::BoundConstraint& each : policies.set->all()) {
    std::string text = each.of->source;
    text += '\0';
    text += document::ToJson(each.constraint->object.Find("spec"));
    digests[DigestKey({each.constraint->kind, each.constraint->name})] = Digest(text);
  }
  std::string rest(kVersion);
  rest += '\0';
  rest += source;
  rest += '\0';
  rest += policies.exclusions == nullptr ? "" : policies.exclusions->PatternsOf("audit");
  rest += '\0';
  // Mutators matter to the audit only where there is something to mutate.
  const mutation::Generators& generators = policies.generators;
  rest += generators.expander == nullptr ? "" : generators.expander->source();
  rest += '\0';
  rest += generators.expander == nullptr || generators.mutators == nullptr
              ? ""
              : generators.mutators->Source();
  digests[std::string(kRestDigestKey)] = Digest(rest);
  return digests;
}

policy::ConstraintKey KeyOfDigest(std::string_view key) {
  key.remove_prefix(1);
  const std::size_t end = key.find('\0');
  return {std::string(key.substr(0, end)), std::string(key.substr(end + 1))};
}

}  // namespace

VerdictKeeper::VerdictKeeper(index::Inventory& inventory, FindNamespace find_namespace,
                             Clock& clock, const std::shared_ptr<Logger>& logger, Metrics& metrics,
                             const ObjectReviewOptions& options)
    : inventory_(inventory),
      clock_(clock),
      logger_(logger),
      find_namespace_(std::move(find_namespace)),
      reviewer_(find_namespace_, clock, logger_, options),
      source_(options.source),
      verdicts_(inventory.store()),
      evaluations_(metrics.GetCounter("portcullis_audit_evaluations_total",
                                      "Objects whose verdict the audit worked out")),
      changes_(metrics.GetCounter("portcullis_audit_changes_total",
                                  "Changes of objects that verdicts were brought up to date with")),
      corrected_(metrics.GetCounter(
          "portcullis_audit_corrections_total",
          "Verdicts that a full pass found otherwise than they were kept by change")),
      lag_(metrics.GetGauge("portcullis_audit_lag_seconds",
                            "Age of the oldest change that verdicts do not show yet")),
      sweeping_(metrics.GetGauge("portcullis_audit_sweeping",
                                 "1 while objects are evaluated anew after a change of policy, or "
                                 "by a full pass")) {}

Result<void> VerdictKeeper::SetPolicies(Policies policies) {
  if (!digests_) {
    digests_ = TRY(verdicts_.Digests('p'));
  }
  const std::map<std::string, std::string> wanted = DigestsOf(policies, source_);
  policies_ = std::move(policies);
  return PlanSweep(wanted);
}

Result<void> VerdictKeeper::PlanSweep(const std::map<std::string, std::string>& wanted) {
  if (sweep_ ? sweep_->digests == wanted : *digests_ == wanted) {
    return {};
  }
  Sweep sweep;
  sweep.digests = wanted;
  const std::unique_ptr<store::Batch> batch = inventory_.store().NewBatch();
  for (auto known = digests_->begin(); known != digests_->end();) {
    if (wanted.contains(known->first)) {
      ++known;
      continue;
    }
    verdicts_.DeleteConstraint(*batch, KeyOfDigest(known->first));
    batch->Delete(Family::kVerdicts, known->first);
    known = digests_->erase(known);
  }
  for (const auto& [key, digest] : sweep_ ? sweep_->digests : wanted) {
    if (!wanted.contains(key)) {
      verdicts_.DeleteConstraint(*batch, KeyOfDigest(key));
    }
  }
  if (!batch->empty()) {
    TRY(inventory_.store().Write(*batch));
  }
  for (const auto& [key, digest] : wanted) {
    // A sweep under way has evaluated some objects by policies that no digest tells of.
    const auto known = digests_->find(key);
    const bool kept = known != digests_->end() && known->second == digest &&
                      (!sweep_ || sweep_->digests[key] == digest);
    if (kept) {
      continue;
    }
    if (key == kRestDigestKey) {
      sweep.all_kinds = true;
      continue;
    }
    const policy::ConstraintKey of = KeyOfDigest(key);
    sweep.kinds.merge(TRY(verdicts_.ObjectKinds(of)));
    for (const policy::Constraint* each : policies_.set->ConstraintsOf(of.kind)) {
      if (each->name == of.name) {
        const std::vector<std::string> kinds = each->match.KindsNamed();
        sweep.all_kinds = sweep.all_kinds || kinds.empty();
        sweep.kinds.insert(kinds.begin(), kinds.end());
      }
    }
  }
  if (policies_.generators.expander != nullptr) {
    sweep.all_kinds = true;  // What is made of an object may be of any kind.
  }
  if (sweep_) {
    sweep.all_kinds = sweep.all_kinds || sweep_->all_kinds;
    sweep.kinds.merge(sweep_->kinds);
  }
  sweep_ = std::move(sweep);
  sweeping_.Set(1);
  return {};
}

void VerdictKeeper::TouchNamespace(std::string name) {
  const std::lock_guard lock(mutex_);
  namespaces_.insert(std::move(name));
}

void VerdictKeeper::BeginFullPass() {
  if (sweep_) {
    sweep_->all_kinds = true;
    sweep_->after.clear();
    return;
  }
  sweep_ = Sweep{.all_kinds = true,
                 .kinds = {},
                 .is_check = true,
                 .after = {},
                 .digests = digests_.value_or(std::map<std::string, std::string>())};
  sweeping_.Set(1);
}

Result<VerdictKeeper::Work> VerdictKeeper::Step() {
  if (TRY(TakeChanges())) {
    return Work::kChanges;
  }
  if (TRY(TakeNamespace())) {
    return Work::kSweep;
  }
  if (sweep_) {
    TRY(SweepPiece());
    return Work::kSweep;
  }
  return Work::kNothing;
}

Result<bool> VerdictKeeper::TakeChanges() {
  if (!inventory_.WaitForChangeAfter(sequence_, std::chrono::milliseconds(0))) {
    lag_.Set(0);
    return false;
  }
  const std::vector<index::RecordedChange> changes =
      TRY(inventory_.Changes(sequence_, kChangesAPiece));
  if (changes.empty()) {
    return false;
  }
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.WallNow().time_since_epoch())
          .count();
  lag_.Set(static_cast<double>(std::max<std::int64_t>(0, now - changes.front().time_ms)) / 1000);
  std::set<std::string> objects;
  std::set<index::ReadToken> touched;
  std::size_t taken = 0;
  bool too_many = false;
  for (const index::RecordedChange& change : changes) {
    if (change.of_object()) {
      objects.insert(change.key_bytes);
    }
    for (const index::ReadToken& token : change.touched) {
      if (touched.insert(token).second) {
        too_many = !TRY(verdicts_.AddReaders(token, kMostReaders, &objects)) || too_many;
      }
    }
    ++taken;
    if (too_many || objects.size() > 4 * kObjectsAPiece) {
      break;
    }
  }
  const std::unique_ptr<store::Batch> batch = inventory_.store().NewBatch();
  for (const index::RecordedChange& change : std::span(changes).first(taken)) {
    batch->Delete(Family::kChanges, index::EncodeChangeKey(change.sequence));
  }
  if (too_many) {
    // Told by the missing digest, should this process end before the walk does.
    objects.clear();
    for (const index::RecordedChange& change : std::span(changes).first(taken)) {
      if (change.of_object()) {
        objects.insert(change.key_bytes);
      }
    }
    batch->Delete(Family::kVerdicts, kRestDigestKey);
  }
  TRY(EvaluateAll(objects, *batch));
  sequence_ = changes[taken - 1].sequence;
  changes_.Increment(static_cast<double>(taken));
  if (too_many && digests_) {
    const std::map<std::string, std::string> wanted = sweep_ ? sweep_->digests : *digests_;
    digests_->erase(std::string(kRestDigestKey));
    if (sweep_) {
      sweep_->all_kinds = true;
      sweep_->is_check = false;
      sweep_->after.clear();
    } else {
      TRY(PlanSweep(wanted));
    }
  }
  return true;
}

Result<std::size_t> VerdictKeeper::EvaluateAll(const std::set<std::string>& key_bytes,
                                               store::Batch& last) {
  const std::vector<std::string> keys(key_bytes.begin(), key_bytes.end());
  std::size_t differing = 0;
  std::span<const std::string> rest(keys);
  while (rest.size() > kObjectsAPiece) {
    const std::unique_ptr<store::Batch> batch = inventory_.store().NewBatch();
    differing += TRY(Evaluate(rest.first(kObjectsAPiece), *batch));
    rest = rest.subspan(kObjectsAPiece);
  }
  return differing + TRY(Evaluate(rest, last));
}

Result<std::size_t> VerdictKeeper::Evaluate(std::span<const std::string> key_bytes,
                                            store::Batch& batch) {
  index::ReadSet reads;
  const std::unique_ptr<index::InventoryView> view = inventory_.View(reads);
  std::size_t differing = 0;
  for (const std::string& bytes : key_bytes) {
    const std::optional<store::ObjectKeyView> key = store::DecodeKey(bytes);
    if (!key) {
      return Fail(ErrorCode::kCorruption, "a verdict in the store is of no object");
    }
    arena_.Reset();
    const Value object = TRY(view->Get(*key, arena_, document::NumberMode::kFloat64));
    reads.Clear();
    ObjectFindings findings;
    if (object.is_defined()) {
      findings = TRY(reviewer_.Review(policies_, object, *view));
    }
    std::vector<index::ReadToken> tokens = reads.Tokens();
    std::erase(tokens, index::TokenOfObject(bytes));
    const bool differs = TRY(verdicts_.Put(batch, bytes, VerdictStore::Origin::kInventory, findings,
                                           object.Find("metadata"), tokens));
    differing += differs ? 1 : 0;
  }
  if (!batch.empty()) {
    TRY(inventory_.store().Write(batch));
  }
  evaluations_.Increment(static_cast<double>(key_bytes.size()));
  return differing;
}

Result<bool> VerdictKeeper::TakeNamespace() {
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    if (namespaces_.empty()) {
      return false;
    }
    name = std::move(namespaces_.extract(namespaces_.begin()).value());
  }
  // Read before the evaluations: a later change comes with a touch of its own.
  arena_.Reset();
  const Result<Value> found = find_namespace_(name, arena_);
  const std::string digest = Digest(found ? document::ToJson(*found) : "");
  store::PinnedValue known;
  if (TRY(inventory_.store().Get(Family::kVerdicts, NamespaceDigestKey(name), nullptr, &known)) &&
      known.bytes() == digest) {
    return true;
  }
  const std::unique_ptr<store::Batch> batch = inventory_.store().NewBatch();
  // The first walk of all is about to begin: it sees the Namespace as it is, and is made again should this process end before.
  if (sweep_ && sweep_->after.empty() && !digests_->contains(std::string(kRestDigestKey))) {
    batch->Put(Family::kVerdicts, NamespaceDigestKey(name), digest);
    TRY(inventory_.store().Write(*batch));
    return true;
  }
  std::string prefix;
  const std::string_view segment = name;
  store::AppendTreePrefix(store::Scope::kNamespaced, std::span(&segment, 1), &prefix);
  std::vector<std::string> keys;
  const std::unique_ptr<store::Iterator> it =
      inventory_.store().NewIterator(Family::kObjects, store::Reading::kScanOnce, nullptr);
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    if (it->key().back() != '\0') {
      keys.emplace_back(it->key());
    }
    if (keys.size() >= kObjectsAPiece) {
      const std::unique_ptr<store::Batch> piece = inventory_.store().NewBatch();
      TRY(Evaluate(keys, *piece));
      keys.clear();
    }
  }
  TRY(it->Check());
  if (found) {
    batch->Put(Family::kVerdicts, NamespaceDigestKey(name), digest);
  } else {
    batch->Delete(Family::kVerdicts, NamespaceDigestKey(name));
  }
  TRY(Evaluate(keys, *batch));
  return true;
}

Result<void> VerdictKeeper::SweepPiece() {
  const bool quiet =
      !inventory_.WaitForChangeAfter(sequence_, std::chrono::milliseconds(0)) && sweep_->is_check;
  std::set<std::string> keys;
  const std::unique_ptr<store::Iterator> it =
      inventory_.store().NewIterator(Family::kObjects, store::Reading::kScanOnce, nullptr);
  it->Seek(sweep_->after + '\0');
  std::string last;
  while (it->Valid() && keys.size() < kObjectsAPiece) {
    last = it->key();
    const std::optional<store::ObjectKeyView> key = store::DecodeKey(last);
    if (!key) {
      return Fail(ErrorCode::kCorruption, "the store holds an object under bytes that are no key");
    }
    if (!sweep_->all_kinds && !sweep_->kinds.contains(std::string(key->kind))) {
      std::string past = last.substr(0, last.size() - key->name.size());
      past.back() = '\x01';
      last = past;
      it->Seek(past);
      continue;
    }
    if (!key->name.empty()) {
      keys.insert(last);
    }
    it->Next();
  }
  TRY(it->Check());
  const bool ends = !it->Valid();
  if (sweep_->all_kinds) {
    // Verdicts of objects that are gone.
    const std::string end = ends ? "" : last + '\0';
    for (std::string& each :
         TRY(verdicts_.Keys(VerdictStore::Origin::kInventory, sweep_->after + '\0', end))) {
      keys.insert(std::move(each));
    }
  }
  const std::unique_ptr<store::Batch> batch = inventory_.store().NewBatch();
  const std::size_t differing = TRY(EvaluateAll(keys, *batch));
  if (quiet && differing > 0 &&
      !inventory_.WaitForChangeAfter(sequence_, std::chrono::milliseconds(0))) {
    corrections_ += differing;
    corrected_.Increment(static_cast<double>(differing));
  }
  sweep_->after = std::move(last);
  return ends ? EndSweep() : Result<void>();
}

Result<void> VerdictKeeper::EndSweep() {
  const std::unique_ptr<store::Batch> batch = inventory_.store().NewBatch();
  for (const auto& [key, digest] : sweep_->digests) {
    if (!digests_ || !digests_->contains(key) || digests_->at(key) != digest) {
      batch->Put(Family::kVerdicts, key, digest);
    }
  }
  if (!batch->empty()) {
    TRY(inventory_.store().Write(*batch));
  }
  digests_ = std::move(sweep_->digests);
  sweep_.reset();
  sweeping_.Set(0);
  return {};
}

Result<void> VerdictKeeper::ReviewOutside(const Value& object, const std::string& audit) {
  const document::ObjectIdentity identity = TRY(document::IdentityOf(object));
  const store::ObjectKey key = TRY(store::KeyOf(identity));
  const std::string key_bytes = store::EncodeKey(key);
  const std::unique_ptr<index::InventoryView> view = inventory_.View();
  const ObjectFindings findings = TRY(reviewer_.Review(policies_, object, *view));
  evaluations_.Increment();
  const std::unique_ptr<store::Batch> batch = inventory_.store().NewBatch();
  const index::ReadToken of = index::ReadTokenOf(Digest(audit));
  TRY(verdicts_.Put(*batch, key_bytes, VerdictStore::Origin::kOutside, findings,
                    object.Find("metadata"), std::span(&of, 1)));
  return batch->empty() ? Result<void>() : inventory_.store().Write(*batch);
}

Result<void> VerdictKeeper::EndOutside(const std::string& audit) {
  return verdicts_.RemoveOutsideBut(index::ReadTokenOf(Digest(audit)));
}

}  // namespace portcullis::audit
