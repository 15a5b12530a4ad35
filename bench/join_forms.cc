#include "bench/join_forms.h"

#include <vector>

#include <fmt/format.h>

namespace portcullis::bench {
namespace {

std::string NameOf(std::uint64_t i) {
  return fmt::format("svc-{:07d}", i);
}

// {"svc-0000017"}
std::string OwnName(std::uint64_t i, std::uint64_t) {
  return "{\"" + NameOf(i) + "\"}";
}

std::string Taken(std::uint64_t, std::uint64_t) {
  return R"({"taken"})";
}

std::string Free(std::uint64_t, std::uint64_t) {
  return R"({"free"})";
}

std::string One(std::uint64_t, std::uint64_t) {
  return "{1}";
}

// How many have the same team.
std::string TeamSize(std::uint64_t i, std::uint64_t objects) {
  return "{" + std::to_string(objects / 10 + (i % 10 < objects % 10 ? 1 : 0)) + "}";
}

const std::vector<JoinForm>& Forms() {
  static const std::vector<JoinForm> forms = {
      {"equality within one namespace", R"(
violation[name] {
  other := data.inventory.namespace[input.object.metadata.namespace].v1.Service[name]
  other.spec.rules[_].host == input.object.spec.rules[0].host
})",
       OwnName},
      {"equality with a path", R"(
violation[name] {
  other := data.inventory.namespace[_][_].Service[name]
  other.spec.rules[_].host == input.object.spec.rules[0].host
  other.metadata.uid != "none"
})",
       OwnName},
      {"a key of a map that is bound", R"(
violation[name] {
  label := input.labels[_]
  other := data.inventory.namespace[_][_].Service[name]
  other.metadata.labels[label] == input.object.metadata.labels[label]
})",
       OwnName},
      {"a function of the object", R"(
flat(o) = joined { joined := concat(",", sort([concat(":", [k, v]) | v := o.spec.selector[k]])) }
violation[name] {
  other := data.inventory.namespace[_][_].Service[name]
  flat(other) == flat(input.object)
})",
       OwnName},
      {"containment by difference", R"(
violation[name] {
  labels := {[k, v] | v := input.object.metadata.labels[k]}
  other := data.inventory.namespace[_][_].Service[name]
  count({[k, v] | v := other.spec.selector[k]} - labels) == 0
})",
       OwnName},
      {"containment by every", R"(
import future.keywords.every
violation[name] {
  hosts := {h | h := input.object.spec.rules[_].host}
  other := data.inventory.namespace[_][_].Service[name]
  every rule in other.spec.names { hosts[rule] }
})",
       OwnName},
      {"membership", R"(
import future.keywords.in
violation[name] {
  other := data.inventory.namespace[_][_].Service[name]
  other.spec.host in [input.object.spec.rules[0].host, "nobody.example"]
})",
       OwnName},
      {"several equalities", R"(
violation[name] {
  other := data.inventory.namespace[_][_].Service[name]
  other.metadata.labels.team == input.object.metadata.labels.team
  other.spec.host == input.object.spec.rules[0].host
})",
       OwnName},
      {"absence", R"(
taken(host) { data.inventory.namespace[_][_].Service[_].spec.host == host }
violation["free"] { not taken("nobody.example") })",
       Free},
      {"a set of the whole inventory asked for one", R"(
violation["taken"] {
  all := [o | o = data.inventory.namespace[_][_][_][_]]
  values := {v | o = all[_]; v = o.metadata.labels[input.labels[0]]}
  count({input.object.metadata.labels.app} - values) == 0
})",
       Taken},
      {"a rule that collects", R"(
services[s] { s := data.inventory.namespace[_][_].Service[_] }
violation[name] {
  s := services[_]
  s.spec.host == input.object.spec.rules[0].host
  name := s.metadata.name
})",
       OwnName},
      {"a count of what matches", R"(
violation[n] {
  n := count([1 | o := data.inventory.namespace[_][_].Service[_]; o.spec.host == input.object.spec.rules[0].host])
})",
       One},
      {"one scan's result is the other's key", R"(
violation[name] {
  s := data.inventory.namespace[ns][_].Service[_]
  s.spec.host == input.object.spec.rules[0].host
  o := data.inventory.namespace[ns][_].Service[name]
  o.spec.selector.app == s.metadata.labels.app
})",
       OwnName},
      {"a get by keys of the review", R"(
violation[name] {
  o := data.inventory.namespace[input.object.metadata.namespace].v1.Service[input.name]
  name := o.metadata.name
})",
       OwnName},
      {"a hot key, one witness", R"(
team(t) { data.inventory.namespace[_][_].Service[_].metadata.labels.team == t }
violation["taken"] { team(input.object.metadata.labels.team) })",
       Taken},
      {"a hot key, all matches", R"(
violation[n] {
  n := count([1 | o := data.inventory.namespace[_][_].Service[_]; o.metadata.labels.team == input.object.metadata.labels.team])
})",
       TeamSize},
  };
  return forms;
}

}  // namespace

std::string ServiceJson(std::uint64_t i, std::uint64_t version) {
  const std::string second =
      i % 2 == 1 ? fmt::format(R"(,{{"host":"b{:07d}.apps.example.com"}})", i) : "";
  return fmt::format(
      R"({{"apiVersion":"v1","kind":"Service","metadata":{{"name":"{0}","namespace":"team-{1:05d}","uid":"4e0f3a52-7f6b-4f0e-9d1e-{2:012d}","resourceVersion":"{3}","labels":{{"app":"app-{2:07d}","team":"t{4}"}}}},"spec":{{"host":"h{2:07d}.apps.example.com","names":["h{2:07d}.apps.example.com"],"selector":{{"app":"app-{2:07d}","team":"t{4}"}},"type":"ClusterIP","ports":[{{"name":"http","port":80,"protocol":"TCP"}}],"rules":[{{"host":"h{2:07d}.apps.example.com"}}{5}]}},"status":{{"loadBalancer":{{}}}}}})",
      NameOf(i), i / 100, i, version, i % 10, second);
}

std::string ReviewInput(std::uint64_t i) {
  return fmt::format(
      R"({{"labels":["app"],"name":"{0}","object":{{"metadata":{{"name":"new","namespace":"team-{1:05d}","labels":{{"app":"app-{2:07d}","team":"t{3}"}}}},"spec":{{"selector":{{"app":"app-{2:07d}","team":"t{3}"}},"rules":[{{"host":"h{2:07d}.apps.example.com"}}]}}}}}})",
      NameOf(i), i / 100, i, i % 10);
}

std::span<const JoinForm> JoinForms() {
  return Forms();
}

std::size_t FormOfOneNamespace() {
  return 0;
}

}  // namespace portcullis::bench
