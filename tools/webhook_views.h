// What the webhook asks of the cache of Namespaces and of the policy controller, in its own words.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "controller/policy_controller.h"
#include "replicator/namespace_cache.h"
#include "webhook/admission.h"
#include "webhook/trace_log.h"

namespace portcullis::tools {

class CachedNamespaces final : public webhook::NamespaceFinder {
 public:
  explicit CachedNamespaces(replicator::NamespaceCache& cache) : cache_(cache) {}
  Result<document::Value> Find(std::string_view name, document::Arena& arena) override {
    return cache_.Find(name, arena);
  }

 private:
  replicator::NamespaceCache& cache_;
};

class WebhookExclusions final : public webhook::NamespaceExcluder {
 public:
  // `process` is a word of Config's: webhook or mutation-webhook.
  WebhookExclusions(const controller::PolicyController& controller, std::string_view process)
      : controller_(controller), process_(process) {}
  [[nodiscard]] bool IsExcluded(std::string_view group, std::string_view kind,
                                std::string_view name_space, std::string_view name) const override {
    return controller_.IsExcluded(process_, group, kind, name_space, name);
  }

 private:
  const controller::PolicyController& controller_;
  const std::string_view process_;
};

class ConfiguredTraces final : public webhook::TraceChooser {
 public:
  explicit ConfiguredTraces(const controller::PolicyController& controller)
      : controller_(controller) {}
  [[nodiscard]] webhook::TraceWish WishFor(const webhook::TraceSubject& subject) const override {
    const std::shared_ptr<const controller::TraceSettings> traces = controller_.CurrentTraces();
    if (traces == nullptr) {
      return {};
    }
    const controller::TraceLevel level = traces->LevelOf(
        subject.user,
        {std::string(subject.group), std::string(subject.version), std::string(subject.kind)});
    return {.trace = level != controller::TraceLevel::kNone,
            .dump = level == controller::TraceLevel::kTraceAndDump};
  }

 private:
  const controller::PolicyController& controller_;
};

}  // namespace portcullis::tools
