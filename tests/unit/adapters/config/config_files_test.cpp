// SPDX-License-Identifier: Apache-2.0
#include "adapters/config/config_files.h"

#include "core/error.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

using namespace batchllm;
using batchllm::test::ScratchFolder;

namespace {

using List = std::vector<std::string>;

Error error_in(const std::string& text, Layer layer = Layer::user) {
  const ScratchFolder folder;
  const std::string path = folder.write("batchllm.toml", text);
  try {
    read_config_file(path, layer);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::internal, "no error"};
}

}  // namespace

TEST_CASE("a config file's values keep their place", "[config_files]") {
  const ScratchFolder folder;
  const std::string path = folder.write("batchllm.toml", R"(color = "never"

[run]
model = "openai/gpt-4o-mini"
concurrency = 64
temperature = 0.5
request_timeout = "90s"
deadline = "none"
max_attempts = 3
columns = ["id", "a,b"]
http2 = true
var = { lang = "en", n = 3 }
param = { top_p = 0.9, stop = ["a"], seed = "7", deep = { x = true } }
prompt_file = "prompts/ask.txt"

[simulate]
port = 8080
)");
  const SettingLayer values = read_config_file(path, Layer::user);
  CHECK(values.at("color").texts == List{"never"});
  CHECK(values.at("run.model").place == path + ":4");
  CHECK(values.at("run.concurrency").texts == List{"64"});
  CHECK(values.at("run.temperature").texts == List{"0.5"});
  CHECK(values.at("run.columns").texts == List{"id", "a,b"});
  CHECK(values.at("run.http2").texts == List{"true"});
  CHECK(values.at("run.var").texts == List{"lang=en", "n=3"});
  CHECK(values.at("run.param").texts.size() == 4);
  CHECK_THAT(values.at("run.param").texts[1], ContainsSubstring("seed=\"7\""));
  CHECK(values.at("run.prompt_file").texts == List{folder.path("prompts/ask.txt")});
  CHECK(values.at("simulate.port").texts == List{"8080"});
}

TEST_CASE("what is wrong in a config file is named with its line", "[config_files]") {
  struct Case {
    std::string text;
    std::string message;
    std::string hint;
  };

  const auto c = GENERATE(values<Case>({
      {"[run]\nconcurency = 3\n", ":2: unknown key run.concurency", "did you mean concurrency?"},
      {"[rum]\nmodel = \"a/b\"\n", ":1: unknown key rum", "did you mean run?"},
      {"model = \"a/b\"\n", ":1: unknown key model", "it belongs under [run]"},
      {"[run]\ndry_run = true\n", ":2: unknown key run.dry_run", ""},
      {"run = 3\n", ":1: run must be a table", "write [run]"},
      {"[run]\nconcurrency = \"64\"\n",
       ":2: run.concurrency: expected a whole number, found a string",
       ""},
      {"[run]\nconcurrency = 0\n", ":2: concurrency = 0: must be between 1 and 65536", ""},
      {"[run]\nmodel = 3\n", ":2: run.model: expected a string, found a number", ""},
      {"[run]\nhttp2 = \"yes\"\n", ":2: run.http2: expected true or false, found a string", ""},
      {"[run]\ncolumns = [1]\n", ":2: run.columns: expected a list of strings, found a number", ""},
      {"[run]\nvar = \"a=1\"\n", ":2: run.var: expected a table, found a string", ""},
      {"[run]\nparam = { day = 2026-01-01 }\n", "expected a value that JSON has, found a date", ""},
      {"[run]\norder = \"inpt\"\n", ":2: order = inpt: must be input or completion", ""},
      {"[run\n", ":1: not valid TOML", ""},
      {"yes = true\n", ":1: yes cannot be set in a config file", "use --yes"},
      {"[run]\nmodel = \"\xff\"\n", "not valid TOML", ""},
  }));
  CAPTURE(c.text);
  const Error error = error_in(c.text);
  CHECK(error.code() == ErrorCode::config_invalid);
  CHECK_THAT(error.message(), ContainsSubstring(c.message));
  CHECK_THAT(error.hint(), ContainsSubstring(c.hint));
}

TEST_CASE("a project's file may not set what a cloned repository must not decide",
          "[config_files]") {
  for (const auto* line : {"base_url = \"http://evil\"",
                           "key_env = \"HOME\"",
                           "key_file = \"k\"",
                           "ca_file = \"c\"",
                           "output = \"o\"",
                           "max_cost = 1000"}) {
    CAPTURE(line);
    const std::string text = std::string("[run]\n") + line + "\n";
    CHECK_THAT(error_in(text, Layer::project).message(),
               ContainsSubstring(":2: a project's file may not set run."));
    CHECK(error_in(text, Layer::user).message() == "no error");
  }
}

TEST_CASE("an unreadable or huge config file is refused by name", "[config_files]") {
  const ScratchFolder folder;
  CHECK_THROWS_WITH(read_config_file(folder.path("none.toml"), Layer::user),
                    ContainsSubstring("none.toml: No such file"));
  const std::string path = folder.write("big.toml", std::string((1U << 20U) + 1, '#'));
  CHECK_THROWS_WITH(read_config_file(path, Layer::user), ContainsSubstring("larger than 1.0 MB"));
}

TEST_CASE("the project's file is the nearest above the working folder", "[config_files]") {
  const ScratchFolder folder;
  folder.write("batchllm.toml", "");
  const std::string nearer = folder.write("a/batchllm.toml", "");
  folder.write("a/b/c/x", "");
  const auto files = find_config_files(Directories{}, folder.path("a/b/c"));
  CHECK(files.back().path == nearer);
  CHECK(files.back().layer == Layer::project);
}
