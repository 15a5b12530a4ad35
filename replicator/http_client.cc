#include "replicator/http_client.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include <curl/curl.h>

namespace portcullis::replicator {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr long kConnectTimeoutMs = 10'000;
constexpr long kReadBufferBytes = 256 * 1024;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListDeleter>;

bool Append(List* list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list->get(), line.c_str());
  if (longer == nullptr) {
    return false;
  }
  std::ignore = list->release();
  list->reset(longer);
  return true;
}

struct Exchange {
  ExchangeId id = 0;
  HttpHandler* handler = nullptr;
  HttpRequest request;
  std::unique_ptr<CURL, EasyDeleter> easy;
  List headers;
  List connect_to;
  std::array<char, CURL_ERROR_SIZE> error_text{};
  std::string received;
  bool status_told = false;
  std::optional<Result<void>> ended;
};

std::size_t OnCurlBytes(char* bytes, std::size_t size, std::size_t count, void* user) {
  // libcurl allows no call into the multi handle from here, so bytes wait until perform has
  // returned.
  static_cast<Exchange*>(user)->received.append(bytes, size * count);
  return size * count;
}

// What a failed transfer means, for the person who has to repair it.
std::string Explain(CURLcode code, const Exchange& exchange) {
  std::string detail = exchange.error_text.data();
  if (detail.empty()) {
    detail = curl_easy_strerror(code);
  }
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return "the API server's certificate is refused: " + detail +
             " (check certificate-authority, tls-server-name and the clock)";
    case CURLE_SSL_CACERT_BADFILE:
      return "the certificate authority is not usable PEM: " + detail;
    case CURLE_SSL_CERTPROBLEM:
      return "the client certificate or its key is not usable: " + detail;
    case CURLE_SSL_CONNECT_ERROR:
      return "no TLS connection: " + detail;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "the name cannot be resolved: " + detail;
    case CURLE_COULDNT_CONNECT:
      return "no connection: " + detail;
    case CURLE_OPERATION_TIMEDOUT:
      return "timed out: " + detail;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return "the connection was cut: " + detail;
    default:
      return detail + " (libcurl error " + std::to_string(static_cast<int>(code)) + ")";
  }
}

struct ParsedServer {
  std::string url;         // Without a trailing slash; the host replaced where TLS names another.
  std::string connect_to;  // For CURLOPT_CONNECT_TO; "" if the host was not replaced.
};

Result<ParsedServer> ParseServer(const ClusterAccess& access) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  if (url == nullptr) {
    return Fail(ErrorCode::kInternal, "libcurl: out of memory");
  }
  const std::string text =
      access.server.find("://") == std::string::npos ? "http://" + access.server : access.server;
  const auto part = [&](CURLUPart what, unsigned flags) {
    char* value = nullptr;
    std::string out;
    if (curl_url_get(url.get(), what, &value, flags) == CURLUE_OK && value != nullptr) {
      out = value;
    }
    curl_free(value);
    return out;
  };
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return Fail(ErrorCode::kInvalidArgument, "server is not a URL: " + access.server);
  }
  const std::string scheme = part(CURLUPART_SCHEME, 0);
  if (scheme != "https" && scheme != "http") {
    return Fail(ErrorCode::kInvalidArgument, "server is neither http nor https: " + access.server);
  }
  ParsedServer parsed;
  if (!access.tls_server_name.empty()) {
    parsed.connect_to =
        "::" + part(CURLUPART_HOST, 0) + ":" + part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
    if (curl_url_set(url.get(), CURLUPART_HOST, access.tls_server_name.c_str(), 0) != CURLUE_OK) {
      return Fail(ErrorCode::kInvalidArgument,
                  "tls-server-name is not a host name: " + access.tls_server_name);
    }
  }
  parsed.url = part(CURLUPART_URL, 0);
  while (!parsed.url.empty() && parsed.url.back() == '/') {
    parsed.url.pop_back();
  }
  return parsed;
}

curl_blob Blob(const std::string& bytes) {
  // The access outlives every exchange, so libcurl need not copy.
  return {const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_NOCOPY};
}

}  // namespace

struct HttpClient::State {
  State(const ClusterAccess& cluster, ParsedServer parsed, Clock& time)
      : access(cluster), server(std::move(parsed)), clock(time) {}

  const ClusterAccess access;
  const ParsedServer server;
  Clock& clock;
  CURLM* multi = nullptr;
  std::thread thread;

  // Of the client's thread.
  std::unordered_map<ExchangeId, std::unique_ptr<Exchange>> exchanges;
  std::multimap<steady_clock::time_point, std::pair<TimerId, std::function<void()>>> timers;
  std::uint64_t next_id = 1;
  // Exchanges that did not start; told in the next turn, as one that failed later would be.
  std::vector<ExchangeId> stillborn;

  std::mutex mutex;
  // Guarded by mutex:
  std::deque<std::function<void()>> posted;
  bool stopping = false;

  void Loop();
  bool RunPosted();
  void RunTimers();
  void Perform();
  void Deliver(Exchange& exchange);
  Result<void> Prepare(Exchange& exchange);
  void Remove(ExchangeId id);
};

// Everything that a request asks of libcurl; each option is checked, since a build of libcurl may
// lack it.
Result<void> HttpClient::State::Prepare(Exchange& exchange) {
  CURL* easy = exchange.easy.get();
  CURLcode failed = CURLE_OK;
  const auto set = [&](CURLoption option, auto value) {
    const CURLcode code = curl_easy_setopt(easy, option, value);
    if (failed == CURLE_OK) {
      failed = code;
    }
  };
  const HttpRequest& request = exchange.request;
  set(CURLOPT_ERRORBUFFER, exchange.error_text.data());
  set(CURLOPT_PRIVATE, static_cast<void*>(&exchange));
  set(CURLOPT_WRITEFUNCTION, &OnCurlBytes);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&exchange));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_URL, (server.url + request.path).c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_PIPEWAIT, 1L);
  set(CURLOPT_BUFFERSIZE, kReadBufferBytes);
  set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  set(CURLOPT_FRESH_CONNECT, request.connection == Connection::kNew ? 1L : 0L);
  if (request.method != "GET") {
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  if (!request.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.data());
  }
  bool room = true;
  for (const std::string& header : request.headers) {
    room = room && Append(&exchange.headers, header);
  }
  set(CURLOPT_HTTPHEADER, exchange.headers.get());
  if (!server.connect_to.empty()) {
    room = room && Append(&exchange.connect_to, server.connect_to);
    set(CURLOPT_CONNECT_TO, exchange.connect_to.get());
  }
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, access.skip_tls_verify ? 0L : 1L);
  set(CURLOPT_SSL_VERIFYHOST, access.skip_tls_verify ? 0L : 2L);
  curl_blob authority = Blob(access.certificate_authority_pem);
  if (authority.len != 0) {
    set(CURLOPT_CAINFO_BLOB, &authority);
  }
  curl_blob certificate = Blob(access.client_certificate_pem);
  curl_blob key = Blob(access.client_key_pem);
  if (certificate.len != 0) {
    set(CURLOPT_SSLCERT_BLOB, &certificate);
    set(CURLOPT_SSLCERTTYPE, "PEM");
    set(CURLOPT_SSLKEY_BLOB, &key);
    set(CURLOPT_SSLKEYTYPE, "PEM");
  }
  if (!access.username.empty()) {
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(CURLOPT_USERNAME, access.username.c_str());
    set(CURLOPT_PASSWORD, access.password.c_str());
  }
  if (!access.proxy_url.empty()) {
    set(CURLOPT_PROXY, access.proxy_url.c_str());
  }
  if (failed != CURLE_OK || !room) {
    return Fail(ErrorCode::kInternal,
                std::string("libcurl refuses an option: ") + curl_easy_strerror(failed));
  }
  return {};
}

bool HttpClient::State::RunPosted() {
  std::deque<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex);
    if (stopping) {
      return false;
    }
    tasks.swap(posted);
  }
  for (const std::function<void()>& task : tasks) {
    task();
  }
  return true;
}

void HttpClient::State::RunTimers() {
  const steady_clock::time_point now = clock.Now();
  while (!timers.empty() && timers.begin()->first <= now) {
    const std::function<void()> task = std::move(timers.begin()->second.second);
    timers.erase(timers.begin());
    task();
  }
}

void HttpClient::State::Deliver(Exchange& exchange) {
  const ExchangeId id = exchange.id;
  // Any call of the handler may cancel the exchange, which then is gone.
  const auto alive = [&] { return exchanges.contains(id); };
  HttpHandler& handler = *exchange.handler;
  if (!exchange.status_told) {
    long status = 0;
    curl_easy_getinfo(exchange.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    // 1xx answers come before the real one.
    if (status >= 200) {
      exchange.status_told = true;
      curl_off_t retry_after = 0;
      curl_easy_getinfo(exchange.easy.get(), CURLINFO_RETRY_AFTER, &retry_after);
      handler.OnStatus(
          static_cast<int>(status),
          retry_after > 0 ? std::optional(std::chrono::seconds(retry_after)) : std::nullopt);
      if (!alive()) {
        return;
      }
    }
  }
  if (!exchange.received.empty()) {
    const std::string bytes = std::exchange(exchange.received, {});
    handler.OnBytes(bytes);
    if (!alive()) {
      return;
    }
  }
  if (exchange.ended) {
    Result<void> result = *std::move(exchange.ended);
    Remove(id);
    handler.OnEnd(std::move(result));
  }
}

void HttpClient::State::Perform() {
  int running = 0;
  CURLMcode code = curl_multi_perform(multi, &running);
  std::string broken;
  if (code != CURLM_OK) {
    broken = curl_multi_strerror(code);
  }
  int waiting = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &waiting)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    Exchange* exchange = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    const CURLcode result = message->data.result;
    exchange->ended = result == CURLE_OK
                          ? Result<void>()
                          : Fail(ErrorCode::kUnavailable, Explain(result, *exchange));
  }
  // Collected first: handlers start and cancel exchanges.
  std::vector<ExchangeId> ready;
  for (const auto& [id, exchange] : exchanges) {
    if (!broken.empty() && !exchange->ended) {
      exchange->ended = Fail(ErrorCode::kInternal, "libcurl: " + broken);
    }
    long status = 0;
    if (!exchange->status_told) {
      curl_easy_getinfo(exchange->easy.get(), CURLINFO_RESPONSE_CODE, &status);
    }
    if (status >= 200 || !exchange->received.empty() || exchange->ended) {
      ready.push_back(id);
    }
  }
  for (const ExchangeId id : ready) {
    const auto found = exchanges.find(id);
    if (found != exchanges.end()) {
      Deliver(*found->second);
    }
  }
}

void HttpClient::State::Remove(ExchangeId id) {
  const auto found = exchanges.find(id);
  if (found != exchanges.end()) {
    curl_multi_remove_handle(multi, found->second->easy.get());
    exchanges.erase(found);
  }
}

void HttpClient::State::Loop() {
  while (RunPosted()) {
    RunTimers();
    Perform();
    milliseconds wait{60'000};
    if (!timers.empty()) {
      const auto until = std::chrono::ceil<milliseconds>(timers.begin()->first - clock.Now());
      wait = std::clamp(until, milliseconds(0), wait);
    }
    for (const ExchangeId id : std::exchange(stillborn, {})) {
      const auto found = exchanges.find(id);
      if (found != exchanges.end()) {
        Deliver(*found->second);
      }
      wait = milliseconds(0);
    }
    curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
}

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<HttpClient>> HttpClient::Create(const ClusterAccess& access, Clock& clock) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return Fail(ErrorCode::kInternal, "libcurl does not start");
  }
  auto state = std::make_unique<State>(access, TRY(ParseServer(access)), clock);
  state->multi = curl_multi_init();
  if (state->multi == nullptr) {
    return Fail(ErrorCode::kInternal, "libcurl does not start");
  }
  curl_multi_setopt(state->multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
  State* loop = state.get();
  std::unique_ptr<HttpClient> client(new HttpClient(std::move(state)));
  loop->thread = std::thread([loop] { loop->Loop(); });
  return client;
}

HttpClient::~HttpClient() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  curl_multi_wakeup(state_->multi);
  if (state_->thread.joinable()) {
    state_->thread.join();
  }
  while (!state_->exchanges.empty()) {
    state_->Remove(state_->exchanges.begin()->first);
  }
  curl_multi_cleanup(state_->multi);
  curl_global_cleanup();
}

void HttpClient::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->posted.push_back(std::move(task));
  }
  curl_multi_wakeup(state_->multi);
}

void HttpClient::RunAndWait(const std::function<void()>& task) {
  if (on_client_thread()) {
    task();
    return;
  }
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;
  Post([&] {
    task();
    // Notified under the lock: the waiter, and with it the variable, may be gone right after.
    const std::lock_guard lock(mutex);
    done = true;
    finished.notify_one();
  });
  std::unique_lock lock(mutex);
  finished.wait(lock, [&] { return done; });
}

bool HttpClient::on_client_thread() const {
  return std::this_thread::get_id() == state_->thread.get_id();
}

ExchangeId HttpClient::Start(HttpRequest request, HttpHandler& handler) {
  auto exchange = std::make_unique<Exchange>();
  exchange->id = state_->next_id++;
  exchange->handler = &handler;
  exchange->request = std::move(request);
  exchange->easy.reset(curl_easy_init());
  Result<void> prepared = exchange->easy == nullptr
                              ? Fail(ErrorCode::kInternal, "libcurl: out of memory")
                              : state_->Prepare(*exchange);
  if (prepared) {
    const CURLMcode code = curl_multi_add_handle(state_->multi, exchange->easy.get());
    if (code != CURLM_OK) {
      prepared = Fail(ErrorCode::kInternal, std::string("libcurl: ") + curl_multi_strerror(code));
    }
  }
  const ExchangeId id = exchange->id;
  if (!prepared) {
    exchange->ended = std::move(prepared);
    state_->stillborn.push_back(id);
  }
  state_->exchanges.emplace(id, std::move(exchange));
  return id;
}

void HttpClient::Cancel(ExchangeId id) {
  state_->Remove(id);
}

TimerId HttpClient::RunAt(steady_clock::time_point when, std::function<void()> task) {
  const TimerId id = state_->next_id++;
  state_->timers.emplace(when, std::pair(id, std::move(task)));
  return id;
}

void HttpClient::CancelTimer(TimerId id) {
  std::erase_if(state_->timers, [id](const auto& timer) { return timer.second.first == id; });
}

}  // namespace portcullis::replicator
