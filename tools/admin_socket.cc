#include "tools/admin_socket.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace portcullis::tools {
namespace {

std::unexpected<Error> SystemFailure(ErrorCode code, const std::string& what) {
  return Fail(code, what + ": " + std::strerror(errno));
}

// An address has room for 107 bytes; a longer path is reached through its folder's descriptor.
struct SocketAddress {
  FileDescriptor folder;
  sockaddr_un address{};
};

Result<SocketAddress> MakeAddress(const std::filesystem::path& path) {
  SocketAddress result;
  result.address.sun_family = AF_UNIX;
  std::string text = path.string();
  if (text.size() >= sizeof(result.address.sun_path)) {
    const std::filesystem::path folder = path.parent_path();
    result.folder = FileDescriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (result.folder.get() < 0) {
      return SystemFailure(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                           "cannot open " + folder.string());
    }
    text = "/proc/self/fd/" + std::to_string(result.folder.get()) + "/" + path.filename().string();
  }
  if (text.size() >= sizeof(result.address.sun_path)) {
    return Fail(ErrorCode::kUnavailable, "the name of the socket is too long: " + path.string());
  }
  std::memcpy(result.address.sun_path, text.c_str(), text.size() + 1);
  return result;
}

Result<FileDescriptor> MakeSocket() {
  FileDescriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (made.get() < 0) {
    return SystemFailure(ErrorCode::kUnavailable, "cannot make a socket");
  }
  return made;
}

}  // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

int FileDescriptor::Release() {
  return std::exchange(descriptor_, -1);
}

Result<FileDescriptor> ConnectTo(const std::filesystem::path& path) {
  const SocketAddress address = TRY(MakeAddress(path));
  FileDescriptor made = TRY(MakeSocket());
  // A local connect does not wait: it is there, or refused, or the queue is full.
  if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&address.address),
                sizeof(address.address)) != 0) {
    const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
    return SystemFailure(nobody ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
                         "cannot connect to " + path.string());
  }
  return made;
}

Result<FileDescriptor> ListenOn(const std::filesystem::path& path) {
  if (const auto other = ConnectTo(path)) {
    return Fail(ErrorCode::kConflict, "another server answers on " + path.string());
  } else if (other.error().code != ErrorCode::kNotFound) {
    return std::unexpected(other.error());
  }
  const SocketAddress address = TRY(MakeAddress(path));
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return SystemFailure(ErrorCode::kUnavailable, "cannot replace " + path.string());
  }
  FileDescriptor made = TRY(MakeSocket());
  constexpr int kBacklog = 16;
  // The mode is set before there is a name, so that nobody else ever finds it open.
  if (::fchmod(made.get(), 0600) != 0 ||
      ::bind(made.get(), reinterpret_cast<const sockaddr*>(&address.address),
             sizeof(address.address)) != 0 ||
      ::listen(made.get(), kBacklog) != 0) {
    return SystemFailure(ErrorCode::kUnavailable, "cannot listen on " + path.string());
  }
  return made;
}

}  // namespace portcullis::tools
