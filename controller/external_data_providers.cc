#include "controller/external_data_providers.h"

#include <string_view>
#include <utility>

#include "document/json.h"
#include "rules/builtins/http_transfer.h"
#include "rules/builtins/prepared_cache.h"

namespace portcullis::controller {
namespace {

using document::Value;

std::string RequestBody(const std::set<std::string>& keys) {
  std::string body =
      R"({"apiVersion":"externaldata.gatekeeper.sh/v1beta1","kind":"ProviderRequest","request":{"keys":)";
  char before = '[';
  for (const std::string& key : keys) {
    body += before;
    document::AppendJsonString(key, document::JsonStyle::kGo, &body);
    before = ',';
  }
  return body + "]}}";
}

Result<mutation::ExternalDataAnswer> ReadAnswer(std::string_view body, document::Arena& arena) {
  document::ParseOptions options;
  options.numbers = document::NumberMode::kFloat64;
  options.duplicates = document::DuplicateKeys::kKeepLast;
  const Value whole = TRY(AddContext(document::ParseJson(body, arena, options),
                                     "failed to unmarshal external data response"));
  const Value response = whole.Find("response");
  mutation::ExternalDataAnswer answer;
  answer.idempotent = response.Find("idempotent").is_true();
  answer.system_error = std::string(response.GetString({"systemError"}));
  const Value items = response.Find("items");
  for (std::uint32_t i = 0; items.is_array() && i < items.size(); ++i) {
    const Value item = items.ItemAt(i);
    answer.items.push_back({.key = std::string(item.GetString({"key"})),
                            .error = std::string(item.GetString({"error"})),
                            .value = item.Find("value")});
  }
  return answer;
}

}  // namespace

ExternalDataProviders::ExternalDataProviders(Clock& clock, const std::shared_ptr<Logger>& logger)
    : clock_(clock), logger_(logger->Named("providers")) {}

ExternalDataProviders::~ExternalDataProviders() {
  for (const Followed& followed : followed_) {
    source_->Unfollow(followed.type, *followed.sink);
  }
}

void ExternalDataProviders::Follow(replicator::Source& source) {
  source_ = &source;
  std::vector<std::string> versions = {"v1beta1"};
  if (!source.converts_versions()) {
    versions.emplace_back("v1alpha1");
  }
  for (const std::string& version : versions) {
    ObjectHandler handler{.put =
                              [this](const ObjectName& name, const Value& object) {
                                if (const auto put = Put(object); !put) {
                                  logger_->Warning(
                                      "provider refused",
                                      {{"name", std::string_view(name.name)},
                                       {"error", std::string_view(put.error().message)}});
                                }
                              },
                          .remove = [this](const ObjectName& name) { Remove(name.name); },
                          .settled = [](bool) {}};
    followed_.push_back({{"externaldata.gatekeeper.sh", version, "Provider"},
                         std::make_unique<ObjectSink>(std::move(handler))});
  }
  for (const Followed& followed : followed_) {
    source.Follow(followed.type, *followed.sink);
  }
}

Result<void> ExternalDataProviders::Put(const Value& object) {
  auto provider = std::make_shared<const mutation::Provider>(TRY(mutation::ReadProvider(object)));
  const std::lock_guard lock(mutex_);
  providers_[std::string(object.GetString({"metadata", "name"}))] = std::move(provider);
  return {};
}

void ExternalDataProviders::Remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  providers_.erase(name);
}

Result<mutation::ExternalDataAnswer> ExternalDataProviders::Ask(const std::string& name,
                                                                const std::set<std::string>& keys,
                                                                document::Arena& arena) {
  std::shared_ptr<const mutation::Provider> provider;
  {
    const std::lock_guard lock(mutex_);
    const auto found = providers_.find(name);
    if (found == providers_.end()) {
      return Fail(ErrorCode::kNotFound, "no provider " + name);
    }
    provider = found->second;
  }
  builtins::PreparedCache prepared;
  builtins::CallContext context(arena, prepared, clock_);
  context.deadline = clock_.Now() + provider->timeout;
  builtins::HttpRequest request;
  request.method = "POST";
  request.url = provider->url;
  request.body = RequestBody(keys);
  request.headers = {{"Content-Type", "application/json"}};
  request.timeout = provider->timeout;
  request.authorities = provider->authorities;
  const auto reply = builtins::SendHttp(context, request);
  if (!reply) {
    return Fail(ErrorCode::kUnavailable,
                "failed to send external data request: " +
                    (reply.error().message.empty() ? std::string("context deadline exceeded")
                                                   : reply.error().message));
  }
  return ReadAnswer(reply->body, arena);
}

}  // namespace portcullis::controller
