#include "replicator/namespace_cache.h"

#include <span>
#include <utility>
#include <vector>

#include "document/encoding.h"
#include "document/json.h"
#include "document/object.h"

namespace portcullis::replicator {
namespace {

using document::Value;

constexpr std::chrono::seconds kAskTimeout{2};

std::unexpected<Error> FailNotFound(std::string_view name) {
  return Fail(ErrorCode::kNotFound, "namespaces \"" + std::string(name) + "\" not found");
}

}  // namespace

MissingNamespace AskApiServer(KubernetesClient& client) {
  return [&client](std::string_view name) {
    HttpRequest request = KubernetesClient::Get("/api/v1/namespaces/" + EscapeForUrl(name));
    // The API server waits for the review, at most its webhook's timeout.
    request.timeout = kAskTimeout;
    return client.Call(std::move(request));
  };
}

MissingNamespace TakeAsBare() {
  return [](std::string_view name) -> Result<std::string> {
    std::string quoted;
    document::AppendJsonString(name, document::JsonStyle::kCompact, &quoted);
    return R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":)" + quoted +
           R"(,"labels":{"kubernetes.io/metadata.name":)" + quoted + "}}}";
  };
}

// What a whole list of Namespaces becomes.
class NamespaceCache::List final : public index::Reconciliation {
 public:
  explicit List(NamespaceCache& cache) : cache_(cache) {}
  Result<void> Add(std::span<const Value> objects) override {
    for (const Value& object : objects) {
      TRY(cache_.Put(object));
      names_.emplace(object.GetString({"metadata", "name"}));
    }
    return {};
  }
  Result<index::ReconcileResult> Finish(std::string) override {
    cache_.KeepOnly(names_);
    index::ReconcileResult result;
    result.written = names_.size();
    return result;
  }

 private:
  NamespaceCache& cache_;
  std::set<std::string> names_;
};

NamespaceCache::NamespaceCache(MissingNamespace missing) : missing_(std::move(missing)) {}

document::GroupVersionKind NamespaceCache::type() {
  return {"", "v1", "Namespace"};
}

Result<Value> NamespaceCache::Find(std::string_view name, document::Arena& arena) {
  std::shared_ptr<const std::string> bytes;
  {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(name);
    if (found != objects_.end()) {
      bytes = found->second;
    }
  }
  if (bytes != nullptr) {
    return document::OpenTrusted(*bytes, arena, document::NumberMode::kFloat64);
  }
  const Result<std::string> answer = missing_(name);
  if (!answer) {
    if (answer.error().code == ErrorCode::kNotFound) {
      return FailNotFound(name);
    }
    return std::unexpected(answer.error());
  }
  document::ParseOptions options;
  options.numbers = document::NumberMode::kFloat64;
  options.duplicates = document::DuplicateKeys::kKeepLast;
  return document::ParseJson(*answer, arena, options);
}

Result<std::optional<std::string>> NamespaceCache::ResumeFrom() {
  return std::nullopt;
}

Result<std::unique_ptr<index::Reconciliation>> NamespaceCache::BeginList() {
  return std::make_unique<List>(*this);
}

Result<void> NamespaceCache::Apply(const index::ChangeSet& changes) {
  for (const Value& object : changes.puts) {
    TRY(Put(object));
  }
  for (const store::ObjectKey& key : changes.deletes) {
    {
      const std::lock_guard lock(mutex_);
      objects_.erase(key.name);
    }
    Tell(key.name);
  }
  return {};
}

Result<void> NamespaceCache::Put(const Value& object) {
  auto bytes = std::make_shared<const std::string>(TRY(document::Encode(object)));
  const std::string name(object.GetString({"metadata", "name"}));
  {
    const std::lock_guard lock(mutex_);
    objects_.insert_or_assign(name, std::move(bytes));
  }
  Tell(name);
  return {};
}

void NamespaceCache::KeepOnly(const std::set<std::string>& names) {
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, bytes] : objects_) {
      if (!names.contains(name)) {
        gone.push_back(name);
      }
    }
    for (const std::string& name : gone) {
      objects_.erase(name);
    }
  }
  for (const std::string& name : gone) {
    Tell(name);
  }
}

void NamespaceCache::SetListener(Listener listener) {
  const std::lock_guard lock(listener_mutex_);
  listener_ = std::move(listener);
}

void NamespaceCache::Tell(const std::string& name) {
  const std::lock_guard lock(listener_mutex_);
  if (listener_) {
    listener_(name);
  }
}

}  // namespace portcullis::replicator
