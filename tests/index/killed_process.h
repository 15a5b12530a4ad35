// A test of this program that runs in a process of its own until it is killed.

#pragma once

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace portcullis::index {

// What such a process is to do, for ever.
struct KilledTask {
  std::filesystem::path folder;
  std::uint64_t seed = 0;
};

inline constexpr const char* kKilledFolder = "PORTCULLIS_KILL_TEST_FOLDER";
inline constexpr const char* kKilledSeed = "PORTCULLIS_KILL_TEST_SEED";

// Nothing: this process is not one of them.
inline std::optional<KilledTask> OwnKilledTask() {
  const char* folder = std::getenv(kKilledFolder);
  const char* seed = std::getenv(kKilledSeed);
  if (folder == nullptr || seed == nullptr) {
    return std::nullopt;
  }
  return KilledTask{folder, std::strtoull(seed, nullptr, 10)};
}

// Runs `test` ("Kill.Writer"). The process must have no thread of RocksDB yet: it is this program, started anew.
inline pid_t StartToKill(const std::string& test, const KilledTask& task) {
  std::string program = "/proc/self/exe";
  std::string filter = "--gtest_filter=" + test;
  std::vector<char*> arguments = {program.data(), filter.data(), nullptr};
  std::string folder = std::string(kKilledFolder) + "=" + task.folder.string();
  std::string seed = std::string(kKilledSeed) + "=" + std::to_string(task.seed);
  std::vector<char*> environment = {folder.data(), seed.data(), nullptr};
  const pid_t child = fork();
  if (child == 0) {
    execve(program.c_str(), arguments.data(), environment.data());
    _exit(127);
  }
  return child;
}

// `else_ended` says what it means when the process ended by itself.
inline void Kill(pid_t child, const char* else_ended) {
  ASSERT_EQ(kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << else_ended;
}

}  // namespace portcullis::index
