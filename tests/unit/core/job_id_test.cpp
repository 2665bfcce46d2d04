// SPDX-License-Identifier: Apache-2.0
#include "core/job_id.h"

#include "tests/support/catch.h"

using namespace batchllm;

TEST_CASE("a job's id says when it began, in UTC", "[job_id]") {
  CHECK(make_job_id(0, 0) == "job_19700101_000000_aaaa");
  CHECK(make_job_id(1'795'247'280'999, 0xFFFFF) == "job_20261121_074800_7777");
  CHECK(make_job_id(1'795'247'280'000, 1) == "job_20261121_074800_baaa");
}

TEST_CASE("ids are told from other names", "[job_id]") {
  CHECK(is_job_id(make_job_id(1'795'247'280'000, 0x12345)));
  for (const char* other : {"",
                            "job_",
                            "job_20261121_074800_k3f",
                            "job_20261121_074800_k3fzz",
                            "jobs20261121_074800_k3fz",
                            "job_2026112x_074800_k3fz",
                            "job_20261121_074800_k3f1",
                            "job_20261121_074800_K3FZ",
                            "job_20261121/074800_k3fz",
                            "job_20261121_074800_../."}) {
    CAPTURE(other);
    CHECK_FALSE(is_job_id(other));
  }
}
