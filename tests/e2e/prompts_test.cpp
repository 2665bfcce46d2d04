// SPDX-License-Identifier: Apache-2.0
// What the user asks is what the provider gets.
#include "tests/support/catch.h"
#include "tests/support/job.h"

using namespace batchllm::test;

namespace {

// The body of the one request that a run over "id,text / 1,hello / …" sends.
std::string body_of_run(const Workspace& workspace, Words more) {
  SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--log-bodies"});
  workspace.write("a.csv", "id,text,picture\n1,hello,cat.png\n");
  more.insert(more.begin(), {"a.csv", "-o", "-"});
  const auto result = workspace.run(simulator, more);
  CAPTURE(result.error_text);
  CHECK(result.exit_code == 0);
  simulator.stop();
  const auto calls = simulator.calls();
  REQUIRE(calls.size() == 1);
  return calls.front().body;
}

}  // namespace

TEST_CASE("a prompt reaches the provider with its row filled in", "[e2e][prompts]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("ask.txt", "From a file: {text|upper}\n");
  workspace.write("system.txt", "Be {how}.");
  const std::string inline_prompt =
      body_of_run(workspace, {"--prompt", "{{\"t\": \"{text}\"}}", "--system", "Row {id}."});
  CHECK(json_at(inline_prompt, ".messages[0].role") == "system");
  CHECK(json_at(inline_prompt, ".messages[0].content") == "Row 1.");
  CHECK(json_at(inline_prompt, ".messages[1].content") == "{\"t\": \"hello\"}");

  const std::string files = body_of_run(
      workspace, {"--prompt-file", "ask.txt", "--system-file", "system.txt", "--var", "how=brief"});
  CHECK(json_at(files, ".messages[0].content") == "Be brief.");
  CHECK_THAT(json_at(files, ".messages[1].content"), ContainsSubstring("From a file: HELLO"));
}

TEST_CASE("parameters reach the provider as they were given", "[e2e][prompts]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  const std::string body = body_of_run(workspace,
                                       {"--temperature",
                                        "0.25",
                                        "--max-tokens",
                                        "12",
                                        "--param",
                                        "top_p=0.9",
                                        "--param",
                                        "stop=[\"a\"]",
                                        "--param",
                                        "user=me"});
  CHECK(json_at(body, ".model") == "gpt-4o-mini");
  CHECK(json_at(body, ".temperature") == "0.25");
  CHECK(json_at(body, ".max_tokens") == "12");
  CHECK(json_at(body, ".top_p") == "0.9");
  CHECK(json_at(body, ".stop") == "[\"a\"]");
  CHECK(json_at(body, ".user") == "me");
}

TEST_CASE("a template brings messages, model and parameters", "[e2e][prompts]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("ask.toml",
                  "model = \"openai/gpt-4o\"\n"
                  "[[messages]]\nrole = \"system\"\ncontent = \"You label.\"\n"
                  "[[messages]]\nrole = \"user\"\ncontent = \"Example\"\n"
                  "[[messages]]\nrole = \"assistant\"\ncontent = \"label\"\n"
                  "[[messages]]\nrole = \"user\"\ncontent = \"{text}\"\n"
                  "[parameters]\ntemperature = 0\n");
  const std::string body = body_of_run(workspace, {"--template", "ask.toml"});
  CHECK(json_at(body, ".messages[0].content") == "You label.");
  CHECK(json_at(body, ".messages[2].role") == "assistant");
  CHECK(json_at(body, ".messages[3].content") == "hello");
  CHECK(json_at(body, ".temperature") == "0");
}

TEST_CASE("images go along, from files and by address", "[e2e][prompts]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("cat.png", "\x89PNG\r\n\x1a\nnot really");
  const std::string body = body_of_run(workspace, {"--image-column", "picture"});
  CHECK(json_at(body, ".messages[0].content[0].text") == "Say: hello");
  CHECK(json_at(body, ".messages[0].content[1].image_url.url")
            .starts_with("data:image/png;base64,iVBORw0KGgpub3"));
}

TEST_CASE("several images and the texts of files go along", "[e2e][prompts]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("in/front.png", "\x89PNG\r\n\x1a\nfront");
  workspace.write("in/back.jpg", "\xFF\xD8\xFF back");
  workspace.write("in/note.md", "# größe {x}");
  workspace.write("in/plan.txt", "%PDF-1.4");
  workspace.write("in/a.csv", "front,back,note,plan\nfront.png,back.jpg,note.md,plan.txt\n");
  const auto shown = [&workspace](const std::string& model) {
    return workspace.call({"run",
                           "in/a.csv",
                           "-m",
                           model,
                           "-p",
                           "Read: {note}",
                           "--image-column",
                           "front,back",
                           "--document-column",
                           "note,plan",
                           "--show-prompts",
                           "1",
                           "--json"});
  };
  const auto result = shown("openai/gpt-4o-mini");
  INFO(result.error_text);
  const std::string content = ".request.messages[0].content";
  CHECK(json_at(result.output_text, content + "[0].text") == "Read: # größe {x}");
  CHECK(json_at(result.output_text, content + "[1].file.filename") == "plan.txt");
  CHECK_THAT(json_at(result.output_text, content + "[2].image_url.url"),
             Catch::Matchers::StartsWith("data:image/png;"));
  CHECK_THAT(json_at(result.output_text, content + "[3].image_url.url"),
             Catch::Matchers::StartsWith("data:image/jpeg;"));
  CHECK_THAT(shown("ollama/llama3.2").error_text,
             ContainsSubstring("document plan.txt is a PDF, which ollama/llama3.2 does not take"));
}

TEST_CASE("the text of a file that the prompt does not speak of stands behind it",
          "[e2e][prompts]") {
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("note.txt", "the note");
  workspace.write("a.csv", "note\nnote.txt\n");
  const auto result = workspace.call({"run",
                                      "a.csv",
                                      "-m",
                                      "openai/gpt-4o-mini",
                                      "-p",
                                      "Summarize.",
                                      "--document-column",
                                      "note",
                                      "--show-prompts",
                                      "1",
                                      "--json"});
  CHECK(json_at(result.output_text, ".request.messages[0].content") == "Summarize.\n\nthe note");
}

TEST_CASE("an image that is not there fails its row and costs nothing", "[e2e][prompts]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("a.csv", "id,text,picture\n1,hello,none.png\n2,there,https://x.org/a.png\n");
  const auto result =
      workspace.run(simulator, {"a.csv", "-o", "out.csv", "--image-column", "picture"});
  CHECK(result.exit_code == 4);
  CHECK_THAT(workspace.read("out.csv"), ContainsSubstring("none.png"));
  CHECK(simulator.call_count() == 1);
}

TEST_CASE("a dry run and --show-prompts send nothing and leave nothing", "[e2e][prompts]") {
  const SimulatorProcess simulator(BATCHLLM_PROGRAM);
  const Workspace workspace(BATCHLLM_PROGRAM);
  workspace.write("a.csv", csv_of_rows(5));
  const auto dry = workspace.run(simulator, {"a.csv", "-o", "out.csv", "--dry-run"});
  CHECK(dry.exit_code == 0);
  CHECK(dry.output_text.starts_with("5 rows would be asked of openai/gpt-4o-mini: about "));
  const auto json = workspace.run(simulator, {"a.csv", "--dry-run", "--json"});
  CHECK(json_at(json.output_text, ".schema") == "batchllm.dry_run/1");
  CHECK(json_at(json.output_text, ".rows") == "5");
  const auto shown = workspace.run(simulator, {"a.csv", "--show-prompts", "2", "--system", "S"});
  CHECK(shown.output_text ==
        "--- row 1 ---\n[system]\nS\n[user]\nSay: row 1, as \"said\"\n\n"
        "--- row 2 ---\n[system]\nS\n[user]\nSay: row 2, as \"said\"\n\n");
  const auto request = workspace.run(simulator, {"a.csv", "--show-prompts", "1", "--json"});
  CHECK(json_at(request.output_text, ".request.messages[0].content") == "Say: row 1, as \"said\"");
  CHECK(simulator.call_count() == 0);
  CHECK(workspace.job().empty());
  CHECK_FALSE(workspace.has("out.csv"));
}
