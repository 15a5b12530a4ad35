#include "tests/webhook/admission_world.h"

#include <fstream>
#include <iterator>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "document/yaml.h"
#include "rules/rego/catalog.h"

namespace portcullis::webhook {

using document::Value;

Result<Value> KnownNamespaces::Find(std::string_view name, document::Arena& /*arena*/) {
  if (failure) {
    return std::unexpected(*failure);
  }
  const auto found = objects.find(name);
  if (found == objects.end()) {
    return Fail(ErrorCode::kNotFound, "namespaces \"" + std::string(name) + "\" not found");
  }
  return found->second;
}

bool PrefixExcluded::IsExcluded(std::string_view group, std::string_view kind,
                                std::string_view name_space, std::string_view name) const {
  return (kind == "Namespace" && group.empty() ? name : name_space).starts_with(prefix);
}

AdmissionWorld::AdmissionWorld() : policies(rego::CreateCatalog()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "admission.XXXXXX").string();
  directory_ = ::mkdtemp(pattern.data());
  index::InventoryOptions options;
  options.store.path = directory_ / "store";
  auto opened = index::Inventory::Open(options, clock, Logger::Silent(), metrics);
  EXPECT_TRUE(opened) << opened.error().message;
  inventory = *std::move(opened);
}

AdmissionWorld::~AdmissionWorld() {
  inventory.reset();
  std::filesystem::remove_all(directory_);
}

void AdmissionWorld::Load(std::string_view manifests) {
  const auto documents = document::ParseManifests(manifests, arena_);
  ASSERT_TRUE(documents) << documents.error().ToString();
  for (const document::YamlDocument& document : *documents) {
    const Value& object = document.value;
    const std::string_view kind = object.GetString({"kind"});
    Result<void> done;
    if (kind == "ConstraintTemplate") {
      done = policies.PutTemplate(object);
    } else if (object.GetString({"apiVersion"}).starts_with("constraints.")) {
      done = policies.PutConstraint(object);
    } else if (kind == "Namespace") {
      // Reviews may be under way that read it.
      Value& known = namespaces.objects[std::string(object.GetString({"metadata", "name"}))];
      if (!document::Equal(known, object)) {
        known = object;
      }
    } else {
      const auto identity = document::IdentityOf(object);
      ASSERT_TRUE(identity) << identity.error().message;
      done = inventory->Apply(
          {.type = identity->type, .puts = {object}, .deletes = {}, .position = std::nullopt});
    }
    ASSERT_TRUE(done) << "line " << document.line << ": " << done.error().message;
  }
}

void AdmissionWorld::LoadFile(const std::filesystem::path& path) {
  std::ifstream in(path);
  ASSERT_TRUE(in) << path;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  Load(text);
}

void AdmissionWorld::BuildIndexes() {
  std::vector<index::IndexRequest> wanted;
  for (const policy::Template* each : policies.current()->templates()) {
    for (const index::Definition& definition : each->plan->wanted_indexes()) {
      wanted.push_back({definition, each->kind});
    }
  }
  ASSERT_TRUE(inventory->SetWantedIndexes(wanted));
  ASSERT_TRUE(inventory->WaitUntilIndexesReady(std::chrono::seconds(10)));
}

std::unique_ptr<AdmissionHandler> AdmissionWorld::MakeHandler(const AdmissionOptions& options,
                                                              Clock* other_clock) {
  return std::make_unique<AdmissionHandler>(policies, *inventory, namespaces, excluder,
                                            other_clock != nullptr ? *other_clock : clock,
                                            Logger::Silent(), metrics, options);
}

std::filesystem::path AdmissionCases() {
  return std::filesystem::path(PORTCULLIS_SOURCE_DIR) / "tests" / "cases" / "admission";
}

}  // namespace portcullis::webhook
