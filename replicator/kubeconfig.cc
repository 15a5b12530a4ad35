#include "replicator/kubeconfig.h"

#include <cstdlib>
#include <map>
#include <utility>

#include "base/error.h"
#include "document/arena.h"
#include "document/value.h"
#include "document/yaml.h"
#include "replicator/files.h"

namespace portcullis::replicator {
namespace {

using document::Value;
using std::filesystem::path;

constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20;

// A named entry and the folder that its relative paths start from.
struct Entry {
  Value value;
  path folder;
};

struct Merged {
  std::map<std::string, Entry, std::less<>> clusters;
  std::map<std::string, Entry, std::less<>> users;
  std::map<std::string, Entry, std::less<>> contexts;
  std::string current_context;
};

void Collect(const Value& root, std::string_view list, std::string_view field, const path& folder,
             std::map<std::string, Entry, std::less<>>* into) {
  const Value entries = root.Find(list);
  for (std::uint32_t i = 0; i < entries.size() && entries.is_array(); ++i) {
    const Value entry = entries.ItemAt(i);
    into->try_emplace(std::string(entry.GetString({"name"})), Entry{entry.Find(field), folder});
  }
}

Result<void> Merge(const path& file, document::Arena& arena, Merged* merged) {
  const std::string text = TRY(ReadWholeFile(file, kMaxFileBytes));
  document::ParseOptions options;
  options.file = file.string();
  const std::vector<document::YamlDocument> documents =
      TRY(document::ParseYaml(text, arena, options));
  if (documents.empty()) {
    return {};
  }
  const Value root = documents.front().value;
  if (documents.size() > 1 || !root.is_object()) {
    return Fail(ErrorCode::kInvalidArgument, file.string() + ": not a kubeconfig");
  }
  const path folder = std::filesystem::absolute(file).parent_path();
  Collect(root, "clusters", "cluster", folder, &merged->clusters);
  Collect(root, "users", "user", folder, &merged->users);
  Collect(root, "contexts", "context", folder, &merged->contexts);
  if (merged->current_context.empty()) {
    merged->current_context = root.GetString({"current-context"});
  }
  return {};
}

// The bytes of `<name>-data` (base64), else of the file that `<name>` names, else nothing.
Result<std::string> ReadInlineOrFile(const Entry& entry, const std::string& name) {
  const std::string_view inline_data = entry.value.GetString({name + "-data"});
  if (!inline_data.empty()) {
    return AddContext(DecodeBase64(inline_data), name + "-data");
  }
  const std::string_view file = entry.value.GetString({name});
  if (file.empty()) {
    return std::string();
  }
  return AddContext(ReadWholeFile(entry.folder / path(file), kMaxFileBytes), name);
}

Result<void> ReadCluster(const Entry& cluster, ClusterAccess* access) {
  access->server = cluster.value.GetString({"server"});
  if (access->server.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "it has no server");
  }
  access->skip_tls_verify = cluster.value.Find("insecure-skip-tls-verify").is_true();
  if (!access->skip_tls_verify) {
    access->certificate_authority_pem = TRY(ReadInlineOrFile(cluster, "certificate-authority"));
  }
  access->tls_server_name = cluster.value.GetString({"tls-server-name"});
  access->proxy_url = cluster.value.GetString({"proxy-url"});
  return {};
}

Result<void> ReadUser(const Entry& user, ClusterAccess* access) {
  const std::pair<const char*, const char*> refused[] = {
      {"exec", "an exec plugin"},
      {"auth-provider", "an auth-provider plugin"},
      {"as", "impersonation"}};
  for (const auto& [field, what] : refused) {
    if (user.value.Find(field).is_defined()) {
      return Fail(ErrorCode::kInvalidArgument,
                  std::string("it needs ") + what +
                      ", which this program does not run: use a client certificate, a token or a "
                      "tokenFile");
    }
  }
  access->client_certificate_pem = TRY(ReadInlineOrFile(user, "client-certificate"));
  access->client_key_pem = TRY(ReadInlineOrFile(user, "client-key"));
  if (access->client_certificate_pem.empty() != access->client_key_pem.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "client-certificate and client-key must be given together");
  }
  access->token = user.value.GetString({"token"});
  const std::string_view token_file = user.value.GetString({"tokenFile"});
  if (!token_file.empty()) {
    access->token_file = user.folder / path(token_file);
  }
  access->username = user.value.GetString({"username"});
  access->password = user.value.GetString({"password"});
  return {};
}

std::string Quoted(std::string_view kind, std::string_view name) {
  return std::string(kind) + " \"" + std::string(name) + "\"";
}

Result<ClusterAccess> Select(const Merged& merged, std::string_view wanted) {
  const std::string_view name = wanted.empty() ? merged.current_context : wanted;
  if (name.empty()) {
    return Fail(ErrorCode::kNotFound, "there is no current-context: name one");
  }
  const auto context = merged.contexts.find(name);
  if (context == merged.contexts.end()) {
    return Fail(ErrorCode::kNotFound, Quoted("context", name) + " does not exist");
  }
  const std::string_view cluster_name = context->second.value.GetString({"cluster"});
  const auto cluster = merged.clusters.find(cluster_name);
  if (cluster == merged.clusters.end()) {
    return Fail(ErrorCode::kNotFound, Quoted("cluster", cluster_name) + " of " +
                                          Quoted("context", name) + " does not exist");
  }
  ClusterAccess access;
  access.name_space = context->second.value.GetString({"namespace"});
  TRY(AddContext(ReadCluster(cluster->second, &access), Quoted("cluster", cluster_name)));
  const std::string_view user_name = context->second.value.GetString({"user"});
  if (!user_name.empty()) {
    const auto user = merged.users.find(user_name);
    if (user == merged.users.end()) {
      return Fail(ErrorCode::kNotFound,
                  Quoted("user", user_name) + " of " + Quoted("context", name) + " does not exist");
    }
    TRY(AddContext(ReadUser(user->second, &access), Quoted("user", user_name)));
  }
  return access;
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::vector<path> DefaultKubeconfigPaths(const Environment& environment) {
  std::vector<path> paths;
  const std::string list = environment("KUBECONFIG").value_or("");
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(':', at), list.size());
    if (end > at) {
      paths.emplace_back(list.substr(at, end - at));
    }
    at = end + 1;
  }
  if (paths.empty()) {
    paths.push_back(path(environment("HOME").value_or("/")) / ".kube" / "config");
  }
  return paths;
}

Result<ClusterAccess> LoadKubeconfig(std::span<const path> files, std::string_view context) {
  document::Arena arena;
  Merged merged;
  std::optional<Error> missing;
  bool read_any = false;
  for (const path& file : files) {
    Result<void> result = Merge(file, arena, &merged);
    if (result) {
      read_any = true;
    } else if (result.error().code == ErrorCode::kNotFound) {
      missing = std::move(result).error();
    } else {
      return std::unexpected(With("kubeconfig")(std::move(result).error()));
    }
  }
  if (!read_any) {
    return std::unexpected(With("kubeconfig")(
        missing.value_or(Error{ErrorCode::kNotFound, "no file was named", std::nullopt})));
  }
  return AddContext(Select(merged, context), "kubeconfig " + files.front().string());
}

Result<ClusterAccess> InClusterAccess(const Environment& environment, const path& account) {
  const std::string host = environment("KUBERNETES_SERVICE_HOST").value_or("");
  const std::string port = environment("KUBERNETES_SERVICE_PORT").value_or("");
  if (host.empty() || port.empty()) {
    return Fail(ErrorCode::kNotFound,
                "not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
  }
  ClusterAccess access;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  access.server = "https://" + (is_ipv6 ? "[" + host + "]" : host) + ":" + port;
  access.token_file = account / "token";
  TRY(AddContext(ReadWholeFile(access.token_file, kMaxFileBytes), "service account"));
  access.certificate_authority_pem =
      TRY(AddContext(ReadWholeFile(account / "ca.crt", kMaxFileBytes), "service account"));
  access.name_space = ReadWholeFile(account / "namespace", kMaxFileBytes).value_or("");
  return access;
}

}  // namespace portcullis::replicator
