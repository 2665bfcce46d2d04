// SPDX-License-Identifier: Apache-2.0
// What a daemon does by itself as time passes.
#include "core/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/daemon_process.h"

#include <filesystem>

using namespace batchllm::test;
using batchllm::json_string;

namespace {

// A schedule of the file, far from firing.
std::string schedule_body(DaemonProcess& daemon, const std::string& path) {
  return R"({"name":"nightly","cron":"0 0 1 1 *","timezone":"Europe/Berlin","job":{"input":{"path":)" +
         json_string(path) +
         R"(},"options":{"model":"simulator/any","prompt":"say {text}","base_url":)" +
         json_string(daemon.simulator().base_url()) + "}}}";
}

}  // namespace

TEST_CASE("a schedule reads its input anew each time it fires", "[e2e][daemon][schedules]") {
  DaemonProcess daemon({.program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM});
  const std::string input = daemon.folder().path("rows.csv");
  const ApiAnswer made = daemon.post("/schedules", schedule_body(daemon, input));
  CAPTURE(made.body);
  REQUIRE(made.status == 201);
  const std::string place = "/schedules/" + made.at(".id");
  const ApiAnswer early = daemon.post(place + "/run-now", "");
  CHECK(early.status == 422);
  CHECK(early.at(".code") == "input_missing");

  daemon.folder().write("rows.csv", "id,text\n1,one\n");
  const ApiAnswer first = daemon.post(place + "/run-now", "");
  CHECK(first.status == 201);
  daemon.folder().write("rows.csv", "id,text\n1,one\n2,two\n3,three\n");
  const ApiAnswer second = daemon.post(place + "/run-now", "");
  CHECK(daemon.wait_for_end(first.at(".id")).at(".rows.ok") == "1");
  const ApiAnswer end = daemon.wait_for_end(second.at(".id"));
  CHECK(end.at(".rows.ok") == "3");
  CHECK(end.at(".schedule_id") == made.at(".id"));
}

TEST_CASE("what a schedule is told it keeps, paused or not, over a crash",
          "[e2e][daemon][schedules]") {
  DaemonProcess daemon({.program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM});
  const ApiAnswer made = daemon.post("/schedules", schedule_body(daemon, "/nowhere.csv"));
  const std::string place = "/schedules/" + made.at(".id");
  const ApiAnswer next = daemon.get(place + "/next?count=2");
  CHECK(next.at(".items[0].at") == made.at(".next_at"));
  CHECK_THAT(next.at(".items[1].local"), ContainsSubstring("-01-01T00:00:00.000+01:00"));
  CHECK(daemon.post("/schedules", schedule_body(daemon, "/nowhere.csv")).at(".code") ==
        "name_taken");

  const ApiAnswer changed =
      daemon.send("PATCH", place, R"({"cron":"@daily","overlap":"queue_one"})");
  CHECK(changed.at(".cron") == "@daily");
  CHECK(changed.at(".name") == "nightly");
  CHECK(daemon.post(place + "/pause", "").at(".next_at").empty());
  daemon.kill();
  daemon.start();
  CHECK(daemon.get(place).at(".enabled") == "false");
  const ApiAnswer resumed = daemon.post(place + "/resume", "");
  CHECK(resumed.at(".enabled") == "true");
  CHECK(resumed.at(".next_at") > resumed.at(".updated_at"));
  CHECK(daemon.send("DELETE", place).status == 204);
  CHECK(daemon.get(place).at(".code") == "schedule_not_found");
  CHECK(daemon.get("/schedules").at(".items[0].id").empty());
}

TEST_CASE("a schedule that cannot be is refused with the member that is wrong",
          "[e2e][daemon][schedules]") {
  DaemonProcess daemon({.program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM});
  const std::string good = schedule_body(daemon, "/nowhere.csv");
  const auto refused = [&](const std::string& part, const std::string& instead) {
    std::string body = good;
    body.replace(body.find(part), part.size(), instead);
    const ApiAnswer answer = daemon.post("/schedules", body);
    CAPTURE(answer.body);
    CHECK(answer.status == 400);
    return answer.at(".detail");
  };
  CHECK_THAT(refused("0 0 1 1 *", "61 0 1 1 *"), ContainsSubstring("61"));
  CHECK_THAT(refused("Europe/Berlin", "Europe/Berlim"), ContainsSubstring("Europe/Berlim"));
  CHECK_THAT(refused("\"prompt\"", "\"promt\""), ContainsSubstring("promt"));
  CHECK_THAT(refused("say {text}", "say {text|no_such_filter}"),
             ContainsSubstring("no_such_filter"));
  CHECK(daemon.get("/schedules").at(".items[0].id").empty());
}

TEST_CASE("a job is gone with its files when its retention is over", "[e2e][daemon][retention]") {
  const DaemonProcess daemon({.program = BATCHLLM_DAEMON,
                              .batchllm = BATCHLLM_PROGRAM,
                              .config = "[daemon]\nretention = \"1s\"\n"});
  const std::string job = daemon.submit(daemon.job_body(R"([{"text":"hello"}])"));
  CHECK(eventually([&] { return daemon.get("/jobs/" + job).status == 404; }));
  const std::filesystem::path state = daemon.state_folder();
  CHECK(eventually([&] { return !std::filesystem::exists(state / "jobs" / job); }));
  CHECK(eventually([&] { return std::filesystem::is_empty(state / "uploads"); }));
}

TEST_CASE("the queue is backed up by itself", "[e2e][daemon][backup]") {
  const DaemonProcess daemon({.program = BATCHLLM_DAEMON,
                              .batchllm = BATCHLLM_PROGRAM,
                              .config = "[daemon]\nbackup_every = \"1s\"\n"});
  daemon.wait_for_end(daemon.submit(daemon.job_body(R"([{"text":"hello"}])")));
  const std::filesystem::path backups = daemon.state_folder() + "/daemon/backups";
  CHECK(eventually([&] { return std::filesystem::exists(backups); }));
}
