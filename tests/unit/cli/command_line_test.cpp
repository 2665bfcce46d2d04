// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include "core/error.h"
#include "tests/support/catch.h"

using namespace batchllm;

namespace {

using Words = std::vector<std::string>;

std::vector<std::string> texts(const CommandLine& line, const std::string& key) {
  const auto found = line.flags.find(key);
  return found == line.flags.end() ? Words{"(not set)"} : found->second.texts;
}

Error error_of(const Words& words) {
  try {
    parse_command_line(words);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::internal, "no error"};
}

}  // namespace

TEST_CASE("options are taken as they are written", "[command_line]") {
  struct Case {
    Words words;
    std::string key;
    Words texts;
  };

  const auto c = GENERATE(values<Case>({
      {{"run", "f.csv", "--model", "a/b"}, "run.model", {"a/b"}},
      {{"run", "f.csv", "--model=a/b"}, "run.model", {"a/b"}},
      {{"jobs", "--host", "unix:/d", "list"}, "host", {"unix:/d"}},
      {{"jobs", "list", "--host=unix:/d"}, "host", {"unix:/d"}},
      {{"simulate", "--host", "::1"}, "simulate.host", {"::1"}},
      {{"simulate", "--host", "::1"}, "host", {"(not set)"}},
      {{"run", "-c64", "f.csv"}, "run.concurrency", {"64"}},
      {{"run", "-c", "64", "f.csv"}, "run.concurrency", {"64"}},
      {{"run", "f.csv", "-p", "-5 degrees"}, "run.prompt", {"-5 degrees"}},
      {{"run", "f.csv", "-p", "--json"}, "run.prompt", {"--json"}},
      {{"run", "f.csv", "-p", "[a,b]"}, "run.prompt", {"[a,b]"}},
      {{"run", "f.csv", "--prompt=[a,b]"}, "run.prompt", {"[a,b]"}},
      {{"run", "f.csv", "--prompt=", "-c", "2"}, "run.prompt", {""}},
      {{"run", "f.csv", "-p", "--model="}, "run.prompt", {"--model="}},
      {{"run", "f.csv", "-p", "++"}, "run.prompt", {"++"}},
      {{"run", "f.csv", "-p", "a\x01"}, "run.prompt", {"a\x01"}},
      {{"run", "f.csv", "-p", "a=b"}, "run.prompt", {"a=b"}},
      {{"run", "f.csv", "-p", ""}, "run.prompt", {""}},
      {{"run", "f.csv", "-m", "one", "-m", "two"}, "run.model", {"two"}},
      {{"run", "f.csv", "--columns", "a, b,\"c,d\""}, "run.columns", {"a", "b", "c,d"}},
      {{"run", "f.csv", "--columns", "a", "--columns", "b"}, "run.columns", {"a", "b"}},
      {{"run", "f.csv", "--var", "a=1,2", "--var", "b=x=y"}, "run.var", {"a=1,2", "b=x=y"}},
      {{"run", "f.csv", "--no-header"}, "run.no_header", {"true"}},
      {{"run", "f.csv", "--http2=false"}, "run.http2", {"false"}},
      {{"run", "f.csv", "-nv"}, "run.dry_run", {"true"}},
      {{"run", "f.csv", "-vv"}, "verbose", {"2"}},
      {{"-v", "run", "f.csv", "-v"}, "verbose", {"2"}},
      {{"--json", "run", "f.csv"}, "json", {"true"}},
      {{"run", "f.csv", "--json"}, "json", {"true"}},
      {{"results", "--json", "show", "j"}, "json", {"true"}},
      {{"run", "f.csv", "-o", "-"}, "run.output", {"-"}},
      {{"simulate", "--fault", "500:1%", "--fault", "reset:2%"},
       "simulate.fault",
       {"500:1%", "reset:2%"}},
  }));
  CAPTURE(c.words);
  CHECK(texts(parse_command_line(c.words), c.key) == c.texts);
}

TEST_CASE("arguments keep their order and may look like anything after --", "[command_line]") {
  struct Case {
    Words words;
    std::string command;
    Words arguments;
  };

  const auto c = GENERATE(values<Case>({
      {{"run", "a.csv", "-p", "x", "b.csv"}, "run", {"a.csv", "b.csv"}},
      {{"run", "-"}, "run", {"-"}},
      {{"run", "jobs"}, "run", {"jobs"}},  // a folder may have the name of a command
      {{"run", "run", "results", "help"}, "run", {"run", "results", "help"}},
      {{"run", "[a,b]"}, "run", {"[a,b]"}},
      {{"run", "++", "x"}, "run", {"++", "x"}},
      {{"run", "--", "-f.csv", "--model="}, "run", {"-f.csv", "--model="}},
      {{"run", "a.csv", "--", "--json"}, "run", {"a.csv", "--json"}},
      {{"jobs", "ls"}, "jobs list", {}},
      {{"jobs", "rm", "a", "b"}, "jobs rm", {"a", "b"}},
      {{"resume"}, "resume", {}},
      {{"help", "results", "show"}, "help", {"results", "show"}},
      {{"results", "export", "show"}, "results export", {"show"}},
  }));
  CAPTURE(c.words);
  const CommandLine line = parse_command_line(c.words);
  REQUIRE(line.command != nullptr);
  CHECK(line.command->path == c.command);
  CHECK(line.arguments == c.arguments);
}

TEST_CASE("what is wrong on the command line is named with a way out", "[command_line]") {
  struct Case {
    Words words;
    std::string message;
    std::string hint;
  };

  const auto c = GENERATE(values<Case>({
      {{"rum", "f.csv"}, "unknown command rum", "did you mean batchllm run?"},
      {{"tickets.csv"}, "unknown command tickets.csv", "batchllm run tickets.csv -p TEXT"},
      {{"jobs", "lst"}, "unknown command jobs lst", "did you mean batchllm jobs list?"},
      {{"results", "nothing"}, "unknown command results nothing", "show, export, errors and diff"},
      {{"run", "f", "--modle", "x"}, "unknown option --modle", "did you mean --model?"},
      {{"run", "f", "--modle=x"}, "unknown option --modle", "did you mean --model?"},
      {{"run", "f", "--port", "1"}, "unknown option --port", "is an option of batchllm simulate"},
      {{"run", "f", "--frobnicate"}, "unknown option --frobnicate", "batchllm run --help"},
      {{"run", "f", "-Z"}, "unknown option -Z", "see: batchllm run --help"},
      {{"--jsn", "version"}, "unknown option --jsn", "did you mean --json?"},
      {{"run", "f", "--model"}, "--model needs a value", "--model PROVIDER/MODEL"},
      {{"run", "f", "-c"}, "--concurrency needs a value", "--concurrency N"},
      {{"run"}, "batchllm run needs a file to read: INPUT", "- reads standard input"},
      {{"retry"}, "batchllm retry needs JOB", "batchllm retry --help"},
      {{"retry", "a", "b"}, "batchllm retry takes one JOB; b is one too many", "--help"},
      {{"version", "x"}, "batchllm version takes no argument: x", "--help"},
      {{"run", "f", "--\x1b[2J"}, "unknown option --", "see"},
  }));
  CAPTURE(c.words);
  const Error error = error_of(c.words);
  CHECK(error.code() == ErrorCode::usage);
  CHECK_THAT(error.message(), ContainsSubstring(c.message));
  CHECK_THAT(error.hint(), ContainsSubstring(c.hint));
}

TEST_CASE("help is asked for in any position and needs no arguments", "[command_line]") {
  CHECK(parse_command_line({"run", "--help"}).help == HelpWanted::full);
  CHECK(parse_command_line({"--help", "run"}).help == HelpWanted::full);
  CHECK(parse_command_line({"run", "-h"}).help == HelpWanted::brief);
  CHECK(parse_command_line({"run", "f.csv", "-h", "-c", "3"}).help == HelpWanted::brief);
  CHECK(parse_command_line({"results", "-h"}).command->path == "results");
  CHECK(parse_command_line({"retry", "--version"}).version);
  CHECK(parse_command_line({}).command == nullptr);
}
