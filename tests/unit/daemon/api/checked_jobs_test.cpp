// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/checked_jobs.h"

#include "tests/support/catch.h"

#include <string>

namespace {

using batchllm::daemon::CheckedJobs;

TEST_CASE("a checked job is known by its whole record", "[checked_jobs]") {
  CheckedJobs jobs;
  CHECK_FALSE(jobs.endpoint_of(R"({"a":1})"));
  jobs.remember(R"({"a":1})", "https://one.example/v1");
  jobs.remember(R"({"a":2})", "https://two.example/v1");
  CHECK(jobs.endpoint_of(R"({"a":1})") == "https://one.example/v1");
  CHECK(jobs.endpoint_of(R"({"a":2})") == "https://two.example/v1");
  CHECK_FALSE(jobs.endpoint_of(R"({"a":3})"));
}

TEST_CASE("of many checked jobs the oldest are forgotten", "[checked_jobs]") {
  CheckedJobs jobs;
  for (int job = 0; job < 1000; ++job) {
    jobs.remember(std::to_string(job), "endpoint");
    jobs.remember(std::to_string(job), "endpoint");
  }
  CHECK_FALSE(jobs.endpoint_of("0"));
  CHECK_FALSE(jobs.endpoint_of("900"));
  CHECK(jobs.endpoint_of("999") == "endpoint");
  CHECK(jobs.endpoint_of("950") == "endpoint");
}

TEST_CASE("a job with a very long record is checked each time", "[checked_jobs]") {
  CheckedJobs jobs;
  const std::string record(std::size_t{1} << 20, 'r');
  jobs.remember(record, "endpoint");
  CHECK_FALSE(jobs.endpoint_of(record));
}

}  // namespace
