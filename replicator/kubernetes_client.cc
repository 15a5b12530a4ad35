#include "replicator/kubernetes_client.h"

#include <future>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "document/arena.h"
#include "document/json.h"
#include "document/value.h"
#include "replicator/files.h"

namespace portcullis::replicator {
namespace {

constexpr std::chrono::seconds kCallTimeout{30};
// As client-go: a projected token is rotated long before it expires.
constexpr std::chrono::seconds kTokenLifetime{60};
constexpr std::size_t kMaxTokenBytes = 64 * 1024;
constexpr std::size_t kMaxReplyBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxQuotedBytes = 300;

HttpRequest Request(const char* method, std::string path, std::string body,
                    const char* content_type) {
  HttpRequest request;
  request.method = method;
  request.path = std::move(path);
  request.body = std::move(body);
  request.timeout = kCallTimeout;
  if (content_type != nullptr) {
    request.headers.push_back(std::string("Content-Type: ") + content_type);
  }
  return request;
}

}  // namespace

std::string EscapeForUrl(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string GroupVersionPath(std::string_view group, std::string_view version) {
  if (group.empty()) {
    return "/api/" + EscapeForUrl(version);
  }
  return "/apis/" + EscapeForUrl(group) + "/" + EscapeForUrl(version);
}

Error ErrorOfReply(int status, std::string_view body) {
  std::string message;
  document::Arena arena;
  document::ParseOptions options;
  options.duplicates = document::DuplicateKeys::kKeepLast;
  const Result<document::Value> reply = document::ParseJson(body, arena, options);
  if (reply && reply->is_object()) {
    message = reply->GetString({"message"});
  }
  if (message.empty()) {
    message = body.substr(0, kMaxQuotedBytes);
  }
  while (!message.empty() && message.back() == '\n') {
    message.pop_back();
  }
  ErrorCode code = ErrorCode::kUnavailable;
  switch (status) {
    case 404:
      code = ErrorCode::kNotFound;
      break;
    case 409:
      code = ErrorCode::kConflict;
      break;
    case 400:
    case 405:
    case 413:
    case 415:
    case 422:
      code = ErrorCode::kInvalidArgument;
      break;
    default:
      break;
  }
  return {code, "HTTP " + std::to_string(status) + (message.empty() ? "" : ": " + message),
          std::nullopt};
}

struct KubernetesClient::State {
  State(ClusterAccess cluster, Clock& time) : access(std::move(cluster)), clock(time) {}

  struct Call final : HttpHandler {
    State* owner = nullptr;
    ExchangeId id = 0;
    Done done;
    int status = 0;
    std::string body;
    bool too_long = false;

    void OnStatus(int code, std::optional<std::chrono::seconds>) override { status = code; }
    void OnBytes(std::string_view bytes) override {
      too_long = too_long || body.size() + bytes.size() > kMaxReplyBytes;
      if (!too_long) {
        body += bytes;
      }
    }
    void OnEnd(Result<void> result) override {
      // Kept alive until the end of this function, which `done` may outlive by starting the next
      // call.
      const auto self = owner->calls.extract(id);
      if (!result) {
        done(std::unexpected(std::move(result).error()));
      } else if (too_long) {
        done(Fail(ErrorCode::kExhausted, "the answer is too long"));
      } else if (status < 200 || status > 299) {
        done(std::unexpected(ErrorOfReply(status, body)));
      } else {
        done(std::move(body));
      }
    }
  };

  ClusterAccess access;
  Clock& clock;
  // Of the HTTP client's thread.
  std::string token;
  std::optional<std::chrono::steady_clock::time_point> token_read;
  std::unordered_map<ExchangeId, std::unique_ptr<Call>> calls;
  // Last, so that its thread ends first.
  std::unique_ptr<HttpClient> http;
};

KubernetesClient::KubernetesClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
KubernetesClient::~KubernetesClient() = default;

Result<std::unique_ptr<KubernetesClient>> KubernetesClient::Create(ClusterAccess access,
                                                                   Clock& clock) {
  auto state = std::make_unique<State>(std::move(access), clock);
  state->http = TRY(HttpClient::Create(state->access, clock));
  return std::unique_ptr<KubernetesClient>(new KubernetesClient(std::move(state)));
}

Result<void> KubernetesClient::Authorize(HttpRequest* request) {
  request->headers.emplace_back("Accept: application/json");
  request->headers.emplace_back("User-Agent: portcullis");
  const ClusterAccess& access = state_->access;
  if (!access.token_file.empty()) {
    const auto now = state_->clock.Now();
    if (!state_->token_read || now - *state_->token_read > kTokenLifetime) {
      std::string text =
          TRY(AddContext(ReadWholeFile(access.token_file, kMaxTokenBytes), "token file"));
      while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.pop_back();
      }
      state_->token = std::move(text);
      state_->token_read = now;
    }
  } else {
    state_->token = access.token;
  }
  if (!state_->token.empty()) {
    request->headers.push_back("Authorization: Bearer " + state_->token);
  }
  return {};
}

void KubernetesClient::Send(HttpRequest request, Done done) {
  state_->http->Post([this, request = std::move(request), done = std::move(done)]() mutable {
    if (Result<void> ready = Authorize(&request); !ready) {
      done(std::unexpected(std::move(ready).error()));
      return;
    }
    auto call = std::make_unique<State::Call>();
    call->owner = state_.get();
    call->done = std::move(done);
    call->id = state_->http->Start(std::move(request), *call);
    const ExchangeId id = call->id;
    state_->calls.emplace(id, std::move(call));
  });
}

Result<std::string> KubernetesClient::Call(HttpRequest request) {
  // Shared: set_value may still touch the promise when get has returned.
  const auto answer = std::make_shared<std::promise<Result<std::string>>>();
  std::future<Result<std::string>> future = answer->get_future();
  Send(std::move(request),
       [answer](Result<std::string> body) { answer->set_value(std::move(body)); });
  return future.get();
}

HttpRequest KubernetesClient::Get(std::string path) {
  return Request("GET", std::move(path), {}, nullptr);
}
HttpRequest KubernetesClient::Create(std::string path, std::string manifest) {
  return Request("POST", std::move(path), std::move(manifest), "application/json");
}
HttpRequest KubernetesClient::Delete(std::string path) {
  return Request("DELETE", std::move(path), {}, nullptr);
}
HttpRequest KubernetesClient::MergePatch(std::string path, std::string patch) {
  return Request("PATCH", std::move(path), std::move(patch), "application/merge-patch+json");
}
HttpRequest KubernetesClient::Apply(std::string path, std::string manifest,
                                    std::string_view field_manager) {
  path += "?force=true&fieldManager=" + EscapeForUrl(field_manager);
  return Request("PATCH", std::move(path), std::move(manifest), "application/apply-patch+yaml");
}

HttpClient& KubernetesClient::http() {
  return *state_->http;
}
Clock& KubernetesClient::clock() {
  return state_->clock;
}
const std::string& KubernetesClient::server() const {
  return state_->access.server;
}

}  // namespace portcullis::replicator
