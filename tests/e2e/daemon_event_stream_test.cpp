// SPDX-License-Identifier: Apache-2.0
// A job's events as server-sent events, read by a client that others wrote.
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"

#include <filesystem>
#include <sstream>

using namespace batchllm::test;

TEST_CASE("an EventSource gets every event once and in order, across a crash of the daemon",
          "[e2e][daemon][event_stream]") {
  const std::string folder = BATCHLLM_CLIENTS;
  if (!std::filesystem::exists(folder + "/node_modules/eventsource") ||
      run_process({.argv = {"node", "--version"}}).exit_code != 0) {
    WARN("skipped: needs node and the eventsource package (npm install in tests/clients)");
    return;
  }
  DaemonProcess daemon({.program = BATCHLLM_DAEMON,
                        .batchllm = BATCHLLM_PROGRAM,
                        .simulator = {"--latency", "250ms"}});
  std::string rows = "[";
  for (int row = 0; row < 20; ++row) {
    rows += std::string(row == 0 ? "" : ",") + R"({"text":"row )" + std::to_string(row) + "\"}";
  }
  const std::string job =
      daemon.submit(daemon.job_body(rows + "]", "say {text}", R"("concurrency":1)"));
  REQUIRE(eventually([&] { return daemon.get("/jobs/" + job).at(".rows.ok") > "0"; }));

  Process client(
      {.argv = {"node", "event_stream_client.mjs", daemon.socket(), job, "1"}, .folder = folder});
  CHECK(client.wait_for_output("2 job.started 2\n"));
  REQUIRE(client.wait_for_output("live\n"));
  daemon.kill();
  REQUIRE(client.wait_for_output("lost"));
  daemon.start();
  const ProcessResult result = client.wait();
  CAPTURE(result.output_text, result.error_text);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.output_text, ContainsSubstring("job.interrupted"));

  std::istringstream lines(result.output_text);
  long next = 2;
  for (std::string line; std::getline(lines, line);) {
    if (line != "live" && !line.starts_with("lost")) {
      CHECK(std::stol(line) == next);
      CHECK(line.ends_with(" " + std::to_string(next)));
      ++next;
    }
  }
  CHECK(daemon.get("/jobs/" + job).at(".last_event") == std::to_string(next - 1));
}
