// SPDX-License-Identifier: Apache-2.0
#include "core/job_record.h"
#include "tests/support/catch.h"
#include "tests/unit/daemon/api/api_bench.h"

using namespace batchllm;
using namespace batchllm::daemon;

namespace {

QueuedJob job_of(ApiBench& api, const std::string& id) {
  return api.store().read([&id](sql::Database& database) { return require_job(database, id); });
}

}  // namespace

TEST_CASE("the templates of the gallery are task types", "[api][tasks]") {
  ApiBench api;
  const auto types = api.ask("GET", "/task-types");
  CHECK(types.status() == 200);
  const std::string& text = types.response.body;
  for (const std::string name :
       {"classify", "extract", "extract-fields", "summarize", "translate"}) {
    CHECK(text.find("\"name\":\"" + name + "\"") != std::string::npos);
  }
  CHECK(text.find(R"("inputs":["language","text"])") != std::string::npos);
}

TEST_CASE("a task is a job of one row under the same id", "[api][tasks]") {
  ApiBench api;
  const auto task = api.ask(
      "POST",
      "/tasks",
      R"({"type":"translate","input":{"text":"hello","language":"German"},"priority":7,"tags":{"a":"b"}})");
  REQUIRE(task.status() == 201);
  CHECK(task.at(".status") == "pending");
  CHECK(task.at(".type") == "translate");
  CHECK(task.at(".input.text") == "hello");
  CHECK(task.at(".input.language") == "German");
  CHECK(task.at(".model") == "openai/gpt-4o-mini");
  CHECK(task.at(".tags.a") == "b");
  const QueuedJob job = job_of(api, task.at(".id"));
  CHECK(job.kind == JobKind::task);
  CHECK(job.view.priority == 7);
  const JobRecord record = parse_job_record(job.record, "test");
  REQUIRE(record.messages.size() == 2);
  CHECK(record.messages[1].text == "{text}");
  CHECK(api.ask("GET", "/tasks/" + job.id).at(".id") == job.id);
  CHECK(api.ask("GET", "/jobs/" + job.id).at(".kind") == "task");
}

TEST_CASE("the request's model counts before the daemon's, that before the template's",
          "[api][tasks]") {
  ApiBench plain;
  ApiBench chosen("groq/llama-3.1-8b-instant");
  const std::string task = R"({"type":"classify","input":"It crashes"})";
  CHECK(plain.ask("POST", "/tasks", task).at(".model") == "openai/gpt-4o-mini");
  CHECK(chosen.ask("POST", "/tasks", task).at(".model") == "groq/llama-3.1-8b-instant");
  CHECK(chosen.ask("GET", "/task-types").at(".items[0].model") == "groq/llama-3.1-8b-instant");
  CHECK(chosen.ask("POST", "/tasks", R"({"type":"classify","input":"x","model":"ollama/a"})")
            .at(".model") == "ollama/a");
  CHECK(
      chosen
          .ask("POST", "/tasks", R"({"type":"classify","input":"x","options":{"model":"vllm/a"}})")
          .at(".model") == "vllm/a");
}

TEST_CASE("a task that cannot be is refused and not queued", "[api][tasks]") {
  struct Case {
    std::string body;
    std::string code;
  };

  const auto c = GENERATE(values<Case>({
      {R"({"type":"sumarize","input":"x"})", "task_type_unknown"},
      {R"({"type":"summarize","input":"x"})", "column_missing"},
      {R"({"type":"summarize","input":{"txet":"x","language":"German"}})", "column_missing"},
      {R"({"type":"classify","input":""})", "usage"},
      {R"({"type":"classify","input":{}})", "usage"},
      {R"({"type":"classify","input":["x"]})", "usage"},
      {R"({"type":"classify","input":"x","model":"opanai/x"})", "model_unknown"},
      {R"({"type":"classify","input":"x","model":"vllm/a","options":{"model":"vllm/b"}})", "usage"},
      {R"({"type":"classify","input":"x","options":{"prompt":"my own"}})", "usage"},
      {R"({"type":"classify"})", "usage"},
      {R"({"input":"x"})", "usage"},
  }));
  CAPTURE(c.body);
  ApiBench api;
  CHECK(api.ask("POST", "/tasks", c.body).at(".code") == c.code);
  CHECK(api.ask("GET", "/tasks").at(".items").find("job_") == std::string::npos);
}

TEST_CASE("tasks are listed by their status, newest first, in pages", "[api][tasks]") {
  ApiBench api;
  const std::string body = R"({"type":"classify","input":"x"})";
  const std::string first = api.ask("POST", "/tasks", body).at(".id");
  const std::string second = api.ask("POST", "/tasks", body).at(".id");
  api.ask("POST", "/jobs/" + first + "/cancel");
  CHECK(api.ask("GET", "/tasks?status_filter=pending").at(".items[0].id") == second);
  const auto ended = api.ask("GET", "/tasks?status_filter=error");
  CHECK(ended.at(".items[0].id") == first);
  CHECK(ended.at(".items[0].failure") == "cancelled");
  CHECK(ended.at(".items[1].id").empty());
  const auto page = api.ask("GET", "/tasks?limit=1");
  CHECK(page.at(".items[0].id") == second);
  CHECK(api.ask("GET", "/tasks?cursor=" + page.at(".next_cursor")).at(".items[0].id") == first);
  CHECK(api.ask("GET", "/tasks?status_filter=succeeded").at(".code") == "usage");
}

TEST_CASE("an ended task takes tags and keeps its priority", "[api][tasks]") {
  ApiBench api;
  const std::string id = api.ask("POST", "/tasks", R"({"type":"classify","input":"x"})").at(".id");
  CHECK(api.ask("PATCH", "/tasks/" + id, R"({"priority":5})").at(".priority") == "5");
  api.ask("POST", "/jobs/" + id + "/cancel");
  CHECK(api.ask("PATCH", "/tasks/" + id, R"({"tags":{"a":"b"}})").at(".tags.a") == "b");
  CHECK(api.ask("PATCH", "/tasks/" + id, R"({"priority":6})").at(".code") == "job_conflict");
}

TEST_CASE("a task that waits is removed at once, with its input", "[api][tasks]") {
  ApiBench api;
  const std::string id = api.ask("POST", "/tasks", R"({"type":"classify","input":"x"})").at(".id");
  CHECK(api.ask("DELETE", "/tasks/" + id).status() == 204);
  CHECK(api.ask("GET", "/tasks/" + id).at(".code") == "task_not_found");
  CHECK(api.context().content.list().empty());
}

TEST_CASE("a job of another kind is no task", "[api][tasks]") {
  ApiBench api;
  const std::string id =
      api.ask("POST",
              "/jobs",
              R"({"input":{"rows":[{"text":"x"}]},"options":{"model":"vllm/a","prompt":"{text}"}})")
          .at(".id");
  REQUIRE_FALSE(id.empty());
  CHECK(api.ask("GET", "/tasks/" + id).at(".code") == "task_not_found");
  CHECK(api.ask("DELETE", "/tasks/" + id).at(".code") == "task_not_found");
  CHECK(api.ask("GET", "/jobs/" + id).at(".state") == "queued");
}

TEST_CASE("only a job of the daemon's own user on the socket may name any variable",
          "[api][keys]") {
  ApiBench api;
  const std::string body = R"({"type":"classify","input":"x"})";
  const std::string own = api.ask("POST", "/tasks", body).at(".id");
  const std::string other = api.ask_over_tcp("POST", "/tasks", body).at(".id");
  CHECK(job_of(api, own).policy.trusts_environment);
  CHECK_FALSE(job_of(api, other).policy.trusts_environment);
}
