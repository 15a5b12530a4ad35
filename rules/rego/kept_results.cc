#include "rules/rego/kept_results.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace portcullis::rego {
namespace {

using document::Value;

constexpr std::size_t kFirstCalls = 32;
// Calls kept in one context: enough for helpers that are called again and again, and a bound for scans.
constexpr std::size_t kMostCalls = 4096;
constexpr std::size_t kLongestHashedString = 256;

std::uint64_t Mix(std::uint64_t hash, std::uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15 + (hash << 6) + (hash >> 2);
  return hash * 0xff51afd7ed558ccd;
}

bool IsComposite(const Value& value) {
  return value.is_array() || value.is_object() || value.is_set();
}

std::uint64_t HashHandle(const Value& value) {
  std::uint64_t words[2];
  std::memcpy(words, &value, sizeof(words));
  return Mix(words[0], words[1]);
}

bool Same(const Value& a, const Value& b) {
  if (IsComposite(a)) {
    return SameHandle(a, b);
  }
  // Equal numbers of two spellings print differently.
  if (a.type() != b.type() || a.is_int() != b.is_int() || a.is_float() != b.is_float()) {
    return false;
  }
  return a.is_decimal() ? a.decimal_text() == b.decimal_text() : document::Equal(a, b);
}

bool CanKeep(std::span<const Value> arguments) {
  return std::ranges::all_of(arguments, [](const Value& argument) {
    return !argument.is_string() || argument.string().size() <= kLongestHashedString;
  });
}

std::uint64_t HashCall(std::uint32_t procedure, std::span<const Value> arguments) {
  std::uint64_t hash = procedure;
  for (const Value& argument : arguments) {
    hash = Mix(hash, IsComposite(argument) ? HashHandle(argument) : document::Hash(argument));
  }
  return hash ^ (hash >> 32);
}

}  // namespace

KeptResults::KeptResults(document::Arena& arena, std::size_t procedures, std::size_t groupings)
    : arena_(arena), results_(arena.AllocateArray<Result>(procedures)), grouping_count_(groupings) {
  std::uninitialized_fill(results_.begin(), results_.end(), Result{});
}

GroupedSolutions& KeptResults::Grouped(std::uint32_t grouping) {
  if (grouped_.empty()) {
    grouped_ = arena_.AllocateArray<GroupedSolutions>(grouping_count_);
    std::ranges::uninitialized_fill(grouped_, GroupedSolutions());
  }
  return grouped_[grouping];
}

const Value* KeptResults::Find(std::uint32_t procedure, std::span<const Value> arguments) const {
  if (calls_.empty() || !CanKeep(arguments)) {
    return nullptr;
  }
  const std::uint64_t hash = HashCall(procedure, arguments);
  for (std::size_t i = hash & (calls_.size() - 1);; i = (i + 1) & (calls_.size() - 1)) {
    const Call& call = calls_[i];
    if (!call.used) {
      return nullptr;
    }
    if (call.hash == hash && call.procedure == procedure &&
        std::ranges::equal(call.arguments, arguments, Same)) {
      return &call.result;
    }
  }
}

bool KeptResults::Keep(std::uint32_t procedure, std::span<const Value> arguments, Value result) {
  if (call_count_ >= kMostCalls || !CanKeep(arguments)) {
    return false;
  }
  if (call_count_ * 2 >= calls_.size()) {
    Grow();
  }
  const auto copy = arena_.AllocateArray<Value>(arguments.size());
  std::uninitialized_copy(arguments.begin(), arguments.end(), copy.begin());
  const std::uint64_t hash = HashCall(procedure, arguments);
  std::size_t i = hash & (calls_.size() - 1);
  while (calls_[i].used) {
    i = (i + 1) & (calls_.size() - 1);
  }
  calls_[i] = {
      .hash = hash, .procedure = procedure, .arguments = copy, .result = result, .used = true};
  ++call_count_;
  return true;
}

void KeptResults::Clear() {
  std::ranges::fill(results_, Result{});
  std::ranges::fill(calls_, Call{});
  call_count_ = 0;
}

void KeptResults::Grow() {
  const std::span<Call> old = calls_;
  calls_ = arena_.AllocateArray<Call>(old.empty() ? kFirstCalls : old.size() * 4);
  std::uninitialized_fill(calls_.begin(), calls_.end(), Call{});
  for (const Call& call : old) {
    if (!call.used) {
      continue;
    }
    std::size_t i = call.hash & (calls_.size() - 1);
    while (calls_[i].used) {
      i = (i + 1) & (calls_.size() - 1);
    }
    calls_[i] = call;
  }
}

}  // namespace portcullis::rego
