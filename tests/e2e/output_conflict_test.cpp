// SPDX-License-Identifier: Apache-2.0
// An existing output is never touched unasked, and the file appears complete or not at all.
#include "tests/support/catch.h"
#include "tests/support/job.h"

using namespace batchllm::test;

TEST_CASE("an output that exists is refused before anything is sent", "[e2e][output]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(3));
  workspace.write("out.csv", "precious\n");
  const auto result = workspace.run(simulator, {"rows.csv", "-o", "out.csv", "--json"});
  CHECK(result.exit_code == 10);
  CHECK(json_at(result.error_text, ".error.code") == "output_exists");
  CHECK(workspace.read("out.csv") == "precious\n");
  CHECK(simulator.call_count() == 0);
  CHECK(workspace.job().empty());
}

TEST_CASE("the option --overwrite replaces the output when the run is complete", "[e2e][output]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--latency", "300ms"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(3));
  workspace.write("out.csv", "precious\n");
  const Words run =
      workspace.run_words(simulator, {"rows.csv", "-o", "out.csv", "--overwrite", "-c", "1"});
  stop_after(workspace.command(run), simulator, 2);
  CHECK(workspace.read("out.csv") == "precious\n");
  CHECK(workspace.call({"resume"}).exit_code == 0);
  CHECK(workspace.read("out.csv").starts_with("id,text,output\n1,"));
}

TEST_CASE("the option --append adds rows behind those that are there", "[e2e][output]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("one.csv", csv_of_rows(3));
  workspace.write("two.csv", csv_of_rows(2, 3));
  workspace.write("all.csv", csv_of_rows(5));
  for (const std::string kind : {".csv", ".jsonl"}) {
    CAPTURE(kind);
    REQUIRE(workspace.run(simulator, {"one.csv", "-o", "out" + kind}).exit_code == 0);
    const auto result = workspace.run(simulator, {"two.csv", "-o", "out" + kind, "--append"});
    CAPTURE(result.error_text);
    CHECK(result.exit_code == 0);
    REQUIRE(workspace.run(simulator, {"all.csv", "-o", "all-out" + kind}).exit_code == 0);
    CHECK(workspace.read("out" + kind) == workspace.read("all-out" + kind));
  }
}

TEST_CASE("a file that appears during the run is not replaced", "[e2e][output]") {
  SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--latency", "300ms"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(3));
  Process process(workspace.command(workspace.run_words(simulator, {"rows.csv", "-o", "out.csv"})));
  REQUIRE(eventually([&] { return simulator.call_count() >= 1; }));
  workspace.write("out.csv", "precious\n");
  const auto result = process.wait();
  CHECK(result.exit_code == 10);
  CHECK_THAT(result.error_text, ContainsSubstring("out.csv has appeared meanwhile"));
  CHECK(workspace.read("out.csv") == "precious\n");
  const auto saved = workspace.call({"results", "export", workspace.job()});
  CHECK(sorted_lines(saved.output_text).size() == 4);
}

TEST_CASE("a run that is stopped leaves no half of an output", "[e2e][output]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--latency", "100ms"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(50));
  const auto command =
      workspace.command(workspace.run_words(simulator, {"rows.csv", "-o", "out.csv", "-c", "2"}));
  CHECK(stop_after(command, simulator, 6, SIGTERM).exit_code == 143);
  CHECK_FALSE(workspace.has("out.csv"));
  CHECK_FALSE(workspace.has(".out.csv." + workspace.job() + ".part"));
}
