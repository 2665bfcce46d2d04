// SPDX-License-Identifier: Apache-2.0
#include "core/job_record.h"
#include "core/secret.h"
#include "tests/support/catch.h"
#include "tests/support/thrown_error.h"
#include "tests/unit/daemon/api/api_bench.h"

#include <utility>
#include <vector>

using namespace batchllm;
using namespace batchllm::daemon;

namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

QueuedJob job_of(std::string model, std::string base_url = {}) {
  QueuedJob job;
  job.id = "job_a";
  job.model = std::move(model);
  JobRecord record;
  record.settings.model.model = job.model;
  record.settings.model.base_url = std::move(base_url);
  job.record = job_record_json(record);
  return job;
}

}  // namespace

TEST_CASE("a stored key is shown masked, and its job gets it", "[api][keys]") {
  ApiBench api;
  const auto made =
      api.ask("POST", "/api-keys", R"({"provider":"openai","key":"sk-made-up-1234567890"})");
  REQUIRE(made.status() == 201);
  CHECK(made.at(".label") == "default");
  CHECK(made.at(".masked") == "sk-…7890");
  CHECK(made.response.body.find("made-up") == std::string::npos);
  CHECK(api.ask("GET", "/api-keys").response.body.find("made-up") == std::string::npos);
  CHECK(api.keys().find(job_of("openai/gpt-4o-mini")) ==
        Variables{{"OPENAI_API_KEY", "sk-made-up-1234567890"}});
  CHECK(api.keys().find(job_of("groq/any")).empty());
  CHECK(api.ask("DELETE", "/api-keys/" + made.at(".id")).status() == 204);
  CHECK(api.keys().find(job_of("openai/gpt-4o-mini")).empty());
  CHECK(api.ask("DELETE", "/api-keys/" + made.at(".id")).at(".code") == "key_not_found");
}

TEST_CASE("of several keys of a provider the newest counts", "[api][keys]") {
  ApiBench api;
  api.ask("POST", "/api-keys", R"({"provider":"groq","label":"old","key":"gsk_first"})");
  api.ask("POST", "/api-keys", R"({"provider":"groq","label":"new","key":"gsk_second"})");
  CHECK(api.keys().find(job_of("groq/any")) == Variables{{"GROQ_API_KEY", "gsk_second"}});
  const auto again =
      api.ask("POST", "/api-keys", R"({"provider":"groq","label":"new","key":"gsk_third"})");
  CHECK(again.at(".code") == "name_taken");
}

TEST_CASE("a key that cannot be used is refused, and not repeated", "[api][keys]") {
  ApiBench api;
  const auto* body = GENERATE(R"({"provider":"opanai","key":"planted"})",
                              R"({"provider":"ollama","key":"planted"})",
                              R"({"provider":"openai","key":"planted two"})",
                              R"({"provider":"openai","key":""})",
                              R"({"provider":"openai"})");
  CAPTURE(body);
  const auto answer = api.ask("POST", "/api-keys", body);
  CHECK(answer.at(".code") == "usage");
  CHECK(answer.response.body.find("planted") == std::string::npos);
}

TEST_CASE("a key sealed with a vault key that is gone is counted, and fails its job",
          "[api][keys]") {
  ApiBench api;
  api.ask("POST", "/api-keys", R"({"provider":"openai","key":"sk-made-up-1234567890"})");
  CHECK(api.keys().count_unreadable() == 0);
  const secrets::KeyVault other(api.folder().path("other.key"));
  ProviderKeys keys(api.store(), other, ModelCatalog::built_in());
  CHECK(keys.count_unreadable() == 1);
  const auto error = thrown_error([&] { keys.find(job_of("openai/any")); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::vault_unreadable);
}

TEST_CASE("a job that brought its key gets that one until it is forgotten", "[api][keys]") {
  ApiBench api;
  api.ask("POST", "/api-keys", R"({"provider":"openai","key":"sk-stored"})");
  QueuedJob job = job_of("openai/any");
  job.policy.brings_key = true;
  api.keys().put(job.id, Secret("sk-brought"));
  CHECK(api.keys().find(job) == Variables{{"BATCHLLM_REQUEST_KEY", "sk-brought"}});
  api.keys().forget(job.id);
  const auto error = thrown_error([&] { api.keys().find(job); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::key_missing);
  CHECK(error->message().find("memory only") != std::string::npos);
}

TEST_CASE("a stored key does not go to a server that a stranger names", "[api][keys]") {
  ApiBench api;
  api.ask("POST", "/api-keys", R"({"provider":"openai","key":"sk-stored"})");
  QueuedJob job = job_of("openai/any", "https://elsewhere.example/v1");
  CHECK(api.keys().find(job).empty());
  job.policy.trusts_environment = true;
  CHECK(api.keys().find(job) == Variables{{"OPENAI_API_KEY", "sk-stored"}});
}

TEST_CASE("a job gets the keys of all providers that its steps ask", "[api][keys]") {
  ApiBench api;
  api.ask("POST", "/api-keys", R"({"provider":"openai","key":"sk-stored"})");
  api.ask("POST", "/api-keys", R"({"provider":"anthropic","key":"sk-ant-stored"})");
  QueuedJob job = job_of("openai/any");
  JobRecord record = parse_job_record(job.record, job.id);
  for (const char* model : {"anthropic/one", "openai/other", "ollama/local", "anthropic/two"}) {
    record.later_steps.emplace_back().model.model = model;
  }
  job.record = job_record_json(record);
  const std::pair<std::string, std::string> of_anthropic = {"ANTHROPIC_API_KEY", "sk-ant-stored"};
  CHECK(api.keys().find(job) == Variables{{"OPENAI_API_KEY", "sk-stored"}, of_anthropic});
  job.policy.brings_key = true;
  api.keys().put(job.id, Secret("sk-brought"));
  CHECK(api.keys().find(job) == Variables{{"BATCHLLM_REQUEST_KEY", "sk-brought"}, of_anthropic});
  record.settings.model.base_url = "https://elsewhere.example/v1";
  job.record = job_record_json(record);
  CHECK(api.keys().find(job) == Variables{{"BATCHLLM_REQUEST_KEY", "sk-brought"}});
}
