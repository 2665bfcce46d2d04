// SPDX-License-Identifier: Apache-2.0
// Steps of a row that are asked at several providers: keys, limits, kills and failures of one of
// them.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>

using namespace batchllm::test;

namespace {

using Variables = std::map<std::string, std::string>;

constexpr const char* k_first_key = "sk-made-up-for-a-test";
constexpr const char* k_second_key = "sk-ant-made-up-for-the-second";

// One step at OpenAI, where --base-url points, one at Anthropic, one at OpenAI again.
constexpr const char* k_there_and_back = R"(
[[steps]]
prompt = "one {text}"

[[steps]]
model = "anthropic/claude-sonnet-5"
prompt = "two {text} {steps.1.output}"

[[steps]]
prompt = "three {text} {steps.2.output}"
)";

// `run` as a user calls it whose later steps ask elsewhere, with `variables` for that.
ProcessOptions command(const Workspace& workspace,
                       const SimulatorProcess& first,
                       const Variables& variables,
                       const Words& more) {
  ProcessOptions options = workspace.command(workspace.run_words(first, more));
  options.environment.insert(variables.begin(), variables.end());
  return options;
}

Variables anthropic_at(const std::string& base_url) {
  return {{"ANTHROPIC_BASE_URL", base_url}, {"ANTHROPIC_API_KEY", k_second_key}};
}

// The address of a server that is gone.
std::string nobodys_address() {
  return SimulatorProcess(BATCHLLM_PROGRAM).base_url();
}

// The files of the workspace that hold `text`.
Words files_with(const Workspace& workspace, const std::string& text) {
  Words found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(workspace.path())) {
    if (entry.is_regular_file()) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(file), {}};
      if (content.find(text) != std::string::npos) {
        found.push_back(entry.path().string());
      }
    }
  }
  return found;
}

}  // namespace

TEST_CASE("each step is asked at its own provider, with that one's key and dialect",
          "[e2e][steps]") {
  struct Case {
    std::string model;
    std::string address;  // the variable for it
    Variables key;
    std::string key_there;
    std::string dialect;  // what its requests have in them
  };

  const auto c = GENERATE(values<Case>({
      {"anthropic/claude-sonnet-5",
       "ANTHROPIC_BASE_URL",
       {{"ANTHROPIC_API_KEY", k_second_key}},
       k_second_key,
       R"("max_tokens":)"},
      {"gemini/gemini-2.5-flash",
       "GOOGLE_GEMINI_BASE_URL",
       {{"GEMINI_API_KEY", k_second_key}},
       k_second_key,
       R"("contents":)"},
      {"bedrock/anthropic.claude:0",
       "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
       {{"AWS_ACCESS_KEY_ID", k_second_key},
        {"AWS_SECRET_ACCESS_KEY", "made-up"},
        {"AWS_REGION", "us-east-1"}},
       k_second_key,
       R"("inferenceConfig":)"},
      {"ollama/llama3.2", "OLLAMA_HOST", {}, "", R"("num_ctx":)"},
  }));
  CAPTURE(c.model);
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess first(BATCHLLM_PROGRAM, {"--log-bodies", "--require-key", k_first_key});
  Words of_second = {"--log-bodies"};
  if (!c.key_there.empty()) {
    of_second.insert(of_second.end(), {"--require-key", c.key_there});
  }
  const SimulatorProcess second(BATCHLLM_PROGRAM, of_second);
  workspace.write("rows.csv", "id,text\n1,a\n2,b\n");
  workspace.write("steps.toml",
                  "[[steps]]\nprompt = 'one {text}'\n[[steps]]\nmodel = '" + c.model +
                      "'\nmax_tokens = 50\nprompt = 'two {text}'\n"
                      "[[steps]]\nprompt = 'three {steps.2.output}'\n");
  Variables variables = c.key;
  variables[c.address] = second.base_url();
  const auto run = run_process(
      command(workspace,
              first,
              variables,
              {"rows.csv", "-o", "out.csv", "--template", "steps.toml", "--include", "meta"}));
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  REQUIRE(first.calls().size() == 4);
  for (const LoggedCall& call : first.calls()) {
    CHECK(call.verdict == "200");
    CHECK_THAT(call.body, ContainsSubstring(R"("model":"gpt-4o-mini")"));
    CHECK_FALSE(call.user.starts_with("two"));
  }
  REQUIRE(second.calls().size() == 2);
  for (const LoggedCall& call : second.calls()) {
    CHECK(call.verdict == "200");
    CHECK_THAT(call.body, ContainsSubstring(c.dialect));
    CHECK(call.user.starts_with("two"));
  }
  CHECK(files_with(workspace, k_first_key).empty());
  CHECK(files_with(workspace, k_second_key).empty());
}

TEST_CASE("a provider that limits its rate slows its own step alone", "[e2e][steps]") {
  constexpr std::size_t k_rows = 60;
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(k_rows));
  workspace.write("steps.toml", k_there_and_back);
  const SimulatorProcess first(BATCHLLM_PROGRAM);
  const SimulatorProcess second(BATCHLLM_PROGRAM, {"--fault", "429:20%", "--seed", "3"});
  const auto run = run_process(command(workspace,
                                       first,
                                       anthropic_at(second.base_url()),
                                       {"rows.csv", "-o", "out.csv", "--template", "steps.toml"}));
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
  CHECK(workspace.about_job(".job.rows.ok") == std::to_string(k_rows));
  CHECK(first.calls().size() == 2 * k_rows);  // nothing was asked twice there
  std::size_t refused = 0;
  for (const LoggedCall& call : second.calls()) {
    refused += call.verdict == "429" ? 1 : 0;
  }
  CHECK(refused > 0);
  CHECK(second.calls().size() == k_rows + refused);
}

TEST_CASE("after a kill no step is asked again at any provider that has its answer",
          "[e2e][steps][kill]") {
  constexpr std::size_t k_rows = 60;
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(k_rows));
  workspace.write("steps.toml", k_there_and_back);
  const SimulatorProcess first(BATCHLLM_PROGRAM, {"--latency", "uniform:5ms,30ms"});
  const SimulatorProcess second(BATCHLLM_PROGRAM, {"--latency", "uniform:5ms,30ms"});
  const ProcessOptions options =
      command(workspace,
              first,
              anthropic_at(second.base_url()),
              {"rows.csv", "-o", "out.csv", "-c", "6", "--template", "steps.toml"});
  std::size_t doubts = 0;
  for (const std::size_t calls : {30U, 80U, 130U}) {
    Process run(options);
    REQUIRE(eventually([&] {
      run.exchange();
      return first.call_count() + second.call_count() >= calls;
    }));
    run.send_signal(SIGKILL);
    run.wait();
    doubts += workspace.rows_in_doubt().size();
  }
  const auto rest = run_process(options);
  INFO(rest.error_text);
  CHECK(rest.exit_code == 0);
  std::size_t twice = 0;
  const auto count = [&twice](const SimulatorProcess& simulator) {
    const auto messages = simulator.calls_by_message();
    for (const auto& [message, times] : messages) {
      twice += times - 1;
    }
    return messages.size();
  };
  CHECK(count(first) == 2 * k_rows);
  CHECK(count(second) == k_rows);
  CHECK(twice <= doubts);
  CHECK(workspace.about_job(".job.rows.ok") == std::to_string(k_rows));
}

TEST_CASE("a key that a later step lacks is told before anything is sent", "[e2e][steps]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(3));
  workspace.write("steps.toml", k_there_and_back);
  const SimulatorProcess first(BATCHLLM_PROGRAM);
  const SimulatorProcess second(BATCHLLM_PROGRAM);
  Words words = {"rows.csv", "-o", "out.csv", "--template", "steps.toml"};
  const Variables without_key = {{"ANTHROPIC_BASE_URL", second.base_url()}};
  const auto run = run_process(command(workspace, first, without_key, words));
  CHECK(run.exit_code == 6);
  CHECK_THAT(run.error_text, ContainsSubstring("step 2: no API key for Anthropic"));
  CHECK_THAT(run.error_text, ContainsSubstring("ANTHROPIC_API_KEY"));
  CHECK(workspace.job().empty());
  words.emplace_back("--dry-run");
  const auto dry = run_process(command(workspace, first, without_key, words));
  CHECK(dry.exit_code == 0);
  CHECK_THAT(dry.output_text,
             ContainsSubstring("of openai/gpt-4o-mini and anthropic/claude-sonnet-5: about"));
  CHECK(first.call_count() + second.call_count() == 0);
}

TEST_CASE("how the first provider is reached says nothing of another", "[e2e][steps]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", csv_of_rows(3));
  workspace.write("steps.toml", k_there_and_back);
  workspace.write("key.txt", "from-a-file");
  const SimulatorProcess first(BATCHLLM_PROGRAM, {"--require-key", "from-a-file"});
  const SimulatorProcess second(BATCHLLM_PROGRAM, {"--require-key", k_second_key});
  const auto run = run_process(
      command(workspace,
              first,
              anthropic_at(second.base_url()),
              {"rows.csv", "-o", "out.csv", "--template", "steps.toml", "--key-file", "key.txt"}));
  INFO(run.error_text);
  CHECK(run.exit_code == 0);
}

TEST_CASE("when a provider is down its rows fail by name, and the others go on", "[e2e][steps]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("rows.csv", "id,text\n1,easy\n2,hard\n3,easy\n4,hard\n");
  workspace.write("steps.toml",
                  "[[steps]]\nprompt = 'one {text}'\n[[steps]]\nname = 'second'\n"
                  "when = 'text == \"hard\"'\nmodel = 'anthropic/claude-sonnet-5'\n"
                  "prompt = 'two {text}'\n");
  const SimulatorProcess first(BATCHLLM_PROGRAM);
  const auto run = run_process(
      command(workspace,
              first,
              anthropic_at(nobodys_address()),
              {"rows.csv", "-o", "out.csv", "--template", "steps.toml", "--max-attempts", "1"}));
  INFO(run.error_text);
  CHECK(run.exit_code == 4);
  CHECK(workspace.failures() == std::map<std::string, std::size_t>{{"connection_failed", 2}});
  CHECK(workspace.about_job(".job.rows.ok") == "2");
  CHECK_THAT(workspace.read("out.csv"), ContainsSubstring("connection_failed: step second: "));
  CHECK(first.call_count() == 4);

  // The provider is back: only its step is asked.
  const SimulatorProcess second(BATCHLLM_PROGRAM);
  ProcessOptions again = workspace.command({"retry", workspace.job()});
  again.environment.merge(anthropic_at(second.base_url()));
  CHECK(run_process(again).exit_code == 0);
  CHECK(first.call_count() == 4);
  CHECK(second.call_count() == 2);
}
