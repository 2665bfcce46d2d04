// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/http/body_buffer.h"
#include "adapters/http/curl_handle.h"
#include "adapters/http/tls_store.h"
#include "core/clock.h"
#include "core/transport.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// What all requests of a loop have in common; outlives them. Network thread.
class HttpRequestSettings {
 public:
  // Throws Error(usage) when the certificates cannot be read.
  HttpRequestSettings(HttpEndpoint endpoint, std::size_t max_response_bytes);

  void apply(CURL* easy);

  const HttpEndpoint& endpoint() const noexcept { return endpoint_; }

  // The headers of one request; nullptr when they are those that `apply` set.
  HeaderList headers_for(std::string_view body) const;

  std::size_t max_response_bytes() const noexcept { return max_response_bytes_; }

  std::int64_t wall_ms = 0;  // the wall clock, for waits that a server gives as a date

 private:
  HeaderList common_headers() const;

  HttpEndpoint endpoint_;
  std::size_t max_response_bytes_;
  HeaderList headers_;
  ShareHandle share_;
  std::optional<TlsStore> tls_;  // for https
  bool uses_proxy_;
};

// A POST request on an easy handle of libcurl, and what comes back; one after another. Whoever runs
// the handle sets on it what concerns sockets. Stays where it is. Network thread.
class HttpRequest {
 public:
  HttpRequest() = default;
  HttpRequest(const HttpRequest&) = delete;
  HttpRequest& operator=(const HttpRequest&) = delete;

  // Makes the easy handle; `owner` is its CURLOPT_PRIVATE.
  void open(HttpRequestSettings& settings, void* owner);

  void close() noexcept { easy_.reset(); }

  bool is_open() const noexcept { return easy_ != nullptr; }

  CURL* easy() const noexcept { return easy_.get(); }

  // `body` stays as it is until the request ended. `timeout` is for whoever waits to keep.
  void begin(std::string_view body, Milliseconds timeout);

  TimePoint begun_at() const noexcept { return begun_at_; }

  // What came of it; valid until `clear` or `begin`.
  HttpResponse& end(CURLcode code, TimePoint now);

  // Forgets what came back.
  void clear() { body_.clear(); }

 private:
  static std::size_t on_body(char* bytes,
                             std::size_t size,
                             std::size_t count,
                             void* request) noexcept;
  static std::size_t on_header(char* bytes,
                               std::size_t size,
                               std::size_t count,
                               void* request) noexcept;
  static int before_request(void* request, char*, char*, int, int) noexcept;
  std::string failure_text(CURLcode code) const;

  HttpRequestSettings* settings_ = nullptr;
  EasyHandle easy_;
  HeaderList headers_;  // of this request, when they are not those of every one
  BodyBuffer body_;
  HttpResponse response_;
  TimePoint begun_at_{};
  Milliseconds timeout_{0};
  bool sent_ = false;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
};

}  // namespace batchllm
