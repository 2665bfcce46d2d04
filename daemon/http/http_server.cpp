// SPDX-License-Identifier: Apache-2.0
#include "daemon/http/http_server.h"

#include "core/error.h"
#include "daemon/http/connection_loop.h"
#include "daemon/http/connection_threads.h"
#include "daemon/http/http_exchange.h"
#include "daemon/http/listener.h"
#include "daemon/http/problem.h"
#include "daemon/http/stream_loop.h"
#include "daemon/http/stream_places.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>

namespace batchllm::daemon {
namespace {

// What an event of the epoll set is about: the stop, or a listener (by its place).
constexpr std::uint64_t k_stop_id = 0;
constexpr std::uint64_t k_first_listener_id = 1;
constexpr int k_accepted_at_once = 64;

void watch(int epoll, int descriptor, std::uint64_t id) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    throw Error(ErrorCode::internal, "cannot watch a listening socket");
  }
}

FileHandle spare_descriptor() {
  return FileHandle(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

class HttpServer::State {
 public:
  State(HttpHandler& handler, HttpServerSettings settings);

  void add(Listener listener);

  const Listener& last() const { return listeners_.back(); }

  void run();
  void stop() noexcept;
  std::size_t connection_count() const;

 private:
  void accept_from(const Listener& listener);
  bool accept_one(const Listener& listener);
  void begin(FileHandle socket, bool is_unix);
  void serve(FileHandle socket, bool is_unix) noexcept;
  bool serve_requests(FileHandle socket, bool is_unix);
  void connection_ended();
  void turn_away(const FileHandle& socket) const;
  void end_connections();

  const HttpServerSettings settings_;
  const FileHandle epoll_{::epoll_create1(EPOLL_CLOEXEC)};
  const FileHandle stop_event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::atomic<bool> stopping_{false};
  std::vector<Listener> listeners_;
  FileHandle spare_ = spare_descriptor();  // to turn clients away when there are no more
  StreamPlaces stream_places_;
  const ExchangePlace place_;
  const HttpExchange exchange_;
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t accepted_ = 0;                         // guarded by mutex_, as the next
  std::unordered_set<ConnectionLoop*> connections_;  // those whose thread runs
  StreamLoop streams_;
  ConnectionThreads threads_;
};

HttpServer::State::State(HttpHandler& handler, HttpServerSettings settings)
    : settings_(std::move(settings)),
      stream_places_(settings_.streams),
      place_{handler, settings_, stream_places_, stopping_, stop_event_.get()},
      exchange_(place_),
      streams_(settings_.transfer_deadline, settings_.pulse, [this] { connection_ended(); }),
      threads_(settings_.connections, settings_.thread_idle_time, settings_.on_quiet) {
  watch(epoll_.get(), stop_event_.get(), k_stop_id);
}

void HttpServer::State::add(Listener listener) {
  watch(epoll_.get(), listener.descriptor(), k_first_listener_id + listeners_.size());
  listeners_.push_back(std::move(listener));
}

void HttpServer::State::run() {
  std::array<epoll_event, 64> events{};
  while (!stopping_) {
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t id = events[static_cast<std::size_t>(i)].data.u64;
      if (id != k_stop_id) {
        accept_from(listeners_[id - k_first_listener_id]);
      }
    }
  }
  listeners_.clear();
  streams_.stop();
  end_connections();
}

// Only what a signal handler may do; run() does the rest.
void HttpServer::State::stop() noexcept {
  stopping_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_event_.get(), &one, sizeof one);
}

std::size_t HttpServer::State::connection_count() const {
  const std::scoped_lock lock(mutex_);
  return accepted_;
}

void HttpServer::State::accept_from(const Listener& listener) {
  for (int i = 0; i < k_accepted_at_once && accept_one(listener); ++i) {
  }
}

bool HttpServer::State::accept_one(const Listener& listener) {
  FileHandle socket(::accept4(listener.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
  if (socket.is_open()) {
    begin(std::move(socket), listener.is_unix);
    return true;
  }
  if (errno != EMFILE && errno != ENFILE) {
    return errno == ECONNABORTED || errno == EINTR;
  }
  // Left in the queue, the connection would wake this thread again and again.
  spare_.reset();
  const FileHandle refused(::accept4(listener.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
  const bool was_there = refused.is_open();
  if (was_there) {
    turn_away(refused);
  }
  spare_ = spare_descriptor();
  return was_there;
}

void HttpServer::State::begin(FileHandle socket, bool is_unix) {
  {
    const std::scoped_lock lock(mutex_);
    if (accepted_ == settings_.connections) {
      turn_away(socket);
      return;
    }
    ++accepted_;
  }
  // A std::function must be copyable.
  const auto shared = std::make_shared<FileHandle>(std::move(socket));
  std::function<void()> task = [this, shared, is_unix] { serve(std::move(*shared), is_unix); };
  if (!threads_.run(task)) {
    turn_away(*shared);
    const std::scoped_lock lock(mutex_);
    --accepted_;
  }
}

void HttpServer::State::serve(FileHandle socket, bool is_unix) noexcept {
  try {
    if (serve_requests(std::move(socket), is_unix)) {
      return;
    }
  } catch (...) {
    // Out of memory in the middle of a request: its connection ends.
  }
  connection_ended();
}

// True when the connection goes on as a stream.
bool HttpServer::State::serve_requests(FileHandle socket, bool is_unix) {
  ConnectionLoop connection(place_, exchange_, std::move(socket), is_unix);
  {
    const std::scoped_lock lock(mutex_);
    connections_.insert(&connection);
  }
  std::optional<FeedStart> feed;
  try {
    feed = connection.run();
  } catch (...) {
    // As if the client had left.
  }
  {
    const std::scoped_lock lock(mutex_);
    connections_.erase(&connection);  // before its socket goes: the stop shuts sockets down
  }
  if (!feed) {
    return false;
  }
  streams_.adopt(connection.take_socket(), *std::move(feed));
  return true;
}

void HttpServer::State::connection_ended() {
  const std::scoped_lock lock(mutex_);
  if (--accepted_ == 0) {
    ended_.notify_all();
  }
}

void HttpServer::State::turn_away(const FileHandle& socket) const {
  HttpResponse response = problem_response(Error(
      ErrorCode::daemon_busy, "the daemon serves as many connections as it may", "try again"));
  response.headers.emplace_back("Retry-After", "1");
  const std::string bytes = closing_response(response);
  [[maybe_unused]] const ssize_t sent =
      ::send(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ::shutdown(socket.get(), SHUT_WR);
}

void HttpServer::State::end_connections() {
  std::unique_lock lock(mutex_);
  for (const ConnectionLoop* connection : connections_) {
    if (connection->is_idle()) {
      ::shutdown(connection->descriptor(), SHUT_RD);  // it reads an end
    }
  }
  const auto all_ended = [this] { return accepted_ == 0; };
  if (!ended_.wait_for(lock, settings_.drain_deadline, all_ended)) {
    for (const ConnectionLoop* connection : connections_) {
      ::shutdown(connection->descriptor(), SHUT_RDWR);
    }
    ended_.wait(lock, all_ended);
  }
}

HttpServer::HttpServer(HttpHandler& handler, HttpServerSettings settings)
    : state_(std::make_unique<State>(handler, std::move(settings))) {}

HttpServer::~HttpServer() = default;

void HttpServer::add_unix_listener(const std::string& path) {
  state_->add(listen_at_path(path));
}

int HttpServer::add_tcp_listener(const std::string& host, int port) {
  state_->add(listen_on_loopback(host, port));
  return port_of(state_->last().descriptor());
}

void HttpServer::adopt_listener(int descriptor) {
  state_->add(adopt_socket(descriptor));
}

void HttpServer::run() {
  state_->run();
}

void HttpServer::stop() noexcept {
  state_->stop();
}

std::size_t HttpServer::connection_count() const {
  return state_->connection_count();
}

}  // namespace batchllm::daemon
