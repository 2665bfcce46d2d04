// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/http_loop.h"

#include "adapters/http/curl_handle.h"
#include "adapters/http/deadline_list.h"
#include "adapters/http/http_request.h"
#include "adapters/http/socket_watch.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

namespace batchllm {
namespace {

// libcurl searches a multi's connections one by one: small multis keep that short.
constexpr std::size_t k_slots_per_shard = 32;
constexpr std::size_t k_http2_streams_per_shard = 100;
constexpr std::size_t k_more_each_turn = 64;

class HttpLoop;

struct Shard {
  HttpLoop* loop = nullptr;
  MultiHandle multi;
  std::optional<TimePoint> deadline;
};

struct Slot : Deadline {
  Shard* shard = nullptr;
  HttpRequest request;
  void* token = nullptr;
  bool busy = false;
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

 private:
  std::size_t in_flight() const noexcept { return slots_.size() - free_slots_.size(); }

  void begin_turn();
  void keep_idle_connections(bool keeps);
  void make_shards();
  void open(Slot& slot);
  Slot& free_slot();
  void run_timers();
  void handle_event(const epoll_event& event);
  void collect(Shard& shard);
  void end(Slot& slot, CURLcode code);
  void give_up_late_ones();
  int wait_ms(std::optional<TimePoint> user_wake) const;

  static int on_socket(
      CURL* easy, curl_socket_t socket, int what, void* shard, void* state) noexcept;
  static int on_timer(CURLM* multi, long timeout_ms, void* shard) noexcept;
  static curl_socket_t open_socket(void* loop,
                                   curlsocktype purpose,
                                   curl_sockaddr* address) noexcept;
  static int close_socket(void* loop, curl_socket_t socket) noexcept;

  std::size_t capacity_;
  HttpRequestSettings request_settings_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> free_slots_;
  SocketWatch sockets_;
  DeadlineList deadlines_;  // of the busy slots
  std::size_t slots_per_shard_ = k_slots_per_shard;
  std::size_t connections_per_shard_ = 0;
  std::size_t turn_capacity_ = 1;
  bool keeps_idle_connections_ = true;
  bool address_known_ = false;
  TransportUser* user_ = nullptr;
  bool user_has_news_ = false;  // a request ended since its last turn
  TimePoint now_{};
};

HttpLoop::HttpLoop(const HttpLoopSettings& settings)
    : capacity_(settings.capacity),
      request_settings_(settings.endpoint, settings.max_response_bytes) {
  if (settings.endpoint.http2) {
    slots_per_shard_ = k_http2_streams_per_shard;
  }
  address_known_ = !settings.endpoint.unix_socket.empty();
  make_shards();
}

HttpLoop::~HttpLoop() {
  abandon_all();
  slots_.clear();
  shards_.clear();
}

void HttpLoop::make_shards() {
  const std::size_t count = (capacity_ + slots_per_shard_ - 1) / slots_per_shard_;
  connections_per_shard_ = (capacity_ + count - 1) / count;
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
    if (request_settings_.endpoint().http2) {
      curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
    } else {
      curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    }
    shards_.push_back(std::move(shard));
  }
}

void HttpLoop::open(Slot& slot) {
  slot.request.open(request_settings_, &slot);
  CURL* easy = slot.request.easy();
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &HttpLoop::open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &HttpLoop::close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
}

Slot& HttpLoop::free_slot() {
  if (free_slots_.empty()) {
    auto slot = std::make_unique<Slot>();
    slot->shard = shards_[slots_.size() % shards_.size()].get();
    open(*slot);
    slots_.push_back(std::move(slot));
    return *slots_.back();
  }
  // The one that ended last: its connection is warm.
  Slot& slot = *free_slots_.back();
  free_slots_.pop_back();
  if (!slot.request.is_open()) {
    open(slot);
  }
  return slot;
}

void HttpLoop::post(std::string_view body, Milliseconds timeout, void* token) {
  Slot& slot = free_slot();
  slot.token = token;
  slot.busy = true;
  slot.request.begin(body, timeout);
  curl_multi_add_handle(slot.shard->multi.get(), slot.request.easy());
  deadlines_.add(slot, slot.request.begun_at() + timeout);
}

void HttpLoop::abandon_all() {
  for (auto& slot : slots_) {
    if (slot->busy) {
      slot->busy = false;
      deadlines_.remove(*slot);
      curl_multi_remove_handle(slot->shard->multi.get(), slot->request.easy());
      slot->request.clear();
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
        address_known_ && in_flight() == turn_capacity_ && turn_capacity_ < capacity_;
    const auto events =
        sockets_.wait(user_has_news_ || has_room_next_turn ? 0 : wait_ms(user_wake));
    now_ = std::chrono::steady_clock::now();
    request_settings_.wall_ms = std::chrono::duration_cast<Milliseconds>(
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
  turn_capacity_ = address_known_ ? std::min(capacity_, in_flight() + k_more_each_turn) : 1;
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

// Takes the request from libcurl, finished or not, and hands over what came of it.
void HttpLoop::end(Slot& slot, CURLcode code) {
  address_known_ = true;
  deadlines_.remove(slot);
  curl_multi_remove_handle(slot.shard->multi.get(), slot.request.easy());
  slot.busy = false;
  user_->on_response(slot.token, slot.request.end(code, now_));
  user_has_news_ = true;
  slot.request.clear();
  if (!keeps_idle_connections_) {
    slot.request.close();
  }
  free_slots_.push_back(&slot);
}

void HttpLoop::give_up_late_ones() {
  while (deadlines_.soonest() != nullptr && deadlines_.soonest()->at <= now_) {
    end(static_cast<Slot&>(*deadlines_.soonest()), CURLE_OPERATION_TIMEDOUT);
  }
}

int HttpLoop::wait_ms(std::optional<TimePoint> user_wake) const {
  std::optional<TimePoint> earliest = user_wake;
  for (const auto& shard : shards_) {
    if (shard->deadline && (!earliest || *shard->deadline < *earliest)) {
      earliest = shard->deadline;
    }
  }
  const Deadline* soonest = deadlines_.soonest();
  if (soonest != nullptr && (!earliest || soonest->at < *earliest)) {
    earliest = soonest->at;
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

}  // namespace

std::unique_ptr<Transport> make_http_loop(const HttpLoopSettings& settings) {
  return std::make_unique<HttpLoop>(settings);
}

}  // namespace batchllm
