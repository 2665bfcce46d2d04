// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/http/server_address.h"
#include "core/clock.h"
#include "core/transport.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

struct HttpClientSettings {
  ServerAddress server;
  std::string bearer_token;  // empty: none is sent
  std::string ca_file;       // empty: the system's certificates
  Milliseconds connect_timeout{5000};
  // Connects to addresses of the Internet only (public_address.h), whatever the name resolves to,
  // and without a proxy: for a URL that somebody else chose.
  bool public_addresses_only = false;
  bool without_proxy = false;  // for servers on or beside this machine
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// Fills its buffer and returns how many bytes; 0 is the end. May throw: `send` lets it through.
using BodyReader = std::function<std::size_t(std::span<char> buffer)>;

// Takes the body piece by piece; false stops the transfer. May throw: `send` lets it through.
using BodyConsumer = std::function<bool(std::string_view piece)>;

struct HttpClientRequest {
  std::string method = "GET";
  std::string target;  // path and query, percent-encoded: "/api/v1/jobs?limit=1"
  HttpHeaders headers;
  std::string_view body;
  BodyReader reader;                        // instead of `body`
  std::optional<std::uint64_t> body_bytes;  // of `reader`; nullopt: sent in chunks
  Milliseconds timeout{0};                  // for all of it; 0: none
  Milliseconds idle_timeout{0};             // without a byte in either direction; 0: none
  std::size_t max_body_bytes = std::size_t{64} << 20;  // of an answer that is kept
  BodyConsumer consumer;                               // gets the body of a 2xx answer instead
  std::stop_token stop;
};

struct HttpClientResponse {
  TransportFailure failure = TransportFailure::none;
  bool stopped = false;          // by the stop token or the consumer; `failure` is none then
  bool address_refused = false;  // none of its addresses is public; `failure` is not_connected
  int system_error = 0;  // errno of a connection that was not made: ECONNREFUSED, ENOENT, EACCES
  std::string failure_text;
  int status = 0;       // 0: no answer
  HttpHeaders headers;  // names in lower case
  std::string body;     // what no consumer took

  bool is_ok() const noexcept {
    return failure == TransportFailure::none && status >= 200 && status < 300;
  }

  // The first header of that lower-case name; empty when there is none.
  std::string_view header(std::string_view name) const noexcept;
};

// HTTP/1.1 with one server, one request after another over one kept-alive connection, by libcurl.
// Follows no redirects. A proxy of the environment is used for TCP, never for a UNIX socket. A
// request is sent again only when the connection broke before the server can have acted on it, or
// when repeating it is harmless: its method says so, or it has an Idempotency-Key.
// Not thread-safe; the stop token may be used from any thread and acts at once.
class HttpClient {
 public:
  // Throws Error(usage) for certificates that cannot be read and for a token that no header holds.
  explicit HttpClient(HttpClientSettings settings);
  ~HttpClient();
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&& other) noexcept;

  // Returns when the answer is complete, has failed or was stopped. Throws what `reader` and
  // `consumer` throw, and Error(usage) for a target or header with characters that cannot be sent.
  HttpClientResponse send(const HttpClientRequest& request);

  const HttpClientSettings& settings() const noexcept;

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace batchllm
