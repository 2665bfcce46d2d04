// SPDX-License-Identifier: Apache-2.0
// Results, exports and retries over the API of a running daemon.
#include "core/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"

#include <fmt/format.h>

#include <filesystem>

using namespace batchllm::test;

namespace {

DaemonProcess::Options programs(std::vector<std::string> simulator = {}) {
  return {
      .program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM, .simulator = std::move(simulator)};
}

std::string rows(int count) {
  std::string json = "[";
  for (int row = 1; row <= count; ++row) {
    json += fmt::format("{}{{\"text\":\"t{}\"}}", row == 1 ? "" : ",", row);
  }
  return json + "]";
}

// The pages of a list, one after the other: the rows' numbers.
std::vector<std::string> row_numbers(const DaemonProcess& daemon, const std::string& target) {
  std::vector<std::string> numbers;
  std::string cursor;
  do {
    const ApiAnswer page = daemon.get(target + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (int i = 0; !page.at(fmt::format(".items[{}].row", i)).empty(); ++i) {
      numbers.push_back(page.at(fmt::format(".items[{}].row", i)));
    }
    cursor = page.at(".next_cursor");
  } while (!cursor.empty());
  return numbers;
}

}  // namespace

TEST_CASE("a job that has not begun has no results and an export without rows", "[e2e][daemon]") {
  const DaemonProcess daemon(programs());
  const std::string job = daemon.submit(R"({"not_before":"2099-01-01T00:00:00Z",)" +
                                        daemon.job_body(rows(2)).substr(1));
  CHECK(daemon.get("/jobs/" + job + "/results").body == R"({"items":[],"next_cursor":null})");
  CHECK(daemon.get("/jobs/" + job + "/results/export?format=csv").body == "text,output\n");
  CHECK(daemon.get("/jobs/" + job + "/errors").at(".in_doubt.rows") == "0");
  CHECK(daemon.get("/jobs/job_20260101_000000_aaaa/results").status == 404);
}

TEST_CASE("results of a running job are those that are there", "[e2e][daemon]") {
  const DaemonProcess daemon(programs());
  const std::string job =
      daemon.submit(daemon.job_body(rows(50), "say {text}", R"("rpm":1,"concurrency":1)"));
  REQUIRE(eventually(
      [&] { return !daemon.get("/jobs/" + job + "/results").at(".items[0].row").empty(); }));
  const ApiAnswer page = daemon.get("/jobs/" + job + "/results");
  CHECK(page.at(".items[0].row") == "1");
  CHECK(page.at(".items[0].input.text") == "t1");
  CHECK(page.at(".items[0].status") == "ok");
  CHECK(daemon.get("/jobs/" + job).at(".state") == "running");
  CHECK_THAT(daemon.get("/jobs/" + job + "/results/export?format=jsonl").body,
             ContainsSubstring(R"({"text":"t1","output":)"));
}

TEST_CASE("a retry asks failed rows again and no other, also after the daemon's death",
          "[e2e][daemon]") {
  DaemonProcess daemon(programs({"--fault", "500:50%:first=1"}));
  const std::string first =
      daemon.submit(daemon.job_body(rows(40), "say {text}", R"("max_attempts":1)"));
  const ApiAnswer ended = daemon.wait_for_end(first);
  REQUIRE(ended.at(".state") == "partial");
  CHECK(ended.at(".reason") == "rows_failed");
  const std::string failed = ended.at(".rows.failed");
  CHECK(std::to_string(
            row_numbers(daemon, "/jobs/" + first + "/results?status=failed&limit=3").size()) ==
        failed);
  CHECK(row_numbers(daemon, "/jobs/" + first + "/results?limit=7").size() == 40);
  CHECK(daemon.get("/jobs/" + first + "/errors").at(".groups[0].rows") == failed);
  CHECK(daemon.get("/jobs/" + first + "/errors?limit=1").at(".groups[0].examples[1]").empty());
  CHECK_THAT(daemon.get("/jobs/" + first + "/results/export?format=csv&status=all").body,
             ContainsSubstring("text,output,error\n"));

  const ApiAnswer none = daemon.post("/jobs/" + first + "/retry", R"({"only":["timeout"]})");
  REQUIRE(none.status == 201);
  CHECK(daemon.wait_for_end(none.at(".id")).at(".rows.failed") == failed);
  CHECK(daemon.post("/jobs/" + first + "/retry", R"({"options":{"prompt":"x"}})").status == 400);

  const ApiAnswer again = daemon.post("/jobs/" + first + "/retry", "{}");
  REQUIRE(again.status == 201);
  CHECK(again.at(".retry_of") == first);
  daemon.kill();
  daemon.start();
  const ApiAnswer end = daemon.wait_for_end(again.at(".id"));
  CHECK(end.at(".state") == "succeeded");
  CHECK(end.at(".rows.ok") == "40");
  CHECK(daemon.get("/jobs/" + first).at(".rows.failed") == failed);
  const auto calls = daemon.simulator().calls_by_message();
  for (const std::string& row : row_numbers(daemon, "/jobs/" + first + "/results?status=ok")) {
    CHECK(calls.at("say t" + row) == 1);
  }
}

TEST_CASE("a retry replaces the first job's result at its explicit path", "[e2e][daemon]") {
  const DaemonProcess daemon(programs({"--fault", "500:50%:first=1"}));
  const std::string output = daemon.folder().path("out.csv");
  const std::string first =
      daemon.submit("{\"output_path\":" + batchllm::json_string(output) + "," +
                    daemon.job_body(rows(20), "say {text}", R"("max_attempts":1)").substr(1));
  REQUIRE(daemon.wait_for_end(first).at(".state") == "partial");
  CHECK_THAT(daemon.folder().read("out.csv"), ContainsSubstring("text,output,error"));
  const std::string again = daemon.post("/jobs/" + first + "/retry", "").at(".id");
  const ApiAnswer end = daemon.wait_for_end(again);
  CAPTURE(end.body);
  CHECK(end.at(".state") == "succeeded");
  CHECK_THAT(daemon.folder().read("out.csv"), ContainsSubstring("text,output\n"));
  CHECK(daemon.post("/jobs/" + again + "/retry", "{}").status == 409);
}

TEST_CASE("a job that was cancelled before it began is retried from its start", "[e2e][daemon]") {
  const DaemonProcess daemon(programs());
  const std::string job = daemon.submit(R"({"not_before":"2099-01-01T00:00:00Z",)" +
                                        daemon.job_body(rows(2)).substr(1));
  CHECK(daemon.post("/jobs/" + job + "/retry", "{}").status == 409);
  CHECK(daemon.post("/jobs/" + job + "/cancel", "").status == 200);
  const std::string again = daemon.post("/jobs/" + job + "/retry", "{}").at(".id");
  CHECK(daemon.wait_for_end(again).at(".rows.ok") == "2");
}

TEST_CASE("a job begins in a folder that a worker left before it had written anything",
          "[e2e][daemon]") {
  const DaemonProcess daemon(programs());
  const std::string job =
      daemon.submit(R"({"approval":true,)" + daemon.job_body(rows(2)).substr(1));
  REQUIRE(daemon.wait_for_state(job, "waiting_input"));
  std::filesystem::create_directories(daemon.state_folder() + "/jobs/" + job);
  CHECK(daemon.post("/jobs/" + job + "/answer", R"({"answer":"yes"})").status == 200);
  CHECK(daemon.wait_for_end(job).at(".rows.ok") == "2");
}
