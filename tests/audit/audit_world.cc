#include "tests/audit/audit_world.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>
#include <vector>

#include "document/json.h"
#include "document/yaml.h"
#include "rules/rego/catalog.h"
#include "rules/rego/key_programs.h"

namespace portcullis::audit {
namespace {

using document::Value;

template <class T>
T Must(Result<T> result) {
  if (!result) {
    std::cerr << result.error().ToString() << "\n";
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

Value Parse(std::string_view text, document::Arena& arena) {
  return Must(document::ParseYaml(text, arena)).at(0).value;
}

void AppendLine(const policy::ConstraintKey& constraint, const store::ObjectKeyView& object,
                std::string_view action, std::string_view message, std::string_view details,
                std::string* out) {
  *out += constraint.kind + "/" + constraint.name + " " + std::string(object.name_space) + "/" +
          std::string(object.group_version) + "/" + std::string(object.kind) + "/" +
          std::string(object.name) + " [" + std::string(action) + "] " + std::string(message) +
          " " + std::string(details) + "\n";
}

std::string Sorted(std::vector<std::string> lines) {
  std::ranges::sort(lines);
  std::string text;
  for (const std::string& line : lines) {
    text += line;
  }
  return text;
}

}  // namespace

AuditWorld::AuditWorld()
    : metrics_(std::make_unique<Metrics>()),
      policy_store_(std::make_unique<policy::PolicyStore>(rego::CreateCatalog({}))),
      shared_(policy_store_->current()),
      exclusions_(std::make_shared<const controller::Exclusions>()) {
  std::string name = (std::filesystem::temp_directory_path() / "portcullis-audit-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    std::abort();
  }
  path_ = name;
  Open(true);
}

AuditWorld::~AuditWorld() {
  keeper_.reset();
  inventory_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void AuditWorld::Open(bool record_changes) {
  index::InventoryOptions options;
  options.store.path = path_ / "store";
  options.store.block_cache_bytes = std::size_t{4} << 20;
  options.store.memtable_bytes = std::size_t{4} << 20;
  options.key_programs = std::make_shared<rego::RegoKeyPrograms>();
  options.record_changes = record_changes;
  inventory_ = Must(index::Inventory::Open(options, clock_, Logger::Silent(), *metrics_));
  keeper_ = std::make_unique<VerdictKeeper>(
      *inventory_,
      [this](std::string_view name, document::Arena& arena) { return FindNamespace(name, arena); },
      clock_, Logger::Silent(), *metrics_, ObjectReviewOptions());
}

void AuditWorld::Restart() {
  keeper_.reset();
  inventory_.reset();
  Open(true);
  for (const auto& [name, manifest] : namespaces_) {
    keeper_->TouchNamespace(name);
  }
  TellPolicies();
}

void AuditWorld::RestartWithoutAudit() {
  keeper_.reset();
  inventory_.reset();
  Open(false);
}

void AuditWorld::ReviewOutside(std::string_view manifest, const std::string& audit) {
  document::Arena arena;
  Must(keeper_->ReviewOutside(Parse(manifest, arena), audit));
}

Result<Value> AuditWorld::FindNamespace(std::string_view name, document::Arena& arena) {
  const auto found = namespaces_.find(name);
  if (found == namespaces_.end()) {
    return Fail(ErrorCode::kNotFound, "namespaces \"" + std::string(name) + "\" not found");
  }
  return Parse(found->second, arena);
}

void AuditWorld::PutTemplate(std::string_view manifest) {
  document::Arena arena;
  Must(policy_store_->PutTemplate(Parse(manifest, arena)));
}

void AuditWorld::RemoveTemplate(std::string_view name) {
  policy_store_->RemoveTemplate(name);
}

void AuditWorld::PutConstraint(std::string_view manifest) {
  document::Arena arena;
  const Result<void> put = policy_store_->PutConstraint(Parse(manifest, arena));
  if (!put && put.error().code != ErrorCode::kNotFound) {
    Must(put);
  }
}

void AuditWorld::RemoveConstraint(std::string_view kind, std::string_view name) {
  policy_store_->RemoveConstraint(kind, name);
}

void AuditWorld::SetExclusions(std::string_view match) {
  document::Arena arena;
  exclusions_ = std::make_shared<const controller::Exclusions>(Parse(match, arena));
}

void AuditWorld::PutNamespace(const std::string& name, std::string_view manifest) {
  namespaces_[name] = manifest;
  keeper_->TouchNamespace(name);
}

void AuditWorld::RemoveNamespace(const std::string& name) {
  namespaces_.erase(name);
  keeper_->TouchNamespace(name);
}

void AuditWorld::PutObject(std::string_view manifest) {
  document::Arena arena;
  index::ChangeSet changes;
  changes.puts = {Parse(manifest, arena)};
  changes.type = Must(document::IdentityOf(changes.puts[0])).type;
  Must(inventory_->Apply(changes));
}

void AuditWorld::DeleteObject(std::string_view manifest) {
  document::Arena arena;
  const document::ObjectIdentity identity = Must(document::IdentityOf(Parse(manifest, arena)));
  index::ChangeSet changes;
  changes.type = identity.type;
  changes.deletes = {Must(store::KeyOf(identity))};
  Must(inventory_->Apply(changes));
}

void AuditWorld::Wipe(std::string_view api_version, std::string_view kind) {
  Must(inventory_->Wipe(document::MakeGroupVersionKind(api_version, kind)));
}

void AuditWorld::TellPolicies() {
  shared_ = policy_store_->current();
  std::vector<index::IndexRequest> wanted;
  for (const policy::Template* one : shared_->templates()) {
    for (const index::Definition& definition : one->plan->wanted_indexes()) {
      wanted.push_back({definition, one->kind});
    }
  }
  Must(inventory_->SetWantedIndexes(std::move(wanted)));
  Must(keeper_->SetPolicies({.set = shared_, .exclusions = exclusions_, .generators = generators}));
}

bool AuditWorld::Step(int most) {
  for (int i = 0; i < most; ++i) {
    if (Must(keeper_->Step()) == VerdictKeeper::Work::kNothing) {
      return true;
    }
  }
  return false;
}

void AuditWorld::Settle() {
  while (!Step(1000)) {
  }
}

std::string AuditWorld::Kept() {
  std::vector<std::string> lines;
  Must(VisitFindings(inventory_->store(), {}, [&](const KeptFindings& kept) {
    const Value violations = kept.record.Find("violations");
    for (std::uint32_t i = 0; i < violations.size(); ++i) {
      AppendLine({std::string(kept.constraint_kind), std::string(kept.constraint_name)},
                 kept.object, kept.record.GetString({"action"}),
                 violations.ItemAt(i).GetString({"message"}),
                 violations.ItemAt(i).GetString({"details"}), &lines.emplace_back());
    }
    return true;
  }));
  return Sorted(std::move(lines));
}

std::string AuditWorld::FullPass() {
  ObjectReviewOptions options;
  options.index_use = rego::IndexUse::kIgnore;
  ObjectReviewer reviewer(
      [this](std::string_view name, document::Arena& arena) { return FindNamespace(name, arena); },
      clock_, Logger::Silent(), options);
  const std::unique_ptr<index::InventoryView> view = inventory_->View();
  const Policies policies{.set = shared_, .exclusions = exclusions_, .generators = generators};
  std::vector<std::string> lines;
  for (const store::Scope scope : {store::Scope::kCluster, store::Scope::kNamespaced}) {
    const auto cursor = Must(view->Objects({.scope = scope, .segments = {}}));
    while (const auto found = Must(cursor->Next())) {
      document::Arena arena;
      const store::ObjectKey key = found->key.ToKey();
      const std::string bytes = store::EncodeKey(key);
      const Value object =
          Must(view->Get(*store::DecodeKey(bytes), arena, document::NumberMode::kFloat64));
      for (const auto& [constraint, findings] : Must(reviewer.Review(policies, object, *view))) {
        for (const FoundViolation& each : findings.violations) {
          AppendLine(constraint, *store::DecodeKey(bytes), findings.enforcement_action,
                     each.message, each.details, &lines.emplace_back());
        }
      }
    }
  }
  return Sorted(std::move(lines));
}

}  // namespace portcullis::audit
