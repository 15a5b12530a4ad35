#include "rules/builtins/http_transfer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <memory>
#include <system_error>
#include <thread>

#include <curl/curl.h>

#include "rules/builtins/go_format.h"
#include "rules/builtins/ip.h"
#include "rules/builtins/uri.h"

namespace portcullis::builtins {
namespace {

using Kind = HttpProblem::Kind;
using Moment = std::chrono::steady_clock::time_point;

constexpr int kMaxRedirects = 50;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return lower;
}

// `Get "http://host/": `, without the password.
std::string Prefix(const HttpRequest& request) {
  const std::string lower = Lower(request.method);
  std::string prefix =
      request.method.empty() ? "Get" : request.method.substr(0, 1) + lower.substr(1);
  prefix.push_back(' ');
  auto uri = ParseUri(request.url);
  if (uri && uri->user && uri->user->contains(':')) {
    uri->user = uri->user->substr(0, uri->user->find(':')) + ":xxxxx";
  }
  AppendGoQuoted(uri ? uri->Text() : request.url, &prefix);
  return prefix + ": ";
}

std::unexpected<HttpProblem> NetworkProblem(const HttpRequest& request, const std::string& cause) {
  return std::unexpected(HttpProblem{Kind::kNetwork, Prefix(request) + cause});
}

bool IsTokenChar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").contains(c);
}

// What Go's client refuses before it connects.
std::expected<Uri, HttpProblem> CheckRequest(const HttpRequest& request) {
  auto uri = ParseUri(request.url);
  if (!uri || (uri->scheme != "http" && uri->scheme != "https")) {
    std::string cause = "unsupported protocol scheme ";
    AppendGoQuoted(uri ? uri->scheme : "", &cause);
    return NetworkProblem(request, cause);
  }
  if (uri->host.empty()) {
    return NetworkProblem(request, "http: no Host in request URL");
  }
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || !std::ranges::all_of(name, IsTokenChar)) {
      std::string cause = "net/http: invalid header field name ";
      AppendGoQuoted(name, &cause);
      return NetworkProblem(request, cause);
    }
    const bool valid = std::ranges::none_of(value, [](char c) {
      return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7F';
    });
    if (!valid) {
      std::string cause = "net/http: invalid header field value for ";
      AppendGoQuoted(name, &cause);
      return NetworkProblem(request, cause);
    }
  }
  return *std::move(uri);
}

// Takes in one reply; the lines of an earlier one, as of 100 Continue, go when the next begins.
struct Receiver {
  HttpReply reply;
  std::size_t limit_bytes = 0;
  bool too_large = false;

  static std::size_t TakeHeader(char* data, std::size_t size, std::size_t count, void* self) {
    static_cast<Receiver*>(self)->AddHeader({data, size * count});
    return size * count;
  }
  static std::size_t TakeBody(char* data, std::size_t size, std::size_t count, void* self) {
    auto* receiver = static_cast<Receiver*>(self);
    if (receiver->reply.body.size() + size * count > receiver->limit_bytes) {
      receiver->too_large = true;
      return 0;
    }
    receiver->reply.body.append(data, size * count);
    return size * count;
  }

  void AddHeader(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    if (line.starts_with("HTTP/")) {
      const std::string_view status = line.substr(std::min(line.find(' '), line.size()));
      reply.status = status.substr(std::min(status.find_first_not_of(' '), status.size()));
      reply.headers.clear();
      return;
    }
    const std::size_t colon = line.find(':');
    if (colon == line.npos) {
      return;
    }
    const std::string name = Lower(line.substr(0, colon));
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    value = value.substr(0, value.find_last_not_of(" \t") + 1);
    const auto known =
        std::ranges::find(reply.headers, name, [](const auto& h) { return h.first; });
    if (known != reply.headers.end()) {
      known->second.emplace_back(value);
    } else {
      reply.headers.emplace_back(name, std::vector<std::string>{std::string(value)});
    }
  }

  // Go takes the length and coding of what it decoded away, and says nothing of the transfer.
  void Finish(bool decoded) {
    const bool gzip = decoded && Lower(reply.Header("content-encoding")) == "gzip";
    std::erase_if(reply.headers, [&](const auto& header) {
      return header.first == "transfer-encoding" || header.first == "trailer" ||
             (gzip && (header.first == "content-encoding" || header.first == "content-length"));
    });
  }
};

bool IsThisMachine(std::string_view host) {
  std::string_view name =
      host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.rfind(':'));
  if (name.starts_with('[') && name.ends_with(']')) {
    name = name.substr(1, name.size() - 2);
  }
  const auto address = ParseIp(name);
  return name == "localhost" ||
         (address && (address->Text().starts_with("127.") || address->Text() == "::1"));
}

std::string SystemAuthorities() {
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  std::ifstream stream(info->cainfo == nullptr ? "" : info->cainfo, std::ios::binary);
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

class Transfer {
 public:
  Transfer(const HttpRequest& request, const Uri& uri) : request_(request), uri_(uri) {}

  // Runs until `end`. The socket's address, for errors.
  CURLcode Run(Moment end, Receiver* receiver) {
    CURL* const easy = easy_.get();
    const std::string method = request_.method.empty() ? "GET" : request_.method;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, Receiver::TakeHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, receiver);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, Receiver::TakeBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, receiver);
    if (end != Moment::max()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(left.count())));
    }
    if (IsThisMachine(uri_.host)) {
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    if (!request_.unix_socket.empty()) {
      curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket.c_str());
    }
    SetBody(method);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
    decodes_ = method != "HEAD" && request_.FindHeader("Accept-Encoding") == nullptr &&
               request_.FindHeader("Range") == nullptr;
    if (decodes_) {
      curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    }
    SetAddressAndTls();
    SetHeaders();
    const CURLcode code = curl_easy_perform(easy);
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    receiver->reply.status_code = static_cast<int>(status);
    receiver->Finish(decodes_);
    return code;
  }

  // Where the reply sends to, absolute; empty: nowhere.
  [[nodiscard]] std::string RedirectUrl() const {
    const char* url = nullptr;
    curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &url);
    return url == nullptr ? "" : url;
  }

  // Go's words for what went wrong.
  [[nodiscard]] std::string Cause(CURLcode code) const {
    const char* address = nullptr;
    long port = 0;
    long number = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_PRIMARY_IP, &address);
    curl_easy_getinfo(easy_.get(), CURLINFO_PRIMARY_PORT, &port);
    curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &number);
    const std::string reason = Lower(std::generic_category().message(static_cast<int>(number)));
    switch (code) {
      case CURLE_COULDNT_CONNECT:
        return request_.unix_socket.empty()
                   ? "dial tcp " +
                         std::string(address == nullptr || *address == '\0'
                                         ? uri_.host
                                         : std::string(address) + ":" + std::to_string(port)) +
                         ": connect: " + reason
                   : "dial unix " + request_.unix_socket + ": connect: " + reason;
      case CURLE_COULDNT_RESOLVE_HOST:
        return "dial tcp: lookup " + uri_.host.substr(0, uri_.host.rfind(':')) + ": no such host";
      case CURLE_GOT_NOTHING:
        return "EOF";
      case CURLE_PEER_FAILED_VERIFICATION:
        return "tls: failed to verify certificate: x509: " +
               std::string(std::string_view(error_.data()).contains("no alternative certificate")
                               ? "certificate is not valid for the name"
                               : "certificate signed by unknown authority");
      default:
        return error_[0] == '\0' ? curl_easy_strerror(code) : error_.data();
    }
  }

 private:
  void SetBody(const std::string& method) {
    CURL* const easy = easy_.get();
    if (method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (!request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request_.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
    }
  }

  // LIFETIME: until libcurl has copied the bytes.
  static curl_blob Blob(const std::string& bytes) {
    return {const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_COPY};
  }

  void SetAddressAndTls() {
    CURL* const easy = easy_.get();
    Uri uri = uri_;
    uri.fragment.clear();
    uri.raw_fragment.clear();
    if (uri.scheme == "https") {
      curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
      if (!request_.verifies) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
      }
      if (!request_.authorities.empty()) {
        const std::string authorities =
            (request_.trusts_system ? SystemAuthorities() + "\n" : "") + request_.authorities;
        const curl_blob blob = Blob(authorities);
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
        curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
      }
      if (!request_.client_certificate.empty()) {
        const curl_blob certificate = Blob(request_.client_certificate);
        const curl_blob key = Blob(request_.client_key);
        curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &certificate);
        curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
      }
      // The name that is asked for and verified is the URL's: the connection goes to the true host.
      if (!request_.server_name.empty() && request_.server_name != uri.host) {
        const std::size_t colon = uri.host.rfind(':');
        const bool has_port = colon != std::string::npos &&
                              uri.host.find(']', colon) == std::string::npos &&
                              (uri.host.front() != '[' || uri.host[colon - 1] == ']');
        const std::string port = has_port ? uri.host.substr(colon + 1) : "443";
        const std::string host = has_port ? uri.host.substr(0, colon) : uri.host;
        connect_to_.reset(curl_slist_append(nullptr, ("::" + host + ":" + port).c_str()));
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to_.get());
        uri.host = request_.server_name + ":" + port;
      }
    }
    curl_easy_setopt(easy, CURLOPT_URL, uri.Text().c_str());
  }

  void AddLine(const std::string& line) {
    headers_.reset(curl_slist_append(headers_.release(), line.c_str()));
  }

  void SetHeaders() {
    for (const auto& [name, value] : request_.headers) {
      if (name != "Host" && name != "Content-Length" && name != "Transfer-Encoding" &&
          name != "Trailer") {
        AddLine(value.empty() ? name + ";" : name + ": " + value);
      }
    }
    const std::string* host = request_.FindHeader("Host");
    AddLine("Host: " + (host != nullptr && !host->empty() ? *host : uri_.host));
    // What libcurl would add of its own.
    for (const std::string name : {"Accept", "Content-Type"}) {
      if (request_.FindHeader(name) == nullptr) {
        AddLine(name + ":");
      }
    }
    if (request_.FindHeader("User-Agent") == nullptr) {
      AddLine("User-Agent: Portcullis");
    }
    AddLine("Expect:");
    curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
  }

  const HttpRequest& request_;
  const Uri& uri_;
  std::unique_ptr<CURL, FreeEasy> easy_{curl_easy_init()};
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::unique_ptr<curl_slist, FreeList> connect_to_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  bool decodes_ = false;
};

bool IsRedirect(int status) {
  return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

// The request that follows a redirect.
HttpRequest Redirected(const HttpRequest& request, const Uri& from, int status, std::string url) {
  HttpRequest next = request;
  if (status <= 303) {
    next.body.clear();
    next.method = request.method == "HEAD" ? "HEAD" : "GET";
  }
  const auto to = ParseUri(url);
  const bool same = to && (to->host == from.host || to->host.ends_with("." + from.host));
  std::erase_if(next.headers, [&](const auto& header) {
    const std::string& name = header.first;
    const bool secret = name == "Authorization" || name == "Www-Authenticate" || name == "Cookie" ||
                        name == "Cookie2";
    return name == "Host" || name == "Referer" || (secret && !same);
  });
  if (to && !(from.scheme == "https" && to->scheme == "http")) {
    Uri referer = from;
    referer.user.reset();
    referer.fragment.clear();
    next.headers.emplace_back("Referer", referer.Text());
  }
  next.url = std::move(url);
  return next;
}

// One attempt, with the redirects that it meets.
std::expected<HttpReply, HttpProblem> Attempt(HttpRequest request, Moment end,
                                              std::size_t limit_bytes) {
  for (int hop = 0;; ++hop) {
    const auto uri = CheckRequest(request);
    if (!uri) {
      return std::unexpected(uri.error());
    }
    Receiver receiver;
    receiver.limit_bytes = limit_bytes;
    Transfer transfer(request, *uri);
    const CURLcode code = transfer.Run(end, &receiver);
    if (receiver.too_large) {
      return NetworkProblem(request,
                            "response body larger than " + std::to_string(limit_bytes) + " bytes");
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
      return std::unexpected(HttpProblem{
          Kind::kTimeout,
          Prefix(request) +
              "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"});
    }
    if (code != CURLE_OK) {
      return NetworkProblem(request, transfer.Cause(code));
    }
    std::string url = transfer.RedirectUrl();
    if (!request.follows_redirects || !IsRedirect(receiver.reply.status_code) || url.empty()) {
      return std::move(receiver.reply);
    }
    if (hop == kMaxRedirects) {
      return NetworkProblem(request,
                            "stopped after " + std::to_string(kMaxRedirects) + " redirects");
    }
    request = Redirected(request, *uri, receiver.reply.status_code, std::move(url));
  }
}

}  // namespace

std::string_view HttpReply::Header(std::string_view name) const {
  for (const auto& [known, values] : headers) {
    if (known == name) {
      return values.front();
    }
  }
  return {};
}

std::expected<HttpReply, HttpProblem> SendHttp(CallContext& context, const HttpRequest& request) {
  // The deadline is by the context's clock; libcurl waits by the system's.
  Moment last = Moment::max();
  if (context.deadline != Moment::max()) {
    last = std::chrono::steady_clock::now() + (context.deadline - context.clock.Now());
  }
  const std::size_t limit_bytes = std::min(kMaxHttpBodyBytes, context.arena.limit_bytes());
  for (std::int64_t attempt = 0;; ++attempt) {
    const Moment now = std::chrono::steady_clock::now();
    Moment end = last;
    if (request.timeout.count() > 0 && (last == Moment::max() || request.timeout < last - now)) {
      end = now + std::min(request.timeout, std::chrono::nanoseconds(std::chrono::hours(24 * 365)));
    }
    if (now < last) {
      auto reply = Attempt(request, end, limit_bytes);
      if (reply || attempt == request.retries) {
        if (reply || std::chrono::steady_clock::now() < last) {
          return reply;
        }
      }
    }
    // As long as 60 s, growing by 1.6 from a tenth of a second.
    const std::chrono::duration<double> growing(std::min(
        60.0, 0.1 * std::pow(1.6, static_cast<double>(std::min<std::int64_t>(attempt, 30)))));
    const auto delay = std::chrono::duration_cast<std::chrono::nanoseconds>(growing);
    if (last != Moment::max() && std::chrono::steady_clock::now() + delay >= last) {
      std::this_thread::sleep_until(last);
      context.failure = FailureKind::kHalt;
      context.failure_message = "http.send: timed out (context deadline exceeded)";
      return std::unexpected(HttpProblem{Kind::kTimeout, context.failure_message});
    }
    std::this_thread::sleep_for(delay);
  }
}

}  // namespace portcullis::builtins
