// SPDX-License-Identifier: Apache-2.0
// One job, one process: a second one is turned away and disturbs nothing.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <csignal>

using namespace batchllm::test;

TEST_CASE("a job that runs is refused to every other process", "[e2e][jobs]") {
  SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--latency", "400ms"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(20));
  const Words run = workspace.run_words(simulator, {"rows.csv", "-o", "out.csv", "-c", "4"});
  Process first(workspace.command(run));
  REQUIRE(eventually([&] { return simulator.call_count() >= 4; }));
  first.send_signal(SIGSTOP);  // it runs, and does not come to its end meanwhile
  const std::string job = workspace.job();
  const std::string message =
      "error: " + job + " is being run by another process (pid " + std::to_string(first.id()) + ")";

  for (const Words& words :
       {Words{"resume", job}, Words{"retry", job}, Words{"jobs", "rm", job, "--yes"}, run}) {
    CAPTURE(words);
    const auto second = workspace.call(words);
    CHECK(second.exit_code == 10);
    CHECK_THAT(second.error_text, ContainsSubstring(message));
  }
  CHECK(workspace.about_job(".job.status") == "running");
  const auto latest = workspace.call({"resume"});
  CHECK(latest.exit_code == 9);
  CHECK_THAT(latest.error_text, ContainsSubstring("there is no unfinished job"));

  first.send_signal(SIGCONT);
  CHECK(first.wait().exit_code == 0);
  simulator.stop();
  CHECK(simulator.calls().size() == 20);
}

TEST_CASE("a finished job is begun anew by the same command", "[e2e][jobs]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(3));
  REQUIRE(workspace.run(simulator, {"rows.csv", "-o", "out.csv"}).exit_code == 0);
  const auto again = workspace.run(simulator, {"rows.csv", "-o", "out.csv"});
  CHECK(again.exit_code == 10);
  CHECK_THAT(again.error_text, ContainsSubstring("out.csv exists already"));
  CHECK_THAT(again.error_text, ContainsSubstring("--overwrite"));
  CHECK(workspace.run(simulator, {"rows.csv", "-o", "out.csv", "--overwrite"}).exit_code == 0);
  CHECK(simulator.call_count() == 6);
}

TEST_CASE("an unfinished job is left alone by --new-job", "[e2e][jobs]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--latency", "50ms"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(10));
  Words run = workspace.run_words(simulator, {"rows.csv", "-o", "out.csv", "-c", "2"});
  stop_after(workspace.command(run), simulator, 4);
  const std::string killed = workspace.job();
  run.emplace_back("--new-job");
  CHECK(workspace.call(run).exit_code == 0);
  const std::string list = workspace.call({"jobs", "list", "--json"}).output_text;
  CHECK(json_at(list, ".jobs[0].status") == "succeeded");
  CHECK(json_at(list, ".jobs[0].rows.ok") == "10");
  CHECK(json_at(list, ".jobs[1].status") == "interrupted");
  CHECK(json_at(list, ".jobs[1].id") == killed);
}
