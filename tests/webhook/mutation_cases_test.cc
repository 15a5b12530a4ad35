// The cases of tests/cases/mutation: replies, mutated objects and statuses equal those of OPA Gatekeeper.

#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "document/json.h"
#include "document/yaml.h"
#include "tests/webhook/admission_world.h"
#include "webhook/mutation.h"

namespace portcullis::webhook {
namespace {

using document::Value;

std::filesystem::path MutationCases() {
  return std::filesystem::path(PORTCULLIS_SOURCE_DIR) / "tests" / "cases" / "mutation";
}

std::string Read(const std::filesystem::path& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string FromBase64(const std::string& text) {
  std::string bytes(text.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  bytes.resize(static_cast<std::size_t>(size));
  while (text.ends_with('=') && bytes.ends_with('\0')) {
    bytes.pop_back();
  }
  return bytes;
}

class MutationCasesTest : public testing::Test {
 protected:
  MutationCasesTest() {
    const std::string text = Read(MutationCases() / "setup.yaml");
    const auto documents = document::ParseManifests(text, arena_);
    EXPECT_TRUE(documents) << documents.error().ToString();
    for (const document::YamlDocument& each : *documents) {
      if (each.value.GetString({"kind"}) == "Namespace") {
        namespaces_.objects[std::string(each.value.GetString({"metadata", "name"}))] = each.value;
      } else {
        const auto put = mutators_.Put(each.value);
        EXPECT_TRUE(put) << put.error().message;
      }
    }
    handler_ = std::make_unique<MutationHandler>(mutators_, namespaces_, excluder_, nullptr, clock_,
                                                 Logger::Silent(), metrics_, MutationOptions());
  }

  Value Cases(const char* file) {
    const std::string text = Read(MutationCases() / file);
    const auto documents = document::ParseYaml(text, arena_);
    EXPECT_TRUE(documents) << documents.error().ToString();
    return documents->front().value;
  }

  // Without the patch, and what is random made known.
  nlohmann::json Reply(const std::string& body, std::string* patch) {
    std::string reply;
    handler_->Mutate("application/json", body, {}, &reply);
    static const std::regex id(
        "(mutation )[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
    auto json = nlohmann::json::parse(std::regex_replace(reply, id, "$1UUID"));
    auto& response = json["response"];
    if (response.contains("patch")) {
      *patch = FromBase64(response["patch"].get<std::string>());
      EXPECT_EQ(response["patchType"], "JSONPatch");
      response.erase("patch");
      response.erase("patchType");
    }
    return json;
  }

  SystemClock clock_;
  Metrics metrics_;
  KnownNamespaces namespaces_;
  PrefixExcluded excluder_;
  mutation::MutationStore mutators_;
  document::Arena arena_;
  std::unique_ptr<MutationHandler> handler_;
};

TEST_F(MutationCasesTest, RepliesAndObjectsAreGatekeepers) {
  const Value cases = Cases("reviews.yaml");
  ASSERT_GT(cases.size(), 200U);
  for (std::uint32_t i = 0; i < cases.size(); ++i) {
    const Value each = cases.ItemAt(i);
    const std::string name(each.GetString({"name"}));
    const std::string body(each.GetString({"body"}));
    // A case may say where and why this program answers otherwise.
    const Value ours = each.Find("ours");
    const auto want =
        nlohmann::json::parse(ours.is_string() ? ours.string() : each.GetString({"want"}));
    std::string patch;
    EXPECT_EQ(Reply(body, &patch).dump(), want.dump()) << name << "\n" << body.substr(0, 1000);
    const Value object = each.Find("object");
    EXPECT_EQ(object.is_string(), !patch.empty()) << name << "\n" << body.substr(0, 1000) << patch;
    if (object.is_string() && !patch.empty()) {
      const auto before = nlohmann::json::parse(body)["request"]["object"];
      const auto after = before.patch(nlohmann::json::parse(patch));
      const auto wanted = nlohmann::json::parse(object.string());
      EXPECT_TRUE(after == wanted) << name << "\nis   " << after.dump().substr(0, 1000) << "\nwant "
                                   << wanted.dump().substr(0, 1000);
    }
  }
}

TEST_F(MutationCasesTest, MutatorsAreRefusedInGatekeepersWords) {
  const Value cases = Cases("admissions.yaml");
  ASSERT_GT(cases.size(), 100U);
  AdmissionWorld world;
  const auto handler = world.MakeHandler();
  for (std::uint32_t i = 0; i < cases.size(); ++i) {
    const Value each = cases.ItemAt(i);
    const Value ours = each.Find("ours");
    EXPECT_EQ(handler->Admit("application/json", each.GetString({"body"})).body,
              ours.is_string() ? ours.string() : each.GetString({"want"}))
        << each.GetString({"name"});
  }
}

TEST_F(MutationCasesTest, StatusesAreGatekeepers) {
  const Value cases = Cases("statuses.yaml");
  ASSERT_GT(cases.size(), 5U);
  std::map<std::string, std::string> want;
  for (std::uint32_t i = 0; i < cases.size(); ++i) {
    const Value each = cases.ItemAt(i);
    want[std::string(each.GetString({"kind"})) + " " + std::string(each.GetString({"name"}))] =
        std::string(each.GetString({"type"})) + ": " + std::string(each.GetString({"message"}));
  }
  std::map<std::string, std::string> is;
  for (const mutation::MutatorStatus& status : mutators_.Statuses()) {
    for (const mutation::MutatorError& error : status.errors) {
      is[std::string(mutation::NameOf(status.id.kind)) + " " + status.id.name] =
          error.type + ": " + error.message;
    }
  }
  EXPECT_EQ(is, want);
}

}  // namespace
}  // namespace portcullis::webhook
