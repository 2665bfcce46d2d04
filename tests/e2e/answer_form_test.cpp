// SPDX-License-Identifier: Apache-2.0
// Answers in the form that was asked for: fields as columns, choices, what is asked again.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <csignal>

using namespace batchllm::test;

namespace {

// A simulator that answers by a script: a JSON object a line.
SimulatorProcess scripted(const Workspace& workspace, const std::string& script) {
  return SimulatorProcess(BATCHLLM_PROGRAM, {"--script", workspace.write("script.jsonl", script)});
}

}  // namespace

TEST_CASE("each field of an answer becomes a column of its type", "[e2e][answers]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", "id,text\n1,it crashes\n2,well done\n");
  const std::string fields = "label:enum(bug,praise), sure:number, tags:string[], note?:string";
  const auto csv = workspace.run(
      simulator, {"rows.csv", "-o", "out.csv", "--fields", fields, "--map", "label=kind"});
  INFO(csv.error_text);
  CHECK(csv.exit_code == 0);
  CHECK_THAT(workspace.read("out.csv"),
             Catch::Matchers::StartsWith("id,text,kind,sure,tags,note\n1,it crashes,"));
  const auto jsonl =
      workspace.run(simulator, {"rows.csv", "-o", "out.jsonl", "--fields", "sure:integer"});
  CHECK(jsonl.exit_code == 0);
  CHECK_THAT(workspace.read("out.jsonl"),
             Catch::Matchers::Matches(R"(\{"id":"1","text":"it crashes","sure":-?\d+\}\n(.|\n)*)"));
}

TEST_CASE("a schema may stand in a file, and what cannot be checked is refused by name",
          "[e2e][answers]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", "id,text\n1,a\n");
  workspace.write("schema.json",
                  R"({"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]})");
  CHECK(workspace.run(simulator, {"rows.csv", "-o", "out.csv", "--schema", "schema.json"})
            .exit_code == 0);
  CHECK_THAT(workspace.read("out.csv"), Catch::Matchers::StartsWith("id,text,n\n"));
  const auto refused = workspace.run(
      simulator, {"rows.csv", "--schema", R"({"type":"object","unevaluatedProperties":false})"});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.error_text, ContainsSubstring("unevaluatedProperties"));
  const auto missing = workspace.run(simulator, {"rows.csv", "--schema", "nowhere.json"});
  CHECK(missing.exit_code == 2);
  CHECK_THAT(missing.error_text, ContainsSubstring("--schema: "));
  const auto taken = workspace.run(simulator, {"rows.csv", "--fields", "text:string"});
  CHECK(taken.exit_code == 2);
  CHECK_THAT(taken.error_text, ContainsSubstring("the input has a column text already"));
}

TEST_CASE("an answer that is none of the choices is asked again, then the row fails",
          "[e2e][answers]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator = scripted(workspace,
                                              R"({"match":"first","content":"no idea"})"
                                              "\n"
                                              R"({"match_regex":".","content":"Bug."})"
                                              "\n");
  workspace.write("rows.csv", "id,text\n1,first\n");
  const auto run = workspace.run(
      simulator, {"rows.csv", "-o", "out.csv", "--choices", "bug,praise", "--include", "meta"});
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK_THAT(workspace.read("out.csv"), ContainsSubstring("1,first,bug,ok,"));
  CHECK(simulator.call_count() == 2);
  const auto once = workspace.run(
      simulator, {"rows.csv", "-o", "once.csv", "--choices", "bug,praise", "--reask", "0"});
  CHECK(once.exit_code == 4);
  CHECK_THAT(workspace.read("once.csv"), ContainsSubstring("invalid_answer: "));
  CHECK(simulator.call_count() == 3);
}

TEST_CASE("a run that is killed between an answer and its second asking goes on there",
          "[e2e][answers][kill]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(20));
  const SimulatorProcess simulator(
      BATCHLLM_PROGRAM,
      {"--latency",
       "50ms",
       "--script",
       workspace.write("script.jsonl", R"({"match_regex":".","content":"no idea"})")});
  const Words words = workspace.run_words(
      simulator, {"rows.csv", "-o", "out.csv", "-c", "4", "--choices", "x,y", "--reask", "2"});
  Process first(workspace.command(words));
  REQUIRE(eventually([&] { return simulator.call_count() >= 30; }));
  first.send_signal(SIGKILL);
  first.wait();
  const auto rest = workspace.call(words);
  CHECK(rest.exit_code == 4);  // it is never x or y
  // Every row was asked three times; those in flight at the kill once more.
  CHECK(simulator.call_count() >= 60);
  CHECK(simulator.call_count() <= 64);
}
