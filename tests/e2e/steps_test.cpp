// SPDX-License-Identifier: Apache-2.0
// Rows that go through several steps: what later ones read, what is left out, what a kill leaves.
#include "tests/support/catch.h"
#include "tests/support/job.h"

using namespace batchllm::test;

namespace {

SimulatorProcess scripted(const Workspace& workspace, const std::string& script) {
  return SimulatorProcess(BATCHLLM_PROGRAM,
                          {"--log-bodies", "--script", workspace.write("script.jsonl", script)});
}

constexpr const char* k_three_steps = R"(
system = "Be brief."

[[steps]]
name = "sort"
prompt = "Sort: {text}"
fields = "label:enum(bug,praise), sure:number"

[[steps]]
name = "fix"
when = 'steps.sort.label == "bug"'
prompt = "Fix {steps.sort.label} ({steps.1.sure}): {text}"
model = "openai/gpt-4o"
max_tokens = 77

[[steps]]
prompt = "Sum up {id}: {steps.sort.output} {steps.fix.output|default:nothing}"
)";

constexpr const char* k_script =
    R"({"match":"Sort: it","content":"{\"label\":\"bug\",\"sure\":0.5}"}
{"match":"Sort:","content":"{\"label\":\"praise\",\"sure\":1}"}
{"match":"Fix bug (0.5): it crashes","content":"restart"}
{"match":"\"label\":\"bug\",\"sure\":0.5} restart","content":"both"}
{"match":"\"label\":\"praise\",\"sure\":1} nothing","content":"sorted only"}
)";

}  // namespace

TEST_CASE("a prompt that is given again reads the answer before it", "[e2e][steps]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator = scripted(workspace,
                                              R"({"match":"Translate one","content":"eins"})"
                                              "\n"
                                              R"({"match":"Shout eins","content":"EINS"})"
                                              "\n");
  workspace.write("rows.csv", "id,text\n1,one\n");
  const auto run = workspace.run(simulator,
                                 {"rows.csv",
                                  "-o",
                                  "out.csv",
                                  "--prompt",
                                  "Translate {text}",
                                  "--prompt",
                                  "Shout {steps.1.output}",
                                  "--include",
                                  "meta"});
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK_THAT(workspace.read("out.csv"), ContainsSubstring("1,one,EINS,ok,"));
  CHECK_THAT(run.error_text, ContainsSubstring("1 row of 2 steps"));
  CHECK(simulator.call_count() == 2);
  CHECK_THAT(workspace.read("out.csv"), Catch::Matchers::EndsWith(",2\n"));  // attempts
}

TEST_CASE(
    "steps of a template have their own model and form, and are left out where they do not "
    "apply",
    "[e2e][steps]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator = scripted(workspace, k_script);
  workspace.write("rows.csv", "id,text\n1,it crashes\n2,well done\n");
  workspace.write("steps.toml", k_three_steps);
  const std::string order = GENERATE(as<std::string>(), "input", "completion");
  const auto run = workspace.run(
      simulator, {"rows.csv", "-o", "out.csv", "--template", "steps.toml", "--order", order});
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  const std::string end = order == "input" ? "" : ",";
  CHECK(sorted_lines(workspace.read("out.csv")) ==
        Words{"1,it crashes,both" + end,
              "2,well done,sorted only" + end,
              order == "input" ? "id,text,output" : "id,text,output,error"});
  const auto calls = simulator.calls();
  REQUIRE(calls.size() == 5);
  for (const LoggedCall& call : calls) {
    const bool is_fix = call.user.starts_with("Fix");
    CHECK(json_at(call.body, ".model") == (is_fix ? "gpt-4o" : "gpt-4o-mini"));
    CHECK((call.body.find(":77") != std::string::npos) == is_fix);
    CHECK((call.body.find("json_schema") != std::string::npos) == call.user.starts_with("Sort"));
    CHECK_THAT(call.body, ContainsSubstring("Be brief."));
  }
}

TEST_CASE("the form on the command line is that of the last step", "[e2e][steps]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator = scripted(workspace,
                                              R"({"match":"What is a","content":"a letter"})"
                                              "\n"
                                              R"({"match":"Rate a letter","content":"Good."})"
                                              "\n");
  workspace.write("rows.csv", "id,text\n1,a\n");
  const auto run = workspace.run(simulator,
                                 {"rows.csv",
                                  "-o",
                                  "out.csv",
                                  "--prompt",
                                  "What is {text}",
                                  "--prompt",
                                  "Rate {steps.1.output}",
                                  "--choices",
                                  "good,bad"});
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK(workspace.read("out.csv") == "id,text,output\n1,a,good\n");
}

TEST_CASE("a row fails with the name of the step, and a retry goes on there", "[e2e][steps]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator = scripted(workspace,
                                              R"({"match":"First a","content":"x"})"
                                              "\n"
                                              R"({"match":"Second x","content":"maybe"})"
                                              "\n");
  workspace.write("rows.csv", "id,text\n1,a\n");
  workspace.write("steps.toml",
                  "[[steps]]\nname = 'one'\nprompt = 'First {text}'\n"
                  "[[steps]]\nname = 'two'\nprompt = 'Second {steps.one.output}'\n"
                  "choices = 'yes, no'\n");
  const auto run = workspace.run(
      simulator, {"rows.csv", "-o", "out.csv", "--template", "steps.toml", "--reask", "0"});
  CHECK(run.exit_code == 4);
  CHECK_THAT(workspace.read("out.csv"), ContainsSubstring("invalid_answer: step two: "));
  CHECK(simulator.call_count() == 2);
  const auto again = workspace.call({"retry", workspace.job(), "--overwrite"});
  INFO(again.error_text);
  CHECK(again.exit_code == 4);
  CHECK(simulator.call_count() == 3);
  const auto messages = simulator.calls_by_message();
  for (const auto& [message, count] : messages) {
    CAPTURE(message);
    CHECK(count == (message.starts_with("First") ? 1 : 2));
  }
  CHECK(messages.size() == 2);
}

TEST_CASE("after a kill no step is asked again that has its answer", "[e2e][steps][kill]") {
  constexpr std::size_t k_rows = 60;
  constexpr std::size_t k_concurrency = 8;
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(k_rows));
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--latency", "uniform:5ms,30ms"});
  const Words words = workspace.run_words(simulator,
                                          {"rows.csv",
                                           "-o",
                                           "out.csv",
                                           "-c",
                                           std::to_string(k_concurrency),
                                           "--prompt",
                                           "one {text}",
                                           "--prompt",
                                           "two {text} {steps.1.output}",
                                           "--prompt",
                                           "three {text} {steps.2.output}"});
  std::size_t doubts = 0;
  for (int kill = 0; kill < 3; ++kill) {
    stop_after(workspace.command(words), simulator, 40);
    doubts += workspace.rows_in_doubt().size();
  }
  const auto rest = workspace.call(words);
  INFO(rest.error_text);
  CHECK(rest.exit_code == 0);
  std::size_t twice = 0;
  const auto messages = simulator.calls_by_message();
  for (const auto& [message, count] : messages) {
    twice += count - 1;
  }
  CHECK(messages.size() == 3 * k_rows);
  CHECK(twice <= doubts);
  CHECK(workspace.about_job(".job.rows.ok") == std::to_string(k_rows));
}

TEST_CASE("a step that cannot be is refused before anything is sent", "[e2e][steps]") {
  struct Case {
    std::string steps;
    std::string message;
  };

  const auto c = GENERATE(values<Case>({
      {"[[steps]]\nname = 'first'\nprompt = '{text}'\n[[steps]]\nprompt = '{steps.frist.output}'",
       "did you mean {steps.first.output}?"},
      {"[[steps]]\nname = 'first'\nprompt = '{text}'\nfields = 'label:string'\n"
       "[[steps]]\nprompt = '{steps.first.lable}'",
       "did you mean {steps.first.label}?"},
      {"[[steps]]\nprompt = '{text}'\n[[steps]]\nprompt = '{steps.7.output}'",
       "{steps.7.output} names no column"},
      {"[[steps]]\nprompt = '{text}'\n[[steps]]\nname = 'me'\nprompt = '{steps.me.output}'",
       "step me: steps.me.output is not known by then: a step cannot read its own answer"},
      {"[[steps]]\nprompt = '{text}'\n[[steps]]\nprompt = '{steps.3.output}'\n"
       "[[steps]]\nname = 'late'\nprompt = '{text}'",
       "step 2: steps.3.output is not known by then: step late comes later"},
      {"[[steps]]\nprompt = '{text} {steps.1.output}'\n[[steps]]\nprompt = '{text}'",
       "step 1: steps.1.output is not known by then"},
      {"[[steps]]\nprompt = '{text}'\n[[steps]]\nprompt = '{text}'\nwhen = 'txet == \"a\"'",
       "when of step 2: txet names no column"},
      {"[[steps]]\nprompt = '{text}'\n[[steps]]\nname = 'b'\nprompt = 'x'\nmodel = 'opanai/x'",
       "step b: "},
      {"[[steps]]\nprompt = '{text}'\n[[steps]]\nprompt = '{text}'\nfields = 'a:oops'", "step 2"},
      {"[[steps]]\nname = 'a'\nprompt = '{text}'\n[[steps]]\nname = 'a'\nprompt = 'x'",
       "two steps are called a"},
      {"[[steps]]\nname = 'a b'\nprompt = '{text}'", "cannot be the name of a step"},
  }));
  CAPTURE(c.steps);
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", "id,text\n1,a\n");
  workspace.write("steps.toml", c.steps);
  const auto run = workspace.run(simulator, {"rows.csv", "--template", "steps.toml"});
  CHECK(run.exit_code != 0);
  CHECK_THAT(run.error_text, ContainsSubstring(c.message));
  CHECK(simulator.call_count() == 0);
}

TEST_CASE("a dry run shows the first step and counts all", "[e2e][steps]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", "id,text\n1,a\n");
  const Words words = {"rows.csv", "--prompt", "First {text}", "--prompt", "Then {steps.1.output}"};
  Words dry = words;
  dry.insert(dry.end(), {"--dry-run", "--show-prompts", "1"});
  const auto run = workspace.run(simulator, dry);
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.output_text, ContainsSubstring("First a"));
  CHECK_THAT(run.output_text, !ContainsSubstring("Then"));
  CHECK_THAT(run.error_text, ContainsSubstring("This is step 1 of 2"));
  CHECK(simulator.call_count() == 0);
}

TEST_CASE("the answers of all steps are columns on request", "[e2e][steps]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator = scripted(workspace, k_script);
  workspace.write("rows.csv", "id,text\n1,it crashes\n2,well done\n");
  workspace.write("steps.toml", k_three_steps);
  const auto run = workspace.run(
      simulator, {"rows.csv", "-o", "out.csv", "--template", "steps.toml", "--include", "steps"});
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK(workspace.read("out.csv") ==
        "id,text,output,steps.sort.label,steps.sort.sure,steps.fix,steps.3\n"
        "1,it crashes,both,bug,0.5,restart,both\n"
        "2,well done,sorted only,praise,1,,sorted only\n");
  const auto again = workspace.call({"results", "export", workspace.job(), "-o", "again.csv"});
  CHECK(again.exit_code == 0);
  CHECK(workspace.read("again.csv") == workspace.read("out.csv"));
}

TEST_CASE("a failed row has the answers of the steps before, also after a retry", "[e2e][steps]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator =
      scripted(workspace,
               R"({"match":"First a","content":"x"})"
               "\n"
               R"({"match":"Second x","status":400,"error":"no","times":1})"
               "\n"
               R"({"match":"Second x","content":"y"})"
               "\n");
  workspace.write("rows.csv", "id,text\n1,a\n");
  const auto run = workspace.run(simulator,
                                 {"rows.csv",
                                  "-o",
                                  "out.csv",
                                  "--prompt",
                                  "First {text}",
                                  "--prompt",
                                  "Second {steps.1.output}",
                                  "--include",
                                  "steps"});
  CHECK(run.exit_code == 4);
  CHECK_THAT(workspace.read("out.csv"), ContainsSubstring("1,a,,x,,bad_request: step 2: "));
  const auto again = workspace.call({"retry", workspace.job(), "--overwrite"});
  INFO(again.error_text);
  CHECK(again.exit_code == 0);
  CHECK(workspace.read("out.csv") == "id,text,output,steps.1,steps.2\n1,a,y,x,y\n");
  CHECK(simulator.call_count() == 3);
}
