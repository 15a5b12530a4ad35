#include "webhook/review_times.h"

#include <chrono>
#include <unordered_map>
#include <utility>

namespace portcullis::webhook {
namespace {

const std::vector<double> kBounds = {0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005,
                                     0.001,   0.0025,   0.005,   0.01,   0.025,   0.05,
                                     0.1,     0.25,     0.5,     1,      2.5};
constexpr const char* kOthers = "(others)";

struct Series {
  Counter* reviews = nullptr;
  Counter* seconds = nullptr;
};

double Seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

struct ReviewTimes::Table {
  std::shared_ptr<const policy::PolicySet> policies;
  std::unordered_map<const policy::Template*, Histogram*> templates;
  std::unordered_map<const policy::Constraint*, Series> constraints;
};

std::shared_ptr<const ReviewTimes::Table> ReviewTimes::MakeTable(
    const std::shared_ptr<const policy::PolicySet>& policies) {
  const std::lock_guard lock(mutex_);
  const auto has_own = [this](const std::string& name) {
    return names_.contains(name) || (names_.size() < kMostNames && names_.insert(name).second);
  };
  auto table = std::make_shared<Table>();
  table->policies = policies;
  for (const policy::Template* of : policies->templates()) {
    table->templates[of] =
        &metrics_.GetHistogram("portcullis_template_review_duration_seconds",
                               "What reviews took to evaluate the constraints of a template",
                               kBounds, {{"template", has_own(of->kind) ? of->kind : kOthers}});
  }
  for (const policy::BoundConstraint& bound : policies->all()) {
    const policy::Constraint& constraint = *bound.constraint;
    const bool own = has_own(constraint.kind + "/" + constraint.name);
    const Labels labels{{"constraint_kind", own ? constraint.kind : kOthers},
                        {"constraint_name", own ? constraint.name : kOthers}};
    table->constraints[&constraint] = {
        .reviews = &metrics_.GetCounter("portcullis_constraint_reviews_total",
                                        "Reviews that evaluated a constraint", labels),
        .seconds = &metrics_.GetCounter("portcullis_constraint_review_seconds_total",
                                        "What reviews took to evaluate a constraint", labels)};
  }
  return table;
}

void ReviewTimes::Count(const std::shared_ptr<const policy::PolicySet>& policies,
                        std::span<const policy::TemplateTime> templates,
                        std::span<const policy::ConstraintTime> constraints) {
  if (templates.empty()) {
    return;
  }
  std::shared_ptr<const Table> table = table_.load();
  if (table == nullptr || table->policies != policies) {
    table = MakeTable(policies);
    table_.store(table);
  }
  for (const policy::TemplateTime& time : templates) {
    if (const auto found = table->templates.find(time.of); found != table->templates.end()) {
      found->second->Observe(Seconds(time.runtime));
    }
  }
  for (const policy::ConstraintTime& time : constraints) {
    if (const auto found = table->constraints.find(time.of); found != table->constraints.end()) {
      found->second.reviews->Increment();
      found->second.seconds->Increment(Seconds(time.runtime));
    }
  }
}

}  // namespace portcullis::webhook
