// SPDX-License-Identifier: Apache-2.0
// A run against each of the dialects that the simulator speaks.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <map>
#include <string>
#include <string_view>

using namespace batchllm::test;

namespace {

// A provider as a user has it: a model, where it is below the simulator's root, and what is in the
// environment for it. `form` and `picture` are what its requests have in them for a schema and for
// an image.
struct ProviderCase {
  std::string model;
  std::string below_root;
  std::map<std::string, std::string> environment;
  std::string form;
  std::string picture;
  Words options = {};
};

const std::map<std::string, std::string> k_aws = {{"AWS_ACCESS_KEY_ID", "right"},
                                                  {"AWS_SECRET_ACCESS_KEY", "made-up"},
                                                  {"AWS_REGION", "us-east-1"}};

const std::vector<ProviderCase> k_providers = {
    {"openai/gpt-4o-mini",
     "/v1",
     {{"OPENAI_API_KEY", "right"}},
     R"("response_format":{"type":"json_schema")",
     R"("image_url":{"url":"data:image/png;base64,)"},
    {"openai-responses/gpt-4o-mini",
     "/v1",
     {{"OPENAI_API_KEY", "right"}},
     R"("text":{"format":{"type":"json_schema")",
     R"("image_url":"data:image/png;base64,)"},
    {"azure/mine",
     "/openai/v1",
     {{"AZURE_OPENAI_API_KEY", "right"}},
     R"("response_format":{"type":"json_schema")",
     R"("image_url":{"url":"data:image/png;base64,)"},
    {"azure/mine",
     "/openai/deployments/mine?api-version=2024-10-21",
     {{"AZURE_OPENAI_API_KEY", "right"}},
     R"("response_format":{"type":"json_schema")",
     R"("image_url":{"url":"data:image/png;base64,)"},
    {"anthropic/claude-sonnet-5",
     "",
     {{"ANTHROPIC_API_KEY", "right"}},
     R"("output_config":{"format":{"type":"json_schema")",
     R"("media_type":"image/png")"},
    {"anthropic/claude-3-5-haiku",
     "",
     {{"ANTHROPIC_API_KEY", "right"}},
     R"("tool_choice":{)",
     R"("media_type":"image/png")"},
    {"gemini/gemini-2.5-flash",
     "",
     {{"GEMINI_API_KEY", "right"}},
     R"("responseJsonSchema":{)",
     R"("inlineData":{"mimeType":"image/png")"},
    {"bedrock/anthropic.claude:0",
     "",
     k_aws,
     R"("outputConfig":{"textFormat":)",
     R"("image":{"format":"png")"},
    {"bedrock/anthropic.claude:0",
     "",
     {{"AWS_BEARER_TOKEN_BEDROCK", "right"}},
     R"("outputConfig":{"textFormat":)",
     R"("image":{"format":"png")"},
    {"ollama/llama3.2",
     "",
     {{"OLLAMA_API_KEY", "right"}},
     R"("format":{)",
     R"("images":[")",
     {"--key-env", "OLLAMA_API_KEY"}},
    {"cohere/command-a",
     "",
     {{"COHERE_API_KEY", "right"}},
     R"("response_format":{"type":"json_object","json_schema":)",
     R"("image_url":{"url":"data:image/png;base64,)"},
    {"mistral/mistral-small-latest",
     "/mistral/v1",
     {{"MISTRAL_API_KEY", "right"}},
     R"("response_format":{"type":"json_schema")",
     R"("image_url":{"url":"data:image/png;base64,)"},
};

std::string root_of(const SimulatorProcess& simulator) {
  return simulator.base_url().substr(0, simulator.base_url().rfind("/v1"));
}

// Runs two rows and tells what came of them as JSON.
ProcessResult run(const Workspace& workspace,
                  const SimulatorProcess& simulator,
                  const ProviderCase& provider,
                  const Words& more) {
  workspace.write("rows.csv", "id,text\n1,it crashes\n2,well done\n");
  Words words = {"run",
                 "rows.csv",
                 "-m",
                 provider.model,
                 "--base-url",
                 root_of(simulator) + provider.below_root,
                 "--prompt",
                 "Classify as bug or praise: {text}",
                 "--include",
                 "meta",
                 "--json"};
  words.insert(words.end(), provider.options.begin(), provider.options.end());
  words.insert(words.end(), more.begin(), more.end());
  ProcessOptions command = workspace.command(words);
  for (const auto& [name, value] : provider.environment) {
    command.environment[name] = value;
  }
  return run_process(command);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("rows are answered in every dialect, with their usage", "[e2e][dialects]") {
  const auto& provider = GENERATE(from_range(k_providers));
  CAPTURE(provider.model, provider.below_root);
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--require-key", "right"});
  const auto result =
      run(workspace, simulator, provider, {"-o", "out.jsonl", "--system", "You sort tickets."});
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  CHECK(json_at(result.output_text, ".rows.ok") == "2");
  const std::string row = first_line(workspace.read("out.jsonl"));
  CHECK(json_at(row, ".output") == "bug");
  CHECK(json_at(row, ".input_tokens") == "14");
  CHECK(json_at(row, ".output_tokens") == "1");
}

TEST_CASE("answers have the fields that were asked for in every dialect", "[e2e][dialects]") {
  const auto& provider = GENERATE(from_range(k_providers));
  CAPTURE(provider.model, provider.below_root);
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--log-bodies"});
  const auto result = run(workspace,
                          simulator,
                          provider,
                          {"-o",
                           "out.jsonl",
                           "--reask",
                           "0",
                           "--fields",
                           "label:enum(bug,praise), sure:integer, tags:string[]"});
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  const std::string row = first_line(workspace.read("out.jsonl"));
  CHECK_THAT(json_at(row, ".label"), Catch::Matchers::Matches("bug|praise"));
  CHECK_THAT(json_at(row, ".sure"), Catch::Matchers::Matches("-?[0-9]+"));
  CHECK_THAT(json_at(row, ".tags"), Catch::Matchers::StartsWith("["));
  CHECK_THAT(simulator.calls().at(0).body, ContainsSubstring(provider.form));
}

TEST_CASE("pictures are taken in every dialect", "[e2e][dialects]") {
  const auto& provider = GENERATE(from_range(k_providers));
  CAPTURE(provider.model, provider.below_root);
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--log-bodies"});
  workspace.write("pixel.png", std::string_view("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16));
  workspace.write("pictures.csv", "file,text\npixel.png,it crashes\n");
  Words words = {"run",
                 "pictures.csv",
                 "-m",
                 provider.model,
                 "--base-url",
                 root_of(simulator) + provider.below_root,
                 "--prompt",
                 "Say: {text}",
                 "--image-column",
                 "file",
                 "-o",
                 "out.jsonl"};
  ProcessOptions command = workspace.command(words);
  command.environment.insert(provider.environment.begin(), provider.environment.end());
  const auto result = run_process(command);
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  CHECK_THAT(simulator.calls().at(0).body, ContainsSubstring(provider.picture));
}

TEST_CASE("a rate limit is waited out in every dialect", "[e2e][dialects]") {
  const auto& provider = GENERATE(from_range(k_providers));
  CAPTURE(provider.model, provider.below_root);
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--fault", "429:100%:once"});
  const auto result = run(workspace, simulator, provider, {"-o", "out.jsonl"});
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  CHECK(json_at(result.output_text, ".requests") == "4");
  CHECK(json_at(first_line(workspace.read("out.jsonl")), ".attempts") == "2");
}

TEST_CASE("a refused key and a spent quota end the run in every dialect", "[e2e][dialects]") {
  const auto& provider = GENERATE(from_range(k_providers));
  CAPTURE(provider.model, provider.below_root);
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess strict(BATCHLLM_PROGRAM, {"--require-key", "another"});
  const auto refused = run(workspace, strict, provider, {"-o", "refused.jsonl"});
  CAPTURE(refused.error_text);
  CHECK(refused.exit_code == 6);
  const SimulatorProcess spent(BATCHLLM_PROGRAM, {"--fault", "quota:100%"});
  const auto stopped = run(workspace, spent, provider, {"-o", "spent.jsonl"});
  CAPTURE(stopped.error_text);
  CHECK(stopped.exit_code == 7);
  CHECK_THAT(stopped.error_text, ContainsSubstring("quota_exhausted"));
}

TEST_CASE("each failure of a row has its name in every dialect", "[e2e][dialects]") {
  struct Fault {
    std::string kind;
    std::string failure;
  };

  const auto& provider = GENERATE(from_range(k_providers));
  const auto& fault = GENERATE(values<Fault>({{"500", "server_error"},
                                              {"503", "overloaded"},
                                              {"400", "bad_request"},
                                              {"context", "context_too_long"},
                                              {"length", "truncated"},
                                              {"empty", "empty_answer"},
                                              {"garbage", "protocol_error"}}));
  CAPTURE(provider.model, provider.below_root, fault.kind);
  const Workspace workspace(BATCHLLM_PROGRAM);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--fault", fault.kind + ":100%"});
  const auto result =
      run(workspace, simulator, provider, {"-o", "out.jsonl", "--max-attempts", "1"});
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 4);
  CHECK(workspace.failures() == std::map<std::string, std::size_t>{{fault.failure, 2}});
}
