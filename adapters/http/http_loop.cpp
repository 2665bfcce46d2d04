// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/http_loop.h"

#include "adapters/http/body_buffer.h"
#include "adapters/http/curl_handle.h"
#include "adapters/http/response_headers.h"
#include "adapters/http/socket_watch.h"
#include "adapters/http/tls_store.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <vector>

namespace batchllm {
namespace {

// libcurl searches a multi's connections one by one: small multis keep that short.
constexpr std::size_t k_slots_per_shard = 32;
constexpr std::size_t k_http2_streams_per_shard = 100;
constexpr std::size_t k_more_each_turn = 64;

bool environment_names_proxy() {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing sets it
    if (value != nullptr && *value != '\0') {
      return true;
    }
  }
  return false;
}

class HttpLoop;

struct Shard {
  HttpLoop* loop = nullptr;
  MultiHandle multi;
  std::optional<TimePoint> deadline;
};

struct Slot {
  HttpLoop* loop = nullptr;
  Shard* shard = nullptr;
  EasyHandle easy;
  BodyBuffer body;
  HttpResponse response;
  void* token = nullptr;
  TimePoint posted_at{};
  TimePoint deadline{};
  Slot* sooner = nullptr;  // neighbours among the busy slots, by deadline
  Slot* later = nullptr;
  bool busy = false;
  bool sent = false;
  std::array<char, CURL_ERROR_SIZE> error_text{};
};

class HttpLoop final : public Transport {
 public:
  explicit HttpLoop(const HttpLoopSettings& settings);
  ~HttpLoop() override;
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  void post(std::string_view body, Milliseconds timeout, void* token) override;

  std::size_t capacity() const override { return turn_capacity_; }

  void abandon_all() override;
  void run(TransportUser& user) override;
  void wake() noexcept override;

  // The wall clock when the events at hand came; for waits that a server gives as a date.
  std::int64_t wall_ms() const noexcept { return wall_ms_; }

 private:
  std::size_t in_flight() const noexcept { return slots_.size() - free_slots_.size(); }

  void begin_turn();
  void keep_idle_connections(bool keeps);
  void make_shards();
  void set_up(Slot& slot);
  Slot& free_slot();
  void run_timers();
  void handle_event(const epoll_event& event);
  void collect(Shard& shard);
  void end(Slot& slot, CURLcode code);
  static std::string failure_text(const Slot& slot, CURLcode code);
  void expect_by(Slot& slot, TimePoint deadline);
  void expect_no_more(Slot& slot);
  void give_up_late_ones();
  int wait_ms(std::optional<TimePoint> user_wake) const;

  static int on_socket(
      CURL* easy, curl_socket_t socket, int what, void* shard, void* state) noexcept;
  static int on_timer(CURLM* multi, long timeout_ms, void* shard) noexcept;
  static curl_socket_t open_socket(void* loop,
                                   curlsocktype purpose,
                                   curl_sockaddr* address) noexcept;
  static int close_socket(void* loop, curl_socket_t socket) noexcept;
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* slot) noexcept;
  static std::size_t on_header(char* bytes,
                               std::size_t size,
                               std::size_t count,
                               void* slot) noexcept;
  static int before_request(void* slot, char*, char*, int, int) noexcept;

  HttpLoopSettings settings_;
  std::optional<TlsStore> tls_;  // for https
  HeaderList headers_;
  ShareHandle share_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> free_slots_;
  SocketWatch sockets_;
  Slot* soonest_ = nullptr;  // busy slots by deadline
  Slot* latest_ = nullptr;
  std::size_t slots_per_shard_ = k_slots_per_shard;
  std::size_t connections_per_shard_ = 0;
  std::size_t turn_capacity_ = 1;
  bool keeps_idle_connections_ = true;
  bool address_known_ = false;
  bool uses_proxy_ = false;
  TransportUser* user_ = nullptr;
  bool user_has_news_ = false;  // a request ended since its last turn
  TimePoint now_{};
  std::int64_t wall_ms_ = 0;
};

HttpLoop::HttpLoop(const HttpLoopSettings& settings)
    : settings_(settings),
      uses_proxy_(environment_names_proxy()) {
  use_curl();
  if (settings_.endpoint.url.starts_with("https:")) {
    tls_.emplace(settings_.endpoint.ca_file);
  }
  for (const auto& [name, value] : settings_.endpoint.headers) {
    append_header(headers_, name + ": " + value);
  }
  // libcurl renders headers byte by byte: none that nobody needs. Expect would cost large bodies a
  // round trip.
  append_header(headers_, "Accept:");
  append_header(headers_, "Expect:");
  share_.reset(curl_share_init());
  curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  if (settings_.endpoint.http2) {
    slots_per_shard_ = k_http2_streams_per_shard;
  }
  address_known_ = !settings_.endpoint.unix_socket.empty();
  make_shards();
}

HttpLoop::~HttpLoop() {
  abandon_all();
  slots_.clear();
  shards_.clear();
}

void HttpLoop::make_shards() {
  const std::size_t count = (settings_.capacity + slots_per_shard_ - 1) / slots_per_shard_;
  connections_per_shard_ = (settings_.capacity + count - 1) / count;
  for (std::size_t i = 0; i < count; ++i) {
    auto shard = std::make_unique<Shard>();
    shard->loop = this;
    shard->multi.reset(curl_multi_init());
    CURLM* multi = shard->multi.get();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &HttpLoop::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, shard.get());
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &HttpLoop::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, shard.get());
    // Fewer than the requests in flight would close a connection for every one that is reused.
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(connections_per_shard_));
    if (settings_.endpoint.http2) {
      curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
    } else {
      curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    }
    shards_.push_back(std::move(shard));
  }
}

void HttpLoop::set_up(Slot& slot) {
  slot.easy.reset(curl_easy_init());
  if (slot.easy == nullptr) {
    throw std::bad_alloc();
  }
  CURL* easy = slot.easy.get();
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &slot);
  curl_easy_setopt(easy, CURLOPT_URL, settings_.endpoint.url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#endif
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(
      easy,
      CURLOPT_HTTP_VERSION,
      static_cast<long>(settings_.endpoint.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, settings_.endpoint.http2 ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "batchllm/" BATCHLLM_VERSION);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &HttpLoop::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &slot);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &HttpLoop::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &slot);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot.error_text.data());
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &HttpLoop::before_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &slot);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 4096L);
  curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
  curl_easy_setopt(easy, CURLOPT_SHARE, share_.get());
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &HttpLoop::open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &HttpLoop::close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  if (!settings_.endpoint.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, settings_.endpoint.unix_socket.c_str());
  }
  if (!uses_proxy_ || !settings_.endpoint.unix_socket.empty()) {
    // Otherwise libcurl looks into the environment for every request.
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  }
  if (tls_) {
    tls_->apply(easy);
  }
}

Slot& HttpLoop::free_slot() {
  if (free_slots_.empty()) {
    auto slot = std::make_unique<Slot>();
    slot->loop = this;
    slot->shard = shards_[slots_.size() % shards_.size()].get();
    set_up(*slot);
    slots_.push_back(std::move(slot));
    return *slots_.back();
  }
  // The one that ended last: its connection is warm.
  Slot& slot = *free_slots_.back();
  free_slots_.pop_back();
  if (slot.easy == nullptr) {
    set_up(slot);
  }
  return slot;
}

void HttpLoop::post(std::string_view body, Milliseconds timeout, void* token) {
  Slot& slot = free_slot();
  slot.token = token;
  slot.busy = true;
  slot.sent = false;
  slot.posted_at = std::chrono::steady_clock::now();
  slot.response = HttpResponse{};
  slot.error_text[0] = '\0';
  CURL* easy = slot.easy.get();
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  curl_multi_add_handle(slot.shard->multi.get(), easy);
  expect_by(slot, slot.posted_at + timeout);
}

void HttpLoop::abandon_all() {
  for (auto& slot : slots_) {
    if (slot->busy) {
      slot->busy = false;
      expect_no_more(*slot);
      curl_multi_remove_handle(slot->shard->multi.get(), slot->easy.get());
      slot->body.clear();
      free_slots_.push_back(slot.get());
    }
  }
}

void HttpLoop::run(TransportUser& user) {
  user_ = &user;
  now_ = std::chrono::steady_clock::now();
  while (true) {
    begin_turn();
    const std::optional<TimePoint> user_wake = user.on_turn(now_);
    if (user.is_finished()) {
      return;
    }
    keep_idle_connections(!user.is_finishing());
    run_timers();
    // A quick server's answer may be in already: the user's turn comes at once, or never when it
    // was the last one in flight.
    const bool has_room_next_turn =
        address_known_ && in_flight() == turn_capacity_ && turn_capacity_ < settings_.capacity;
    const auto events =
        sockets_.wait(user_has_news_ || has_room_next_turn ? 0 : wait_ms(user_wake));
    now_ = std::chrono::steady_clock::now();
    wall_ms_ = std::chrono::duration_cast<Milliseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
                   .count();
    for (const epoll_event& event : events) {
      handle_event(event);
    }
    run_timers();
    give_up_late_ones();
  }
}

// Until the host's address is known one request goes alone: libcurl would start a resolver thread
// for each of the others. Later a few dozen more go in every turn, so that thousands of connections
// that open at the start send as they open and not when the last of them did.
void HttpLoop::begin_turn() {
  user_has_news_ = false;
  turn_capacity_ =
      address_known_ ? std::min(settings_.capacity, in_flight() + k_more_each_turn) : 1;
}

// Closing thousands of connections takes as long as opening them. Towards the end of a run each
// request that ends takes an idle one along, while the others are still waited for.
void HttpLoop::keep_idle_connections(bool keeps) {
  if (keeps == keeps_idle_connections_) {
    return;
  }
  keeps_idle_connections_ = keeps;
  for (auto& shard : shards_) {
    curl_multi_setopt(shard->multi.get(),
                      CURLMOPT_MAXCONNECTS,
                      keeps ? static_cast<long>(connections_per_shard_) : 1L);
  }
}

void HttpLoop::wake() noexcept {
  sockets_.wake();
}

void HttpLoop::run_timers() {
  for (auto& shard : shards_) {
    // A timer may set itself again at once; a few rounds, then the sockets have their turn.
    for (int round = 0; round < 16 && shard->deadline && *shard->deadline <= now_; ++round) {
      shard->deadline.reset();
      int running = 0;
      curl_multi_socket_action(shard->multi.get(), CURL_SOCKET_TIMEOUT, 0, &running);
      collect(*shard);
    }
  }
}

void HttpLoop::handle_event(const epoll_event& event) {
  auto* shard = static_cast<Shard*>(sockets_.owner_of(event.data.fd));
  if (shard == nullptr) {
    return;
  }
  int action = 0;
  action |= (event.events & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0;
  action |= (event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
  action |= (event.events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0;
  int running = 0;
  curl_multi_socket_action(shard->multi.get(), event.data.fd, action, &running);
  collect(*shard);
}

void HttpLoop::collect(Shard& shard) {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(shard.multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    char* pointer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &pointer);
    end(*reinterpret_cast<Slot*>(pointer), code);
  }
}

std::string HttpLoop::failure_text(const Slot& slot, CURLcode code) {
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return "the server closed the connection without an answer";
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format(
          "{} within {} ms",
          slot.sent ? "no complete answer" : "no connection",
          std::chrono::duration_cast<Milliseconds>(slot.deadline - slot.posted_at).count());
    default:
      return one_line(
          slot.error_text[0] != '\0' ? slot.error_text.data() : curl_easy_strerror(code), 300);
  }
}

// Takes the request from libcurl, finished or not, and hands over what came of it.
void HttpLoop::end(Slot& slot, CURLcode code) {
  address_known_ = true;
  expect_no_more(slot);
  curl_multi_remove_handle(slot.shard->multi.get(), slot.easy.get());
  HttpResponse& response = slot.response;
  response.latency_ms = std::chrono::duration_cast<Milliseconds>(now_ - slot.posted_at).count();
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(slot.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    response.status = static_cast<int>(status);
  } else {
    response.failure = transport_failure(code, slot.sent);
    response.failure_text = failure_text(slot, code);
  }
  response.body = slot.body.data();
  response.body_size = slot.body.size();
  slot.busy = false;
  user_->on_response(slot.token, response);
  user_has_news_ = true;
  slot.body.clear();
  if (!keeps_idle_connections_) {
    slot.easy.reset();
  }
  free_slots_.push_back(&slot);
}

// libcurl's own timers cost a search tree over all requests of a multi, touched at every step of
// each of them. Nearly all requests have the same timeout: their deadlines come in order.
void HttpLoop::expect_by(Slot& slot, TimePoint deadline) {
  slot.deadline = deadline;
  slot.sooner = latest_;
  slot.later = nullptr;
  while (slot.sooner != nullptr && slot.sooner->deadline > deadline) {
    slot.later = slot.sooner;
    slot.sooner = slot.sooner->sooner;
  }
  (slot.sooner != nullptr ? slot.sooner->later : soonest_) = &slot;
  (slot.later != nullptr ? slot.later->sooner : latest_) = &slot;
}

void HttpLoop::expect_no_more(Slot& slot) {
  (slot.sooner != nullptr ? slot.sooner->later : soonest_) = slot.later;
  (slot.later != nullptr ? slot.later->sooner : latest_) = slot.sooner;
}

void HttpLoop::give_up_late_ones() {
  while (soonest_ != nullptr && soonest_->deadline <= now_) {
    end(*soonest_, CURLE_OPERATION_TIMEDOUT);
  }
}

int HttpLoop::wait_ms(std::optional<TimePoint> user_wake) const {
  std::optional<TimePoint> earliest = user_wake;
  for (const auto& shard : shards_) {
    if (shard->deadline && (!earliest || *shard->deadline < *earliest)) {
      earliest = shard->deadline;
    }
  }
  if (soonest_ != nullptr && (!earliest || soonest_->deadline < *earliest)) {
    earliest = soonest_->deadline;
  }
  if (!earliest) {
    return -1;
  }
  if (*earliest <= now_) {
    return 0;
  }
  const auto left = std::chrono::ceil<Milliseconds>(*earliest - now_);
  return static_cast<int>(std::min<std::int64_t>(left.count(), 60'000));
}

int HttpLoop::on_socket(
    CURL* /*easy*/, curl_socket_t socket, int what, void* shard, void* /*state*/) noexcept {
  auto& owner = *static_cast<Shard*>(shard);
  owner.loop->sockets_.want(socket, what == CURL_POLL_REMOVE ? 0 : what & CURL_POLL_INOUT, &owner);
  return 0;
}

int HttpLoop::on_timer(CURLM* /*multi*/, long timeout_ms, void* shard) noexcept {
  auto& owner = *static_cast<Shard*>(shard);
  if (timeout_ms < 0) {
    owner.deadline.reset();
  } else {
    owner.deadline = owner.loop->now_ + Milliseconds(timeout_ms);
  }
  return 0;
}

curl_socket_t HttpLoop::open_socket(void* loop,
                                    curlsocktype /*purpose*/,
                                    curl_sockaddr* address) noexcept {
  auto& self = *static_cast<HttpLoop*>(loop);
  self.address_known_ = true;
  const int descriptor =
      socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (descriptor >= 0) {
    self.sockets_.opened(descriptor);
  }
  return descriptor;
}

int HttpLoop::close_socket(void* loop, curl_socket_t socket) noexcept {
  static_cast<HttpLoop*>(loop)->sockets_.closing(socket);
  return close(socket);
}

std::size_t HttpLoop::on_body(char* bytes,
                              std::size_t size,
                              std::size_t count,
                              void* slot) noexcept {
  auto& self = *static_cast<Slot*>(slot);
  const std::size_t total = size * count;
  try {
    return self.body.append(bytes, total, self.loop->settings_.max_response_bytes) ? total : 0;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

std::size_t HttpLoop::on_header(char* bytes,
                                std::size_t size,
                                std::size_t count,
                                void* slot) noexcept {
  auto& self = *static_cast<Slot*>(slot);
  const std::string_view line(bytes, size * count);
  try {
    if (line.starts_with("HTTP/")) {
      // A new header block: what an interim response (1xx) or a proxy said does not count.
      self.response = HttpResponse{};
      self.body.clear();
    } else {
      read_header_line(line, self.loop->wall_ms(), self.response);
    }
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return line.size();
}

// libcurl sends a request again by itself when a reused connection breaks before the first byte of
// an answer. The server may have taken it: that is for the ledger to know, not for libcurl to hide.
int HttpLoop::before_request(void* slot, char*, char*, int, int) noexcept {
  auto& self = *static_cast<Slot*>(slot);
  if (self.sent) {
    return CURL_PREREQFUNC_ABORT;
  }
  self.sent = true;
  return CURL_PREREQFUNC_OK;
}

}  // namespace

std::unique_ptr<Transport> make_http_loop(const HttpLoopSettings& settings) {
  return std::make_unique<HttpLoop>(settings);
}

}  // namespace batchllm
