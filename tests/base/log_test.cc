#include "base/log.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace portcullis {
namespace {

class LogTest : public testing::Test {
 protected:
  LogTest() {
    std::string name = (std::filesystem::path(testing::TempDir()) / "log-XXXXXX").string();
    directory_ = mkdtemp(name.data());
    file_ = directory_ / "log";
  }
  ~LogTest() override { std::filesystem::remove_all(directory_); }

  std::string Written() const {
    std::ifstream in(file_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::filesystem::path directory_;
  std::filesystem::path file_;
};

TEST_F(LogTest, WritesOneJsonObjectALine) {
  const auto logger = Logger::Create(LogLevel::kInfo, file_.string())->Named("replicator");
  logger->Info("listed \"all\"\n",
               {{"kind", "Ingress"}, {"objects", 10}, {"share", 0.5}, {"done", true}});
  const std::string line = Written();
  EXPECT_TRUE(line.starts_with(R"({"level":"info","ts":)")) << line;
  EXPECT_TRUE(line.ends_with(
      R"(,"logger":"replicator","msg":"listed \"all\"\n","kind":"Ingress","objects":10,"share":0.5,"done":true})"
      "\n"))
      << line;
}

TEST_F(LogTest, LeavesOutWhatIsLessGraveThanItsLevel) {
  const auto logger = Logger::Create(LogLevel::kWarning, file_.string());
  logger->Debug("a");
  logger->Info("b");
  logger->Warning("c");
  logger->Error("d");
  const std::string text = Written();
  EXPECT_EQ(text.find("\"msg\":\"a\""), std::string::npos);
  EXPECT_EQ(text.find("\"msg\":\"b\""), std::string::npos);
  EXPECT_NE(text.find("\"level\":\"warning\""), std::string::npos);
  EXPECT_NE(text.find("\"level\":\"error\""), std::string::npos);
}

TEST_F(LogTest, EscapesControlCharacters) {
  Logger::Create(LogLevel::kInfo, file_.string())->Info(std::string("a\x01\tb\\", 5));
  EXPECT_NE(Written().find(R"("msg":"a\u0001\u0009b\\")"), std::string::npos) << Written();
}

TEST_F(LogTest, WritesNothingWhenSilent) {
  Logger::Silent()->Named("x")->Error("lost", {{"key", "value"}});
  EXPECT_EQ(Written(), "");
}

}  // namespace
}  // namespace portcullis
