// SPDX-License-Identifier: Apache-2.0
#include "tests/support/catch.h"
#include "tests/unit/daemon/api/api_bench.h"

#include <fmt/format.h>

using namespace batchllm::daemon;

TEST_CASE("a project is made once, shown, changed and removed", "[api][projects]") {
  ApiBench api;
  const auto made = api.ask("POST", "/projects", R"({"name":"p","settings":{"max_running":2}})");
  CHECK(made.status() == 201);
  CHECK(made.at(".settings.max_running") == "2");
  CHECK(api.ask("POST", "/projects", R"({"name":"p"})").at(".code") == "name_taken");
  CHECK(api.ask("GET", "/projects").at(".items[1].name") == "p");
  const auto changed = api.ask("PATCH", "/projects/p", R"({"settings":{"max_running":null}})");
  CHECK(changed.status() == 200);
  CHECK(api.ask("GET", "/projects/p").response.body.find(R"("max_running":null)") !=
        std::string::npos);
  CHECK(api.ask("DELETE", "/projects/p").status() == 204);
  CHECK(api.ask("GET", "/projects/p").at(".code") == "project_not_found");
}

TEST_CASE("a change that leaves the limit out keeps it", "[api][projects]") {
  ApiBench api;
  api.ask("POST", "/projects", R"({"name":"p","settings":{"max_running":2}})");
  CHECK(api.ask("PATCH", "/projects/p", R"({"settings":{}})").at(".settings.max_running") == "2");
}

TEST_CASE("a project with jobs stays, and so does default", "[api][projects]") {
  ApiBench api;
  CHECK(api.ask("DELETE", "/projects/default").at(".code") == "project_in_use");
  const auto task =
      api.ask("POST", "/tasks", R"({"type":"classify","input":"It crashes","project":"support"})");
  REQUIRE(task.status() == 201);
  CHECK(api.ask("DELETE", "/projects/support").at(".code") == "project_in_use");
}

TEST_CASE("a name that a path cannot hold is refused", "[api][projects]") {
  ApiBench api;
  const auto* name = GENERATE("", "a/b", ".hidden", "a b", "-x");
  CAPTURE(name);
  const auto answer = api.ask("POST", "/projects", fmt::format(R"({{"name":"{}"}})", name));
  CHECK(answer.at(".code") == "usage");
}
