// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

using HeaderFields = std::vector<std::pair<std::string, std::string>>;  // name, value

// Where requests go, and how: the same for every request to it.
struct HttpEndpoint {
  std::string url;          // http, https
  std::string unix_socket;  // path; empty for TCP
  HeaderFields headers;     // sent with every request; may be secret
  std::string ca_file;      // empty: the system's certificates
  bool http2 = false;

  // Further headers of one request, made when it is sent, for its body: signatures. Called on the
  // network thread; empty: there are none.
  std::function<HeaderFields(std::string_view body)> sign;
};

enum class TransportFailure : std::uint8_t {
  none,
  not_connected,  // nothing was sent: name, route, port, proxy
  tls,            // certificate or handshake refused; trying again does not help
  timeout,        // the request may have arrived
  broken,         // connection lost or nonsense after it was sent; the request may have arrived
  too_large,      // the response passed the size limit
};

// What came back. `body` has 64 readable bytes behind its end and may be written to; it is valid
// only during the call that hands it over.
struct HttpResponse {
  TransportFailure failure = TransportFailure::none;
  std::string failure_text;  // for people
  int status = 0;
  char* body = nullptr;
  std::size_t body_size = 0;
  std::int64_t latency_ms = 0;

  std::optional<std::int64_t> retry_after_ms;
  bool retry_after_is_exact = false;           // it came in milliseconds
  std::optional<bool> should_retry;            // x-should-retry
  std::optional<std::int64_t> limit_requests;  // of a minute, unless the reset is further away
  std::optional<std::int64_t> remaining_requests;
  std::optional<std::int64_t> reset_requests_ms;  // until nothing counts as used any more
  std::optional<std::int64_t> limit_tokens;
  std::optional<std::int64_t> remaining_tokens;
  std::optional<std::int64_t> reset_tokens_ms;
  std::string request_id;
  std::string error_type;  // x-amzn-errortype

  std::string_view text() const noexcept { return {body, body_size}; }
};

// The one who sends through a transport. All calls come on the network thread.
class TransportUser {
 public:
  virtual ~TransportUser() = default;

  // The request that was posted with `token` ended, one way or the other.
  virtual void on_response(void* token, HttpResponse& response) = 0;

  // Called after every round of events: the place to post new requests. Returns when it wants to be
  // called next at the latest; nullopt: when something happens or wake() is called.
  virtual std::optional<TimePoint> on_turn(TimePoint now) = 0;

  // True when nothing is left to do: run() returns.
  virtual bool is_finished() const = 0;

  // True when no more will be posted than what is in flight, and perhaps again: connections may be
  // closed as their requests end.
  virtual bool is_finishing() const { return false; }
};

// Sends requests to one endpoint or several, numbered from 0, and hands back responses, many at
// once. Thread rule: wake() from any thread; everything else on the network thread, which is the
// one that calls run().
class Transport {
 public:
  virtual ~Transport() = default;

  // Sends `body` by POST; it must stay as it is until on_response. At most `capacity(endpoint)` at
  // once to each endpoint.
  virtual void post(std::size_t endpoint,
                    std::string_view body,
                    Milliseconds timeout,
                    void* token) = 0;
  virtual std::size_t capacity(std::size_t endpoint) const = 0;

  // Gives up everything in flight without calling on_response.
  virtual void abandon_all() = 0;

  virtual void run(TransportUser& user) = 0;
  virtual void wake() noexcept = 0;
};

}  // namespace batchllm
