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
struct Route;

struct Shard {
  HttpLoop* loop = nullptr;
  MultiHandle multi;
  std::optional<TimePoint> deadline;
};

struct Slot : Deadline {
  Route* route = nullptr;
  Shard* shard = nullptr;
  HttpRequest request;
  void* token = nullptr;
  bool busy = false;
};

// The requests to one endpoint.
struct Route {
  Route(const HttpEndpoint& endpoint, std::size_t max_response_bytes)
      : settings(endpoint, max_response_bytes),
        address_known(!endpoint.unix_socket.empty()) {}

  std::size_t in_flight() const noexcept { return slots.size() - free_slots.size(); }

  HttpLoop* loop = nullptr;
  HttpRequestSettings settings;
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<std::unique_ptr<Slot>> slots;
  std::vector<Slot*> free_slots;
  std::size_t connections_per_shard = 0;
  std::size_t turn_capacity = 1;
  bool address_known = false;
};

class HttpLoop final : public Transport {
 public:
  explicit HttpLoop(const HttpLoopSettings& settings);
  ~HttpLoop() override;
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  void post(std::size_t endpoint,
            std::string_view body,
            Milliseconds timeout,
            void* token) override;

  std::size_t capacity(std::size_t endpoint) const override {
    return routes_[endpoint]->turn_capacity;
  }

  void abandon_all() override;
  void run(TransportUser& user) override;
  void wake() noexcept override;

 private:
  void begin_turn();
  void keep_idle_connections(bool keeps);
  void make_shards(Route& route, std::size_t slots_per_shard);
  static void open(Slot& slot);
  static Slot& free_slot(Route& route);
  bool has_room_next_turn() const;
  void note_time();
  void run_timers();
  void handle_event(const epoll_event& event);
  void collect(Shard& shard);
  void end(Slot& slot, CURLcode code);
  void give_up_late_ones();
  int wait_ms(std::optional<TimePoint> user_wake) const;

  static int on_socket(
      CURL* easy, curl_socket_t socket, int what, void* shard, void* state) noexcept;
  static int on_timer(CURLM* multi, long timeout_ms, void* shard) noexcept;
  static curl_socket_t open_socket(void* route,
                                   curlsocktype purpose,
                                   curl_sockaddr* address) noexcept;
  static int close_socket(void* loop, curl_socket_t socket) noexcept;

  std::size_t capacity_;
  SocketWatch sockets_;
  DeadlineList deadlines_;  // of the busy slots
  std::vector<std::unique_ptr<Route>> routes_;
  bool keeps_idle_connections_ = true;
  TransportUser* user_ = nullptr;
  bool user_has_news_ = false;  // a request ended since its last turn
  TimePoint now_{};
};

HttpLoop::HttpLoop(const HttpLoopSettings& settings) : capacity_(settings.capacity) {
  for (const HttpEndpoint& endpoint : settings.endpoints) {
    Route& route =
        *routes_.emplace_back(std::make_unique<Route>(endpoint, settings.max_response_bytes));
    route.loop = this;
    make_shards(route, endpoint.http2 ? k_http2_streams_per_shard : k_slots_per_shard);
  }
}

HttpLoop::~HttpLoop() {
  abandon_all();
  routes_.clear();
}

void HttpLoop::make_shards(Route& route, std::size_t slots_per_shard) {
  const std::size_t count = (capacity_ + slots_per_shard - 1) / slots_per_shard;
  route.connections_per_shard = (capacity_ + count - 1) / count;
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
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(route.connections_per_shard));
    if (route.settings.endpoint().http2) {
      curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
    } else {
      curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    }
    route.shards.push_back(std::move(shard));
  }
}

void HttpLoop::open(Slot& slot) {
  slot.request.open(slot.route->settings, &slot);
  CURL* easy = slot.request.easy();
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &HttpLoop::open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, slot.route);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &HttpLoop::close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, slot.route->loop);
}

Slot& HttpLoop::free_slot(Route& route) {
  if (route.free_slots.empty()) {
    auto slot = std::make_unique<Slot>();
    slot->route = &route;
    slot->shard = route.shards[route.slots.size() % route.shards.size()].get();
    open(*slot);
    route.slots.push_back(std::move(slot));
    return *route.slots.back();
  }
  // The one that ended last: its connection is warm.
  Slot& slot = *route.free_slots.back();
  route.free_slots.pop_back();
  if (!slot.request.is_open()) {
    open(slot);
  }
  return slot;
}

void HttpLoop::post(std::size_t endpoint,
                    std::string_view body,
                    Milliseconds timeout,
                    void* token) {
  Slot& slot = free_slot(*routes_[endpoint]);
  slot.token = token;
  slot.busy = true;
  slot.request.begin(body, timeout);
  curl_multi_add_handle(slot.shard->multi.get(), slot.request.easy());
  deadlines_.add(slot, slot.request.begun_at() + timeout);
}

void HttpLoop::abandon_all() {
  for (auto& route : routes_) {
    for (auto& slot : route->slots) {
      if (slot->busy) {
        slot->busy = false;
        deadlines_.remove(*slot);
        curl_multi_remove_handle(slot->shard->multi.get(), slot->request.easy());
        slot->request.clear();
        route->free_slots.push_back(slot.get());
      }
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
    const auto events =
        sockets_.wait(user_has_news_ || has_room_next_turn() ? 0 : wait_ms(user_wake));
    note_time();
    for (const epoll_event& event : events) {
      handle_event(event);
    }
    run_timers();
    give_up_late_ones();
  }
}

void HttpLoop::note_time() {
  now_ = std::chrono::steady_clock::now();
  const std::int64_t wall_ms =
      std::chrono::duration_cast<Milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  for (auto& route : routes_) {
    route->settings.wall_ms = wall_ms;
  }
}

// Until the host's address is known one request goes alone: libcurl would start a resolver thread
// for each of the others. Later a few dozen more go in every turn, so that thousands of connections
// that open at the start send as they open and not when the last of them did.
void HttpLoop::begin_turn() {
  user_has_news_ = false;
  for (auto& route : routes_) {
    route->turn_capacity =
        route->address_known ? std::min(capacity_, route->in_flight() + k_more_each_turn) : 1;
  }
}

bool HttpLoop::has_room_next_turn() const {
  return std::any_of(routes_.begin(), routes_.end(), [this](const auto& route) {
    return route->address_known && route->in_flight() == route->turn_capacity &&
           route->turn_capacity < capacity_;
  });
}

// Closing thousands of connections takes as long as opening them. Towards the end of a run each
// request that ends takes an idle one along, while the others are still waited for.
void HttpLoop::keep_idle_connections(bool keeps) {
  if (keeps == keeps_idle_connections_) {
    return;
  }
  keeps_idle_connections_ = keeps;
  for (auto& route : routes_) {
    for (auto& shard : route->shards) {
      curl_multi_setopt(shard->multi.get(),
                        CURLMOPT_MAXCONNECTS,
                        keeps ? static_cast<long>(route->connections_per_shard) : 1L);
    }
  }
}

void HttpLoop::wake() noexcept {
  sockets_.wake();
}

void HttpLoop::run_timers() {
  for (auto& route : routes_) {
    for (auto& shard : route->shards) {
      // A timer may set itself again at once; a few rounds, then the sockets have their turn.
      for (int round = 0; round < 16 && shard->deadline && *shard->deadline <= now_; ++round) {
        shard->deadline.reset();
        int running = 0;
        curl_multi_socket_action(shard->multi.get(), CURL_SOCKET_TIMEOUT, 0, &running);
        collect(*shard);
      }
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
  slot.route->address_known = true;
  deadlines_.remove(slot);
  curl_multi_remove_handle(slot.shard->multi.get(), slot.request.easy());
  slot.busy = false;
  user_->on_response(slot.token, slot.request.end(code, now_));
  user_has_news_ = true;
  slot.request.clear();
  if (!keeps_idle_connections_) {
    slot.request.close();
  }
  slot.route->free_slots.push_back(&slot);
}

void HttpLoop::give_up_late_ones() {
  while (deadlines_.soonest() != nullptr && deadlines_.soonest()->at <= now_) {
    end(static_cast<Slot&>(*deadlines_.soonest()), CURLE_OPERATION_TIMEDOUT);
  }
}

int HttpLoop::wait_ms(std::optional<TimePoint> user_wake) const {
  std::optional<TimePoint> earliest = user_wake;
  for (const auto& route : routes_) {
    for (const auto& shard : route->shards) {
      if (shard->deadline && (!earliest || *shard->deadline < *earliest)) {
        earliest = shard->deadline;
      }
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

curl_socket_t HttpLoop::open_socket(void* route,
                                    curlsocktype /*purpose*/,
                                    curl_sockaddr* address) noexcept {
  auto& self = *static_cast<Route*>(route);
  self.address_known = true;
  const int descriptor =
      socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (descriptor >= 0) {
    self.loop->sockets_.opened(descriptor);
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
