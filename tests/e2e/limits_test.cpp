// SPDX-License-Identifier: Apache-2.0
// What the user may set a run as a limit, and a person's Ctrl-C.
#include "tests/support/catch.h"
#include "tests/support/job.h"

using namespace batchllm::test;

namespace {

// No row was asked twice: the run was stopped in an orderly way and went on where it was.
void check_each_asked_once(SimulatorProcess& simulator, std::size_t rows) {
  simulator.stop();
  CHECK(simulator.calls().size() == rows);
  CHECK(simulator.calls_by_message().size() == rows);
}

// Runs 100 rows under a limit that is good for some of them.
ProcessResult run_under_cost_limit(const Workspace& workspace, const SimulatorProcess& simulator) {
  workspace.write("rows.csv", csv_of_rows(100));
  return workspace.run(simulator,
                       {"rows.csv", "-o", "out.csv", "--max-tokens", "16", "--max-cost", "0.0002"});
}

}  // namespace

TEST_CASE("the budget is not overspent", "[e2e][limits]") {
  SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--latency", "5ms"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  const auto stopped = run_under_cost_limit(workspace, simulator);
  CAPTURE(stopped.error_text);
  CHECK(stopped.exit_code == 5);
  CHECK_THAT(stopped.error_text, ContainsSubstring("the cost limit is reached"));
  CHECK_THAT(stopped.error_text, ContainsSubstring("--max-cost"));
  CHECK(std::stod(workspace.about_job(".job.cost_usd")) <= 0.0002);
  CHECK(std::stoul(workspace.about_job(".job.rows.ok")) > 5);
  CHECK(workspace.call({"resume"}).exit_code == 5);
  CHECK(workspace.call({"resume", "--max-cost", "1"}).exit_code == 0);
  check_each_asked_once(simulator, 100);
}

TEST_CASE("the budget counts requests whose answer got lost", "[e2e][limits]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--fault", "reset:50%"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  const auto stopped = run_under_cost_limit(workspace, simulator);
  CAPTURE(stopped.error_text);
  CHECK(stopped.exit_code == 5);
  CHECK_THAT(stopped.error_text, ContainsSubstring("requests without an answer may have cost $"));
  CHECK(workspace.call({"resume", "--max-cost", "1"}).exit_code != 5);
}

TEST_CASE("a deadline stops the run in time", "[e2e][limits]") {
  SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--latency", "100ms"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(60));
  const auto stopped =
      workspace.run(simulator, {"rows.csv", "-o", "out.csv", "-c", "2", "--deadline", "500ms"});
  CHECK(stopped.exit_code == 5);
  CHECK_THAT(stopped.error_text, ContainsSubstring("the deadline has passed"));
  CHECK(workspace.call({"resume", "-c", "30", "--deadline", "5m"}).exit_code == 0);
  check_each_asked_once(simulator, 60);
}

TEST_CASE("too many failures stop the run", "[e2e][limits]") {
  const auto [limit, rows] = GENERATE(table<std::string, std::size_t>({{"3", 60}, {"5%", 400}}));
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--fault", "400:30%"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(rows));
  const auto stopped = workspace.run(
      simulator, {"rows.csv", "-o", "out.csv", "-c", "4", "--max-failures", limit, "--json"});
  CHECK(stopped.exit_code == 5);
  CHECK(json_at(stopped.output_text, ".stopped_by") == "failure_limit");
  CHECK(std::stoul(json_at(stopped.output_text, ".rows.failed")) > 3);
  CHECK(simulator.call_count() < rows);
}

TEST_CASE("an interrupted run waits for what is in flight and says how to go on",
          "[e2e][signals]") {
  const auto [number, exit_code] = GENERATE(table<int, int>({{SIGINT, 130}, {SIGTERM, 143}}));
  SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--latency", "150ms"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(30));
  const auto run =
      workspace.command(workspace.run_words(simulator, {"rows.csv", "-o", "out.csv", "-c", "6"}));
  const auto stopped = stop_after(run, simulator, 6, number);
  CHECK(stopped.exit_code == exit_code);
  CHECK_THAT(stopped.error_text, ContainsSubstring("Stopping: waiting for the answers in flight."));
  CHECK_THAT(stopped.error_text,
             ContainsSubstring("Everything is saved. Go on with: batchllm resume " +
                               workspace.job() + "\n"));
  CHECK(workspace.rows_in_doubt().empty());
  CHECK(workspace.about_job(".job.status") == "interrupted");
  CHECK(workspace.call({"resume"}).exit_code == 0);
  check_each_asked_once(simulator, 30);
}

TEST_CASE("a second Ctrl-C stops at once", "[e2e][signals]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--latency", "5m"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(5));
  Process process(workspace.command(workspace.run_words(simulator, {"rows.csv", "-o", "out.csv"})));
  REQUIRE(eventually([&] { return simulator.call_count() == 5; }));
  process.send_signal(SIGINT);
  REQUIRE(process.wait_for_error("Once more stops at once."));
  process.send_signal(SIGINT);
  CHECK(process.wait().exit_code == 130);
  CHECK(workspace.rows_in_doubt().size() == 5);
}

TEST_CASE("rate limits are kept to, and answered with patience", "[e2e][limits]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--rpm", "1200"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(40));
  const auto result = workspace.run(simulator, {"rows.csv", "-o", "out.csv", "-c", "40"});
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  CHECK(sorted_lines(workspace.read("out.csv")).size() == 41);
}
