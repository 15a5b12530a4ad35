#include <algorithm>
#include <memory>

#include "rules/rego/evaluator.h"
#include "rules/rego/grouping.h"

namespace portcullis::rego {
namespace {

using document::Member;
using document::Value;

// Items that a set is made of while it grows, before equal ones are merged: bounds what duplicates cost.
constexpr std::size_t kShort = 24;

}  // namespace

bool Evaluator::Comprehension(const Step& step, Value* slots, Value* result) {
  if (step.grouping != nullptr && arena_ == request_.arena && !request_.strict_builtin_errors) {
    bool done = false;
    if (!GroupedComprehension(step, slots, result, &done)) {
      return false;
    }
    if (done) {
      return true;
    }
  }
  const std::size_t begin = collected_.size();
  if (RunBlock(*step.block, slots) == Signal::kError) {
    if (step.op == Op::kObjectOf) {
      PreferClash(begin);
    }
    collected_.resize(begin);
    return false;
  }
  return FinishComprehension(step.op, begin, result);
}

bool Evaluator::FinishComprehension(Op op, std::size_t begin, Value* result) {
  if (op == Op::kSetOf) {
    return FinishSet(begin, result);
  }
  if (op == Op::kObjectOf) {
    return FinishObject(begin, result);
  }
  const auto items = arena_->AllocateArray<Value>(collected_.size() - begin);
  std::uninitialized_copy(collected_.begin() + static_cast<std::ptrdiff_t>(begin), collected_.end(),
                          items.begin());
  collected_.resize(begin);
  *result = Value::Array(items);
  return true;
}

bool Evaluator::GroupedComprehension(const Step& step, Value* slots, Value* result, bool* done) {
  const Grouping& grouping = *step.grouping;
  GroupedSolutions& solutions = context_->kept->Grouped(grouping.id);
  const std::size_t begin = collected_.size();
  const auto gather = [&](std::span<const Operand> operands) {
    for (const Operand operand : operands) {
      collected_.push_back(Get(operand, slots));
    }
    return std::span<const Value>(collected_).subspan(begin);
  };
  const auto advice = solutions.Ask(gather(grouping.fixed), *arena_);
  collected_.resize(begin);
  if (advice == GroupedSolutions::Advice::kRunAlone) {
    return true;
  }
  if (advice == GroupedSolutions::Advice::kBuild) {
    if (RunBlock(*grouping.block, slots) == Signal::kError) {
      collected_.resize(begin);
      return false;
    }
    solutions.Build(std::span<const Value>(collected_).subspan(begin), grouping, *arena_);
    collected_.resize(begin);
  }
  *done = true;
  GroupedSolutions::Group* group = solutions.Find(gather(grouping.keys), grouping);
  collected_.resize(begin);
  if (group != nullptr && group->result.is_defined()) {
    *result = group->result;
    return true;
  }
  if (group != nullptr) {
    solutions.ForEach(*group, grouping, [this](std::span<const Value> yielded) {
      collected_.insert(collected_.end(), yielded.begin(), yielded.end());
    });
  }
  if (!FinishComprehension(step.op, begin, result)) {
    return false;
  }
  if (group != nullptr) {
    group->result = *result;
  }
  return true;
}

Value Evaluator::MakeObject(const Step& step, const Value* slots) {
  const std::size_t most = step.operands.size() / 2;
  const auto members = arena_->AllocateArray<Member>(most);
  std::size_t count = 0;
  for (std::size_t i = 0; i < most; ++i) {
    const Member member{.key = Get(step.operands[2 * i], slots),
                        .value = Get(step.operands[2 * i + 1], slots)};
    // Literals are short and their constant keys come sorted, so this rarely moves anything.
    std::size_t at = count;
    while (at > 0 && document::Compare(members[at - 1].key, member.key) > 0) {
      --at;
    }
    if (at > 0 && document::Equal(members[at - 1].key, member.key)) {
      members[at - 1].value = member.value;
      continue;
    }
    std::move_backward(members.begin() + static_cast<std::ptrdiff_t>(at),
                       members.begin() + static_cast<std::ptrdiff_t>(count),
                       members.begin() + static_cast<std::ptrdiff_t>(count) + 1);
    members[at] = member;
    ++count;
  }
  return Value::Object(members.first(count));
}

bool Evaluator::FinishSet(std::size_t begin, Value* result) {
  const std::span<Value> items(collected_.begin() + static_cast<std::ptrdiff_t>(begin),
                               collected_.end());
  const auto less = [](const Value& a, const Value& b) { return document::Compare(a, b) < 0; };
  std::size_t count = 0;
  if (items.size() <= kShort) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Value item = items[i];
      const auto at = std::lower_bound(
          items.begin(), items.begin() + static_cast<std::ptrdiff_t>(count), item, less);
      if (at != items.begin() + static_cast<std::ptrdiff_t>(count) && document::Equal(*at, item)) {
        continue;
      }
      std::move_backward(at, items.begin() + static_cast<std::ptrdiff_t>(count),
                         items.begin() + static_cast<std::ptrdiff_t>(count) + 1);
      *at = item;
      ++count;
    }
  } else {
    std::stable_sort(items.begin(), items.end(), less);
    const auto end = std::unique(items.begin(), items.end(), document::Equal);
    count = static_cast<std::size_t>(end - items.begin());
  }
  const auto copy = arena_->AllocateArray<Value>(count);
  std::uninitialized_copy_n(items.begin(), count, copy.begin());
  collected_.resize(begin);
  *result = Value::Set(copy);
  return true;
}

bool Evaluator::FinishObject(std::size_t begin, Value* result) {
  struct Entry {
    Member member;
    const Step* step;
    std::size_t at;
  };
  const std::size_t most = (collected_.size() - begin) / 3;
  std::vector<Entry> entries;
  entries.reserve(most);
  for (std::size_t i = begin; i < collected_.size(); i += 3) {
    entries.push_back({.member = {.key = collected_[i], .value = collected_[i + 1]},
                       .step = StepOf(collected_[i + 2]),
                       .at = i});
  }
  collected_.resize(begin);
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return document::Compare(a.member.key, b.member.key) < 0;
  });
  const auto members = arena_->AllocateArray<Member>(most);
  std::size_t count = 0;
  const Entry* clash =
      nullptr;  // The first in time of those that differ from the first of their key.
  for (const Entry& entry : entries) {
    if (count == 0 || !document::Equal(members[count - 1].key, entry.member.key)) {
      members[count++] = entry.member;
    } else if (!document::Equal(members[count - 1].value, entry.member.value) &&
               (clash == nullptr || entry.at < clash->at)) {
      clash = &entry;
    }
  }
  if (clash != nullptr) {
    return FailEvaluation(kConflict, std::string(kKeysConflict), clash->step->location);
  }
  *result = Value::Object(members.first(count));
  return true;
}

}  // namespace portcullis::rego
