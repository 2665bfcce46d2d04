// SPDX-License-Identifier: Apache-2.0
#include "core/retry_policy.h"

#include "tests/support/catch.h"

#include <vector>

using namespace batchllm;

TEST_CASE("failures that may pass are asked again, others are not", "[retry_policy]") {
  struct Case {
    RowFailure failure;
    bool is_transient;
    bool is_free;
  };

  for (const auto& c : std::vector<Case>{{RowFailure::none, false, false},
                                         {RowFailure::rate_limited, true, true},
                                         {RowFailure::quota_exhausted, false, false},
                                         {RowFailure::auth_refused, false, false},
                                         {RowFailure::bad_request, false, false},
                                         {RowFailure::context_too_long, false, false},
                                         {RowFailure::content_filtered, false, false},
                                         {RowFailure::refused, false, false},
                                         {RowFailure::truncated, false, false},
                                         {RowFailure::empty_answer, false, false},
                                         {RowFailure::server_error, true, false},
                                         {RowFailure::overloaded, true, false},
                                         {RowFailure::timeout, true, false},
                                         {RowFailure::connection_failed, true, true},
                                         {RowFailure::protocol_error, true, false},
                                         {RowFailure::cancelled, false, false},
                                         {RowFailure::in_doubt, false, false}}) {
    CAPTURE(failure_name(c.failure));
    CHECK(RetryPolicy::is_transient(c.failure) == c.is_transient);
    CHECK(RetryPolicy::is_free(c.failure) == c.is_free);
  }
}

TEST_CASE("attempts have a ceiling; those not taken up have one of their own", "[retry_policy]") {
  const RetryPolicy policy(3);
  CHECK(policy.allows_another(RowFailure::server_error, 2, 0));
  CHECK_FALSE(policy.allows_another(RowFailure::server_error, 3, 0));
  CHECK(policy.allows_another(RowFailure::server_error, 12, 10));
  CHECK(policy.allows_another(RowFailure::rate_limited, 29, 29));
  CHECK_FALSE(policy.allows_another(RowFailure::rate_limited, 30, 30));
  CHECK_FALSE(policy.allows_another(RowFailure::bad_request, 1, 0));
  CHECK_FALSE(RetryPolicy(1).allows_another(RowFailure::rate_limited, 1, 1));
}

TEST_CASE("waits double up to a minute, with full jitter", "[retry_policy]") {
  const auto wait = [](std::uint32_t attempts, double chance) {
    return RetryPolicy::delay(attempts, std::nullopt, chance).count();
  };
  CHECK(wait(0, 1) == 500);
  CHECK(wait(1, 1) == 500);
  CHECK(wait(2, 1) == 1000);
  CHECK(wait(7, 1) == 32'000);
  CHECK(wait(8, 1) == 60'000);
  CHECK(wait(4'000'000'000U, 1) == 60'000);
  CHECK(wait(5, 0.5) == 4000);
  CHECK(wait(5, 0) == 0);
}

TEST_CASE("a wait that the server asks for is kept in full, up to an hour", "[retry_policy]") {
  CHECK(RetryPolicy::delay(1, 2000, 0).count() == 2000);
  CHECK(RetryPolicy::delay(1, 2000, 1).count() == 2200);
  CHECK(RetryPolicy::delay(1, 9'000'000'000'000, 0).count() == 3'600'000);
  CHECK(RetryPolicy::delay(1, 0, 1).count() == 500);  // "now" is no advice
  CHECK(RetryPolicy::delay(1, -5, 1).count() == 500);
}
