// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/simulator/libevent_handle.h"
#include "adapters/simulator/simulator_service.h"

#include <cstdint>
#include <exception>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace batchllm::simulator {

// Brings requests from libevent's HTTP server to the service and its decisions back to the wire: at
// once, later, in pieces, spoilt or not at all. Everything runs in one event loop.
//
// Thread rule: stop() from any thread and from signal handlers; everything else from one thread.
class HttpServer {
 public:
  // Serves connections that come in on `listening_descriptor`, over TLS when `tls` is given. Both
  // outlive the server, as does `service`.
  HttpServer(int listening_descriptor, SSL_CTX* tls, SimulatorService& service);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Until stop(), or until the log cannot be written: throws Error(storage) then.
  void run();
  void stop() noexcept;

 private:
  struct Waiting;  // a reply whose time has not come yet
  using WaitingList = std::list<Waiting>;

  static bufferevent* make_connection(event_base* base, void* self);
  static void on_request(evhttp_request* request, void* self);
  static void on_due(int descriptor, short what, void* waiting);
  static void on_peer_gone(int descriptor, short what, void* waiting);
  static void on_accept_error(evconnlistener* listener, void* self);
  static void on_stop(int descriptor, short what, void* self);
  static void on_log_flush(int descriptor, short what, void* self);

  void handle(evhttp_request* request);
  std::string_view take_body(evhttp_request* request);
  std::uint64_t connection_number(evhttp_connection* connection);
  void wait(evhttp_request* request);
  void deliver(evhttp_request* request, const SimulatedReply& reply);
  void deliver_truncated(evhttp_request* request, const SimulatedReply& reply);
  void deliver_events(Waiting& waiting);
  void drop(evhttp_request* request, bool with_reset);
  void add_headers(evhttp_request* request, const SimulatedReply& reply);
  void flush_log() noexcept;

  SSL_CTX* tls_;
  SimulatorService& service_;
  int stop_descriptor_ = -1;
  EventBase base_;
  Event stop_event_;
  Event flush_event_;
  EventBuffer buffer_;
  EventHttp http_;
  WaitingList waiting_;
  SimulatedReply reply_;
  std::string body_;
  std::unordered_map<const evhttp_connection*, std::uint64_t> numbers_;  // filled for the log only
  std::uint64_t last_number_ = 0;
  std::exception_ptr failure_;
};

}  // namespace batchllm::simulator
