#include "replicator/files.h"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace portcullis::replicator {
namespace {

std::unexpected<Error> FailWithErrno(const std::filesystem::path& path) {
  const int number = errno;
  const ErrorCode code =
      number == ENOENT || number == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kUnavailable;
  return Fail(code, path.string() + ": " + std::strerror(number));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') {
    return c - 'A';
  }
  if (c >= 'a' && c <= 'z') {
    return c - 'a' + 26;
  }
  if (c >= '0' && c <= '9') {
    return c - '0' + 52;
  }
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

}  // namespace

Result<std::string> ReadWholeFile(const std::filesystem::path& path, std::size_t limit_bytes) {
  // Without O_NONBLOCK a named pipe in the folder would hold the reader for ever.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) {
    return FailWithErrno(path);
  }
  struct stat about{};
  if (::fstat(file.number(), &about) != 0) {
    return FailWithErrno(path);
  }
  if (!S_ISREG(about.st_mode)) {
    return Fail(ErrorCode::kUnavailable, path.string() + ": not a regular file");
  }
  std::string text;
  text.reserve(static_cast<std::size_t>(about.st_size) + 1);
  while (true) {
    const std::size_t have = text.size();
    const std::size_t room = std::max<std::size_t>(text.capacity() - have, 4096);
    text.resize(have + room);
    const ssize_t got = ::read(file.number(), text.data() + have, room);
    if (got < 0) {
      if (errno == EINTR) {
        text.resize(have);
        continue;
      }
      return FailWithErrno(path);
    }
    text.resize(have + static_cast<std::size_t>(got));
    if (text.size() > limit_bytes) {
      return Fail(ErrorCode::kExhausted,
                  path.string() + ": longer than " + std::to_string(limit_bytes) + " bytes");
    }
    if (got == 0) {
      return text;
    }
  }
}

Result<std::string> DecodeBase64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  int digits = 0;
  int padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ' || c == '\t') {
      continue;
    }
    if (c == '=') {
      ++padding;
      continue;
    }
    const int digit = Base64Digit(c);
    if (digit < 0 || padding > 0) {
      return Fail(ErrorCode::kInvalidArgument, "not base64");
    }
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if (++digits % 4 == 0) {
      out += static_cast<char>(bits >> 16 & 0xff);
      out += static_cast<char>(bits >> 8 & 0xff);
      out += static_cast<char>(bits & 0xff);
      bits = 0;
    }
  }
  const int rest = digits % 4;
  const bool padded =
      (rest == 0 && padding == 0) || (rest == 2 && padding == 2) || (rest == 3 && padding == 1);
  if (!padded) {
    return Fail(ErrorCode::kInvalidArgument, "not base64: cut short");
  }
  if (rest == 2) {
    out += static_cast<char>(bits >> 4 & 0xff);
  } else if (rest == 3) {
    out += static_cast<char>(bits >> 10 & 0xff);
    out += static_cast<char>(bits >> 2 & 0xff);
  }
  return out;
}

}  // namespace portcullis::replicator
