// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/response_headers.h"

#include "core/text.h"
#include "core/time_text.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_request_id = 200;
constexpr std::size_t k_longest_error_type = 100;

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

// A duration as Go writes it: "6m0s", "2m59.56s", "12ms".
std::optional<std::int64_t> go_duration_ms(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 7> k_units = {{
      {"h", 3.6e6},
      {"m", 6e4},
      {"s", 1e3},
      {"ms", 1},
      {"us", 1e-3},
      {"\u00b5s", 1e-3},
      {"ns", 1e-6},
  }};
  constexpr double k_longest_ms = 1e12;
  double total_ms = 0;
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = parse_number(text.substr(0, digits));
    text.remove_prefix(digits);
    const std::string_view unit =
        text.substr(0, std::min(text.find_first_of("0123456789."), text.size()));
    text.remove_prefix(unit.size());
    const auto* known = std::find_if(
        k_units.begin(), k_units.end(), [unit](const auto& other) { return other.first == unit; });
    if (!number || known == k_units.end()) {
      return std::nullopt;
    }
    total_ms += *number * known->second;
  }
  return total_ms <= k_longest_ms ? std::optional<std::int64_t>(std::llround(total_ms))
                                  : std::nullopt;
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

using Field = std::optional<std::int64_t> HttpResponse::*;

enum class Kind { count, reset };

struct LimitHeader {
  std::string_view prefix;
  std::string_view name;  // behind the prefix
  Field field;
  Kind kind;
};

constexpr std::string_view k_usual = "x-ratelimit-";
constexpr std::string_view k_anthropic = "anthropic-ratelimit-";
constexpr std::string_view k_mistral = "x-ratelimitbysize-";
constexpr std::string_view k_mistral_older = "ratelimitbysize-";

// Source: the providers' pages on rate limits.
constexpr std::array k_limit_headers = {
    LimitHeader{k_usual, "limit-requests", &HttpResponse::limit_requests, Kind::count},
    LimitHeader{k_usual, "remaining-requests", &HttpResponse::remaining_requests, Kind::count},
    LimitHeader{k_usual, "reset-requests", &HttpResponse::reset_requests_ms, Kind::reset},
    LimitHeader{k_usual, "limit-tokens", &HttpResponse::limit_tokens, Kind::count},
    LimitHeader{k_usual, "remaining-tokens", &HttpResponse::remaining_tokens, Kind::count},
    LimitHeader{k_usual, "reset-tokens", &HttpResponse::reset_tokens_ms, Kind::reset},
    // Mistral
    LimitHeader{k_usual, "limit-req-minute", &HttpResponse::limit_requests, Kind::count},
    LimitHeader{k_usual, "remaining-req-minute", &HttpResponse::remaining_requests, Kind::count},
    LimitHeader{k_usual, "limit-tokens-minute", &HttpResponse::limit_tokens, Kind::count},
    LimitHeader{k_usual, "remaining-tokens-minute", &HttpResponse::remaining_tokens, Kind::count},
    LimitHeader{k_mistral, "limit-minute", &HttpResponse::limit_tokens, Kind::count},
    LimitHeader{k_mistral, "remaining-minute", &HttpResponse::remaining_tokens, Kind::count},
    LimitHeader{k_mistral_older, "limit", &HttpResponse::limit_tokens, Kind::count},
    LimitHeader{k_mistral_older, "remaining", &HttpResponse::remaining_tokens, Kind::count},
    LimitHeader{k_mistral_older, "reset", &HttpResponse::reset_tokens_ms, Kind::reset},
    // OpenRouter
    LimitHeader{k_usual, "limit", &HttpResponse::limit_requests, Kind::count},
    LimitHeader{k_usual, "remaining", &HttpResponse::remaining_requests, Kind::count},
    LimitHeader{k_usual, "reset", &HttpResponse::reset_requests_ms, Kind::reset},
    LimitHeader{k_anthropic, "requests-limit", &HttpResponse::limit_requests, Kind::count},
    LimitHeader{k_anthropic, "requests-remaining", &HttpResponse::remaining_requests, Kind::count},
    LimitHeader{k_anthropic, "requests-reset", &HttpResponse::reset_requests_ms, Kind::reset},
    LimitHeader{k_anthropic, "tokens-limit", &HttpResponse::limit_tokens, Kind::count},
    LimitHeader{k_anthropic, "tokens-remaining", &HttpResponse::remaining_tokens, Kind::count},
    LimitHeader{k_anthropic, "tokens-reset", &HttpResponse::reset_tokens_ms, Kind::reset},
};

constexpr std::size_t k_shortest_limit_header = 16;

// Azure says -1 for what it does not know.
std::optional<std::int64_t> count_or_unknown(std::string_view value) {
  const auto count = parse_integer(value);
  return count && *count >= 0 ? count : std::nullopt;
}

void read_limit(std::string_view name,
                std::string_view value,
                std::int64_t wall_ms,
                HttpResponse& response) {
  for (const LimitHeader& header : k_limit_headers) {
    if (name.size() == header.prefix.size() + header.name.size() &&
        equals_ignoring_case(name.substr(0, header.prefix.size()), header.prefix) &&
        equals_ignoring_case(name.substr(header.prefix.size()), header.name)) {
      response.*header.field =
          header.kind == Kind::count ? count_or_unknown(value) : reset_ms(value, wall_ms);
      return;
    }
  }
}

void read_name(std::string_view name, std::string_view value, HttpResponse& response) {
  if (equals_ignoring_case(name, "x-request-id") ||
      equals_ignoring_case(name, "x-amzn-requestid") ||
      (equals_ignoring_case(name, "apim-request-id") && response.request_id.empty())) {
    response.request_id = value.substr(0, k_longest_request_id);
  } else if (equals_ignoring_case(name, "x-should-retry")) {
    response.should_retry = equals_ignoring_case(value, "true");
  } else if (equals_ignoring_case(name, "x-amzn-errortype")) {
    // "ThrottlingException:http://…" now and then
    response.error_type = value.substr(0, std::min(value.find(':'), k_longest_error_type));
  }
}

}  // namespace

std::optional<std::int64_t> reset_ms(std::string_view value, std::int64_t wall_ms) {
  constexpr double k_longest_s = 1e9;  // and more is a time: seconds since 1970, or milliseconds
  constexpr double k_latest_s = 1e11;
  if (const auto number = parse_number(value)) {
    if (*number <= 0 || *number > 1e15) {
      return std::nullopt;
    }
    if (*number <= k_longest_s) {
      return static_cast<std::int64_t>(std::llround(*number * 1000));
    }
    const double at_ms = *number < k_latest_s ? *number * 1000 : *number;
    return std::max<std::int64_t>(0, std::llround(at_ms) - wall_ms);
  }
  if (const auto at_ms = parse_rfc3339(value)) {
    return std::max<std::int64_t>(0, *at_ms - wall_ms);
  }
  return go_duration_ms(value);
}

void read_header_line(std::string_view line, std::int64_t wall_ms, HttpResponse& response) {
  if (line.size() < 8) {
    return;
  }
  const char first = static_cast<char>(line.front() | 0x20);
  if (first != 'r' && first != 'x' && first != 'a') {
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
    read_name(name, value, response);
  }
  if (name.size() > k_shortest_limit_header) {
    read_limit(name, value, wall_ms, response);
  }
}

}  // namespace batchllm
