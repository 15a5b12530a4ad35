#include "webhook/mutation.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "document/json.h"
#include "mutation/go_value.h"
#include "mutation/json_patch.h"
#include "mutation/mutation_id.h"
#include "rules/policy/kubernetes_text.h"
#include "webhook/gatekeeper_resources.h"
#include "webhook/handler_support.h"
#include "webhook/review_reply.h"
#include "webhook/review_request.h"

namespace portcullis::webhook {
namespace {

using document::Value;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

enum class Status : std::uint8_t { kSuccess, kSkip };

struct Counters {
  explicit Counters(Metrics& metrics) {
    for (const Status status : {Status::kSuccess, Status::kSkip}) {
      const Labels labels{{"mutation_status", status == Status::kSuccess ? "success" : "skip"}};
      const auto at = static_cast<std::size_t>(status);
      requests[at] =
          &metrics.GetCounter("gatekeeper_mutation_request_count_total",
                              "The number of requests that are routed to mutation webhook", labels);
      durations[at] = &metrics.GetHistogram("gatekeeper_mutation_request_duration_seconds",
                                            "The mutation webhook response time",
                                            RequestDurationBounds(), labels);
    }
    for (const bool success : {false, true}) {
      iterations[success ? 1 : 0] = &metrics.GetHistogram(
          "gatekeeper_mutation_system_iterations",
          "The passes over the mutators that requests took until nothing changed",
          {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50, 100, 200, 500},
          {{"success", success ? "true" : "false"}});
    }
  }
  std::array<Counter*, 2> requests{};
  std::array<Histogram*, 2> durations{};
  std::array<Histogram*, 2> iterations{};
};

// What Kubernetes' decoder of objects without a type says; empty: nothing.
std::string Complaint(const Value& object) {
  if (object.is_undefined() || object.is_null()) {
    return "unexpected end of JSON input";
  }
  if (!object.is_object()) {
    return "json: cannot unmarshal " + std::string(GoJsonType(object)) +
           " into Go value of type map[string]interface {}";
  }
  const std::string_view version = object.GetString({"apiVersion"});
  const bool no_version = std::ranges::count(version, '/') > 1;
  if (no_version || object.GetString({"kind"}).empty()) {
    return "Object 'Kind' is missing in '" + document::ToJson(object) + "'";
  }
  return {};
}

// What the decoder of Namespaces says of the metadata.
std::string NamespaceComplaint(const Value& object) {
  const auto complain = [](const Value& value, std::string_view field, std::string_view type) {
    return "json: cannot unmarshal " + std::string(GoJsonType(value)) + " into Go struct field " +
           std::string(field) + " of type " + std::string(type);
  };
  const auto absent = [](const Value& value) { return value.is_undefined() || value.is_null(); };
  const Value metadata = object.Find("metadata");
  if (!absent(metadata) && !metadata.is_object()) {
    return complain(metadata, "Namespace.metadata", "v1.ObjectMeta");
  }
  for (std::uint32_t i = 0; i < metadata.size(); ++i) {
    const std::string_view name = metadata.KeyAt(i).string();
    const Value value = metadata.ValueAt(i);
    const std::string field = "ObjectMeta.metadata." + std::string(name);
    const bool text = name == "name" || name == "generateName" || name == "namespace" ||
                      name == "uid" || name == "resourceVersion";
    const bool map = name == "labels" || name == "annotations";
    if (text && !absent(value) && !value.is_string()) {
      return complain(value, field, "string");
    }
    if (map && !absent(value) && !value.is_object()) {
      return complain(value, field, "map[string]string");
    }
    for (std::uint32_t j = 0; map && j < value.size(); ++j) {
      if (!absent(value.ValueAt(j)) && !value.ValueAt(j).is_string()) {
        return complain(value.ValueAt(j), field, "string");
      }
    }
  }
  return {};
}

}  // namespace

struct MutationHandler::State {
  mutation::MutationStore& mutators;
  NamespaceFinder& namespaces;
  const NamespaceExcluder& excluder;
  mutation::ExternalDataClient* const external_data;
  Clock& clock;
  const std::shared_ptr<Logger> logger;
  const MutationOptions options;
  const std::string own_account;
  Counters counters;
  ScratchPool scratches;

  Handling Run(const ReviewRequest& review, const AdmissionContext& context, Scratch& scratch);
  // ERRORS: what the reply says with code 500.
  Result<void> MutateObject(const ReviewRequest& review, const mutation::MutationSet& set,
                            steady_clock::time_point deadline, Scratch& scratch);
  [[nodiscard]] bool IsExcluded(const Value& request) const;
  void Log(std::string_view message, const Value& object, mutation::MutationTrace& trace);
};

bool MutationHandler::State::IsExcluded(const Value& request) const {
  const Value object = request.Find("object");
  const std::string_view kind = object.GetString({"kind"});
  return !kind.empty() && excluder.IsExcluded(policy::GroupOf(object.GetString({"apiVersion"})),
                                              kind, request.GetString({"namespace"}),
                                              object.GetString({"metadata", "name"}));
}

Handling MutationHandler::State::Run(const ReviewRequest& review, const AdmissionContext& context,
                                     Scratch& scratch) {
  const steady_clock::time_point started = clock.Now();
  const Value& request = review.request;
  ReviewReply& reply = scratch.reply;
  const std::string_view operation = request.GetString({"operation"});
  if (request.GetString({"userInfo", "username"}) == own_account) {
    Answer(reply, kOk, "Gatekeeper does not self-manage");
    return Handling::kDone;
  }
  if (operation != "CREATE" && operation != "UPDATE") {
    Answer(reply, kOk, "Mutating only on create or update");
    return Handling::kDone;
  }
  if (IsGatekeeperGroup(request.GetString({"kind", "group"}))) {
    Answer(reply, kOk, "Not mutating gatekeeper resources");
    return Handling::kDone;
  }
  const std::shared_ptr<const mutation::MutationSet> set = mutators.current();
  const bool waits = set->MayAskProviders(request.GetString({"object", "kind"}));
  if (waits && context.stage == Stage::kLoop) {
    return Handling::kNeedWorker;
  }
  if (waits && context.stage == Stage::kOverloaded) {
    Answer(reply, kInternalError,
           "overloaded: too many requests that ask providers of external data are under way");
    return Handling::kDone;
  }
  Status status = Status::kSuccess;
  if (IsExcluded(request)) {
    status = Status::kSkip;
    Answer(reply, kOk, "Namespace is set to be ignored by Gatekeeper config");
  } else {
    milliseconds time = options.timeout;
    if (context.timeout) {
      time = std::min(time, *context.timeout - *context.timeout / kAnswerShare);
    }
    if (const auto done =
            MutateObject(review, *set, context.received.value_or(started) + time, scratch);
        !done) {
      Answer(reply, kInternalError, done.error().message);
      logger->Error("failed to mutate object",
                    {{"error", std::string_view(reply.message)},
                     {"resource_group", request.GetString({"kind", "group"})},
                     {"resource_kind", request.GetString({"kind", "kind"})},
                     {"resource_namespace", request.GetString({"namespace"})},
                     {"resource_name", request.GetString({"name"})}});
    }
  }
  const auto at = static_cast<std::size_t>(status);
  counters.requests[at]->Increment();
  counters.durations[at]->Observe(std::chrono::duration<double>(clock.Now() - started).count());
  return Handling::kDone;
}

Result<void> MutationHandler::State::MutateObject(const ReviewRequest& review,
                                                  const mutation::MutationSet& set,
                                                  steady_clock::time_point deadline,
                                                  Scratch& scratch) {
  const Value& request = review.request;
  document::Arena& arena = scratch.arena;
  const Value object = request.Find("object");
  const Value kind = request.Find("kind");
  const bool is_namespace =
      kind.GetString({"kind"}) == "Namespace" && kind.GetString({"group"}).empty();
  const std::string_view name_space =
      is_namespace ? std::string_view() : request.GetString({"namespace"});
  mutation::Mutable target{.object = {},
                           .name_space = is_namespace ? object : Value(),
                           .username = request.GetString({"userInfo", "username"}),
                           .source = "Original",
                           .operation = request.GetString({"operation"}) == "CREATE"
                                            ? mutation::Operation::kCreate
                                            : mutation::Operation::kUpdate};
  if (!name_space.empty()) {
    target.name_space = TRY(namespaces.Find(name_space, arena));
  }
  if (!review.bad_number.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "json: cannot unmarshal number " +
                                                 std::string(review.bad_number) +
                                                 " into Go value of type float64");
  }
  if (std::string complaint = Complaint(object); !complaint.empty()) {
    return Fail(ErrorCode::kInvalidArgument, std::move(complaint));
  }
  if (std::string complaint = is_namespace ? NamespaceComplaint(object) : ""; !complaint.empty()) {
    return Fail(ErrorCode::kInvalidArgument, std::move(complaint));
  }
  target.object = WithNamespace(object, name_space, arena);

  mutation::MutationTrace trace;
  trace.keep_applied = options.log_mutations;
  const mutation::MutateOptions how{.new_id = mutation::NewMutationId,
                                    .clock = &clock,
                                    .deadline = deadline,
                                    .external_data = external_data,
                                    .annotate = options.annotate,
                                    .trace = &trace};
  const auto outcome = set.Mutate(target, how, arena);
  counters.iterations[outcome ? 1 : 0]->Observe(trace.iterations);
  if (!outcome) {
    if (outcome.error().message.starts_with("mutation not converging")) {
      Log("Mutation not converging", target.object, trace);
    }
    return std::unexpected(outcome.error());
  }
  if (!outcome->mutated) {
    Answer(scratch.reply, kOk, "Resource was not mutated");
    return {};
  }
  Log("Mutation applied", target.object, trace);
  const Value mutated =
      WithNamespace(outcome->object, object.GetString({"metadata", "namespace"}), arena);
  Answer(scratch.reply, kOk, "");
  if (mutation::AppendJsonPatch(object, mutated, &scratch.reply.patch) == 0) {
    scratch.reply.patch.clear();
  }
  return {};
}

void MutationHandler::State::Log(std::string_view message, const Value& object,
                                 mutation::MutationTrace& trace) {
  if (!options.log_mutations) {
    return;
  }
  if (trace.id.empty()) {
    trace.id = mutation::NewMutationId();
  }
  std::vector<std::pair<std::string, std::string>> passes;
  for (std::size_t i = 0; i < trace.applied.size(); ++i) {
    std::string names;
    for (const mutation::Mutator* mutator : trace.applied[i]) {
      names += (names.empty() ? "" : ", ") + mutator->Summary();
    }
    if (!names.empty()) {
      passes.emplace_back("iteration_" + std::to_string(i), std::move(names));
    }
  }
  if (passes.empty()) {
    return;
  }
  const Value metadata = object.Find("metadata");
  const std::string_view version = object.GetString({"apiVersion"});
  const std::string_view name = metadata.GetString({"name"});
  const Value labels = metadata.Find("labels");
  const std::string labels_text = labels.is_object() ? document::ToJson(labels) : "null";
  std::vector<LogField> fields = {
      {"process", "mutation"},
      {"semantic", true},
      {"Mutation Id", std::string_view(trace.id)},
      {"event_type", "mutation_applied"},
      {"resource_group", policy::GroupOf(object.GetString({"apiVersion"}))},
      {"resource_kind", object.GetString({"kind"})},
      {"resource_api_version", version.substr(version.find('/') + 1)},
      {"resource_namespace", metadata.GetString({"namespace"})},
      {"resource_name", name.empty() ? metadata.GetString({"generateName"}) : name},
      {"resource_source_type", "Original"},
      {"resource_labels", std::string_view(labels_text)}};
  for (const auto& [key, names] : passes) {
    fields.push_back({key, std::string_view(names)});
  }
  logger->Write(LogLevel::kInfo, message, fields);
}

MutationHandler::MutationHandler(mutation::MutationStore& mutators, NamespaceFinder& namespaces,
                                 const NamespaceExcluder& excluder,
                                 mutation::ExternalDataClient* external_data, Clock& clock,
                                 std::shared_ptr<Logger> logger, Metrics& metrics,
                                 MutationOptions options)
    : state_(new State{
          .mutators = mutators,
          .namespaces = namespaces,
          .excluder = excluder,
          .external_data = external_data,
          .clock = clock,
          .logger = std::move(logger),
          .options = options,
          .own_account =
              "system:serviceaccount:" + options.gatekeeper_namespace + ":gatekeeper-admin",
          .counters = Counters(metrics),
          .scratches = {},
      }) {}

MutationHandler::~MutationHandler() = default;

Handling MutationHandler::Mutate(std::string_view content_type, std::string_view body,
                                 const AdmissionContext& context, std::string* out,
                                 std::int32_t* code) {
  std::unique_ptr<Scratch> scratch = state_->scratches.Take();
  scratch->Clear(state_->options.arena_limit_bytes);
  ReviewReply& reply = scratch->reply;
  const Handling handling = AnswerReview(
      ReadReview(content_type, body, scratch->arena, document::NumberMode::kExact), *state_->logger,
      "a mutation failed", reply, out,
      [&](const ReviewRequest& review) { return state_->Run(review, context, *scratch); });
  if (code != nullptr) {
    *code = reply.code;
  }
  state_->scratches.Return(std::move(scratch));
  return handling;
}

}  // namespace portcullis::webhook
