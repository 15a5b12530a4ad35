#include "tests/fuzz/limits.h"

#include <ctime>

#include "tests/fuzz/program.h"

namespace portcullis::fuzz {
namespace {

std::chrono::nanoseconds CpuTime() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

LimitCheck::LimitCheck(const document::Arena& arena) : arena_(arena), begin_(CpuTime()) {}

void LimitCheck::Done() const {
  Require(CpuTime() - begin_ < 10 * kTimeLimit, "the deadline holds");
  Require(arena_.used_bytes() < 4 * kMemoryLimit, "the limit of the arena holds");
}

}  // namespace portcullis::fuzz
