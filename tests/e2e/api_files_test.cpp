// SPDX-License-Identifier: Apache-2.0
// Files over the API of a running daemon.
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"

using namespace batchllm::test;

TEST_CASE("a job whose rows come with the request runs in the daemon", "[e2e][daemon]") {
  const DaemonProcess daemon({.program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM});
  const std::string job =
      daemon.submit(daemon.job_body(R"([{"text":"hello"},{"text":"bye"}])"));
  const ApiAnswer end = daemon.wait_for_end(job);
  CHECK(end.at(".state") == "succeeded");
  CHECK(end.at(".rows.ok") == "2");
}
