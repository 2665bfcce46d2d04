// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/http_loop.h"

#include "adapters/http/curl_handle.h"
#include "adapters/http/response_headers.h"
#include "adapters/http/tls_store.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace batchllm {
namespace {

// libcurl searches a multi's connections one by one: small multis keep that short.
constexpr std::size_t k_slots_per_shard = 64;
constexpr std::size_t k_http2_streams_per_shard = 100;
constexpr std::size_t k_body_slack = 64;  // readable bytes behind a body, for the JSON parser
constexpr std::size_t k_kept_body_bytes = std::size_t{64} << 10;
constexpr std::size_t k_files_besides_connections = 64;

bool environment_names_proxy() {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing sets it
    if (value != nullptr && *value != '\0') {
      return true;
    }
  }
  return false;
}

// A response body that grows by doubling and always has the slack behind its end.
class BodyBuffer {
 public:
  bool append(const char* bytes, std::size_t count, std::size_t limit) {
    if (count > limit - std::min(limit, size_)) {
      return false;
    }
    if (bytes_.size() < size_ + count + k_body_slack) {
      bytes_.resize(std::max(size_ + count + k_body_slack, bytes_.size() * 2));
    }
    std::memcpy(bytes_.data() + size_, bytes, count);
    size_ += count;
    return true;
  }

  void clear() {
    size_ = 0;
    if (bytes_.size() > k_kept_body_bytes) {
      std::vector<char>().swap(bytes_);
    }
  }

  char* data() {
    if (bytes_.empty()) {
      bytes_.resize(k_body_slack);
    }
    return bytes_.data();
  }

  std::size_t size() const noexcept { return size_; }

 private:
  std::vector<char> bytes_;
  std::size_t size_ = 0;
};

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
  bool busy = false;
  bool sent = false;
  std::array<char, CURL_ERROR_SIZE> error_text{};
};

// What libcurl wants to hear of a socket, and what epoll was told. Changes of our own sockets are
// collected and told once before waiting; libcurl closes its resolver's descriptors without a word,
// so those are told at once.
struct SocketState {
  CURLM* multi = nullptr;
  Shard* shard = nullptr;
  std::uint8_t wanted = 0;
  std::uint8_t told = 0;
  bool changed = false;
  bool ours = false;
};

class HttpLoop final : public Transport {
 public:
  explicit HttpLoop(const HttpLoopSettings& settings);
  ~HttpLoop() override;
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  void post(std::string_view body, Milliseconds timeout, void* token) override;

  // Until the host's address is known one request goes alone: libcurl would start a resolver thread
  // for each of the others.
  std::size_t capacity() const override { return address_known_ ? settings_.capacity : 1; }

  void abandon_all() override;
  void run(TransportUser& user) override;
  void wake() noexcept override;

  // The wall clock when the events at hand came; for waits that a server gives as a date.
  std::int64_t wall_ms() const noexcept { return wall_ms_; }

 private:
  void make_shards();
  void set_up(Slot& slot);
  Slot& free_slot();
  void run_timers();
  void handle_event(int descriptor, std::uint32_t events);
  void collect(Shard& shard);
  void finish(Slot& slot, CURLcode code);
  void tell_epoll(int descriptor, SocketState& state) const;
  void flush_changes();
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
  SocketState& state_of(int descriptor);

  HttpLoopSettings settings_;
  TlsStore tls_;
  HeaderList headers_;
  ShareHandle share_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> free_slots_;
  std::vector<SocketState> sockets_;
  std::vector<int> changed_;
  std::size_t slots_per_shard_ = k_slots_per_shard;
  bool address_known_ = false;
  bool uses_proxy_ = false;
  TransportUser* user_ = nullptr;
  bool user_has_news_ = false;  // a request ended since its last turn
  TimePoint now_{};
  std::int64_t wall_ms_ = 0;
  int epoll_ = -1;
  int wake_ = -1;
};

HttpLoop::HttpLoop(const HttpLoopSettings& settings)
    : settings_(settings),
      tls_((use_curl(), settings.endpoint.ca_file)),
      uses_proxy_(environment_names_proxy()) {
  for (const auto& [name, value] : settings_.endpoint.headers) {
    append_header(headers_, name + ": " + value);
  }
  // libcurl renders headers byte by byte: none that nobody needs. Expect would cost large bodies a
  // round trip.
  append_header(headers_, "Accept:");
  append_header(headers_, "Expect:");
  share_.reset(curl_share_init());
  curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_ < 0 || wake_ < 0) {
    throw Error(ErrorCode::storage,
                fmt::format("cannot wait for connections: {}", std::strerror(errno)));
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
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
  close(epoll_);
  close(wake_);
}

void HttpLoop::make_shards() {
  const std::size_t count = (settings_.capacity + slots_per_shard_ - 1) / slots_per_shard_;
  const std::size_t per_shard = (settings_.capacity + count - 1) / count;
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
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(per_shard));
    if (settings_.endpoint.http2) {
      curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
    } else {
      curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    }
    shards_.push_back(std::move(shard));
  }
}

void HttpLoop::set_up(Slot& slot) {
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
  if (settings_.endpoint.url.starts_with("https:")) {
    tls_.apply(easy);
  }
}

Slot& HttpLoop::free_slot() {
  if (free_slots_.empty()) {
    auto slot = std::make_unique<Slot>();
    slot->loop = this;
    slot->shard = shards_[slots_.size() % shards_.size()].get();
    slot->easy.reset(curl_easy_init());
    if (slot->easy == nullptr) {
      throw std::bad_alloc();
    }
    set_up(*slot);
    slots_.push_back(std::move(slot));
    return *slots_.back();
  }
  // The one that ended last: its connection is warm.
  Slot& slot = *free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

void HttpLoop::post(std::string_view body, Milliseconds timeout, void* token) {
  Slot& slot = free_slot();
  slot.token = token;
  slot.busy = true;
  slot.sent = false;
  slot.posted_at = now_;
  slot.response = HttpResponse{};
  slot.error_text[0] = '\0';
  CURL* easy = slot.easy.get();
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_multi_add_handle(slot.shard->multi.get(), easy);
}

void HttpLoop::abandon_all() {
  for (auto& slot : slots_) {
    if (slot->busy) {
      slot->busy = false;
      curl_multi_remove_handle(slot->shard->multi.get(), slot->easy.get());
      slot->body.clear();
      free_slots_.push_back(slot.get());
    }
  }
}

void HttpLoop::run(TransportUser& user) {
  user_ = &user;
  std::array<epoll_event, 512> events{};
  now_ = std::chrono::steady_clock::now();
  while (true) {
    user_has_news_ = false;
    const std::optional<TimePoint> user_wake = user.on_turn(now_);
    if (user.is_finished()) {
      return;
    }
    run_timers();
    flush_changes();
    // A quick server's answer may be in already: the user's turn comes at once, or never when it
    // was the last one in flight.
    const int wait = user_has_news_ ? 0 : wait_ms(user_wake);
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
    now_ = std::chrono::steady_clock::now();
    wall_ms_ = std::chrono::duration_cast<Milliseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
                   .count();
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      handle_event(event.data.fd, event.events);
    }
    run_timers();
  }
}

void HttpLoop::wake() noexcept {
  const std::uint64_t one = 1;
  const auto written = write(wake_, &one, sizeof one);
  (void)written;  // full: it is awake already
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

void HttpLoop::handle_event(int descriptor, std::uint32_t events) {
  if (descriptor == wake_) {
    std::uint64_t count = 0;
    const auto got = read(wake_, &count, sizeof count);
    (void)got;
    return;
  }
  SocketState& state = state_of(descriptor);
  if (state.multi == nullptr || state.wanted == 0) {
    return;
  }
  int action = 0;
  action |= (events & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0;
  action |= (events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
  action |= (events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0;
  Shard& shard = *state.shard;
  int running = 0;
  curl_multi_socket_action(state.multi, descriptor, action, &running);
  collect(shard);
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
    curl_multi_remove_handle(shard.multi.get(), easy);
    finish(*reinterpret_cast<Slot*>(pointer), code);
  }
}

void HttpLoop::finish(Slot& slot, CURLcode code) {
  address_known_ = true;
  HttpResponse& response = slot.response;
  response.latency_ms = std::chrono::duration_cast<Milliseconds>(now_ - slot.posted_at).count();
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(slot.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    response.status = static_cast<int>(status);
  } else {
    response.failure = transport_failure(code, slot.sent);
    const char* text =
        slot.error_text[0] != '\0' ? slot.error_text.data() : curl_easy_strerror(code);
    response.failure_text = code == CURLE_ABORTED_BY_CALLBACK
                                ? "the server closed the connection without an answer"
                                : one_line(text, 300);
  }
  response.body = slot.body.data();
  response.body_size = slot.body.size();
  slot.busy = false;
  user_->on_response(slot.token, response);
  user_has_news_ = true;
  slot.body.clear();
  free_slots_.push_back(&slot);
}

SocketState& HttpLoop::state_of(int descriptor) {
  const auto index = static_cast<std::size_t>(descriptor);
  if (index >= sockets_.size()) {
    sockets_.resize(std::max(index + 64, sockets_.size() * 2));
  }
  return sockets_[index];
}

void HttpLoop::tell_epoll(int descriptor, SocketState& state) const {
  epoll_event event{};
  event.events = ((state.wanted & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) |
                 ((state.wanted & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  event.data.fd = descriptor;
  if (state.wanted == 0) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, &event);
  } else {
    const int first = state.told != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    const int second = state.told != 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(epoll_, first, descriptor, &event) != 0) {
      epoll_ctl(epoll_, second, descriptor, &event);
    }
  }
  state.told = state.wanted;
}

void HttpLoop::flush_changes() {
  for (const int descriptor : changed_) {
    SocketState& state = state_of(descriptor);
    state.changed = false;
    if (state.wanted != state.told) {
      tell_epoll(descriptor, state);
    }
  }
  changed_.clear();
}

int HttpLoop::wait_ms(std::optional<TimePoint> user_wake) const {
  std::optional<TimePoint> earliest = user_wake;
  for (const auto& shard : shards_) {
    if (shard->deadline && (!earliest || *shard->deadline < *earliest)) {
      earliest = shard->deadline;
    }
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
  HttpLoop& loop = *owner.loop;
  SocketState& state = loop.state_of(socket);
  state.multi = owner.multi.get();
  state.shard = &owner;
  state.wanted = what == CURL_POLL_REMOVE ? std::uint8_t{0} : static_cast<std::uint8_t>(what & 3);
  if (!state.ours) {
    loop.tell_epoll(socket, state);
  } else if (!state.changed) {
    state.changed = true;
    loop.changed_.push_back(socket);
  }
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
    SocketState& state = self.state_of(descriptor);
    state = SocketState{};
    state.ours = true;
  }
  return descriptor;
}

int HttpLoop::close_socket(void* loop, curl_socket_t socket) noexcept {
  auto& self = *static_cast<HttpLoop*>(loop);
  SocketState& state = self.state_of(socket);
  const bool changed = state.changed;
  state = SocketState{};
  state.changed = changed;  // it may still stand in the list of changes
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

std::optional<std::string> http_get(const HttpEndpoint& endpoint, Milliseconds timeout) {
  use_curl();
  TlsStore tls(endpoint.ca_file);
  const EasyHandle easy(curl_easy_init());
  HeaderList headers;
  for (const auto& [name, value] : endpoint.headers) {
    append_header(headers, name + ": " + value);
  }
  std::string body;
  const auto append =
      +[](char* bytes, std::size_t size, std::size_t count, void* out) -> std::size_t {
    constexpr std::size_t k_limit = std::size_t{16} << 20;
    auto& text = *static_cast<std::string*>(out);
    if (text.size() + size * count > k_limit) {
      return 0;
    }
    text.append(bytes, size * count);
    return size * count;
  };
  curl_easy_setopt(easy.get(), CURLOPT_URL, endpoint.url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &body);
  if (!endpoint.unix_socket.empty()) {
    curl_easy_setopt(easy.get(), CURLOPT_UNIX_SOCKET_PATH, endpoint.unix_socket.c_str());
  }
  tls.apply(easy.get());
  long status = 0;
  if (curl_easy_perform(easy.get()) != CURLE_OK ||
      curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200) {
    return std::nullopt;
  }
  return body;
}

std::size_t allow_connections(std::size_t connections) {
  const auto wanted = static_cast<rlim_t>(connections + k_files_besides_connections);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return connections;
  }
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= wanted) {
    return connections;
  }
  return limit.rlim_cur > k_files_besides_connections
             ? static_cast<std::size_t>(limit.rlim_cur) - k_files_besides_connections
             : 1;
}

}  // namespace batchllm
