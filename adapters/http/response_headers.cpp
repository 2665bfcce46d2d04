// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/response_headers.h"

#include "core/text.h"

#include <curl/curl.h>

#include <cmath>
#include <string>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_request_id = 200;

std::optional<std::int64_t> seconds_or_date(std::string_view value, std::int64_t wall_ms) {
  if (const auto seconds = parse_number(value)) {
    if (*seconds < 0 || *seconds > 1e9) {
      return std::nullopt;
    }
    return static_cast<std::int64_t>(std::llround(*seconds * 1000));
  }
  const std::time_t at = curl_getdate(std::string(value).c_str(), nullptr);
  if (at < 0) {
    return std::nullopt;
  }
  return std::max<std::int64_t>(0, static_cast<std::int64_t>(at) * 1000 - wall_ms);
}

// A wait in milliseconds (retry-after-ms) wins over one in seconds, whichever comes first.
void read_wait(std::string_view name,
               std::string_view value,
               std::int64_t wall_ms,
               HttpResponse& response) {
  if (equals_ignoring_case(name, "retry-after-ms")) {
    const auto ms = parse_number(value);
    if (ms && *ms >= 0 && *ms < 1e12) {
      response.retry_after_ms = static_cast<std::int64_t>(std::llround(*ms));
      response.retry_after_is_exact = true;
    }
  } else if (equals_ignoring_case(name, "retry-after") && !response.retry_after_is_exact) {
    response.retry_after_ms = seconds_or_date(value, wall_ms);
  } else if (equals_ignoring_case(name, "request-id")) {
    response.request_id = value.substr(0, k_longest_request_id);
  }
}

void read_limit(std::string_view name, std::string_view value, HttpResponse& response) {
  constexpr std::string_view k_prefix = "x-ratelimit-";
  if (equals_ignoring_case(name, "x-request-id")) {
    response.request_id = value.substr(0, k_longest_request_id);
    return;
  }
  if (equals_ignoring_case(name, "x-should-retry")) {
    response.should_retry = equals_ignoring_case(value, "true");
    return;
  }
  if (name.size() <= k_prefix.size() ||
      !equals_ignoring_case(name.substr(0, k_prefix.size()), k_prefix)) {
    return;
  }
  const std::string_view which = name.substr(k_prefix.size());
  if (equals_ignoring_case(which, "limit-requests")) {
    response.limit_requests = parse_integer(value);
  } else if (equals_ignoring_case(which, "remaining-requests")) {
    response.remaining_requests = parse_integer(value);
  } else if (equals_ignoring_case(which, "limit-tokens")) {
    response.limit_tokens = parse_integer(value);
  } else if (equals_ignoring_case(which, "remaining-tokens")) {
    response.remaining_tokens = parse_integer(value);
  }
}

}  // namespace

void read_header_line(std::string_view line, std::int64_t wall_ms, HttpResponse& response) {
  if (line.size() < 8) {
    return;
  }
  const char first = static_cast<char>(line.front() | 0x20);
  if (first != 'r' && first != 'x') {
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) {
    return;
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (first == 'r') {
    read_wait(name, value, wall_ms, response);
  } else {
    read_limit(name, value, response);
  }
}

}  // namespace batchllm
