// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace batchllm {

// What the HTTP library at hand can do.
struct HttpFacts {
  std::string curl_version;
  std::string tls_version;  // "OpenSSL/3.0.17"; empty: no TLS
  bool has_http2 = false;
};

HttpFacts http_facts();

// An HTTP date (RFC 9110, 5.6.7) as milliseconds since 1970; nullopt when it is none.
std::optional<std::int64_t> http_date_ms(const std::string& text);

}  // namespace batchllm
