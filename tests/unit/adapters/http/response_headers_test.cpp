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
