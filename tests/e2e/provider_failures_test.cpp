// SPDX-License-Identifier: Apache-2.0
// Every way in which a provider can let a row or a run down, and what comes of it.
#include "tests/support/catch.h"
#include "tests/support/job.h"

using namespace batchllm::test;

namespace {

// The provider does what the script's lines say.
struct ScriptedProvider {
  explicit ScriptedProvider(const std::string& lines) {
    workspace.write("script.jsonl", lines);
    simulator = std::make_unique<SimulatorProcess>(
        BATCHLLM_PROGRAM, Words{"--script", workspace.path("script.jsonl")});
  }

  ProcessResult run(std::size_t rows, Words more) const {
    workspace.write("rows.csv", csv_of_rows(rows));
    more.insert(more.begin(), {"rows.csv", "-o", "out.csv"});
    return workspace.run(*simulator, more);
  }

  Workspace workspace{BATCHLLM_PROGRAM};
  std::unique_ptr<SimulatorProcess> simulator;
};

}  // namespace

TEST_CASE("each failure of a row has its name", "[e2e][failures]") {
  struct Case {
    std::string fault;
    std::string failure;
    Words options = {};
  };

  const auto c = GENERATE(values<Case>({
      {"400", "bad_request"},
      {"404", "bad_request"},
      {"413", "context_too_long"},
      {"422", "bad_request"},
      {"408", "timeout"},
      {"409", "server_error"},
      {"429", "rate_limited"},
      {"500", "server_error"},
      {"502", "server_error"},
      {"503", "overloaded"},
      {"529", "overloaded"},
      {"reset", "protocol_error"},
      {"close", "protocol_error"},
      {"truncated", "protocol_error"},
      {"garbage", "protocol_error"},
      {"empty", "empty_answer"},
      {"refusal", "refused"},
      {"length", "truncated"},
      {"content_filter", "content_filtered"},
      {"context", "context_too_long"},
      {"hang", "timeout", {"--request-timeout", "200ms"}},
      {"slow", "timeout", {"--request-timeout", "200ms"}},
  }));
  CAPTURE(c.fault);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--fault", c.fault + ":100%"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(2));
  Words more = {"rows.csv", "-o", "out.csv", "--max-attempts", "1"};
  more.insert(more.end(), c.options.begin(), c.options.end());
  const auto result = workspace.run(simulator, more);
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 4);
  CHECK_THAT(result.error_text, ContainsSubstring("0 ok, 2 failed"));
  CHECK_THAT(result.error_text, ContainsSubstring("batchllm retry " + workspace.job()));
  CHECK(workspace.failures() == std::map<std::string, std::size_t>{{c.failure, 2}});
  CHECK(simulator.call_count() == 2);
  const std::string out = workspace.read("out.csv");
  CHECK(out.starts_with("id,text,output,error\n1,\"row 1, as \"\"said\"\"\",,"));
  CHECK_THAT(out, ContainsSubstring(c.failure + ": "));
}

TEST_CASE("what may pass is asked again", "[e2e][failures]") {
  const std::string fault =
      GENERATE("500", "503", "529", "408", "409", "429", "reset", "close", "truncated", "garbage");
  CAPTURE(fault);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--fault", fault + ":100%:first=2"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(1));
  const auto result =
      workspace.run(simulator, {"rows.csv", "-o", "out.jsonl", "--include", "meta"});
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  CHECK(simulator.call_count() == 3);
  const std::string out = workspace.read("out.jsonl");
  CHECK(json_at(out, ".status") == "ok");
  CHECK(json_at(out, ".attempts") == "3");
}

TEST_CASE("attempts have a ceiling", "[e2e][failures]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--fault", "500:100%"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(1));
  CHECK(workspace.run(simulator, {"rows.csv", "-o", "out.csv", "--max-attempts", "3"}).exit_code ==
        4);
  CHECK(simulator.call_count() == 3);
}

TEST_CASE("what will not pass is not asked again", "[e2e][failures]") {
  const std::string fault = GENERATE("400", "404", "413", "422", "empty", "refusal", "length");
  CAPTURE(fault);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--fault", fault + ":100%"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(1));
  CHECK(workspace.run(simulator, {"rows.csv", "-o", "out.csv"}).exit_code == 4);
  CHECK(simulator.call_count() == 1);
}

TEST_CASE("a wait that the provider asked for is kept", "[e2e][failures]") {
  const std::string header =
      GENERATE(R"("retry-after":"1")", R"("retry-after":"9","retry-after-ms":"1000")");
  const ScriptedProvider provider(R"({"match":"row 1,","status":429,"error":"wait","times":1,)"
                                  R"("headers":{)" +
                                  header + "}}\n");
  CHECK(provider.run(1, {}).exit_code == 0);
  const auto calls = provider.simulator->calls();
  REQUIRE(calls.size() == 2);
  CHECK(calls[1].time_ms - calls[0].time_ms >= 1000);
}

TEST_CASE("a refused key or a spent quota stops the run and loses nothing", "[e2e][failures]") {
  struct Case {
    std::string reply;
    int exit_code;
    std::string code;
  };

  const auto c = GENERATE(values<Case>({
      {R"("status":401)", 6, "key_refused"},
      {R"("status":403)", 6, "key_refused"},
      {R"("fault":"quota")", 7, "quota_exhausted"},
      {R"("status":402)", 7, "quota_exhausted"},
  }));
  CAPTURE(c.reply);
  const ScriptedProvider provider(R"({"match":"row 20,","times":1,)" + c.reply + "}\n");
  const auto stopped = provider.run(60, {"-c", "4", "--json"});
  CHECK(stopped.exit_code == c.exit_code);
  CHECK(json_at(stopped.output_text, ".stopped_by") == c.code);
  CHECK_THAT(stopped.error_text, ContainsSubstring("\"code\":\"" + c.code + "\""));
  CHECK_FALSE(provider.workspace.has("out.csv"));
  CHECK(provider.workspace.failures().empty());
  CHECK(provider.workspace.rows_in_doubt().empty());

  CHECK(provider.workspace.call({"resume"}).exit_code == 0);
  provider.simulator->stop();
  auto calls = provider.simulator->calls_by_message();
  CHECK(calls.size() == 60);
  CHECK(calls["Say: row 20, as \"said\""] == 2);
  calls.erase("Say: row 20, as \"said\"");
  for (const auto& [message, count] : calls) {
    CAPTURE(message);
    CHECK(count == 1);
  }
}

TEST_CASE("a wrong key is told from the first answer; the right one goes on", "[e2e][failures]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--require-key", "sk-the-right-one"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(3));
  const auto wrong = workspace.run(simulator, {"rows.csv", "-o", "out.csv"});
  CHECK(wrong.exit_code == 6);
  CHECK_THAT(wrong.error_text, ContainsSubstring("error: OpenAI refuses the API key"));
  CHECK(wrong.error_text.find("sk-made-up-for-a-test") == std::string::npos);
  auto resume = workspace.command({"resume"});
  resume.environment["OPENAI_API_KEY"] = "sk-the-right-one";
  CHECK(run_process(resume).exit_code == 0);
}

TEST_CASE("rows that are all refused stop the run", "[e2e][failures]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--fault", "404:100%"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(1000));
  const auto result = workspace.run(simulator, {"rows.csv", "-o", "out.csv"});
  CHECK(result.exit_code == 7);
  CHECK_THAT(result.error_text,
             ContainsSubstring("nothing succeeds any more at http://127.0.0.1:"));
  CHECK_THAT(result.error_text, ContainsSubstring("bad_request"));
  CHECK(simulator.call_count() < 300);
}

TEST_CASE("a provider that only fails is given up", "[e2e][failures]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--fault", "500:100%"});
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(1000));
  const auto result = workspace.run(simulator, {"rows.csv", "-o", "out.csv", "-c", "4"});
  CHECK(result.exit_code == 7);
  CHECK_THAT(result.error_text, ContainsSubstring("nothing succeeds any more"));
  CHECK_THAT(result.error_text, ContainsSubstring("server_error"));
  CHECK_THAT(result.error_text, ContainsSubstring("batchllm resume " + workspace.job()));
}

TEST_CASE("a server that is not there is named", "[e2e][failures]") {
  SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(20));
  const Words run = workspace.run_words(simulator, {"rows.csv", "-o", "out.csv"});
  simulator.stop();
  const auto result = workspace.call(run);
  CHECK(result.exit_code == 7);
  CHECK_THAT(result.error_text, ContainsSubstring(simulator.base_url() + " cannot be reached"));
  CHECK_THAT(result.error_text, ContainsSubstring("--base-url"));
}

TEST_CASE("failed rows are the exit code's business unless told otherwise", "[e2e][failures]") {
  const ScriptedProvider provider(R"({"match":"row 2,","status":400,"error":"no"})"
                                  "\n");
  CHECK(provider.run(3, {}).exit_code == 4);
  CHECK(provider.run(3, {"--fail-on", "none", "--overwrite"}).exit_code == 0);
  CHECK_THAT(provider.workspace.read("out.csv"), ContainsSubstring("bad_request: HTTP 400: no"));
}
