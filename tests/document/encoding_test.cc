#include "document/encoding.h"

#include <cstring>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"
#include "tests/document/random_value.h"

namespace portcullis::document {
namespace {

constexpr std::string_view kIngress = R"({
  "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
  "metadata": {"name": "shop", "namespace": "web", "uid": "9b1f6c7e-2f43-4d7b-9a3f-0d3f2b5b7f10",
    "resourceVersion": "1843221", "generation": 3, "creationTimestamp": "2026-01-05T10:11:12Z",
    "labels": {"app.kubernetes.io/name": "shop", "app.kubernetes.io/part-of": "store", "team": "checkout"},
    "annotations": {"nginx.ingress.kubernetes.io/rewrite-target": "/", "cert-manager.io/cluster-issuer": "letsencrypt"}},
  "spec": {"ingressClassName": "nginx",
    "tls": [{"hosts": ["shop.example.com", "www.example.com"], "secretName": "shop-tls"}],
    "rules": [
      {"host": "shop.example.com", "http": {"paths": [
        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "shop", "port": {"number": 80}}}},
        {"path": "/api", "pathType": "Prefix", "backend": {"service": {"name": "api", "port": {"number": 8080}}}}]}},
      {"host": "www.example.com", "http": {"paths": [
        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "shop", "port": {"number": 80}}}}]}}]},
  "status": {"loadBalancer": {"ingress": [{"ip": "10.1.2.3"}]}}})";

constexpr std::string_view kPod = R"({
  "apiVersion": "v1", "kind": "Pod",
  "metadata": {"name": "shop-6d4b75cb6d-x7k2p", "generateName": "shop-6d4b75cb6d-", "namespace": "web",
    "uid": "0f4a1c8e-75a8-4a86-bb1b-6c5f7f0d3b11", "resourceVersion": "1843300",
    "labels": {"app": "shop", "pod-template-hash": "6d4b75cb6d"},
    "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop-6d4b75cb6d",
      "uid": "2d1c8f10-37e7-4f0e-a1a9-3f0b0a7a7c55", "controller": true, "blockOwnerDeletion": true}]},
  "spec": {
    "volumes": [{"name": "kube-api-access-2kx9v", "projected": {"sources": [
      {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
      {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}], "defaultMode": 420}}],
    "containers": [
      {"name": "shop", "image": "registry.example.com/shop:1.24.3", "imagePullPolicy": "IfNotPresent",
       "ports": [{"containerPort": 8080, "protocol": "TCP", "name": "http"}],
       "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "DATABASE_HOST", "value": "db.web.svc.cluster.local"}],
       "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
       "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "timeoutSeconds": 1,
         "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
       "volumeMounts": [{"name": "kube-api-access-2kx9v", "readOnly": true, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
       "securityContext": {"capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true, "allowPrivilegeEscalation": false},
       "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"},
      {"name": "sidecar", "image": "registry.example.com/proxy:2.1.0", "imagePullPolicy": "IfNotPresent",
       "ports": [{"containerPort": 9901, "protocol": "TCP", "name": "admin"}],
       "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}, "requests": {"cpu": "10m", "memory": "32Mi"}},
       "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}],
    "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
    "serviceAccountName": "default", "nodeName": "worker-7", "schedulerName": "default-scheduler",
    "tolerations": [
      {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
      {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]},
  "status": {"phase": "Running", "hostIP": "10.0.0.7", "podIP": "10.244.3.18", "qosClass": "Burstable"}})";

class EncodingTest : public testing::Test {
 protected:
  Value Parse(std::string_view text, NumberMode numbers = NumberMode::kExact) {
    return ParseJson(text, arena_, {.numbers = numbers}).value();
  }
  std::string Encoded(std::string_view json) { return Encode(Parse(json)).value(); }
  std::string ErrorOf(std::string_view bytes) {
    const Result<Value> value = OpenUntrusted(bytes, arena_);
    return value ? "no error" : value.error().ToString();
  }

  Arena arena_;
};

TEST_F(EncodingTest, GivesBackWhatWasEncoded) {
  for (const std::string_view text :
       {std::string_view("null"), std::string_view("[]"), std::string_view("{}"),
        std::string_view(
            R"([0,-1,9223372036854775807,-9223372036854775808,1.50,1e400,"",{"a":[[]]}])"),
        kIngress, kPod}) {
    const Value value = Parse(text);
    const std::string bytes = Encode(value).value();
    for (const bool trusted : {true, false}) {
      Arena arena;
      const Value opened =
          (trusted ? OpenTrusted(bytes, arena) : OpenUntrusted(bytes, arena)).value();
      EXPECT_TRUE(Equal(value, opened));
      EXPECT_EQ(ToJson(opened), ToJson(value));
      EXPECT_EQ(Hash(opened), Hash(value));
    }
  }
}

TEST_F(EncodingTest, GivesBackRandomValues) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Arena arena;
    const Value value = RandomValues(seed, arena, false).Make(5);
    const Result<std::string> bytes = Encode(value);
    ASSERT_TRUE(bytes.has_value());
    const Result<Value> opened = OpenUntrusted(*bytes, arena);
    ASSERT_TRUE(opened.has_value()) << opened.error().ToString() << ToJson(value);
    EXPECT_EQ(ToJson(*opened), ToJson(value)) << seed;
    EXPECT_TRUE(Equal(*opened, value)) << seed;
    EXPECT_EQ(Compare(*opened, value), std::strong_ordering::equal) << seed;
    EXPECT_EQ(Hash(*opened), Hash(value)) << seed;
    EXPECT_EQ(ToJson(DeepCopy(*opened, arena)), ToJson(value)) << seed;
  }
}

TEST_F(EncodingTest, FindsMembersInPlace) {
  const Value value = OpenTrusted(Encoded(kIngress), arena_).value();
  EXPECT_EQ(value.GetString({"metadata", "name"}), "shop");
  EXPECT_EQ(value.Get({"spec", "rules"}).ItemAt(1).Find("host").string(), "www.example.com");
  EXPECT_TRUE(value.Find("absent").is_undefined());
  EXPECT_TRUE(value.Find("").is_undefined());
  EXPECT_TRUE(value.Get({"spec", "rules"}).Find(Value::Int(2)).is_undefined());
  EXPECT_EQ(value.KeyAt(0).string(), "apiVersion");
  EXPECT_EQ(value.ValueAt(1).string(), "Ingress");
}

TEST_F(EncodingTest, FindsEveryKeyOfALargeObject) {
  ObjectBuilder builder(arena_);
  for (int i = 0; i < 300; ++i) {
    builder.Add(arena_.CopyString("key" + std::to_string(i)), Value::Int(i));
  }
  const Value value = OpenTrusted(Encode(builder.Finish()).value(), arena_).value();
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(value.Find("key" + std::to_string(i)).integer(), i);
  }
}

TEST_F(EncodingTest, ReadsNumbersAsGoDoesWhenAsked) {
  constexpr std::string_view kText = R"([1000000,999999,1.50,9007199254740993,1e400,-0,0.1])";
  const Value value = OpenTrusted(Encoded(kText), arena_, NumberMode::kFloat64).value();
  EXPECT_EQ(ToJson(value), "[1e+06,999999,1.5,9.007199254740992e+15,1e400,-0,0.1]");
}

TEST_F(EncodingTest, KeepsFloatsThatWereReadAsFloats) {
  const Value value = Parse("[1000000,1.5]", NumberMode::kFloat64);
  EXPECT_EQ(ToJson(OpenTrusted(Encode(value).value(), arena_).value()), "[1e+06,1.5]");
}

TEST_F(EncodingTest, StoresOnlyJson) {
  SetBuilder set(arena_);
  EXPECT_EQ(Encode(set.Finish()).error().code, ErrorCode::kInvalidArgument);
  ObjectBuilder object(arena_);
  object.Add(Value::Int(1), Value::Null());
  EXPECT_EQ(Encode(object.Finish()).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(EncodingTest, StoresAtMostThousandLevels) {
  const auto nested = [this](int depth) {
    Value value = Value::Null();
    for (int i = 0; i < depth; ++i) {
      ArrayBuilder builder(arena_);
      builder.Add(value);
      value = builder.Finish();
    }
    return value;
  };
  EXPECT_TRUE(OpenUntrusted(Encode(nested(1000)).value(), arena_).has_value());
  EXPECT_EQ(Encode(nested(1001)).error().code, ErrorCode::kExhausted);
}

TEST_F(EncodingTest, ReadsTheIdentityWithoutTheNodes) {
  const ObjectIdentity identity = IdentityOfEncoded(Encoded(kIngress)).value();
  EXPECT_EQ(identity, IdentityOf(Parse(kIngress)).value());
  EXPECT_EQ(identity.type.ToString(), "networking.k8s.io/v1/Ingress");
  EXPECT_EQ(identity.resource_version, "1843221");
  EXPECT_EQ(IdentityOfEncoded(Encoded("[]")).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(EncodingTest, TakesAtMostTwiceTheJson) {
  for (const std::string_view text : {kIngress, kPod}) {
    const std::string json = ToJson(Parse(text));
    const std::string bytes = Encoded(text);
    RecordProperty("json_bytes", std::to_string(json.size()));
    RecordProperty("encoded_bytes", std::to_string(bytes.size()));
    EXPECT_LE(bytes.size(), 2 * json.size()) << "JSON of " << json.size() << " bytes";
  }
}

TEST_F(EncodingTest, RefusesWhatIsNoMessage) {
  EXPECT_EQ(ErrorOf(""), "encoded document: of 0 bytes, which is not whole words");
  EXPECT_EQ(ErrorOf("1234567"), "encoded document: of 7 bytes, which is not whole words");
  const std::string null_root("\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0", 16);
  EXPECT_EQ(ErrorOf(null_root), "encoded document: of version 0; this program reads up to 1");
  EXPECT_NE(ErrorOf(std::string(64, '\xFF')), "no error");
}

TEST_F(EncodingTest, SurvivesEveryCutAndEveryFlippedBit) {
  const std::string bytes = Encoded(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"n":[1.5,{"b":12345678901234567890,"c":-9223372036854775808}]})");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Arena arena;
    EXPECT_FALSE(OpenUntrusted(bytes.substr(0, size), arena).has_value()) << size;
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    Arena arena;
    const Result<Value> value = OpenUntrusted(flipped, arena);
    if (value) {
      EXPECT_FALSE(ToJson(*value).empty());
    } else {
      EXPECT_EQ(value.error().code, ErrorCode::kCorruption);
    }
  }
}

}  // namespace
}  // namespace portcullis::document
