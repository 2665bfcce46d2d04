// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/http_server.h"

#include "core/error.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/ssl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <memory>

namespace batchllm::simulator {
namespace {

constexpr std::size_t k_body_limit = std::size_t{64} << 20;
constexpr std::size_t k_header_limit = std::size_t{64} << 10;
constexpr std::size_t k_kept_body_bytes = std::size_t{1} << 20;
constexpr std::int64_t k_watch_peer_from_us = 5'000'000;
constexpr std::int64_t k_accept_pause_us = 50'000;
constexpr std::size_t k_stream_steps = 20;

timeval as_timeval(std::int64_t us) {
  return {.tv_sec = us / 1'000'000, .tv_usec = us % 1'000'000};
}

std::string_view method_name(evhttp_cmd_type type) {
  switch (type) {
    case EVHTTP_REQ_GET:
      return "GET";
    case EVHTTP_REQ_POST:
      return "POST";
    case EVHTTP_REQ_HEAD:
      return "HEAD";
    case EVHTTP_REQ_PUT:
      return "PUT";
    case EVHTTP_REQ_DELETE:
      return "DELETE";
    case EVHTTP_REQ_OPTIONS:
      return "OPTIONS";
    case EVHTTP_REQ_TRACE:
      return "TRACE";
    case EVHTTP_REQ_CONNECT:
      return "CONNECT";
    case EVHTTP_REQ_PATCH:
      return "PATCH";
  }
  return "?";
}

RequestTime time_now() {
  namespace time = std::chrono;
  const auto monotonic = time::steady_clock::now().time_since_epoch();
  const auto wall = time::system_clock::now().time_since_epoch();
  return {time::duration_cast<time::microseconds>(monotonic).count(),
          time::duration_cast<time::milliseconds>(wall).count()};
}

[[noreturn]] void fail(const char* what) {
  throw Error(ErrorCode::internal, what);
}

template <typename Owner, typename Pointer>
Owner own(Pointer* pointer, const char* what) {
  if (pointer == nullptr) {
    fail(what);
  }
  return Owner(pointer);
}

EventBase make_base() {
  auto config = own<EventConfig>(event_config_new(), "no memory for the event loop");
  event_config_set_flag(config.get(), EVENT_BASE_FLAG_NOLOCK);
  // Changes of interest that cancel each other within one turn cost no system call.
  event_config_set_flag(config.get(), EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
  return own<EventBase>(event_base_new_with_config(config.get()), "cannot make the event loop");
}

}  // namespace

struct HttpServer::Waiting {
  HttpServer* server = nullptr;
  evhttp_request* request = nullptr;
  SimulatedReply reply;
  std::size_t sent_events = 0;
  std::int64_t step_us = 0;  // between two pieces of a stream
  Event due;
  Event peer_gone;
  WaitingList::iterator self;

  void due_in(std::int64_t us) const {
    const timeval delay = as_timeval(us);
    event_add(due.get(), &delay);
  }
};

HttpServer::HttpServer(int listening_descriptor, SSL_CTX* tls, SimulatorService& service)
    : tls_(tls),
      service_(service),
      stop_descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      base_(make_base()),
      stop_event_(event_new(base_.get(), stop_descriptor_, EV_READ, &on_stop, this)),
      flush_event_(event_new(base_.get(), -1, 0, &on_log_flush, this)),
      buffer_(evbuffer_new()),
      http_(evhttp_new(base_.get())) {
  if (stop_descriptor_ < 0 || !stop_event_ || !flush_event_ || !buffer_ || !http_ ||
      event_add(stop_event_.get(), nullptr) != 0) {
    fail("cannot set up the event loop");
  }
  evhttp_set_max_body_size(http_.get(), k_body_limit);
  evhttp_set_max_headers_size(http_.get(), k_header_limit);
  evhttp_set_default_content_type(http_.get(), nullptr);
  evhttp_set_allowed_methods(http_.get(),
                             EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
  evhttp_set_gencb(http_.get(), &on_request, this);
  if (tls_ != nullptr) {
    evhttp_set_bevcb(http_.get(), &make_connection, this);
  }
  evconnlistener* listener = evconnlistener_new(
      base_.get(), nullptr, nullptr, LEV_OPT_CLOSE_ON_EXEC, 0, listening_descriptor);
  if (listener == nullptr || evhttp_bind_listener(http_.get(), listener) == nullptr) {
    fail("cannot listen");
  }
  evconnlistener_set_error_cb(listener, &on_accept_error);
}

HttpServer::~HttpServer() {
  for (Waiting& waiting : waiting_) {
    // Requests that lost their connection belong to nobody else; the others go with http_.
    if (evhttp_request_get_connection(waiting.request) == nullptr) {
      evhttp_request_free(waiting.request);
    }
  }
  waiting_.clear();
  http_.reset();
  stop_event_.reset();
  ::close(stop_descriptor_);
}

void HttpServer::run() {
  event_base_dispatch(base_.get());
  flush_log();
  if (failure_) {
    std::rethrow_exception(failure_);
  }
}

void HttpServer::stop() noexcept {
  const std::uint64_t one = 1;
  // Nothing can be done about a failure here, and none is possible while the descriptor is open.
  static_cast<void>(!::write(stop_descriptor_, &one, sizeof one));
}

bufferevent* HttpServer::make_connection(event_base* base, void* self) {
  SSL* ssl = SSL_new(static_cast<HttpServer*>(self)->tls_);
  bufferevent* connection = bufferevent_openssl_socket_new(
      base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
  if (connection != nullptr) {
    bufferevent_openssl_set_allow_dirty_shutdown(connection, 1);
  }
  return connection;
}

void HttpServer::on_request(evhttp_request* request, void* self) {
  auto* server = static_cast<HttpServer*>(self);
  try {
    server->handle(request);
  } catch (...) {  // must not rise through libevent
    server->failure_ = std::current_exception();
    event_base_loopbreak(server->base_.get());
  }
}

void HttpServer::on_stop(int /*descriptor*/, short /*what*/, void* self) {
  event_base_loopbreak(static_cast<HttpServer*>(self)->base_.get());
}

void HttpServer::on_log_flush(int /*descriptor*/, short /*what*/, void* self) {
  static_cast<HttpServer*>(self)->flush_log();
}

void HttpServer::flush_log() noexcept {
  try {
    if (service_.log() != nullptr) {
      service_.log()->flush();
    }
  } catch (...) {
    failure_ = std::current_exception();
    event_base_loopbreak(base_.get());
  }
}

// Out of descriptors: clients wait in the backlog until some connections have ended.
void HttpServer::on_accept_error(evconnlistener* listener, void* /*http*/) {
  const timeval pause = as_timeval(k_accept_pause_us);
  evconnlistener_disable(listener);
  event_base_once(
      evconnlistener_get_base(listener),
      -1,
      EV_TIMEOUT,
      [](int, short, void* paused) { evconnlistener_enable(static_cast<evconnlistener*>(paused)); },
      listener,
      &pause);
}

std::string_view HttpServer::take_body(evhttp_request* request) {
  evbuffer* input = evhttp_request_get_input_buffer(request);
  const std::size_t size = evbuffer_get_length(input);
  if (body_.size() > k_kept_body_bytes) {
    body_ = {};
  }
  if (body_.size() < size + k_body_padding) {
    body_.resize(size + k_body_padding);
  }
  evbuffer_remove(input, body_.data(), size);
  return {body_.data(), size};
}

std::uint64_t HttpServer::connection_number(evhttp_connection* connection) {
  if (service_.log() == nullptr) {
    return 0;
  }
  const auto [entry, is_new] = numbers_.try_emplace(connection, last_number_ + 1);
  if (is_new) {
    ++last_number_;
    evhttp_connection_set_closecb(
        connection,
        [](evhttp_connection* closed, void* self) {
          static_cast<HttpServer*>(self)->numbers_.erase(closed);
        },
        this);
  }
  return entry->second;
}

void HttpServer::handle(evhttp_request* request) {
  const std::string_view target = evhttp_request_get_uri(request);
  const std::string_view path = target.substr(0, target.find('?'));
  const evkeyvalq* headers = evhttp_request_get_input_headers(request);
  const SimulatedRequest simulated{
      .method = method_name(evhttp_request_get_command(request)),
      .path = path,
      .query = target.substr(std::min(path.size() + 1, target.size())),
      .body = take_body(request),
      .header =
          [headers](const char* name) {
            const char* value = evhttp_find_header(headers, name);
            return value == nullptr ? std::string_view{} : std::string_view(value);
          },
      .connection = connection_number(evhttp_request_get_connection(request)),
  };
  service_.decide(simulated, time_now(), reply_);
  if (service_.log() != nullptr && !event_pending(flush_event_.get(), EV_TIMEOUT, nullptr)) {
    event_active(flush_event_.get(), EV_TIMEOUT, 0);
  }
  const bool whole = reply_.delivery == Delivery::answer ||
                     reply_.delivery == Delivery::truncated || reply_.delivery == Delivery::events;
  if (reply_.delay_us == 0 && whole) {
    deliver(request, reply_);
  } else {
    wait(request);
  }
}

// Keeps the reply until its time has come. Dropped connections come here too, since libevent is
// still at work on the connection whose request it just brought.
void HttpServer::wait(evhttp_request* request) {
  Waiting& waiting = waiting_.emplace_back();
  waiting.server = this;
  waiting.request = request;
  waiting.self = std::prev(waiting_.end());
  std::swap(waiting.reply, reply_);
  waiting.due.reset(event_new(base_.get(), -1, 0, &on_due, &waiting));
  std::int64_t delay_us = waiting.reply.delay_us;
  const bool hangs = waiting.reply.delivery == Delivery::hang;
  if (waiting.reply.delivery == Delivery::events) {
    // A quarter of the time until the first piece, the rest for the others.
    const std::size_t steps = std::min(waiting.reply.ends.size(), k_stream_steps);
    waiting.step_us =
        (delay_us - delay_us / 4) / static_cast<std::int64_t>(std::max<std::size_t>(steps, 1));
    delay_us /= 4;
  }
  if (hangs || delay_us >= k_watch_peer_from_us) {
    const int descriptor = bufferevent_getfd(
        evhttp_connection_get_bufferevent(evhttp_request_get_connection(request)));
    waiting.peer_gone.reset(event_new(base_.get(), descriptor, EV_CLOSED, &on_peer_gone, &waiting));
    event_add(waiting.peer_gone.get(), nullptr);
  }
  if (!hangs) {
    waiting.due_in(delay_us);
  }
}

void HttpServer::on_due(int /*descriptor*/, short /*what*/, void* opaque) {
  auto* waiting = static_cast<Waiting*>(opaque);
  HttpServer* server = waiting->server;
  waiting->peer_gone.reset();
  const Delivery delivery = waiting->reply.delivery;
  if (delivery == Delivery::events && waiting->step_us > 0) {
    server->deliver_events(*waiting);
    return;
  }
  if (delivery == Delivery::reset || delivery == Delivery::close) {
    server->drop(waiting->request, delivery == Delivery::reset);
  } else {
    server->deliver(waiting->request, waiting->reply);
  }
  server->waiting_.erase(waiting->self);
}

void HttpServer::on_peer_gone(int /*descriptor*/, short /*what*/, void* opaque) {
  auto* waiting = static_cast<Waiting*>(opaque);
  HttpServer* server = waiting->server;
  evhttp_request* request = waiting->request;
  server->waiting_.erase(waiting->self);
  server->drop(request, false);
}

void HttpServer::drop(evhttp_request* request, bool with_reset) {
  evhttp_connection* connection = evhttp_request_get_connection(request);
  if (connection == nullptr) {
    evhttp_request_free(request);
    return;
  }
  if (with_reset) {
    const int descriptor = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
    // Dissolving the association sends the reset at once; closing would send an orderly end first.
    const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
    static_cast<void>(::connect(descriptor, &nowhere, sizeof nowhere));
  }
  evhttp_connection_free(connection);
}

void HttpServer::add_headers(evhttp_request* request, const SimulatedReply& reply) {
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Type", reply.content_type);
  for (const auto& [name, value] : reply.headers) {
    evhttp_add_header(headers, name.c_str(), value.c_str());
  }
}

void HttpServer::deliver(evhttp_request* request, const SimulatedReply& reply) {
  add_headers(request, reply);
  if (reply.delivery == Delivery::truncated) {
    deliver_truncated(request, reply);
    return;
  }
  if (reply.delivery != Delivery::events) {
    evbuffer_add(buffer_.get(), reply.body.data(), reply.body.size());
    evhttp_send_reply(request, reply.status, nullptr, buffer_.get());
    evbuffer_drain(buffer_.get(), evbuffer_get_length(buffer_.get()));
    return;
  }
  evhttp_send_reply_start(request, reply.status, nullptr);
  evbuffer_add(buffer_.get(), reply.body.data(), reply.body.size());
  evhttp_send_reply_chunk(request, buffer_.get());
  evbuffer_drain(buffer_.get(), evbuffer_get_length(buffer_.get()));
  evhttp_send_reply_end(request);
}

void HttpServer::deliver_truncated(evhttp_request* request, const SimulatedReply& reply) {
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Length", std::to_string(reply.body.size()).c_str());
  evhttp_add_header(headers, "Connection", "close");  // makes libevent end it after the half
  evbuffer_add(buffer_.get(), reply.body.data(), reply.body.size() / 2);
  evhttp_send_reply(request, reply.status, nullptr, buffer_.get());
  evbuffer_drain(buffer_.get(), evbuffer_get_length(buffer_.get()));
}

// Sends the next piece of a stream and waits for the one after it.
void HttpServer::deliver_events(Waiting& waiting) {
  const std::vector<std::size_t>& ends = waiting.reply.ends;
  if (waiting.sent_events == 0) {
    add_headers(waiting.request, waiting.reply);
    evhttp_send_reply_start(waiting.request, waiting.reply.status, nullptr);
  }
  const std::size_t count = (ends.size() + k_stream_steps - 1) / k_stream_steps;
  const std::size_t begin = waiting.sent_events == 0 ? 0 : ends[waiting.sent_events - 1];
  waiting.sent_events = std::min(waiting.sent_events + count, ends.size());
  const std::size_t end = ends[waiting.sent_events - 1];
  evbuffer_add(buffer_.get(), waiting.reply.body.data() + begin, end - begin);
  evhttp_send_reply_chunk(waiting.request, buffer_.get());
  evbuffer_drain(buffer_.get(), evbuffer_get_length(buffer_.get()));
  const bool gone = evhttp_request_get_connection(waiting.request) == nullptr;
  if (waiting.sent_events < ends.size() && !gone) {
    waiting.due_in(waiting.step_us);
    return;
  }
  evhttp_send_reply_end(waiting.request);
  waiting_.erase(waiting.self);
}

}  // namespace batchllm::simulator
