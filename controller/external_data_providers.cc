#include "controller/external_data_providers.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/chrono.h>

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

// Seconds, as Kubernetes writes times.
std::string RfcTime(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", std::chrono::floor<std::chrono::seconds>(time));
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

ExternalDataProviders::ExternalDataProviders(Clock& clock, const std::shared_ptr<Logger>& logger,
                                             Metrics& metrics,
                                             std::function<Result<ClientCertificate>()> certificate)
    : clock_(clock),
      logger_(logger->Named("providers")),
      metrics_(metrics),
      certificate_(std::move(certificate)) {}

void ExternalDataProviders::Follow(replicator::Source& source, PodStatuses* statuses) {
  statuses_ = statuses;
  CountProviders();
  follower_.emplace(source, statuses, StatusSubject::kProvider, logger_, nullptr);
  follower_->Add(
      "externaldata.gatekeeper.sh", "Provider", {"v1beta1", "v1alpha1"},
      {.put = [this](const ObjectName& name, const Value& object) { Meet(name, object); },
       .remove = [this](const ObjectName& name) { Forget(name.name); }});
  follower_->Start();
}

void ExternalDataProviders::Meet(const ObjectName& name, const Value& object) {
  const Result<void> put = Put(object);
  const std::string error = put ? "" : put.error().message;
  const std::string now = RfcTime(clock_.WallNow());
  Found& found = found_[name.name];
  if (std::exchange(found.error, error) != error) {
    found.changed_at = now;
  }
  if (!put) {
    logger_->Warning("provider refused",
                     {{"name", std::string_view(name.name)}, {"error", std::string_view(error)}});
    metrics_
        .GetCounter("gatekeeper_provider_error_count_total",
                    "Incremental counter for all provider errors occurring over time")
        .Increment();
  }
  CountProviders();
  if (statuses_ == nullptr) {
    return;
  }
  PodFinding finding{.uid = UidOf(object),
                     .generation = GenerationOf(object),
                     .errors = {},
                     .found_at = now,
                     .changed_at = found.changed_at};
  if (!put) {
    finding.errors.push_back({.code = "UpsertCache", .message = error, .location = {}});
  }
  statuses_->Put(follower_->KeyOf("Provider", name), finding);
}

void ExternalDataProviders::Forget(const std::string& name) {
  Remove(name);
  found_.erase(name);
  CountProviders();
}

void ExternalDataProviders::CountProviders() {
  const auto refused = static_cast<double>(
      std::ranges::count_if(found_, [](const auto& found) { return !found.second.error.empty(); }));
  constexpr const char* kName = "gatekeeper_providers";
  constexpr const char* kHelp = "Number of external data providers by status";
  metrics_.GetGauge(kName, kHelp, {{"status", "error"}}).Set(refused);
  metrics_.GetGauge(kName, kHelp, {{"status", "active"}})
      .Set(static_cast<double>(found_.size()) - refused);
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
  if (certificate_) {
    Result<ClientCertificate> found = certificate_();
    if (!found) {
      return Fail(ErrorCode::kUnavailable,
                  "failed to get client TLS certificate: " + found.error().message);
    }
    ClientCertificate shown = *std::move(found);
    request.client_certificate = std::move(shown.certificate);
    request.client_key = std::move(shown.key);
  }
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
