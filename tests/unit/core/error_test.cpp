// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"

#include "tests/support/catch.h"

using namespace batchllm;

TEST_CASE("an error code is found again by its name", "[error]") {
  for (const auto code : {ErrorCode::internal, ErrorCode::bad_row, ErrorCode::terminated}) {
    CHECK(find_error_code(error_kind(code).name) == code);
  }
  CHECK_FALSE(find_error_code("").has_value());
  CHECK_FALSE(find_error_code("of_tomorrow").has_value());
}

TEST_CASE("an exit code stands for the first error of its kind", "[error]") {
  CHECK(find_error_code(3) == ErrorCode::input_missing);
  CHECK(find_error_code(9) == ErrorCode::job_not_found);
  CHECK_FALSE(find_error_code(0).has_value());
  CHECK_FALSE(find_error_code(99).has_value());
}
