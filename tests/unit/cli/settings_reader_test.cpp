// SPDX-License-Identifier: Apache-2.0
#include "cli/settings_reader.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

using namespace batchllm;
using batchllm::test::ScratchFolder;

namespace {

using Words = std::vector<std::string>;

RunRequest run_request(Words words) {
  words.insert(words.begin(), {"run", "f.csv"});
  const CommandLine line = parse_command_line(words);
  const Settings settings({line.flags});
  check_settings(*line.command, settings);
  return read_run_request(line, settings);
}

std::string message_of(const Words& words) {
  try {
    run_request(words);
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a run without options has the defaults of the settings' structs", "[settings]") {
  const JobSettings job = run_request({}).settings;
  const JobSettings standard;
  CHECK(job.inputs == Words{"f.csv"});
  CHECK(job.limits.concurrency == standard.limits.concurrency);
  CHECK(job.limits.request_timeout_ms == standard.limits.request_timeout_ms);
  CHECK(job.limits.max_attempts == standard.limits.max_attempts);
  CHECK(job.input.max_row_bytes == standard.input.max_row_bytes);
  CHECK(job.output.column == standard.output.column);
  CHECK_FALSE(job.limits.max_cost_micro_usd.has_value());
  CHECK_FALSE(job.on_bad_row_given);
}

TEST_CASE("the defaults that help shows are those that apply", "[settings]") {
  const JobSettings standard;
  CHECK(find_option("run.concurrency")->default_text ==
        std::to_string(standard.limits.concurrency));
  CHECK(find_option("run.max_attempts")->default_text ==
        std::to_string(standard.limits.max_attempts));
  CHECK(find_option("run.output_column")->default_text == standard.output.column);
  CHECK(find_option("run.request_timeout")->default_text == "2m");
  CHECK(standard.limits.request_timeout_ms == 120'000);
  CHECK(find_option("run.max_row_bytes")->default_text == "16MiB");
  CHECK(standard.input.max_row_bytes == std::size_t{16} << 20U);
}

TEST_CASE("options reach the settings of the job", "[settings]") {
  const RunRequest request = run_request({"-p",
                                          "Q: {text}",
                                          "--system",
                                          "S",
                                          "--var",
                                          "a=1",
                                          "-m",
                                          "openai/x",
                                          "--temperature",
                                          "0.5",
                                          "--max-tokens",
                                          "10",
                                          "--param",
                                          "top_p=0.9",
                                          "-c",
                                          "64",
                                          "--rpm",
                                          "60",
                                          "--max-cost",
                                          "0.5",
                                          "--deadline",
                                          "2h",
                                          "--max-failures",
                                          "5%",
                                          "-o",
                                          "-",
                                          "--output-format",
                                          "jsonl",
                                          "--include",
                                          "meta",
                                          "--order",
                                          "completion",
                                          "--escape-formulas",
                                          "--delimiter",
                                          "\\t",
                                          "--quote",
                                          "none",
                                          "--where",
                                          "x == 1",
                                          "--offset",
                                          "3",
                                          "--limit",
                                          "7",
                                          "--on-bad-row",
                                          "reject",
                                          "--in-doubt",
                                          "skip",
                                          "--fail-on",
                                          "none",
                                          "-n",
                                          "--show-prompts",
                                          "2",
                                          "--new-job",
                                          "--ragged",
                                          "error",
                                          "--key-env",
                                          "K",
                                          "--columns",
                                          "a,b",
                                          "--id-column",
                                          "id"});
  const JobSettings& job = request.settings;
  CHECK(job.prompt.prompt == "Q: {text}");
  CHECK(job.prompt.variables == std::vector<std::pair<std::string, std::string>>{{"a", "1"}});
  CHECK(job.model.temperature == 0.5);
  CHECK(job.model.max_tokens == 10);
  CHECK(job.model.parameters.front().second == "0.9");
  CHECK(job.model.key_env == "K");
  CHECK(job.limits.concurrency == 64);
  CHECK(job.limits.requests_per_minute == 60);
  CHECK(job.limits.max_cost_micro_usd == 500'000);
  CHECK(job.limits.deadline_ms == 7'200'000);
  CHECK(job.limits.max_failures_share == 0.05);
  CHECK(job.output.path == "-");
  CHECK(job.output.format == OutputFormat::jsonl);
  CHECK(job.output.include_meta);
  CHECK(job.output.order == RowOrder::completion);
  CHECK(job.output.columns == Words{"a", "b"});
  CHECK(job.input.delimiter == '\t');
  CHECK(job.input.quote == '\0');
  CHECK(job.input.ragged == RaggedPolicy::error);
  CHECK(job.selection.offset == 3);
  CHECK(job.selection.limit == 7U);
  CHECK(job.on_bad_row == BadRowPolicy::reject);
  CHECK(job.on_bad_row_given);
  CHECK(job.in_doubt == InDoubtPolicy::skip);
  CHECK(job.fail_on == FailOn::none);
  CHECK(request.dry_run);
  CHECK(request.show_prompts == 2U);
  CHECK(request.new_job);
}

TEST_CASE("with --no-header, --columns names the fields and keeps all", "[settings]") {
  const JobSettings job = run_request({"--no-header", "--columns", "a,b"}).settings;
  CHECK(job.input.columns == Words{"a", "b"});
  CHECK(job.output.columns.empty());
}

TEST_CASE("options that exclude each other are refused by name", "[settings]") {
  CHECK(message_of({"-p", "x", "-t", "f"}) == "--prompt and --template exclude each other");
  CHECK(message_of({"--overwrite", "--append"}) == "--overwrite and --append exclude each other");
  CHECK(message_of({"--sample", "3", "--limit", "3"}) == "--sample and --limit exclude each other");
  CHECK(message_of({"--overwrite", "--append=false"}) == "no error");
  CHECK(message_of({"--delimiter", "none"}) == "--delimiter none: expected a character");
}

TEST_CASE("a prompt file is read whole and must be text", "[settings]") {
  const ScratchFolder folder;
  const std::string good = folder.write("good.txt", "\xEF\xBB\xBFline 1\nline 2\n");
  CHECK(run_request({"--prompt-file", good}).settings.prompt.prompt == "line 1\nline 2");
  CHECK(run_request({"--prompt-file", good}).settings.prompt.prompt_file == good);
  CHECK_THAT(message_of({"--prompt-file", folder.path("none")}),
             ContainsSubstring("none: no such file or directory"));
  CHECK_THAT(message_of({"--prompt-file", folder.path()}), ContainsSubstring("is a directory"));
  CHECK_THAT(message_of({"--prompt-file", folder.write("bad", "\xff")}),
             ContainsSubstring("not valid UTF-8"));
  CHECK_THAT(message_of({"--system-file", folder.write("empty", " \n")}),
             ContainsSubstring("is empty"));
}

TEST_CASE("resume changes only what its flags say", "[settings]") {
  JobSettings job = run_request({"-c", "8", "--max-cost", "5", "--rpm", "60"}).settings;
  const CommandLine line =
      parse_command_line({"resume", "--max-cost", "none", "--rpm", "90", "--overwrite"});
  read_resume_request(line).overrides.apply_to(job);
  CHECK(job.limits.concurrency == 8);
  CHECK_FALSE(job.limits.max_cost_micro_usd.has_value());
  CHECK(job.limits.requests_per_minute == 90);
  CHECK(job.output.conflict == OutputConflict::overwrite);
}

TEST_CASE("retry takes the names of failures", "[settings]") {
  const CommandLine line =
      parse_command_line({"retry", "job", "--only", "timeout,overloaded", "--only", "refused"});
  const auto request = read_retry_request(line, Settings({line.flags}));
  CHECK(request.only ==
        std::vector<RowFailure>{RowFailure::timeout, RowFailure::overloaded, RowFailure::refused});
  const CommandLine wrong = parse_command_line({"retry", "job", "--only", "timeot"});
  CHECK_THROWS_WITH(read_retry_request(wrong, Settings({wrong.flags})),
                    ContainsSubstring("--only timeot: no such failure"));
}

TEST_CASE("the simulator's options are its own", "[settings]") {
  const CommandLine line = parse_command_line({"simulate",
                                               "--port",
                                               "8080",
                                               "--rpm",
                                               "60",
                                               "--fault",
                                               "500:1%",
                                               "--latency",
                                               "lognormal:400ms,0.5"});
  const SimulateOptions request = read_simulate_request(Settings({line.flags}));
  CHECK(request.port == 8080);
  CHECK(request.rpm == 60);
  CHECK(request.faults == Words{"500:1%"});
  CHECK(request.latency == "lognormal:400ms,0.5");
  CHECK(request.host == "127.0.0.1");
}
