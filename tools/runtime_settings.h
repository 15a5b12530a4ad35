// What a runtime's options come to.

#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "replicator/kubernetes_client.h"
#include "tools/runtime.h"

namespace portcullis::tools {

// ERRORS: those of the kubeconfig or of the service account.
[[nodiscard]] Result<replicator::ClusterAccess> FindCluster(const RuntimeOptions& options);

// The names of --disable-opa-builtin, each alone or as Gatekeeper's manifests write them: "{http.send}", "{a,b}".
[[nodiscard]] std::vector<std::string> BuiltinNames(const std::vector<std::string>& written);

// The name under which this process writes its statuses. A name of the machine that no status could have is made one.
[[nodiscard]] std::string PodName(const RuntimeOptions& options);

}  // namespace portcullis::tools
