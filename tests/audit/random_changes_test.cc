// After each of many random changes of objects, Namespaces, constraints, templates and Config, what is kept by change equals what
// a full pass finds without any index. PORTCULLIS_LONG makes it 10,000 changes, PORTCULLIS_SEED others.

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/audit/audit_world.h"

namespace portcullis::audit {
namespace {

struct PolicyText {
  std::string kind;
  std::string rego;
};

std::string Template(const PolicyText& policy, int edition) {
  std::string rego = policy.rego;
  std::string indented;
  for (const char c : rego) {
    indented += c;
    if (c == '\n') {
      indented += "      ";
    }
  }
  std::string name = policy.kind;
  for (char& c : name) {
    c = static_cast<char>(std::tolower(c));
  }
  return fmt::format(R"(apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {{name: {}}}
spec:
  crd:
    spec:
      names: {{kind: {}}}
      validation:
        openAPIV3Schema: {{type: object, properties: {{word: {{type: string}}}}}}
  targets:
  - target: admission.k8s.gatekeeper.sh
    rego: |
      package p
      # edition {}
      {}
)",
                     name, policy.kind, edition, indented);
}

// By every way in which a policy can read the inventory.
const std::vector<PolicyText> kPolicies = {
    {"UniqueHost", R"rego(identical(obj, review) {
  obj.metadata.namespace == review.object.metadata.namespace
  obj.metadata.name == review.object.metadata.name
}
violation[{"msg": msg, "details": {"other": name}}] {
  host := input.review.object.spec.rules[_].host
  other := data.inventory.namespace[_][version]["Ingress"][name]
  re_match("^networking.k8s.io/.+$", version)
  other.spec.rules[_].host == host
  not identical(other, input.review)
  msg := sprintf("%v is taken by %v (%v)", [host, name, input.parameters.word])
})rego"},
    {"UniqueSelector", R"rego(flat(obj) = out {
  parts := [p | v := obj.spec.selector[k]; p := concat(":", [k, v])]
  out := concat(",", sort(parts))
}
violation[{"msg": msg}] {
  mine := flat(input.review.object)
  other := data.inventory.namespace[ns][_]["Service"][name]
  [ns, name] != [input.review.object.metadata.namespace, input.review.object.metadata.name]
  flat(other) == mine
  msg := sprintf("same selector as %v/%v", [ns, name])
})rego"},
    {"FewIngresses", R"rego(violation[{"msg": msg}] {
  all := [o | o := data.inventory.namespace[_][_]["Ingress"][_]; o.metadata.labels.team == input.review.object.metadata.labels.team]
  count(all) > 3
  msg := sprintf("%d of one team", [count(all)])
})rego"},
    {"HasClass", R"rego(violation[{"msg": "no classes are known"}] {
  not data.inventory.cluster["storage.k8s.io/v1"]["StorageClass"]
}
violation[{"msg": msg}] {
  class := input.review.object.spec.class
  not data.inventory.cluster["storage.k8s.io/v1"].StorageClass[class]
  names := [n | data.inventory.cluster["storage.k8s.io/v1"].StorageClass[n]]
  msg := sprintf("%v is none of %v", [class, names])
})rego"},
    {"HasTarget", R"rego(violation[{"msg": msg}] {
  ref := input.review.object.spec.target
  not data.inventory.namespace[input.review.object.metadata.namespace][ref.apiVersion][ref.kind][ref.name]
  msg := sprintf("%v %v is not there", [ref.kind, ref.name])
})rego"},
    {"NamespaceTeam", R"rego(violation[{"msg": msg}] {
  team := input.review.namespaceObject.metadata.labels.team
  team != object.get(input.review.object.metadata.labels, "team", "none")
  msg := sprintf("not of team %v", [team])
})rego"},
    {"Whole", R"rego(violation[{"msg": msg}] {
  kinds := {k | data.inventory.namespace[_][_][k]}
  msg := sprintf("%v and %v", [count(data.inventory.cluster), kinds])
})rego"},
    {"KeysOfNamespaces", R"rego(violation[{"msg": msg}] {
  count({n | data.inventory.namespace[n]["v1"]}) > 2
  msg := concat(" ", [n | data.inventory.namespace[n]["v1"]])
})rego"}};

class RandomChanges {
 public:
  explicit RandomChanges(std::uint64_t seed) : random_(seed) {}

  // One change; a word for people.
  std::string Change() {
    const int what = Below(100);
    if (what < 62) {
      const std::string object = Object();
      if (Below(3) == 0) {
        world.DeleteObject(object);
        return "delete " + object;
      }
      world.PutObject(object);
      return "put " + object;
    }
    if (what < 72) {
      const std::string name = Pick({"a", "b", "c", "d"});
      if (Below(4) == 0) {
        world.RemoveNamespace(name);
        return "no namespace " + name;
      }
      const std::string manifest = fmt::format(
          "{{apiVersion: v1, kind: Namespace, metadata: {{name: {}, labels: {{team: {}}}}}}}", name,
          Pick({"red", "blue"}));
      world.PutNamespace(name, manifest);
      return manifest;
    }
    if (what < 88) {
      return ChangeConstraint();
    }
    if (what < 93) {
      const PolicyText& policy =
          kPolicies[static_cast<std::size_t>(Below(static_cast<int>(kPolicies.size())))];
      std::string name = policy.kind;
      for (char& c : name) {
        c = static_cast<char>(std::tolower(c));
      }
      if (Below(3) == 0) {
        world.RemoveTemplate(name);
      } else {
        world.PutTemplate(Template(policy, Below(3)));
      }
      world.TellPolicies();
      return "template " + policy.kind;
    }
    if (what < 96) {
      world.SetExclusions(Pick({"[]", "[{processes: [audit], excludedNamespaces: [a]}]",
                                "[{processes: ['*'], excludedNamespaces: [b, 'c*']}]"}));
      world.TellPolicies();
      return "exclusions";
    }
    if (what < 98) {
      world.Wipe("networking.k8s.io/v1", "Ingress");
      return "wipe";
    }
    world.Restart();
    return "restart";
  }

  int Below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

  AuditWorld world;

 private:
  std::string Pick(const std::vector<std::string>& from) {
    return from[static_cast<std::size_t>(Below(static_cast<int>(from.size())))];
  }

  std::string ChangeConstraint() {
    const std::string kind =
        kPolicies[static_cast<std::size_t>(Below(static_cast<int>(kPolicies.size())))].kind;
    const std::string name = Pick({"one", "two"});
    if (Below(4) == 0) {
      world.RemoveConstraint(kind, name);
      world.TellPolicies();
      return "no " + kind + "/" + name;
    }
    const std::string match =
        Pick({"{}", "{kinds: [{apiGroups: ['*'], kinds: [Ingress, Service]}]}",
              "{kinds: [{apiGroups: ['networking.k8s.io'], kinds: [Ingress]}], namespaces: [a, b]}",
              "{namespaceSelector: {matchLabels: {team: red}}}", "{excludedNamespaces: ['c*']}",
              "{labelSelector: {matchLabels: {team: red}}}"});
    const std::string manifest = fmt::format(
        "{{apiVersion: constraints.gatekeeper.sh/v1beta1, kind: {}, metadata: {{name: {}}}, "
        "spec: {{enforcementAction: {}, match: {}, parameters: {{word: {}}}}}}}",
        kind, name, Pick({"deny", "warn"}), match, Pick({"x", "z"}));
    world.PutConstraint(manifest);
    world.TellPolicies();
    return manifest;
  }

  std::string Object() {
    const std::string space = Pick({"a", "b", "c", "d"});
    const std::string name = Pick({"n1", "n2", "n3", "n4"});
    const std::string team = Pick({"red", "blue"});
    const std::string head = fmt::format(
        "metadata: {{namespace: {}, name: {}, labels: {{team: {}}}, resourceVersion: '{}'}}", space,
        name, team, ++version_);
    switch (Below(6)) {
      case 0:
      case 1:
        return fmt::format(
            "{{apiVersion: networking.k8s.io/v1, kind: Ingress, {}, spec: {{rules: [{{host: h{}}}, "
            "{{host: h{}}}]}}}}",
            head, Below(6), Below(6));
      case 2:
        return fmt::format(
            "{{apiVersion: v1, kind: Service, {}, spec: {{selector: {{app: s{}{}}}}}}}", head,
            Below(3), Below(2) == 0 ? ", tier: t" : "");
      case 3:
        return fmt::format("{{apiVersion: v1, kind: Claim, {}, spec: {{class: c{}}}}}", head,
                           Below(3));
      case 4:
        return fmt::format(
            "{{apiVersion: autoscaling/v2, kind: Scaler, {}, spec: {{target: {{apiVersion: v1, "
            "kind: Service, name: n{}}}}}}}",
            head, 1 + Below(4));
      default:
        return fmt::format(
            "{{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {{name: c{}, "
            "resourceVersion: '{}'}}}}",
            Below(3), version_);
    }
  }

  std::mt19937_64 random_;
  int version_ = 0;
};

TEST(RandomChanges, WhatIsKeptByChangeEqualsAFullPass) {
  const char* given = std::getenv("PORTCULLIS_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20260801;
  const int changes = std::getenv("PORTCULLIS_LONG") != nullptr ? 10000 : 300;
  std::cout << "seed " << seed << "\n";
  RandomChanges changing(seed);
  AuditWorld& world = changing.world;
  for (const PolicyText& policy : kPolicies) {
    world.PutTemplate(Template(policy, 0));
  }
  world.TellPolicies();
  std::string last;
  std::size_t most = 0;
  for (int i = 0; i < changes; ++i) {
    // Sometimes several come before the keeper has done with the first.
    last = changing.Change();
    for (int more = changing.Below(4) - 2; more > 0; --more) {
      world.Step(changing.Below(3));
      last += "\n" + changing.Change();
    }
    world.Settle();
    const std::string kept = world.Kept();
    ASSERT_EQ(kept, world.FullPass()) << "after change " << i << ": " << last;
    most = std::max(most, kept.size());
  }
  EXPECT_GT(most, 1000U);
}

}  // namespace
}  // namespace portcullis::audit
