// SPDX-License-Identifier: Apache-2.0
// A job goes on with the input that it began with, or not at all.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <chrono>

using namespace batchllm::test;

namespace {

struct StoppedJob {
  StoppedJob() {
    workspace.write("rows.csv", csv_of_rows(12));
    stop_after(
        workspace.command(workspace.run_words(simulator, {"rows.csv", "-o", "out.csv", "-c", "2"})),
        simulator,
        4,
        SIGTERM);
  }

  SimulatorProcess simulator{BATCHLLM_PROGRAM, {"--latency", "50ms"}};
  Workspace workspace{BATCHLLM_PROGRAM};
};

}  // namespace

TEST_CASE("an input that was changed is refused with a way out", "[e2e][resume]") {
  std::string other_content = csv_of_rows(12);
  other_content[other_content.size() - 5] = 'X';
  const auto [text, what] = GENERATE_COPY(table<std::string, std::string>({
      {csv_of_rows(13), "it had "},
      {csv_of_rows(3), "it had "},
      {other_content, "its content is another one"},
  }));
  CAPTURE(what);
  const StoppedJob job;
  job.workspace.write("rows.csv", text);
  const std::size_t calls = job.simulator.call_count();
  const auto result = job.workspace.call({"resume", "--json"});
  CHECK(result.exit_code == 3);
  CHECK(json_at(result.error_text, ".error.code") == "input_changed");
  CHECK_THAT(json_at(result.error_text, ".error.message"), ContainsSubstring(what));
  CHECK_THAT(json_at(result.error_text, ".error.hint"), ContainsSubstring("results export"));
  CHECK(job.simulator.call_count() == calls);

  job.workspace.write("rows.csv", csv_of_rows(12));
  CHECK(job.workspace.call({"resume"}).exit_code == 0);
}

TEST_CASE("an input that was only touched or copied back is accepted", "[e2e][resume]") {
  const StoppedJob job;
  std::filesystem::last_write_time(
      job.workspace.path("rows.csv"),
      std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK(job.workspace.call({"resume"}).exit_code == 0);
}

TEST_CASE("an input that is gone is named", "[e2e][resume]") {
  const StoppedJob job;
  std::filesystem::remove(job.workspace.path("rows.csv"));
  const auto result = job.workspace.call({"resume"});
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.error_text, ContainsSubstring("rows.csv"));
}
