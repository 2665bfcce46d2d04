// SPDX-License-Identifier: Apache-2.0
// What somebody meets who uses the program for the first time.
#include "tests/support/catch.h"
#include "tests/support/process.h"
#include "tests/support/scratch_folder.h"

#include <fstream>
#include <string>
#include <vector>

using namespace batchllm::test;

namespace {

// A folder with tickets.csv, and the simulator to ask about it.
class FirstUse {
 public:
  FirstUse() : simulator_(simulator()) {
    folder_.write("tickets.csv", "id,text\n1,one\n2,two\n");
    REQUIRE(simulator_.wait_for_output("/v1\n"));
    base_url_ = simulator_.output_text().substr(0, simulator_.output_text().find('\n'));
  }

  ProcessResult batchllm(const std::vector<std::string>& words) const {
    ProcessOptions options;
    options.argv = {BATCHLLM_PROGRAM};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.environment = {{"BATCHLLM_STATE_DIR", folder_.path("state")},
                           {"BATCHLLM_BASE_URL", base_url_}};
    options.folder = folder_.path("");
    return run_process(options);
  }

  const ScratchFolder& folder() const noexcept { return folder_; }

 private:
  static ProcessOptions simulator() {
    ProcessOptions options;
    options.argv = {BATCHLLM_PROGRAM, "simulate"};
    return options;
  }

  ScratchFolder folder_;
  Process simulator_;
  std::string base_url_;
};

}  // namespace

TEST_CASE("what a run lacks is said, and only that", "[e2e][first-use]") {
  struct Case {
    std::vector<std::string> words;
    std::string error_text;
  };

  const FirstUse use;
  const auto c = GENERATE(values<Case>({
      {{"run", "tickets.csv"},
       "error: what is to be asked? a prompt and a model are missing: --prompt TEXT, --model "
       "PROVIDER/NAME\n"
       "  hint: tickets.csv has the columns id and text; try:\n"
       "        batchllm run tickets.csv --model openai/gpt-4o-mini --prompt \"Summarize: {text}\" "
       "--output-column summary\n"},
      {{"run", "tickets.csv", "-m", "simulator/x"},
       "error: what is to be asked? a prompt is missing: --prompt TEXT\n"
       "  hint: tickets.csv has the columns id and text; try:\n"
       "        batchllm run tickets.csv --model openai/gpt-4o-mini --prompt \"Summarize: {text}\" "
       "--output-column summary\n"},
      {{"run", "tickets.csv", "-p", "Say {text}"},
       "error: who is to be asked? a model is missing: --model PROVIDER/NAME\n"
       "  hint: for example --model openai/gpt-4o-mini, or --model ollama/llama3.2 on this "
       "machine\n"},
  }));
  const auto result = use.batchllm(c.words);
  CHECK(result.exit_code == 2);
  CHECK(result.error_text == c.error_text);
}

TEST_CASE("a prompt that is probably not meant is warned of", "[e2e][first-use]") {
  struct Case {
    std::string prompt;
    std::string warning;
  };

  const FirstUse use;
  const auto c = GENERATE(values<Case>({
      {"Classify {text", "warning: the prompt names no column: every row is asked the same"},
      {"Row {id}: {{text}}", "warning: --prompt:1:11: {{text}} is the literal text {text}"},
  }));
  CAPTURE(c.prompt);
  for (const std::string how : {"--dry-run", "--output=out.csv"}) {
    const auto result =
        use.batchllm({"run", "tickets.csv", "-m", "simulator/x", "-p", c.prompt, how});
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.error_text, ContainsSubstring(c.warning));
  }
}

TEST_CASE("resuming a finished job asks and writes nothing", "[e2e][first-use]") {
  const FirstUse use;
  REQUIRE(use.batchllm({"run", "tickets.csv", "-m", "simulator/x", "-p", "{text}", "-o", "out.csv"})
              .exit_code == 0);
  const auto jobs = use.batchllm({"jobs", "list", "--json"}).output_text;
  const std::string job = jobs.substr(jobs.find("job_"), 24);
  const auto result = use.batchllm({"resume", job, "--json"});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.error_text,
             ContainsSubstring(job + " is finished: 2 ok, 0 failed. Nothing was asked"));
  CHECK_THAT(result.output_text, ContainsSubstring(R"("requests":0)"));
  CHECK_THAT(use.batchllm({"jobs", "show", job}).output_text,
             ContainsSubstring(job + "  succeeded"));
}

TEST_CASE("a job that a bad row kept from beginning is not offered for resuming",
          "[e2e][first-use]") {
  const FirstUse use;
  use.folder().write("bad.csv", "a,b\n1,\"2\n");
  const auto result =
      use.batchllm({"run", "bad.csv", "-m", "simulator/x", "-p", "{a}", "-o", "out.csv"});
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.error_text, ContainsSubstring("the quote opened on line 2 is not closed"));
  CHECK_THAT(result.error_text, !ContainsSubstring("batchllm resume"));
}

TEST_CASE("help about a name that is a command and a topic tells both", "[e2e][first-use]") {
  const FirstUse use;
  const auto text = use.batchllm({"help", "resume"}).output_text;
  CHECK_THAT(text, ContainsSubstring("Usage: batchllm resume [JOB]"));
  CHECK_THAT(text, ContainsSubstring("are in doubt"));
}

TEST_CASE("jobs are listed newest first, also those of one second", "[e2e][first-use]") {
  const FirstUse use;
  std::vector<std::string> outputs;
  for (int i = 0; i < 6; ++i) {
    outputs.push_back("out" + std::to_string(i) + ".csv");
    REQUIRE(use.batchllm(
                   {"run", "tickets.csv", "-m", "simulator/x", "-p", "{id}", "-o", outputs.back()})
                .exit_code == 0);
  }
  const std::string jobs = use.batchllm({"jobs", "list", "--json"}).output_text;
  for (std::size_t i = 1; i < outputs.size(); ++i) {
    CAPTURE(i, jobs);
    CHECK(jobs.find(outputs[i]) < jobs.find(outputs[i - 1]));
  }
}
