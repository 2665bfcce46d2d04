// SPDX-License-Identifier: Apache-2.0
#include "tests/support/catch.h"
#include "tests/unit/daemon/api/api_bench.h"

using namespace batchllm;
using namespace batchllm::daemon;

namespace {

// Two days, two models, two projects.
void use(ApiBench& api) {
  api.store().write([](JobTable& jobs) {
    jobs.database().execute(
        "INSERT INTO usage VALUES (20000, 'a', 'openai/x', 'job_1', 10, 1, 5000, 100, 10), "
        "(20001, 'a', 'groq/y', 'job_2', 20, 0, 1000, 200, 20), "
        "(20001, 'b', 'groq/y', 'job_3', 1, 0, 1, 3, 4)");
  });
}

constexpr auto k_both_days = "?from=2024-10-04";  // to today

}  // namespace

TEST_CASE("usage is summed by what is asked for", "[api][usage]") {
  ApiBench api;
  use(api);
  const auto all = api.ask("GET", std::string("/usage") + k_both_days);
  CHECK(all.at(".total.rows") == "31");
  CHECK(all.at(".total.cost_usd") == "0.006001");
  CHECK(all.at(".items[0].key") == "2024-10-04");
  CHECK(all.at(".items[1].rows") == "21");
  CHECK(api.ask("GET", "/usage?from=2024-10-05").at(".total.rows") == "21");
  CHECK(api.ask("GET", "/usage?group_by=hour").at(".code") == "usage");
  CHECK(api.ask("GET", "/usage?from=2024-13-01").at(".code") == "usage");
  CHECK(api.ask("GET", "/usage?from=yesterday").at(".code") == "usage");
}

TEST_CASE("the dearest model comes first in the costs, every day is there", "[api][usage]") {
  ApiBench api;
  use(api);
  const auto costs = api.ask("GET", std::string("/analytics/cost") + k_both_days);
  CHECK(costs.at(".by_model[0].key") == "openai/x");
  CHECK(costs.at(".by_project[0].cost_usd") == "0.006000");
  CHECK(costs.at(".by_day[2].key") == "2024-10-06");
  CHECK(costs.at(".by_day[2].cost_usd") == "0.000000");
  const auto rows = api.ask("GET", std::string("/analytics/usage") + k_both_days);
  CHECK(rows.at(".by_model[0].key") == "groq/y");
  CHECK(rows.at(".total.input_tokens") == "303");
  CHECK(api.ask("GET", "/analytics/cost?to=9999-12-31").status() == 200);
}

TEST_CASE("the overview counts jobs by state", "[api][usage]") {
  ApiBench api;
  const std::string body = R"({"type":"classify","input":"x"})";
  api.ask("POST", "/tasks", body);
  const std::string id = api.ask("POST", "/tasks", body).at(".id");
  api.ask("POST", "/jobs/" + id + "/cancel");
  const auto overview = api.ask("GET", "/analytics/overview");
  CHECK(overview.at(".jobs") == "2");
  CHECK(overview.at(".states.queued") == "1");
  CHECK(overview.at(".states.cancelled") == "1");
  CHECK(overview.response.body.find(R"("success_rate":null)") != std::string::npos);
}
