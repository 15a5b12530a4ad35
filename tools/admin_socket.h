// Unix sockets by path, however long the path is.

#pragma once

#include <filesystem>

#include "base/error.h"

namespace portcullis::tools {

// A file descriptor that is closed with this object.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  [[nodiscard]] int get() const { return descriptor_; }
  // The caller closes it from here on.
  int Release();

 private:
  int descriptor_ = -1;
};

// Listens on `path` with mode 0600. A socket that a dead server left there is replaced.
// ERRORS: kConflict: a live server answers there. kUnavailable.
[[nodiscard]] Result<FileDescriptor> ListenOn(const std::filesystem::path& path);

// ERRORS: kNotFound: nobody listens there. kUnavailable.
[[nodiscard]] Result<FileDescriptor> ConnectTo(const std::filesystem::path& path);

}  // namespace portcullis::tools
