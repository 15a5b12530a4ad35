#include "tools/command.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <istream>
#include <memory>
#include <system_error>

namespace portcullis::tools {
namespace {

Result<std::string> ReadStream(std::istream& in, const std::string& name, std::uint64_t max_bytes) {
  std::string text;
  std::string block(std::size_t{64} << 10, '\0');
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
    text.append(block, 0, static_cast<std::size_t>(in.gcount()));
    if (text.size() > max_bytes) {
      return Fail(ErrorCode::kExhausted,
                  name + " is longer than " + std::to_string(max_bytes) + " bytes");
    }
  }
  if (in.bad()) {
    return Fail(ErrorCode::kInvalidArgument, "cannot read " + name);
  }
  return text;
}

}  // namespace

int PrintError(const Error& error) {
  return PrintError(error.ToString());
}

int PrintError(std::string_view message) {
  std::cerr << "portcullis: " << message << '\n';
  return kExitError;
}

Result<std::string> ReadFile(const std::string& path, std::uint64_t max_bytes) {
  if (path == "-") {
    return ReadStream(std::cin, "standard input", max_bytes);
  }
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return Fail(ErrorCode::kInvalidArgument, path + " is a folder, not a file");
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    const int number = errno;
    return Fail(number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInvalidArgument,
                "cannot open " + path + ": " + std::generic_category().message(number));
  }
  return ReadStream(in, path, max_bytes);
}

}  // namespace portcullis::tools
