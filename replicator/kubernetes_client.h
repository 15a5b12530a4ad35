// Requests to an API server: credentials on the way out, Kubernetes' Status objects made into
// errors on the way in.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "document/object.h"
#include "replicator/http_client.h"
#include "replicator/kubeconfig.h"

namespace portcullis::replicator {

// The URL path of a group version: "/api/v1", "/apis/apps/v1".
[[nodiscard]] std::string GroupVersionPath(std::string_view group, std::string_view version);
// `text` with everything but RFC 3986's unreserved characters as %XX.
[[nodiscard]] std::string EscapeForUrl(std::string_view text);

// The error that an answer of this status means, with the message of the Status object that `body`
// may hold. kNotFound: 404. kConflict: 409. kInvalidArgument: 400, 405, 413, 415, 422.
// kUnavailable: all else.
[[nodiscard]] Error ErrorOfReply(int status, std::string_view body);

class KubernetesClient {
 public:
  using Done = std::function<void(Result<std::string> body)>;

  // Connects when it is first asked for something. ERRORS: HttpClient::Create's.
  static Result<std::unique_ptr<KubernetesClient>> Create(ClusterAccess access, Clock& clock);
  ~KubernetesClient();

  // A request with this client's credentials and a JSON Accept header. THREADS: the HTTP client's.
  // ERRORS: the token file cannot be read.
  Result<void> Authorize(HttpRequest* request);

  // Sends, and calls `done` on the HTTP client's thread with the body of a 2xx answer. THREADS:
  // any. ERRORS (of the result): ErrorOfReply's; kUnavailable; kExhausted: an answer of more than
  // 64 MiB.
  void Send(HttpRequest request, Done done);
  // The same, waiting. REQUIRES: not on the HTTP client's thread.
  Result<std::string> Call(HttpRequest request);

  // Requests for Send and Call. `path` names an object or, for Create, a collection; `manifest` is
  // JSON.
  [[nodiscard]] static HttpRequest Get(std::string path);
  [[nodiscard]] static HttpRequest Create(std::string path, std::string manifest);
  [[nodiscard]] static HttpRequest Delete(std::string path);
  [[nodiscard]] static HttpRequest MergePatch(std::string path, std::string patch);
  // Server-side apply: creates or updates; fields that others own are taken over.
  [[nodiscard]] static HttpRequest Apply(std::string path, std::string manifest,
                                         std::string_view field_manager);

  [[nodiscard]] HttpClient& http();
  [[nodiscard]] Clock& clock();
  [[nodiscard]] const std::string& server() const;

 private:
  struct State;
  explicit KubernetesClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace portcullis::replicator
