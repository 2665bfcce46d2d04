// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/http/connection_socket.h"
#include "daemon/http/http_message.h"
#include "daemon/http/http_server.h"
#include "daemon/http/open_streams.h"
#include "daemon/http/request_head.h"

#include <atomic>
#include <memory>

namespace batchllm::daemon {

// What an exchange needs to know of its server.
struct ExchangePlace {
  HttpHandler& handler;
  const HttpServerSettings& settings;
  OpenStreams& streams;
  const std::atomic<bool>& stopping;
  int stop_event;  // readable once the server stops
};

// Answers requests, one after the other: the only place that knows cpp-httplib.
//
// httplib sees of a request only its target, checked before; it decodes that and writes the
// response. It never sees the headers (it would decode escapes in their values, match "Range" with
// a recursive regular expression and compress for "Accept-Encoding"), nor the body, nor does its
// router of regular expressions run. Thread-safe: connections share one.
class HttpExchange {
 public:
  explicit HttpExchange(const ExchangePlace& place);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  // Hands the request to the handler and sends the response. False when the connection must be
  // closed now.
  bool answer(ConnectionSocket& connection, const RequestHead& head, const Peer& peer) const;

 private:
  class Library;
  ExchangePlace place_;
  std::unique_ptr<Library> library_;
};

// `response` (without stream or file) as bytes, for a connection that is closed afterwards.
std::string closing_response(const HttpResponse& response);

}  // namespace batchllm::daemon
