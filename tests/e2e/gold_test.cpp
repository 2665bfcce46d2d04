// SPDX-License-Identifier: Apache-2.0
// Answers beside the right ones: accuracy, classes, confusions.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <fstream>
#include <iterator>

using namespace batchllm::test;

namespace {

// What the model says to each text; one is refused.
constexpr std::string_view k_script = R"({"match":"crash","content":"Bug."})"
                                      "\n"
                                      R"({"match":"slow","content":"praise"})"
                                      "\n"
                                      R"({"match":"how","content":"bug"})"
                                      "\n"
                                      R"({"match":"broken","status":400,"error":"no"})"
                                      "\n"
                                      R"({"match":"love","content":"**praise**"})"
                                      "\n";

// Right: 3 of 6 (a, b, e); c is praise for BUG, d is bug for question, f has no answer; g has no
// gold value.
constexpr std::string_view k_rows =
    "id,text,truth\n"
    "a,crash,BUG\n"
    "b,crash again,BUG\n"
    "c,slow,BUG\n"
    "d,how to,question\n"
    "e,love it,praise\n"
    "f,broken,question\n"
    "g,crash,\n";

struct Labelled {
  Labelled() {
    workspace.write("rows.csv", k_rows);
    simulator = std::make_unique<SimulatorProcess>(
        BATCHLLM_PROGRAM, Words{"--script", workspace.write("script.jsonl", k_script)});
  }

  ProcessResult run(const Words& more) const { return workspace.run(*simulator, more); }

  Workspace workspace{BATCHLLM_PROGRAM};
  std::unique_ptr<SimulatorProcess> simulator;
};

std::string golden(const std::string& name) {
  std::ifstream file(std::string(BATCHLLM_GOLDEN) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// From the line that begins so to the end.
std::string from(const std::string& text, std::string_view start) {
  const auto at = text.find(start);
  return at == std::string::npos ? std::string() : text.substr(at);
}

}  // namespace

TEST_CASE("run --gold reports accuracy, classes and confusions", "[e2e][gold]") {
  const Labelled job;
  const auto run = job.run({"rows.csv", "-o", "out.csv", "--gold", "truth"});
  CHECK(run.exit_code == 4);
  CHECK(from(run.error_text, "Gold truth") == golden("gold-run.txt"));
  const auto shown = job.workspace.call({"results", "show", job.workspace.job()});
  CHECK(shown.exit_code == 0);
  CHECK(from(shown.output_text, "Gold truth") == golden("gold-show.txt"));
}

TEST_CASE("the gold report is a member of the JSON object", "[e2e][gold]") {
  const Labelled job;
  const auto run = job.run({"rows.csv", "-o", "out.csv", "--gold", "truth", "--json"});
  const std::string& json = run.output_text;
  INFO(json);
  CHECK(json_at(json, ".schema") == "batchllm.run/1");
  CHECK(json_at(json, ".gold.column") == "truth");
  CHECK(json_at(json, ".gold.rows") == "6");
  CHECK(json_at(json, ".gold.right") == "3");
  CHECK(json_at(json, ".gold.no_answer") == "1");
  CHECK(json_at(json, ".gold.unlabelled") == "1");
  CHECK(json_at(json, ".gold.accuracy") == "0.500000");
  CHECK(json_at(json, ".gold.classes[0].class") == "BUG");
  CHECK(json_at(json, ".gold.classes[0].support") == "3");
  CHECK(json_at(json, ".gold.classes[0].precision") == "0.666667");
  CHECK(json_at(json, ".gold.classes[0].recall") == "0.666667");
  CHECK(json_at(json, ".gold.classes[1].class") == "question");
  CHECK(json_at(json, ".gold.classes[1].precision").empty());
  CHECK(json_at(json, ".gold.classes[1].no_answer") == "1");
  CHECK(json_at(json, ".gold.confusion[1].gold") == "BUG");
  CHECK(json_at(json, ".gold.confusion[1].answer") == "praise");
  CHECK(json_at(json, ".gold.confusion[1].rows") == "1");
  CHECK(json_at(json, ".gold.other_rows") == "0");
}

TEST_CASE("a gold column that is not there is refused before anything is sent", "[e2e][gold]") {
  const Labelled job;
  const auto run = job.run({"rows.csv", "-o", "out.csv", "--gold", "thruth"});
  CHECK(run.exit_code == 3);
  CHECK_THAT(run.error_text, ContainsSubstring("--gold thruth: the input has no such column"));
  CHECK_THAT(run.error_text, ContainsSubstring("did you mean truth?"));
  job.workspace.write("rows.jsonl", "{\"text\":\"crash\",\"truth\":\"bug\"}\n");
  const auto json = job.run({"rows.jsonl", "-o", "out.jsonl", "--gold", "label"});
  CHECK(json.exit_code == 3);
  CHECK(job.simulator->call_count() == 0);
  CHECK(job.workspace.job().empty());
}

TEST_CASE("with fields one of them is compared", "[e2e][gold]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", "text,kind\none,bug\ntwo,bug\nthree,praise\n");
  const SimulatorProcess simulator(
      BATCHLLM_PROGRAM,
      {"--script",
       workspace.write(
           "script.jsonl",
           "{\"match\":\"one\",\"content\":\"{\\\"label\\\":\\\"bug\\\",\\\"n\\\":1}\"}\n"
           "{\"match_regex\":\".\","
           "\"content\":\"{\\\"label\\\":\\\"praise\\\",\\\"n\\\":2}\"}\n")});
  const Words words{"rows.csv", "-o", "out.csv", "--fields", "label:enum(bug,praise), n:integer"};
  const auto with = [&](Words more) {
    more.insert(more.begin(), words.begin(), words.end());
    return workspace.run(simulator, more);
  };
  const auto none = with({"--gold", "kind"});
  CHECK(none.exit_code == 2);
  CHECK_THAT(none.error_text, ContainsSubstring("fields are: label and n"));
  const auto run = with({"--gold", "label=kind", "--json"});
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK(json_at(run.output_text, ".gold.field") == "label");
  CHECK(json_at(run.output_text, ".gold.right") == "2");
  CHECK(json_at(run.output_text, ".gold.rows") == "3");
  const auto numbers =
      workspace.call({"results", "show", workspace.job(), "--gold", "n=kind", "--json"});
  CHECK(json_at(numbers.output_text, ".gold.right") == "0");
  const auto same_name =
      with({"--map", "label=kind_2", "--gold", "label=kind", "--overwrite", "--json"});
  CHECK(json_at(same_name.output_text, ".gold.right") == "2");
}

TEST_CASE("of several steps the last one's answers are compared", "[e2e][gold][steps]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", "text,kind\none,bug\ntwo,praise\n");
  const SimulatorProcess simulator(
      BATCHLLM_PROGRAM,
      {"--script",
       workspace.write("script.jsonl",
                       "{\"match\":\"Sum\",\"content\":\"summed\"}\n"
                       "{\"match\":\"Label\",\"content\":\"Bug.\"}\n")});
  const auto asked = [&](const std::string& gold) {
    return workspace.run(simulator,
                         {"rows.csv",
                          "-o",
                          "out.csv",
                          "--prompt",
                          "Sum {text}",
                          "--prompt",
                          "Label {steps.1.output}",
                          "--gold",
                          gold,
                          "--json"});
  };
  CHECK(asked("kinds").exit_code == 3);
  CHECK(simulator.call_count() == 0);
  const auto run = asked("kind");
  INFO(run.output_text);
  CHECK(run.exit_code == 0);
  CHECK(json_at(run.output_text, ".gold.rows") == "2");
  CHECK(json_at(run.output_text, ".gold.right") == "1");
  const auto shown = workspace.call({"results", "show", workspace.job(), "--json"});
  CHECK(json_at(shown.output_text, ".gold.right") == "1");
}

TEST_CASE("after a kill and a resume the rows of both runs are compared", "[e2e][gold][kill]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  std::string rows = "text,truth\n";
  for (int i = 0; i < 60; ++i) {
    rows += "row " + std::to_string(i) + (i % 3 == 0 ? ",no\n" : ",yes\n");
  }
  workspace.write("rows.csv", rows);
  const SimulatorProcess simulator(
      BATCHLLM_PROGRAM,
      {"--latency",
       "20ms",
       "--script",
       workspace.write("script.jsonl", "{\"match_regex\":\".\",\"content\":\"Yes.\"}\n")});
  const Words words = workspace.run_words(
      simulator, {"rows.csv", "-o", "out.csv", "-c", "4", "--gold", "truth", "--json"});
  stop_after(workspace.command(words), simulator, 20);
  const auto rest = workspace.call({"resume", "--json"});
  INFO(rest.error_text);
  CHECK(rest.exit_code == 0);
  CHECK(json_at(rest.output_text, ".gold.rows") == "60");
  CHECK(json_at(rest.output_text, ".gold.right") == "40");
  CHECK(json_at(rest.output_text, ".gold.accuracy") == "0.666667");
}

TEST_CASE("many classes are cut with their count, and a narrow terminal is respected",
          "[e2e][gold]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  std::string rows = "text,truth\n";
  for (int i = 10; i < 40; ++i) {
    rows += "say " + std::to_string(i) + ",class number " + std::to_string(i) + "\n";
  }
  workspace.write("rows.csv", rows);
  const SimulatorProcess simulator(
      BATCHLLM_PROGRAM,
      {"--script",
       workspace.write("script.jsonl",
                       "{\"match_regex\":\".\",\"content\":\"class number 10\"}\n")});
  ProcessOptions command = workspace.command(
      workspace.run_words(simulator, {"rows.csv", "-o", "out.csv", "--gold", "truth"}));
  command.terminal = true;
  command.columns = 50;
  const auto run = run_process(command);
  CHECK(run.exit_code == 0);
  const std::string report = from(run.error_text, "Gold truth");
  CHECK_THAT(report, ContainsSubstring("and 10 more classes"));
  CHECK_THAT(report, ContainsSubstring("others"));
  std::size_t start = 0;
  for (std::size_t end = report.find('\n'); end != std::string::npos;
       end = report.find('\n', start)) {
    CAPTURE(report.substr(start, end - start));
    CHECK(end - start <= 50 + 6);  // "…" is three bytes, and there is a carriage return
    start = end + 1;
  }
}

TEST_CASE("a run that a limit stops compares what it has, and a resume takes another column",
          "[e2e][gold]") {
  const Labelled job;
  const auto run = job.run({"rows.csv",
                            "-o",
                            "out.csv",
                            "-c",
                            "1",
                            "--max-tokens",
                            "10",
                            "--max-cost",
                            "0.00001",
                            "--gold",
                            "truth",
                            "--json"});
  INFO(run.error_text);
  CHECK(run.exit_code == 5);
  CHECK(json_at(run.output_text, ".gold.rows") == json_at(run.output_text, ".rows.ok"));
  CHECK(json_at(run.output_text, ".gold.right") != "0");
  const auto wrong = job.workspace.call({"resume", "--max-cost", "1", "--gold", "turth"});
  CHECK(wrong.exit_code == 3);
  const auto rest = job.workspace.call({"resume", "--max-cost", "1", "--gold", "id", "--json"});
  INFO(rest.error_text);
  CHECK(rest.exit_code == 4);
  CHECK(json_at(rest.output_text, ".gold.column") == "id");
  CHECK(json_at(rest.output_text, ".gold.rows") == "7");
}
