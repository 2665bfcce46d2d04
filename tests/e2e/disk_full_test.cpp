// SPDX-License-Identifier: Apache-2.0
// A disk that fills up stops the run; with room again it goes on, and nothing that was paid is
// lost.
#include "tests/support/catch.h"
#include "tests/support/job.h"
#include "tests/support/small_disk.h"

#include <numeric>

using namespace batchllm::test;

namespace {

// Every row was answered, and asked once but for the few in flight when the disk was full.
void check_nothing_was_lost(SimulatorProcess& simulator, std::size_t rows, std::size_t in_flight) {
  simulator.stop();
  const auto calls = simulator.calls_by_message();
  CHECK(calls.size() == rows);
  const std::size_t sent = std::accumulate(
      calls.begin(), calls.end(), std::size_t{0}, [](std::size_t sum, const auto& c) {
        return sum + c.second;
      });
  CHECK(sent <= rows + in_flight);
}

}  // namespace

TEST_CASE("a ledger that cannot grow stops the run and goes on later", "[e2e][disk]") {
  SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(300));
  auto limited =
      workspace.command(workspace.run_words(simulator, {"rows.csv", "-o", "out.csv", "-c", "8"}));
  limited.largest_file = 20'000;
  const auto stopped = run_process(limited);
  CAPTURE(stopped.error_text);
  CHECK(stopped.exit_code == 11);
  CHECK_THAT(stopped.error_text, ContainsSubstring("ledger-00000.jsonl"));
  CHECK_THAT(stopped.error_text, ContainsSubstring("batchllm resume " + workspace.job()));
  CHECK_FALSE(workspace.has("out.csv"));

  const auto still = workspace.command({"resume", workspace.job()});
  CHECK(run_process(still).exit_code == 0);
  CHECK(sorted_lines(workspace.read("out.csv")).size() == 301);
  check_nothing_was_lost(simulator, 300, 8);
}

TEST_CASE("a full disk under the jobs stops the run and goes on with room", "[e2e][disk]") {
  const SmallDisk disk("64k");
  if (disk.where().empty()) {
    WARN("skipped: no tmpfs can be mounted here (needs root)");
    return;
  }
  SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(600));
  auto run = workspace.command(
      workspace.run_words(simulator, {"rows.csv", "-o", "out.csv", "-c", "8", "--json"}));
  run.environment["BATCHLLM_STATE_DIR"] = disk.where() + "/state";
  const auto full = run_process(run);
  CAPTURE(full.error_text);
  CHECK(full.exit_code == 11);
  CHECK_THAT(full.error_text, ContainsSubstring("No space left on device"));

  disk.grow("4m");
  const auto resumed = run_process(run);
  CAPTURE(resumed.error_text);
  CHECK(resumed.exit_code == 0);
  CHECK(sorted_lines(workspace.read("out.csv")).size() == 601);
  check_nothing_was_lost(simulator, 600, 8);
}

TEST_CASE("a full disk under the output keeps every answer", "[e2e][disk]") {
  const SmallDisk disk("16k");
  if (disk.where().empty()) {
    WARN("skipped: no tmpfs can be mounted here (needs root)");
    return;
  }
  SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(600));
  const auto full =
      workspace.run(simulator, {"rows.csv", "-o", disk.where() + "/out.csv", "-c", "8"});
  CAPTURE(full.error_text);
  CHECK(full.exit_code == 11);
  CHECK_FALSE(std::filesystem::exists(disk.where() + "/out.csv"));

  disk.grow("4m");
  const auto resumed = workspace.call({"resume", workspace.job()});
  CAPTURE(resumed.error_text);
  CHECK(resumed.exit_code == 0);
  CHECK(std::filesystem::exists(disk.where() + "/out.csv"));
  check_nothing_was_lost(simulator, 600, 8);
}
