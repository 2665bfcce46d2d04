// SPDX-License-Identifier: Apache-2.0
// `batchllm models`: what is known of models, and what providers say of theirs.
#include "tests/support/catch.h"
#include "tests/support/job.h"
#include "tests/support/raw_http_server.h"

#include <atomic>
#include <filesystem>

using namespace batchllm::test;
using batchllm::RawHttpServer;

namespace {

constexpr const char* k_key = "sk-planted-0123456789abcdef";

std::string without_slash(std::string url) {
  if (url.ends_with('/')) {
    url.pop_back();
  }
  return url;
}

// A folder with a cache, and a config file with the providers that a test wants.
struct Models {
  Workspace workspace{BATCHLLM_PROGRAM};
  std::string config;  // of config.toml

  ProcessResult call(const Words& words) const {
    ProcessOptions command = workspace.command(words);
    command.environment.erase("BATCHLLM_NO_CONFIG");
    command.environment["BATCHLLM_CONFIG"] = workspace.write("config.toml", config);
    command.environment["XDG_CACHE_HOME"] = workspace.path("cache");
    command.environment["MY_KEY"] = k_key;
    return run_process(command);
  }

  void add_provider(const std::string& name, const std::string& type, const std::string& url) {
    config += "[providers." + name + "]\ntype = \"" + type + "\"\nbase_url = \"" + url +
              "\"\nkey_env = \"MY_KEY\"\n";
  }
};

}  // namespace

TEST_CASE("models are listed with context, prices and features", "[e2e][models]") {
  const Models models;
  const auto table = models.call({"models", "list", "--provider", "openai"});
  CHECK(table.exit_code == 0);
  CHECK_THAT(table.output_text, ContainsSubstring("openai/gpt-4o-mini "));
  const auto document = models.call({"models", "show", "gpt-4o-mini", "--json"});
  CHECK(document.exit_code == 0);
  CHECK(json_at(document.output_text, ".schema") == "batchllm.model/1");
  CHECK(json_at(document.output_text, ".model") == "openai/gpt-4o-mini");
  CHECK(json_at(document.output_text, ".price.input_usd") == "0.150000");
  CHECK(json_at(document.output_text, ".context_tokens") == "128000");
  CHECK(json_at(document.output_text, ".key_env[0]") == "OPENAI_API_KEY");
}

TEST_CASE("a model that nobody knows is named with its nearest", "[e2e][models]") {
  const Models models;
  const std::string name = GENERATE("openai/gpt-4o-mni", "gpt-4o-mni", "openi/gpt-4o-mini");
  CAPTURE(name);
  const auto result = models.call({"models", "show", name});
  CHECK(result.exit_code == 9);
  CHECK_THAT(result.error_text, ContainsSubstring("gpt-4o-mini?"));
}

TEST_CASE("each dialect's own list is read and kept for later", "[e2e][models]") {
  struct Case {
    std::string type;
    std::string path;    // of the base URL
    std::string target;  // what is asked
    std::string header;  // that holds the key
    std::string body;
  };

  const auto c = GENERATE(values<Case>({
      {"openai",
       "/v1",
       "GET /v1/models ",
       "Authorization: Bearer ",
       R"({"data":[{"id":"m1","context_window":4096},{"id":"a b"}]})"},
      {"responses",
       "/v1",
       "GET /v1/models ",
       "Authorization: Bearer ",
       R"([{"id":"m1","context_length":4096}])"},
      {"anthropic",
       "",
       "GET /v1/models?limit=1000 ",
       "x-api-key: ",
       R"({"data":[{"id":"m1","max_input_tokens":4096}],"has_more":false})"},
      {"gemini",
       "",
       "GET /v1beta/models?pageSize=1000 ",
       "x-goog-api-key: ",
       R"({"models":[{"name":"models/m1","inputTokenLimit":4096}]})"},
      {"cohere",
       "",
       "GET /v1/models?page_size=1000&endpoint=chat ",
       "Authorization: Bearer ",
       R"({"models":[{"name":"m1","context_length":4096}]})"},
      {"ollama",
       "",
       "GET /api/tags ",
       "Authorization: Bearer ",
       R"({"models":[{"name":"m1","context_length":4096}]})"},
  }));
  CAPTURE(c.type);
  std::string head;
  RawHttpServer server([&](const batchllm::RawRequest& request) {
    head = request.head;
    return batchllm::RawReply{RawHttpServer::ok(c.body)};
  });
  Models models;
  models.add_provider("mine", c.type, without_slash(server.url()) + c.path);
  const auto asked = models.call({"models", "list", "--provider", "mine", "--refresh", "--json"});
  CAPTURE(asked.error_text, head);
  CHECK(asked.exit_code == 0);
  CHECK(json_at(asked.output_text, ".asked[0].state") == "ok");
  CHECK(head.starts_with(c.target));
  CHECK_THAT(head, ContainsSubstring(c.header + k_key));
  const auto later = models.call({"models", "list", "--provider", "mine", "--json"});
  CHECK(server.requests() == 1);
  CHECK(json_at(later.output_text, ".models[0].model") == "mine/m1");
  CHECK(json_at(later.output_text, ".models[0].context_tokens") == "4096");
  CHECK(json_at(later.output_text, ".models[1].model").empty());
  const auto mode = std::filesystem::status(models.workspace.path("cache/batchllm/models.json"));
  CHECK((mode.permissions() & std::filesystem::perms(077)) == std::filesystem::perms::none);
}

TEST_CASE("a list that comes in parts is read to its end", "[e2e][models]") {
  struct Case {
    std::string type;
    std::string parameter;  // that asks for the next part
    std::string first;
    std::string second;
  };

  const auto c = GENERATE(values<Case>({
      {"anthropic",
       "&after_id=m%2F1 ",
       R"({"data":[{"id":"m/1"}],"has_more":true,"last_id":"m/1"})",
       R"({"data":[{"id":"m2"}],"has_more":false,"last_id":"m2"})"},
      {"gemini",
       "&pageToken=a%26b ",
       R"({"models":[{"name":"models/m/1"}],"nextPageToken":"a&b"})",
       R"({"models":[{"name":"models/m2"}]})"},
      {"cohere",
       "&page_token=t ",
       R"({"models":[{"name":"m/1"}],"next_page_token":"t"})",
       R"({"models":[{"name":"m2"}],"next_page_token":""})"},
  }));
  CAPTURE(c.type);
  RawHttpServer server([&](const batchllm::RawRequest& request) {
    const bool is_next = request.head.substr(0, request.head.find("HTTP/")).ends_with(c.parameter);
    return batchllm::RawReply{RawHttpServer::ok(is_next ? c.second : c.first)};
  });
  Models models;
  models.add_provider("mine", c.type, without_slash(server.url()));
  const auto asked = models.call({"models", "list", "--provider", "mine", "--refresh", "--json"});
  CAPTURE(asked.error_text);
  CHECK(asked.exit_code == 0);
  CHECK(server.requests() == 2);
  CHECK(json_at(asked.output_text, ".models[0].model") == "mine/m/1");
  CHECK(json_at(asked.output_text, ".models[1].model") == "mine/m2");
  CHECK(json_at(asked.output_text, ".asked[0].is_cut") == "false");
  // A key is checked by one request, whatever it brings.
  CHECK(models.call({"keys", "test", "mine"}).exit_code == 0);
  CHECK(server.requests() == 3);
}

TEST_CASE("a list that never ends is given up, and said to be cut", "[e2e][models]") {
  const bool knows_parameter = GENERATE(true, false);
  std::atomic<int> parts = 0;
  RawHttpServer server([&](const batchllm::RawRequest&) {
    const std::string id = "m" + std::to_string(knows_parameter ? ++parts : 1);
    return batchllm::RawReply{RawHttpServer::ok(
        R"({"data":[{"id":")" + id + R"("}],"has_more":true,"last_id":")" + id + R"("})")};
  });
  Models models;
  models.add_provider("mine", "anthropic", without_slash(server.url()));
  const auto asked = models.call({"models", "list", "--provider", "mine", "--refresh", "--json"});
  CHECK(asked.exit_code == 0);
  CHECK(server.requests() == (knows_parameter ? 50U : 2U));
  CHECK(json_at(asked.output_text, ".asked[0].models") == (knows_parameter ? "50" : "1"));
  CHECK(json_at(asked.output_text, ".asked[0].is_cut") == "true");
}

TEST_CASE("the simulator's lists are read in every dialect", "[e2e][models]") {
  struct Case {
    std::string type;
    std::string model;
    std::string after_base = {};
  };

  const auto c = GENERATE(values<Case>({{"openai", "gpt-4o-mini", "/v1"},
                                        {"anthropic", "claude-sonnet-5"},
                                        {"gemini", "gemini-2.5-pro"},
                                        {"cohere", "command-a-03-2025"},
                                        {"ollama", "llama3.2:latest"}}));
  CAPTURE(c.type);
  const SimulatorProcess simulator(BATCHLLM_PROGRAM, {"--require-key", k_key});
  std::string url = simulator.base_url();
  url.erase(url.rfind("/v1"));
  Models models;
  models.add_provider("mine", c.type, url + c.after_base);
  const auto asked = models.call({"models", "list", "--provider", "mine", "--refresh"});
  CAPTURE(asked.error_text);
  CHECK(asked.exit_code == 0);
  CHECK_THAT(asked.output_text, ContainsSubstring("mine/" + c.model));
}

TEST_CASE("a provider that fails does not spoil the others", "[e2e][models]") {
  RawHttpServer good([](const batchllm::RawRequest&) {
    return batchllm::RawReply{RawHttpServer::ok(R"({"data":[{"id":"m1"}]})")};
  });
  RawHttpServer broken(
      [](const batchllm::RawRequest&) { return batchllm::RawReply{RawHttpServer::ok("<html>")}; });
  Models models;
  models.add_provider("good", "openai", good.url());
  models.add_provider("broken", "openai", broken.url());
  models.add_provider("gone", "openai", "http://127.0.0.1:1");
  const auto result = models.call({"models", "list", "--refresh"});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.output_text, ContainsSubstring("good/m1"));
  CHECK_THAT(result.error_text, ContainsSubstring("good: 1 model"));
  CHECK_THAT(result.error_text, ContainsSubstring("broken: the answer is not a list of models"));
  CHECK_THAT(result.error_text, ContainsSubstring("gone: "));
  CHECK_THAT(result.error_text, ContainsSubstring("No key, not asked: "));
  CHECK(models.call({"models", "list", "--provider", "gone", "--refresh"}).exit_code == 7);
}
