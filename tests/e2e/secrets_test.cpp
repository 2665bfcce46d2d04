// SPDX-License-Identifier: Apache-2.0
// Keys are planted wherever they may lie; a server sends back what it was sent; no command says or
// writes them anywhere.
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"
#include "tests/support/job.h"
#include "tests/support/raw_http_server.h"

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace batchllm::test;
using batchllm::RawHttpServer;

namespace {

namespace fs = std::filesystem;

// None has a shape that gives it away.
const std::map<std::string, std::string> k_planted = {
    {"environment", "plantedinvariable0123456789"},
    {"key file", "plantedinfile0123456789"},
    {"key store", "plantedinstore0123456789"},
    {"proxy", "plantedinproxy0123456789"},
    {"base URL", "plantedinurl0123456789"},
    {"AWS", "plantedinaws/+0123456789"},
};

std::string reply(int status, const std::string& text) {
  std::string message;
  for (const char letter : text) {
    message += letter == '"' || letter == '\\' ? ' ' : letter < ' ' ? ';' : letter;
  }
  const std::string body = R"({"error":{"type":"invalid_request_error","message":")" + message +
                           R"("},"message":")" + message + "\"}";
  return "HTTP/1.1 " + std::to_string(status) +
         " No\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// What a provider must not do: its errors repeat the headers, keys and all.
class Echo {
 public:
  explicit Echo(int status)
      : server_([status](const batchllm::RawRequest& request) {
          return batchllm::RawReply{reply(status, "you sent " + request.head)};
        }) {}

  std::string url() const { return server_.url(); }

  std::size_t requests() const { return server_.requests(); }

 private:
  RawHttpServer server_;
};

// A user with keys everywhere, a daemon, and providers that all are `echo`.
class PlantedUser {
 public:
  explicit PlantedUser(const Echo& echo)
      : daemon_({.program = BATCHLLM_DAEMON,
                 .batchllm = BATCHLLM_PROGRAM,
                 .config = "[providers.groq]\nbase_url = \"" + echo.url() + "\"\n",
                 .starts = false}),
        url_(echo.url()) {
    daemon_.folder().write("planted/anthropic", k_planted.at("key file") + "\n");
    daemon_.folder().write("in.csv", csv_of_rows(2));
    REQUIRE(daemon_.try_start(variables()));
  }

  std::map<std::string, std::string> variables() const {
    return {{"OPENAI_API_KEY", k_planted.at("environment")},
            {"OPENAI_BASE_URL", url_},
            {"ANTHROPIC_API_KEY_FILE", daemon_.folder().path("planted/anthropic")},
            {"ANTHROPIC_BASE_URL", url_},
            {"TOGETHER_BASE_URL", "http://u:" + k_planted.at("base URL") + "@127.0.0.1:1"},
            {"HTTPS_PROXY", "http://u:" + k_planted.at("proxy") + "@127.0.0.1:1"},
            {"AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"},
            {"AWS_SECRET_ACCESS_KEY", k_planted.at("AWS")},
            {"AWS_REGION", "eu-central-1"},
            {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url_},
            {"XDG_CACHE_HOME", daemon_.folder().path("cache")},
            {"XDG_DATA_HOME", daemon_.folder().path("data")}};
  }

  ProcessResult call(const Words& words, const std::string& input = {}) const {
    ProcessOptions options = daemon_.command(words);
    options.folder = daemon_.folder().path();
    options.input = input;
    for (const auto& [name, value] : variables()) {
      options.environment[name] = value;
    }
    ProcessResult result = run_process(options);
    said_ += result.output_text + result.error_text;
    return result;
  }

  // Where planted keys came to light: in what was said, or in a file.
  Words leaks() const {
    Words found;
    const auto look = [&found](const std::string& where, const std::string& text) {
      for (const auto& [name, key] : k_planted) {
        if (text.find(key) != std::string::npos) {
          found.push_back(name + " in " + where);
        }
      }
    };
    look("output", said_);
    for (const auto& entry : fs::recursive_directory_iterator(daemon_.folder().path())) {
      const bool is_source = entry.path().parent_path().filename() == "planted";
      if (entry.is_regular_file() && !is_source) {
        std::stringstream text;
        text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
        look(entry.path().string(), text.str());
      }
    }
    return found;
  }

  std::string said() const { return said_; }

  const DaemonProcess& daemon() const { return daemon_; }

 private:
  DaemonProcess daemon_;
  std::string url_;
  mutable std::string said_;
};

}  // namespace

TEST_CASE("no command says or writes a key, even when the provider does", "[e2e][secrets]") {
  const int status = GENERATE(400, 401);
  const std::string model =
      GENERATE("openai/gpt-4o-mini", "anthropic/claude-opus-4-5", "groq/some", "bedrock/some");
  CAPTURE(status, model);
  const Echo echo(status);
  const PlantedUser user(echo);
  CHECK(user.call({"keys", "set", "groq", "--stdin"}, k_planted.at("key store")).exit_code == 0);

  const Words run = {"run", "in.csv", "-m", model, "-p", "say {text}", "-o", "out.csv", "-vv"};
  CHECK(user.call(run).exit_code == (status == 401 ? 6 : 4));
  CHECK(echo.requests() != 0);
  user.call({"resume", "--json"});
  const std::string id(json_at(user.call({"jobs", "list", "--json"}).output_text, ".jobs[0].job"));
  user.call({"jobs", "list"});
  for (const char* command : {"show", "errors"}) {
    user.call({"results", command, id});
    user.call({"results", command, id, "--json"});
  }
  user.call({"submit", "in.csv", "-m", model, "-p", "say {text}", "-o", "queued.csv", "--wait"});
  user.call({"jobs", "list", "--json"});
  user.call({"daemon", "status"});
  user.call({"keys", "test"});
  user.call({"keys", "list"});
  user.call({"keys", "list", "--json"});
  user.call({"models", "list", "--refresh", "--json"});
  user.call({"doctor", "--online"});
  user.call({"doctor", "--online", "--json"});
  CHECK_THAT(user.said(), ContainsSubstring("you sent"));
  CHECK(user.leaks() == Words{});
}

TEST_CASE("what is written into addresses, prompts and settings is not repeated",
          "[e2e][secrets]") {
  const Echo echo(400);
  const PlantedUser user(echo);
  const std::string url = "http://u:" + k_planted.at("base URL") + "@127.0.0.1:1/v1";
  const Words run = {"run", "in.csv", "-m", "openai/gpt-4o-mini", "-p", "say {text}"};
  Words with_url = run;
  with_url.insert(with_url.end(), {"--base-url", url});
  CHECK(user.call(with_url).exit_code == 2);
  with_url.front() = "submit";
  CHECK(user.call(with_url).exit_code == 2);
  CHECK(user.call({"models", "show", "together/zai-org/GLM-5.3", "--json"}).exit_code == 0);
  CHECK(user.call({"config", "explain", "--json"}).exit_code == 0);
  Words prompt = run;
  prompt.insert(prompt.end(), {"--show-prompts", "1", "--system", k_planted.at("environment")});
  const auto shown = user.call(prompt);
  CHECK(shown.exit_code == 0);
  CHECK_THAT(shown.output_text, ContainsSubstring("***"));
  CHECK(user.leaks() == Words{});
}
