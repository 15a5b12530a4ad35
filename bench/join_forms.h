// The forms of joins that bench/join_bench.cc measures, over Services that are made from their numbers, so that every answer is known.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace portcullis::bench {

// Service i of namespace i / 100: its own host, second host every other one, selector and label `app`; a label `team` of 10
// values.
[[nodiscard]] std::string ServiceJson(std::uint64_t i, std::uint64_t version);
// What is reviewed: like Service i, under another name.
[[nodiscard]] std::string ReviewInput(std::uint64_t i);

struct JoinForm {
  std::string_view name;
  std::string_view rules;  // Of package t, v0.
  // The value of data.t.violation for ReviewInput(i) over `objects` Services, as Rego prints it.
  std::function<std::string(std::uint64_t i, std::uint64_t objects)> answer;
};

[[nodiscard]] std::span<const JoinForm> JoinForms();
// The number of the form that can be scanned at any size: it stays within one namespace.
[[nodiscard]] std::size_t FormOfOneNamespace();

}  // namespace portcullis::bench
