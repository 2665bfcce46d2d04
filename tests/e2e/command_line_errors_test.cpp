// SPDX-License-Identifier: Apache-2.0
// What the real program says about wrong input on its command line, and how it shows it.
#include "core/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/process.h"
#include "tests/support/scratch_folder.h"

#include <csignal>
#include <fstream>
#include <iterator>

using namespace batchllm::test;
using batchllm::is_json;

namespace {

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

ProcessOptions call(Words words, Variables environment = {}) {
  ProcessOptions options;
  options.argv = {BATCHLLM_PROGRAM};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  options.environment = std::move(environment);
  return options;
}

ProcessResult run(Words words, Variables environment = {}) {
  return run_process(call(std::move(words), std::move(environment)));
}

std::string golden(const std::string& name) {
  std::ifstream file(std::string(BATCHLLM_GOLDEN) + "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("wrong input on the command line is answered in two lines", "[e2e][usage]") {
  struct Case {
    Words words;
    int exit_code;
    std::string error_text;  // whole
  };

  const auto c = GENERATE(values<Case>({
      {{"rum"},
       2,
       "error: unknown command rum\n  hint: did you mean batchllm run?  see: batchllm --help\n"},
      {{"run", "f.csv", "--modle", "x"},
       2,
       "error: unknown option --modle\n  hint: did you mean --model?  see: batchllm run --help\n"},
      {{"run", "f.csv", "--concurrency", "0"},
       2,
       "error: --concurrency 0: must be between 1 and 65536\n"
       "  hint: --concurrency: rows in flight at most (embed: 8 requests)\n"},
      {{"run", "f.csv", "--max-cost", "much"},
       2,
       "error: --max-cost much: expected an amount in USD, as 5 or 0.25\n"
       "  hint: --max-cost: stop before spending more than this\n"},
      {{"run", "f.csv", "--order", "random"},
       2,
       "error: --order random: must be input or completion\n"
       "  hint: --order: order of the results: as the input, or as answers arrive\n"},
      {{"run", "f.csv", "-p", "a", "-t", "b"},
       2,
       "error: --prompt and --template exclude each other\n"},
      {{"run", "f.csv", "--json=perhaps", "version"},
       2,
       "error: --json perhaps: expected true or false\n"
       "  hint: --json: result as one JSON object on stdout, errors as one on stderr\n"},
      {{"run", "-p", "x"},
       2,
       "error: batchllm run needs a file to read: INPUT\n"
       "  hint: - reads standard input; see: batchllm run --help\n"},
      {{"retry"}, 2, "error: batchllm retry needs JOB\n  hint: see: batchllm retry --help\n"},
      {{"-q", "-v", "version"}, 2, "error: --quiet and --verbose exclude each other\n"},
      {{"completions", "tcsh"},
       2,
       "error: no completions for tcsh\n  hint: known shells: bash, zsh and fish\n"},
      {{"config", "get", "run.concurency"},
       2,
       "error: no such key: run.concurency\n  hint: did you mean run.concurrency?\n"},
      {{"config", "validate", "--config", "/none"},
       2,
       "error: --config /none: no such config file\n"},
      {{"help", "exit-code"},
       9,
       "error: no help about exit-code\n  hint: did you mean batchllm help exit-codes?\n"},
  }));
  CAPTURE(c.words);
  const auto result = run(c.words);
  CHECK(result.exit_code == c.exit_code);
  CHECK(result.error_text == c.error_text);
  CHECK(result.output_text.empty());
}

TEST_CASE("a value from the environment or a file is named with its place", "[e2e][usage]") {
  const ScratchFolder folder;
  folder.write("batchllm.toml", "[run]\nmodel = \"a/b\"\nbase_url = \"http://evil\"\n");
  auto options = call({"config", "list"});
  options.folder = folder.path();
  auto result = run_process(options);
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.error_text,
             ContainsSubstring("batchllm.toml:3: a project's file may not set run.base_url\n"));

  result = run({"run", "f.csv"}, {{"BATCHLLM_TEMPERATURE", "hot"}});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.error_text,
             ContainsSubstring("error: BATCHLLM_TEMPERATURE=hot: expected a number\n"));

  result = run({"config", "path"}, {{"BATCHLLM_CONCURENCY", "3"}});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.error_text, ContainsSubstring("did you mean BATCHLLM_CONCURRENCY?"));
}

TEST_CASE("with --json an error is one object on standard error", "[e2e][usage]") {
  for (const Words& words : {Words{"--json", "rum"},
                             Words{"run", "f.csv", "--json", "-c", "0"},
                             Words{"run", "--modle", "--json"},
                             Words{"help", "x", "--json"}}) {
    CAPTURE(words);
    const auto result = run(words);
    CHECK(is_json(result.error_text));
    CHECK(result.error_text.back() == '\n');
    CHECK(result.output_text.empty());
    const auto code = batchllm::find_in_json(result.error_text, ".error.exit_code");
    REQUIRE(code.has_value());
    CHECK(code->text == std::to_string(result.exit_code));
  }
  CHECK(run({"rum"}, {{"BATCHLLM_JSON", "1"}}).error_text.front() == '{');
}

TEST_CASE("every simple command has a result for scripts", "[e2e]") {
  for (const Words& words : {Words{"version"},
                             Words{"--version"},
                             Words{"help"},
                             Words{"run", "-h"},
                             Words{"help", "config"},
                             Words{"completions", "bash"},
                             Words{"config", "list"},
                             Words{"config", "explain"},
                             Words{"config", "path"},
                             Words{"config", "validate"},
                             Words{"config", "get", "run.model"}}) {
    CAPTURE(words);
    Words with_json = words;
    with_json.emplace_back("--json");
    const auto result = run(with_json);
    CHECK(result.exit_code == 0);
    CHECK(result.error_text.empty());
    CHECK(is_json(result.output_text));
    CHECK(batchllm::find_in_json(result.output_text, ".schema").has_value());
  }
}

TEST_CASE("colours follow the flags, the variables and the stream", "[e2e]") {
  const auto has_color = [](const ProcessResult& result) {
    return result.error_text.find("\x1b[") != std::string::npos;
  };
  CHECK_FALSE(has_color(run({"rum"})));
  CHECK(has_color(run({"rum"}, {{"CLICOLOR_FORCE", "1"}})));
  CHECK_FALSE(has_color(run({"rum"}, {{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}})));
  CHECK(has_color(run({"rum", "--color=always"}, {{"NO_COLOR", "1"}})));
  auto on_terminal = call({"rum"}, {{"TERM", "xterm"}});
  on_terminal.terminal = true;
  CHECK(has_color(run_process(on_terminal)));
  on_terminal.environment["TERM"] = "dumb";
  CHECK_FALSE(has_color(run_process(on_terminal)));
}

TEST_CASE("nothing waits for a person who is not asked", "[e2e]") {
  auto alone = call({"run"}, {{"TERM", "dumb"}});
  alone.terminal = true;
  alone.terminal_input = true;
  const auto result = run_process(alone);
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.error_text, ContainsSubstring("Usage: batchllm run INPUT... [OPTIONS]"));
  CHECK_THAT(result.error_text, ContainsSubstring("Examples:"));

  alone.argv = {BATCHLLM_PROGRAM, "run", "-", "-p", "x"};
  const auto waiting = run_process(alone);
  CHECK(waiting.exit_code == 2);
  CHECK_THAT(waiting.error_text, ContainsSubstring("standard input, which is a terminal"));
}

TEST_CASE("a closed or full standard output is handled", "[e2e]") {
  const auto shell = [](const std::string& line) {
    return run_process({.argv = {"bash", "-c", line}, .environment = {{"B", BATCHLLM_PROGRAM}}});
  };
  const auto closed = shell("\"$B\" help environment | true; exit ${PIPESTATUS[0]}");
  CHECK(closed.exit_code == 0);
  CHECK(closed.error_text.empty());
  const auto full = shell("\"$B\" help > /dev/full");
  CHECK(full.exit_code == 11);
  CHECK_THAT(full.error_text, ContainsSubstring("cannot write to standard output: No space left"));
}

TEST_CASE("help texts are as they were reviewed", "[e2e][golden]") {
  struct Case {
    Words words;
    std::string file;
  };

  const auto c = GENERATE(values<Case>({
      {{}, "help.txt"},
      {{"run", "-h"}, "help-run-short.txt"},
      {{"run", "--help"}, "help-run.txt"},
      {{"embed", "--help"}, "help-embed.txt"},
      {{"jobs", "--help"}, "help-jobs.txt"},
      {{"schedule", "--help"}, "help-schedule.txt"},
      {{"schedule", "add", "-h"}, "help-schedule-add-short.txt"},
      {{"simulate", "--help"}, "help-simulate.txt"},
      {{"help", "exit-codes"}, "help-exit-codes.txt"},
  }));
  CAPTURE(c.words, c.file);
  const auto result = run(c.words);
  CHECK(result.exit_code == 0);
  CHECK(result.output_text == golden(c.file));
}

TEST_CASE("config explain tells which layer set a value", "[e2e]") {
  const ScratchFolder folder;
  folder.write("project/batchllm.toml", "[run]\nmodel = \"a/project\"\nconcurrency = 5\n");
  folder.write("home/.config/batchllm/config.toml", "[run]\nmodel = \"a/user\"\nrpm = 60\n");
  auto options =
      call({"config", "explain"}, {{"HOME", folder.path("home")}, {"BATCHLLM_CONCURRENCY", "6"}});
  options.folder = folder.path("project");
  const auto line_of = [&](const std::string& key) {
    options.argv.resize(3);
    options.argv.push_back(key);
    return run_process(options).output_text;
  };
  CHECK_THAT(line_of("run.model"), ContainsSubstring("a/project"));
  CHECK_THAT(line_of("run.model"), ContainsSubstring("project/batchllm.toml:2\n"));
  CHECK_THAT(line_of("run.concurrency"), ContainsSubstring("from BATCHLLM_CONCURRENCY\n"));
  CHECK_THAT(line_of("run.rpm"), ContainsSubstring("config.toml:3\n"));
  CHECK_THAT(line_of("run.tpm"), ContainsSubstring("default\n"));
}
