#include "mutation/mutation_system.h"

#include <algorithm>
#include <utility>

#include "mutation/conflicts.h"
#include "mutation/go_value.h"
#include "rules/policy/kubernetes_text.h"
#include "rules/rego/grouping.h"

namespace portcullis::mutation {

using document::Value;

namespace {

constexpr std::string_view kMutationsAnnotation = "gatekeeper.sh/mutations";
constexpr std::string_view kIdAnnotation = "gatekeeper.sh/mutation-id";

std::string_view NameOrGenerateName(const Value& object) {
  const std::string_view name = object.GetString({"metadata", "name"});
  return name.empty() ? object.GetString({"metadata", "generateName"}) : name;
}

// "apps Deployment default web": what Gatekeeper's errors say of an object.
std::string Described(const Value& object) {
  std::string text(policy::GroupOf(object.GetString({"apiVersion"})));
  for (const std::string_view part :
       {object.GetString({"kind"}), object.GetString({"metadata", "namespace"}),
        NameOrGenerateName(object)}) {
    text += ' ';
    text += part;
  }
  return text;
}

policy::MatchTarget TargetOf(const Mutable& target) {
  return {.object = target.object,
          .old_object = {},
          .name_space = target.name_space,
          .source = target.source};
}

}  // namespace

MutationSet::MutationSet(std::vector<std::shared_ptr<const Mutator>> mutators)
    : mutators_(std::move(mutators)) {
  std::ranges::sort(mutators_, {}, [](const auto& mutator) { return mutator->id(); });
  conflicts_ = FindConflicts(mutators_);
  for (std::uint32_t i = 0; i < mutators_.size(); ++i) {
    if (conflicts_[i].empty()) {
      asks_providers_ = asks_providers_ || mutators_[i]->external_data().has_value();
      index_.Add(i, *mutators_[i]);
    }
  }
}

// One object on its way through the passes.
class MutationSet::Run {
 public:
  Run(const MutationSet& set, const Mutable& target, const MutateOptions& options,
      document::Arena& arena, std::vector<MutationStep>* steps)
      : set_(set),
        target_(target),
        options_(options),
        arena_(arena),
        steps_(steps),
        trace_(options.trace != nullptr ? *options.trace : own_trace_),
        traces_((options.trace != nullptr && options.trace->keep_applied) || options.annotate) {}

  Result<MutationOutcome> All() {
    const int most = static_cast<int>(set_.mutators_.size()) + 1;
    for (int iteration = 1; iteration <= most; ++iteration) {
      TRY(CheckLimits());
      trace_.iterations = iteration;
      const Value before = target_.object;
      applied_ = 0;
      if (traces_) {
        trace_.applied.emplace_back();
      }
      TRY(Pass(iteration));
      if (applied_ == 0 || GoEqual(before, target_.object)) {
        DropLastPass();
        return Finish(iteration, before);
      }
    }
    return Fail(ErrorCode::kExhausted, "mutation not converging: mutation " + Id() +
                                           " not converging for " + Described(target_.object));
  }

 private:
  Result<void> CheckLimits() {
    if (arena_.over_limit()) {
      return Fail(ErrorCode::kExhausted, "the mutation used up its memory of " +
                                             std::to_string(arena_.limit_bytes()) + " bytes");
    }
    if (options_.clock != nullptr && options_.clock->Now() > options_.deadline) {
      return Fail(ErrorCode::kExhausted, "the mutation used up its time");
    }
    return {};
  }

  // What match criteria and applyTo read.
  struct Seen {
    Value api_version;
    Value kind;
    Value metadata;
    [[nodiscard]] bool IsSame(const Seen& other) const {
      return rego::SameHandle(api_version, other.api_version) &&
             rego::SameHandle(kind, other.kind) && rego::SameHandle(metadata, other.metadata);
    }
  };
  [[nodiscard]] Seen SeenNow() const {
    return {target_.object.Find("apiVersion"), target_.object.Find("kind"),
            target_.object.Find("metadata")};
  }

  Result<void> Pass(int iteration) {
    std::uint32_t next = 0;
    while (next < set_.mutators_.size()) {
      // Again from here whenever a mutator changed what matching looks at.
      const Seen seen = SeenNow();
      const TypeView type = TypeOf(target_.object);
      const policy::MatchSubject subject(TargetOf(target_));
      if (!known_ || !known_seen_.IsSame(seen)) {
        known_seen_ = seen;
        known_ = true;
        set_.index_.Find(type.kind, subject.name_space(), &candidates_);
        matching_.assign(candidates_.size(), Answer::kUnknown);
      }
      bool again = false;
      for (std::size_t i = FirstFrom(next); i < candidates_.size() && !again; ++i) {
        next = candidates_[i] + 1;
        if (!TRY(Matches(i, type, subject))) {
          continue;
        }
        TRY(Apply(candidates_[i], iteration));
        again = !SeenNow().IsSame(seen);
      }
      if (!again) {
        break;
      }
    }
    return {};
  }

  [[nodiscard]] std::size_t FirstFrom(std::uint32_t next) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(candidates_, next) -
                                    candidates_.begin());
  }

  // Whether the i-th candidate matches. Remembered for the next pass: the answer is the same while what was seen is the same.
  Result<bool> Matches(std::size_t i, const TypeView& type, const policy::MatchSubject& subject) {
    if (matching_[i] != Answer::kUnknown) {
      return matching_[i] == Answer::kYes;
    }
    const Mutator& mutator = *set_.mutators_[candidates_[i]];
    const Result<bool> matches = mutator.Matches(type, target_.operation, subject);
    if (!matches) {
      return Fail(matches.error().code, "matching for mutator " + mutator.id().ToString() +
                                            " failed for " + Described(target_.object) + ": " +
                                            matches.error().message);
    }
    matching_[i] = *matches ? Answer::kYes : Answer::kNo;
    return *matches;
  }

  Result<void> Apply(std::uint32_t place, int iteration) {
    const Mutator& mutator = *set_.mutators_[place];
    const Value before = target_.object;
    Result<Value> after = mutator.Apply(target_, place, arena_);
    if (!after) {
      return Fail(after.error().code, "mutation " + Id() + " for mutator " +
                                          mutator.id().ToString() + " failed for " +
                                          Described(before) + ": " + after.error().message);
    }
    if (after->is_undefined()) {
      return {};
    }
    ++applied_;
    if (traces_) {
      trace_.applied.back().push_back(&mutator);
    }
    if (steps_ != nullptr && !rego::SameHandle(before, *after)) {
      steps_->push_back({iteration, &mutator, before, *after});
    }
    target_.object = *after;
    return {};
  }

  // Gatekeeper logs the passes that changed something.
  void DropLastPass() {
    if (traces_) {
      trace_.applied.pop_back();
    }
  }

  Result<MutationOutcome> Finish(int iteration, const Value& before) {
    outcome_.object = before;
    if (iteration == 1) {
      trace_.iterations = 0;
      return std::move(outcome_);
    }
    if (set_.asks_providers_) {
      outcome_.object = TRY(AddContext(
          ResolvePlaceholders(
              before,
              [this](std::int64_t number) -> const ExternalDataSource& {
                return *set_.mutators_[static_cast<std::size_t>(number)]->external_data();
              },
              options_.external_data, arena_),
          "failed to resolve external data placeholders"));
    }
    if (options_.annotate) {
      Annotate();
    }
    outcome_.mutated = true;
    outcome_.iterations = iteration;
    return std::move(outcome_);
  }

  void Annotate() {
    std::set<std::string> names;
    for (const auto& pass : trace_.applied) {
      for (const Mutator* mutator : pass) {
        names.insert(mutator->Summary());
      }
    }
    std::string list;
    for (const std::string& name : names) {
      list += (list.empty() ? "" : ", ") + name;
    }
    const Value metadata = outcome_.object.Find("metadata");
    Value annotations = metadata.Find("annotations");
    for (std::uint32_t i = 0; i < annotations.size(); ++i) {
      if (!annotations.is_object() || !annotations.ValueAt(i).is_string()) {
        annotations = Value();  // As Gatekeeper reads what are no annotations.
      }
    }
    const auto put = [&](Value object, std::string_view name, const Value& value) {
      return WithMember(object.is_object() ? object : Value::Object({}), name, value, arena_);
    };
    annotations = put(annotations, kMutationsAnnotation, Value::String(arena_.CopyString(list)));
    annotations = put(annotations, kIdAnnotation, Value::String(arena_.CopyString(Id())));
    outcome_.object = put(outcome_.object, "metadata", put(metadata, "annotations", annotations));
  }

  const std::string& Id() {
    if (trace_.id.empty() && options_.new_id) {
      trace_.id = options_.new_id();
    }
    return trace_.id;
  }

  enum class Answer : std::uint8_t { kUnknown, kNo, kYes };

  const MutationSet& set_;
  Mutable target_;
  const MutateOptions& options_;
  document::Arena& arena_;
  std::vector<MutationStep>* const steps_;
  MutationTrace own_trace_;
  MutationTrace& trace_;
  const bool traces_;
  MutationOutcome outcome_;
  std::size_t applied_ = 0;
  bool known_ = false;
  Seen known_seen_;
  // For known_seen_: places in set_.mutators_, and what is known of each.
  std::vector<std::uint32_t> candidates_;
  std::vector<Answer> matching_;
};

Result<MutationOutcome> MutationSet::Mutate(const Mutable& target, const MutateOptions& options,
                                            document::Arena& arena,
                                            std::vector<MutationStep>* steps) const {
  return Run(*this, target, options, arena, steps).All();
}

Result<std::vector<const Mutator*>> MutationSet::Matching(const Mutable& target) const {
  std::vector<const Mutator*> matching;
  const policy::MatchSubject subject(TargetOf(target));
  const TypeView type = TypeOf(target.object);
  std::vector<std::uint32_t> candidates;
  index_.Find(type.kind, subject.name_space(), &candidates);
  for (const std::uint32_t i : candidates) {
    if (TRY(AddContext(mutators_[i]->Matches(type, target.operation, subject),
                       "matching for mutator " + mutators_[i]->id().ToString() + " failed for " +
                           Described(target.object)))) {
      matching.push_back(mutators_[i].get());
    }
  }
  return matching;
}

std::string MutationSet::Source() const {
  std::string source;
  for (const auto& mutator : mutators_) {
    source += mutator->source() + '\n';
  }
  return source;
}

MutationStore::MutationStore(FieldDefaults defaults) : defaults_(defaults) {}

Result<void> MutationStore::Put(const Value& object) {
  auto made = Mutator::Make(object, defaults_);
  const std::optional<MutatorKind> kind = FindMutatorKind(object.GetString({"kind"}));
  if (!kind) {
    return std::unexpected(std::move(made).error());
  }
  const MutatorId id{.kind = *kind,
                     .name_space = std::string(object.GetString({"metadata", "namespace"})),
                     .name = std::string(object.GetString({"metadata", "name"}))};
  const Value generation = object.Get({"metadata", "generation"});
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[id];
  entry.uid = std::string(object.GetString({"metadata", "uid"}));
  entry.generation =
      generation.is_number() ? document::ToInt64(generation).value_or(0) : std::int64_t{0};
  entry.refusal = made ? "" : made.error().message;
  if (!made) {
    return std::unexpected(std::move(made).error());
  }
  entry.mutator = *std::move(made);
  set_.reset();
  return {};
}

void MutationStore::Remove(const MutatorId& id) {
  const std::lock_guard lock(mutex_);
  if (entries_.erase(id) > 0) {
    set_.reset();
  }
}

std::shared_ptr<const MutationSet> MutationStore::Current() const {
  if (!set_) {
    std::vector<std::shared_ptr<const Mutator>> mutators;
    for (const auto& [id, entry] : entries_) {
      if (entry.mutator) {
        mutators.push_back(entry.mutator);
      }
    }
    set_ = std::make_shared<const MutationSet>(std::move(mutators));
  }
  return set_;
}

std::shared_ptr<const MutationSet> MutationStore::current() const {
  const std::lock_guard lock(mutex_);
  return Current();
}

std::vector<MutatorStatus> MutationStore::Statuses() const {
  std::vector<MutatorStatus> statuses;
  const std::lock_guard lock(mutex_);
  const std::shared_ptr<const MutationSet> set = Current();
  std::size_t place = 0;
  for (const auto& [id, entry] : entries_) {
    MutatorStatus status{.id = id,
                         .uid = entry.uid,
                         .generation = entry.generation,
                         .enforced = false,
                         .errors = {}};
    const std::size_t own = place;
    place += entry.mutator ? 1 : 0;
    if (!entry.refusal.empty()) {
      status.errors.push_back({"", entry.refusal});
    } else if (const auto& conflict = set->ConflictsOf(own); !conflict.empty()) {
      status.errors.push_back({std::string(kConflictType), ConflictText(conflict)});
    }
    status.enforced = status.errors.empty();
    statuses.push_back(std::move(status));
  }
  return statuses;
}

}  // namespace portcullis::mutation
