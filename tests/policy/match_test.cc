#include "rules/policy/match.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/policy/support.h"

namespace portcullis::policy {
namespace {

constexpr const char* kPod =
    "{apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop, labels: {app: web, tier: "
    "front}}}";
constexpr const char* kDeployment =
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: kube-system}}";
constexpr const char* kNode = "{apiVersion: v1, kind: Node, metadata: {name: node-1}}";
constexpr const char* kNamespace =
    "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {env: prod}}}";

struct Row {
  const char* match;
  const char* object;
  bool want;
  const char* name_space = "";
};

TEST(MatchTest, EachCriterionHoldsOrFails) {
  const Row rows[] = {
      {"{}", kPod, true},
      // kinds
      {"{kinds: []}", kPod, true},
      {"{kinds: [{kinds: [Pod]}]}", kPod, true},
      {"{kinds: [{kinds: [Pod]}]}", kDeployment, false},
      {"{kinds: [{apiGroups: [''], kinds: [Pod]}]}", kPod, true},
      {"{kinds: [{apiGroups: [apps], kinds: [Pod]}]}", kPod, false},
      {"{kinds: [{apiGroups: [apps], kinds: ['*']}]}", kDeployment, true},
      {"{kinds: [{apiGroups: ['*'], kinds: [Deployment]}]}", kDeployment, true},
      {"{kinds: [{apiGroups: [apps]}]}", kDeployment, true},
      {"{kinds: [{apiGroups: [x], kinds: [Pod]}, {kinds: [Deployment]}]}", kDeployment, true},
      {"{kinds: [{kinds: ['Po*']}]}", kPod, false},
      // scope
      {"{scope: Cluster}", kNode, true},
      {"{scope: Cluster}", kNamespace, true},
      {"{scope: Cluster}", kPod, false},
      {"{scope: Namespaced}", kPod, true},
      {"{scope: Namespaced}", kNamespace, false},
      {"{scope: Namespaced}", kNode, false},
      {"{scope: '*'}", kNode, true},
      {"{scope: cluster}", kPod, true},
      {"{scope: Cluster}", kNode, false, "{}"},
      {"{scope: Namespaced}", kNode, true, "{}"},
      // namespaces
      {"{namespaces: [shop]}", kPod, true},
      {"{namespaces: [other]}", kPod, false},
      {"{namespaces: [sh*]}", kPod, true},
      {"{namespaces: ['*op']}", kPod, true},
      {"{namespaces: ['*ho*']}", kPod, true},
      {"{namespaces: ['*']}", kPod, true},
      {"{namespaces: [kube-*]}", kDeployment, true},
      {"{namespaces: [other]}", kNode, true},
      {"{namespaces: [shop]}", kNamespace, true},
      {"{namespaces: [other]}", kNamespace, false},
      {"{namespaces: [real]}", kPod, true, "{metadata: {name: real}}"},
      {"{excludedNamespaces: [kube-*]}", kDeployment, false},
      {"{excludedNamespaces: [kube-*]}", kPod, true},
      {"{excludedNamespaces: [shop]}", kNamespace, false},
      {"{excludedNamespaces: ['*']}", kNode, true},
      {"{namespaces: [shop], excludedNamespaces: [shop]}", kPod, false},
      // labelSelector
      {"{labelSelector: {}}", kNode, true},
      {"{labelSelector: {matchLabels: {app: web}}}", kPod, true},
      {"{labelSelector: {matchLabels: {app: db}}}", kPod, false},
      {"{labelSelector: {matchExpressions: [{key: app, operator: In, values: [db, web]}]}}", kPod,
       true},
      {"{labelSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}", kPod,
       false},
      {"{labelSelector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}", kNode,
       true},
      {"{labelSelector: {matchExpressions: [{key: app, operator: Exists}]}}", kPod, true},
      {"{labelSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}}", kPod, false},
      {"{labelSelector: {matchLabels: {app: web}, matchExpressions: [{key: x, operator: Exists}]}}",
       kPod, false},
      // namespaceSelector
      {"{namespaceSelector: {matchLabels: {env: prod}}}", kNamespace, true},
      {"{namespaceSelector: {matchLabels: {env: test}}}", kNamespace, false},
      {"{namespaceSelector: {matchLabels: {env: prod}}}", kNode, true},
      {"{namespaceSelector: {matchLabels: {env: prod}}}", kPod, true, kNamespace},
      {"{namespaceSelector: {matchLabels: {env: test}}}", kPod, false, kNamespace},
      // name
      {"{name: web-1}", kPod, true},
      {"{name: web}", kPod, false},
      {"{name: web-*}", kPod, true},
      {"{name: '*-1'}", kPod, true},
      {"{name: ''}", kPod, true},
      {"{name: web-*}", "{kind: Pod, metadata: {generateName: web-}}", true},
      {"{name: '*eb*'}", "{kind: Pod, metadata: {generateName: web-}}", true},
      {"{name: '*-'}", "{kind: Pod, metadata: {generateName: web-}}", false},
      {"{name: web-}", "{kind: Pod, metadata: {generateName: web-}}", false},
      // source
      {"{source: All}", kPod, true},
      {"{source: Original}", kPod, true},
      {"{source: Generated}", kPod, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.match) + " on " + row.object);
    Documents documents;
    const auto match = Match::Parse(documents.Yaml(row.match));
    ASSERT_TRUE(match.has_value());
    MatchTarget target{.object = documents.Yaml(row.object),
                       .old_object = {},
                       .name_space = {},
                       .source = "Original"};
    if (*row.name_space != '\0') {
      target.name_space = documents.Yaml(row.name_space);
    }
    const auto matched = match->Matches(target);
    ASSERT_TRUE(matched.has_value()) << matched.error().message;
    EXPECT_EQ(*matched, row.want);
  }
}

TEST(MatchTest, EitherObjectOfAnUpdateIsEnough) {
  Documents documents;
  const auto match = Match::Parse(documents.Yaml("{labelSelector: {matchLabels: {app: web}}}"));
  ASSERT_TRUE(match.has_value());
  const MatchTarget target{
      .object = documents.Yaml("{kind: Pod, metadata: {name: a}}"),
      .old_object = documents.Yaml("{kind: Pod, metadata: {name: a, labels: {app: web}}}"),
      .name_space = {},
      .source = "Original"};
  EXPECT_TRUE(match->Matches(target).value());
}

TEST(MatchTest, WhatCannotBeDecidedIsAnError) {
  struct {
    const char* match;
    const char* object;
    const char* source;
    const char* want;
  } const rows[] = {
      {"{namespaceSelector: {matchLabels: {a: b}}}", kPod, "Original",
       "error matching the requested object: web-1 :failed to run Match criteria: namespace "
       "selector for "
       "namespace-scoped object but missing Namespace"},
      {"{source: Original}", kPod, "",
       "error matching the requested object: web-1 :failed to run Match criteria: source field not "
       "specified for "
       "resource web-1"},
      {"{source: Other}", kPod, "Original",
       "error matching the requested object: web-1 :failed to run Match criteria: invalid source "
       "field \"Other\""},
      {"{scope: Cluster}", "null", "Original",
       "invalid request object: neither object nor old object are defined"},
      {"{scope: Cluster}", "{metadata: {name: a}}", "Original",
       "invalid request object: failed to unmarshal gkReview object "
       "{\"metadata\":{\"name\":\"a\"}}"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.match);
    Documents documents;
    const auto match = Match::Parse(documents.Yaml(row.match));
    ASSERT_TRUE(match.has_value());
    const MatchTarget target{.object = documents.Yaml(row.object),
                             .old_object = {},
                             .name_space = {},
                             .source = row.source};
    const auto matched = match->Matches(target);
    ASSERT_FALSE(matched.has_value());
    EXPECT_EQ(matched.error().message, row.want);
  }
}

TEST(MatchTest, NothingGivenMatchesEvenAReviewWithoutObjects) {
  const auto match = Match::Parse({});
  ASSERT_TRUE(match.has_value());
  EXPECT_TRUE(match->Matches(MatchTarget{}).value());
}

TEST(MatchTest, ASelectorThatKubernetesRefusesIsRefusedWithItsText) {
  struct {
    const char* match;
    const char* want;
  } const rows[] = {
      {"{labelSelector: {matchLabels: {app: 'a b'}}}",
       "spec.labelSelector.matchLabels: Invalid value: \"a b\": a valid label must be an empty "
       "string or consist of "
       "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
       "character (e.g. "
       "'MyValue',  or 'my_value',  or '12345', regex used for validation is "
       "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"},
      {"{namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}",
       "spec.labelSelector.matchExpressions[0].values: Required value: must be specified when "
       "`operator` is 'In' or "
       "'NotIn'"},
      {"{labelSelector: {matchExpressions: [{key: a, operator: Exists, values: [x]}]}}",
       "spec.labelSelector.matchExpressions[0].values: Forbidden: may not be specified when "
       "`operator` is 'Exists' or "
       "'DoesNotExist'"},
      {"{labelSelector: {matchExpressions: [{key: a, operator: Is}]}}",
       "spec.labelSelector.matchExpressions[0].operator: Invalid value: \"Is\": not a valid "
       "selector operator"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.match);
    Documents documents;
    const auto match = Match::Parse(documents.Yaml(row.match));
    ASSERT_FALSE(match.has_value());
    EXPECT_EQ(match.error().message, row.want);
  }
}

}  // namespace
}  // namespace portcullis::policy
