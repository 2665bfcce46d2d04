// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/http/connection_socket.h"
#include "daemon/http/feed_stream.h"
#include "daemon/http/http_message.h"
#include "daemon/http/http_server.h"
#include "daemon/http/request_head.h"
#include "daemon/http/stream_places.h"

#include <atomic>
#include <memory>
#include <optional>

namespace batchllm::daemon {

// What an exchange needs to know of its server.
struct ExchangePlace {
  HttpHandler& handler;
  const HttpServerSettings& settings;
  StreamPlaces& streams;
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

  // What becomes of the connection.
  enum class Next { keep, close, feed };

  // Hands the request to the handler and sends the response; where a feed is to write it, fills
  // `feed` instead.
  Next answer(ConnectionSocket& connection,
              const RequestHead& head,
              const Peer& peer,
              std::optional<FeedStart>& feed) const;

 private:
  class Library;
  ExchangePlace place_;
  std::unique_ptr<Library> library_;
};

// `response` (without stream or file) as bytes, for a connection that is closed afterwards.
std::string closing_response(const HttpResponse& response);

}  // namespace batchllm::daemon
