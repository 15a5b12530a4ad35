// Asks a running server for its inventory: tools/admin_server.h.

#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "tools/inventory_reader.h"

namespace portcullis::tools {

// Visitors and progress callbacks are called on another thread while the caller waits. Bytes from the server are checked
// before a visitor sees them. ERRORS of every method: the server's own; kUnavailable: it went away.
// THREADS: one at a time.
class AdminClient : public InventoryReader {
 public:
  // ERRORS: kNotFound: no server answers on this socket. kUnavailable: it cannot be used (another user's, too many clients).
  static Result<std::unique_ptr<AdminClient>> Connect(const std::filesystem::path& socket);

  // The plan of a template; of all for an empty name.
  virtual Result<std::string> Explain(const std::string& template_name, bool json) = 0;
};

}  // namespace portcullis::tools
