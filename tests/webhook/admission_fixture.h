// A world with an Ingress whose host is taken, a policy that looks for it, and two that take their time.

#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "tests/policy/manifests.h"
#include "tests/webhook/admission_world.h"

namespace portcullis::webhook {

inline constexpr std::string_view kJson = "application/json";

inline constexpr std::string_view kOneHost = R"(violation[{"msg": msg}] {
  host := input.review.object.spec.rules[_].host
  other := data.inventory.namespace[_][_].Ingress[_]
  other.spec.rules[_].host == host
  other.metadata.name != input.review.object.metadata.name
  msg := sprintf("host %v is taken by %v", [host, other.metadata.name])
})";
inline constexpr std::string_view kFewIngresses = R"(violation[{"msg": msg}] {
  all := [1 | data.inventory.namespace[_][_].Ingress[_].metadata.name]
  count(all) > 100
  msg := "too many"
})";
inline constexpr std::string_view kSlowly = R"(violation[{"msg": msg}] {
  xs := numbers.range(1, 3000)
  [x, y, z] := [xs[_], xs[_], xs[_]]
  x + y + z == 0
  msg := "found"
})";
inline constexpr std::string_view kConstraintsAndObjects = R"(
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: OneHost
metadata: {name: one-host}
spec: {match: {kinds: [{apiGroups: [networking.k8s.io], kinds: [Ingress]}]}}
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: FewIngresses
metadata: {name: few}
spec: {match: {kinds: [{apiGroups: [""], kinds: [Service]}]}}
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: Slowly
metadata: {name: slowly}
spec: {enforcementAction: warn, match: {kinds: [{apiGroups: [""], kinds: [Secret]}]}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: shop}
spec: {rules: [{host: taken.example.com}]}
)";

// An AdmissionReview of a new object of this kind in the namespace "shop"; `more` are further members of the request.
inline std::string ReviewOf(std::string_view group, std::string_view kind, std::string_view spec,
                            std::string_view more = "") {
  const std::string api_version = (group.empty() ? "" : std::string(group) + "/") + "v1";
  return R"({"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1",)"
         R"("kind":{"group":")" +
         std::string(group) + R"(","version":"v1","kind":")" + std::string(kind) +
         R"("},"name":"new","namespace":"shop","operation":"CREATE",)" + std::string(more) +
         R"("userInfo":{"username":"alice"},"object":{"apiVersion":")" + api_version +
         R"(","kind":")" + std::string(kind) +
         R"(","metadata":{"name":"new","namespace":"shop"},"spec":)" + std::string(spec) +
         R"(},"oldObject":null}})";
}

inline std::string Ingress(std::string_view host, std::string_view more = "") {
  return ReviewOf("networking.k8s.io", "Ingress",
                  R"({"rules":[{"host":")" + std::string(host) + R"("}]})", more);
}

class Admission : public testing::Test {
 protected:
  Admission() { LoadAll(); }

  void LoadAll() {
    world_.Load(policy::TemplateManifest("OneHost", kOneHost));
    world_.Load(policy::TemplateManifest("FewIngresses", kFewIngresses));
    world_.Load(policy::TemplateManifest("Slowly", kSlowly));
    world_.Load(kConstraintsAndObjects);
  }

  double Requests(const char* status, const char* dry_run = "false") {
    return world_.metrics
        .GetCounter("gatekeeper_validation_request_count_total", "",
                    {{"admission_status", status}, {"admission_dryrun", dry_run}})
        .value();
  }

  AdmissionWorld world_;
};

}  // namespace portcullis::webhook
