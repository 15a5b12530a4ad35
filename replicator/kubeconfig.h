// How to reach an API server and as whom: from kubeconfig files, as kubectl reads them, or from the
// account of a pod.

#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace portcullis::replicator {

struct ClusterAccess {
  std::string server;                     // "https://10.0.0.1:6443", perhaps with a path.
  std::string certificate_authority_pem;  // Empty: the system's.
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::string token;
  std::filesystem::path token_file;  // Read again as it is rotated; goes before `token`.
  std::string username;              // Basic authentication; some proxies want it.
  std::string password;
  bool skip_tls_verify = false;
  std::string tls_server_name;  // Empty: the host of `server`.
  std::string proxy_url;        // Empty: what the environment says (HTTPS_PROXY, NO_PROXY).
  std::string name_space;       // Of the context; "" if it has none.
};

// Gives the value of an environment variable.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
[[nodiscard]] Environment ProcessEnvironment();

// The files that kubectl would read: the list in KUBECONFIG, else ~/.kube/config.
[[nodiscard]] std::vector<std::filesystem::path> DefaultKubeconfigPaths(
    const Environment& environment);

// The access of `context`, or of the current context where that is empty. Files are merged as
// kubectl does: of a cluster, user or context that several files have the first counts; files that
// do not exist are passed over, unless none exists. ERRORS: kNotFound: no file, no such context,
// cluster or user. kInvalidArgument: malformed, or a user that needs an exec or auth-provider
// plugin, which this program does not run.
[[nodiscard]] Result<ClusterAccess> LoadKubeconfig(std::span<const std::filesystem::path> files,
                                                   std::string_view context = {});

// The access of the pod that this process runs in. `account` is the folder that Kubernetes mounts.
// ERRORS: kNotFound: this is no pod, or one without an account.
[[nodiscard]] Result<ClusterAccess> InClusterAccess(
    const Environment& environment,
    const std::filesystem::path& account = "/var/run/secrets/kubernetes.io/serviceaccount");

}  // namespace portcullis::replicator
