// SPDX-License-Identifier: Apache-2.0
#include "adapters/http/response_headers.h"

#include "tests/support/catch.h"

#include <string>
#include <vector>

using namespace batchllm;

namespace {

constexpr std::int64_t k_wall_ms = 784'111'777'000;  // Sun, 06 Nov 1994 08:49:37 GMT

HttpResponse read(const std::vector<std::string>& lines) {
  HttpResponse response;
  for (const auto& line : lines) {
    read_header_line(line + "\r\n", k_wall_ms, response);
  }
  return response;
}

}  // namespace

TEST_CASE("waits are read in every spelling, nonsense is no wait", "[http]") {
  struct Case {
    std::vector<std::string> lines;
    std::optional<std::int64_t> wait_ms;
  };

  for (const auto& c : std::vector<Case>{
           {{"Retry-After: 2"}, 2000},
           {{"retry-after:0.25"}, 250},
           {{"RETRY-AFTER:  30  "}, 30'000},
           {{"Retry-After: 0"}, 0},
           {{"Retry-After: Sun, 06 Nov 1994 08:50:07 GMT"}, 30'000},
           {{"Retry-After: Sun, 06 Nov 1994 08:49:00 GMT"}, 0},
           {{"Retry-After: -1"}, std::nullopt},
           {{"Retry-After: soon"}, std::nullopt},
           {{"Retry-After: nan"}, std::nullopt},
           {{"Retry-After: inf"}, std::nullopt},
           {{"Retry-After: 1e300"}, std::nullopt},
           {{"Retry-After:"}, std::nullopt},
           {{"Retry-After"}, std::nullopt},
           {{"Retry-After-Ms: 1500.4"}, 1500},
           {{"retry-after-ms: -3"}, std::nullopt},
           {{"retry-after-ms: 1e30"}, std::nullopt},
           {{"retry-after-ms: 20", "retry-after: 7"}, 20},
           {{"retry-after: 7", "retry-after-ms: 20"}, 20},
           {{"X-Retry-After: 5"}, std::nullopt},
       }) {
    CAPTURE(c.lines);
    CHECK(read(c.lines).retry_after_ms == c.wait_ms);
  }
}

TEST_CASE("rate limits, request ids and advice are read", "[http]") {
  const HttpResponse response = read({"x-ratelimit-limit-requests: 500",
                                      "X-RateLimit-Remaining-Requests: 499",
                                      "x-ratelimit-limit-tokens: 30000",
                                      "x-ratelimit-remaining-tokens: 0",
                                      "x-ratelimit-reset-tokens: 6m0s",
                                      "x-request-id: req_1",
                                      "x-should-retry: false"});
  CHECK(response.limit_requests == 500);
  CHECK(response.remaining_requests == 499);
  CHECK(response.limit_tokens == 30'000);
  CHECK(response.remaining_tokens == 0);
  CHECK(response.request_id == "req_1");
  CHECK(response.should_retry == false);
  CHECK(read({"X-Should-Retry: TRUE"}).should_retry == true);
  CHECK(read({"request-id: a"}).request_id == "a");
  CHECK_FALSE(read({"x-ratelimit-limit-requests: many"}).limit_requests);
  CHECK(read({"x-request-id: " + std::string(5000, 'y')}).request_id.size() == 200);
}

TEST_CASE("resets are read in every form", "[http]") {
  struct Case {
    std::string_view value;
    std::optional<std::int64_t> reset;
  };

  for (const auto& c : std::vector<Case>{
           {"6m0s", 360'000},
           {"12ms", 12},
           {"2m59.56s", 179'560},
           {"1h2m3s", 3'723'000},
           {"7.66s", 7660},
           {"500us", 1},
           {"500\u00b5s", 1},
           {"24", 24'000},
           {"0.5", 500},
           {"0", std::nullopt},
           {"-1", std::nullopt},
           {"1994-11-06T08:49:47Z", 10'000},
           {"1994-11-06T09:49:47+01:00", 10'000},
           {"1994-11-06T08:49:36Z", 0},
           {"784111787", 784'111'787'000},
           {"1784111787000", 1'000'000'010'000},
           {"6m0", std::nullopt},
           {"6x", std::nullopt},
           {"s", std::nullopt},
           {"1.2.3s", std::nullopt},
           {"99999999999999h", std::nullopt},
           {"soon", std::nullopt},
           {"1e300", std::nullopt},
       }) {
    CAPTURE(c.value);
    CHECK(reset_ms(c.value, k_wall_ms) == c.reset);
  }
}

TEST_CASE("every provider's rate limits are read", "[http]") {
  HttpResponse response = read({"anthropic-ratelimit-requests-limit: 50",
                                "Anthropic-Ratelimit-Requests-Remaining: 49",
                                "anthropic-ratelimit-requests-reset: 1994-11-06T08:49:38Z",
                                "anthropic-ratelimit-tokens-limit: 40000",
                                "anthropic-ratelimit-tokens-remaining: 39000",
                                "anthropic-ratelimit-tokens-reset: 1994-11-06T08:49:40Z",
                                "anthropic-ratelimit-input-tokens-limit: 1",
                                "request-id: req_1"});
  CHECK(response.limit_requests == 50);
  CHECK(response.remaining_requests == 49);
  CHECK(response.reset_requests_ms == 1000);
  CHECK(response.limit_tokens == 40'000);
  CHECK(response.remaining_tokens == 39'000);
  CHECK(response.reset_tokens_ms == 3000);
  CHECK(response.request_id == "req_1");
  // Azure
  response = read({"x-ratelimit-remaining-requests: -1",
                   "x-ratelimit-limit-requests: -1",
                   "x-ratelimit-remaining-tokens: 7",
                   "x-ratelimit-reset-tokens: 24",
                   "apim-request-id: a",
                   "x-request-id: x"});
  CHECK_FALSE(response.limit_requests);
  CHECK_FALSE(response.remaining_requests);
  CHECK(response.remaining_tokens == 7);
  CHECK(response.reset_tokens_ms == 24'000);
  CHECK(response.request_id == "x");
  // Mistral
  response = read({"x-ratelimit-limit-req-minute: 60",
                   "x-ratelimit-remaining-req-minute: 59",
                   "x-ratelimit-limit-tokens-minute: 500000",
                   "x-ratelimit-remaining-tokens-minute: 499000"});
  CHECK(response.limit_requests == 60);
  CHECK(response.remaining_requests == 59);
  CHECK(response.limit_tokens == 500'000);
  CHECK(response.remaining_tokens == 499'000);
  response = read({"ratelimitbysize-limit: 500000",
                   "ratelimitbysize-remaining: 9",
                   "ratelimitbysize-reset: 28"});
  CHECK(response.limit_tokens == 500'000);
  CHECK(response.remaining_tokens == 9);
  CHECK(response.reset_tokens_ms == 28'000);
  response = read({"x-ratelimitbysize-limit-minute: 8", "x-ratelimitbysize-remaining-minute: 6"});
  CHECK(response.limit_tokens == 8);
  CHECK(response.remaining_tokens == 6);
  // OpenRouter
  response = read(
      {"X-RateLimit-Limit: 20", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 784111780000"});
  CHECK(response.limit_requests == 20);
  CHECK(response.remaining_requests == 0);
  CHECK(response.reset_requests_ms == 3000);
  // Bedrock
  response =
      read({"x-amzn-RequestId: b", "x-amzn-ErrorType: ThrottlingException:http://internal/"});
  CHECK(response.request_id == "b");
  CHECK(response.error_type == "ThrottlingException");
}

TEST_CASE("other and broken lines are passed over", "[http]") {
  const HttpResponse response = read({"",
                                      "x",
                                      "Content-Type: text/plain",
                                      "x-ratelimit-",
                                      "retry-afte",
                                      "x-ratelimit-:1",
                                      std::string(8, '\0'),
                                      "xxxxxxxxxxxxxxxxxxxx"});
  CHECK_FALSE(response.retry_after_ms);
  CHECK_FALSE(response.limit_requests);
  CHECK(response.request_id.empty());
}
