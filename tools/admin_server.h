// The administrative side of a running server: a Unix socket in the data folder, mode 0600, over which the inventory commands
// ask (Cap'n Proto RPC, schema in tools/admin.capnp).

#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/log.h"
#include "index/inventory.h"

namespace portcullis::tools {

struct AdminServerOptions {
  std::filesystem::path socket;
  std::size_t max_connections = 16;
  std::size_t max_jobs = 4;  // Walks, queries, checks and snapshots at once.
  std::size_t page_bytes = 256 << 10;
  std::size_t page_objects = 1000;
  std::chrono::seconds client_timeout{60};  // A page that is not taken by then ends the walk.
};

// The plan of a template as text or JSON; of all templates for an empty name. THREADS: called from the server's thread.
using ExplainCallback =
    std::function<Result<std::string>(const std::string& template_name, bool json)>;

// LIFETIME: the inventory outlives it.
class AdminServer {
 public:
  // Serves on a thread of its own until it is destroyed, which waits for jobs under way: walks end early, a check or a
  // snapshot runs to its end.
  // ERRORS: kConflict: another server answers on this socket. kUnavailable: the socket cannot be made.
  static Result<std::unique_ptr<AdminServer>> Start(const AdminServerOptions& options,
                                                    index::Inventory& inventory,
                                                    ExplainCallback explain,
                                                    std::shared_ptr<Logger> logger);
  virtual ~AdminServer() = default;
};

}  // namespace portcullis::tools
