// SPDX-License-Identifier: Apache-2.0
// How the daemon ends, begins again, stands still, and refuses to be there twice.
#include "tests/support/catch.h"
#include "tests/support/queue_check.h"

#include <algorithm>
#include <csignal>
#include <fstream>

using namespace batchllm::test;

namespace {

// A stop that waits for what is not there runs into the test's time limit.
constexpr std::string_view k_patient = "[daemon]\ndrain_timeout = \"1h\"\n";

DaemonProcess::Options options(const std::string& latency, std::string_view config = {}) {
  return {.program = BATCHLLM_DAEMON,
          .batchllm = BATCHLLM_PROGRAM,
          .config = std::string(config),
          .simulator = {"--latency", latency}};
}

ProcessResult second_daemon(const DaemonProcess& first, const std::vector<std::string>& words) {
  ProcessOptions process = first.command(words);
  process.argv.front() = BATCHLLM_DAEMON;
  return run_process(process);
}

bool has_events(const DaemonProcess& daemon, const std::string& job, const std::string& type) {
  return daemon.get("/jobs/" + job + "/events?limit=1000").body.find("\"" + type + "\"") !=
         std::string::npos;
}

void check_all(QueueCheck& check, DaemonProcess& daemon) {
  check.wait_for_all();
  for (const std::string& problem : check.problems_at_the_end(daemon)) {
    FAIL_CHECK(problem);
  }
}

}  // namespace

TEST_CASE("a second daemon on the same state folder or socket names the first and ends with 10",
          "[e2e][daemon][stop]") {
  DaemonProcess daemon(options("1ms"));
  const std::string pid = std::to_string(daemon.process().id());
  const std::string other_state = daemon.folder().path("other");
  const std::vector<std::vector<std::string>> calls{
      {}, {"--state-dir", other_state}, {"--socket", daemon.folder().path("other.sock")}};
  for (const auto& words : calls) {
    CAPTURE(words);
    const ProcessResult second = second_daemon(daemon, words);
    CHECK(second.exit_code == 10);
    CHECK_THAT(second.error_text, ContainsSubstring(pid));
    CHECK_THAT(second.error_text, ContainsSubstring("hint:"));
  }
  CHECK(daemon.get("//health").status == 200);
}

TEST_CASE("SIGTERM waits for the rows in flight, keeps their answers and asks none again",
          "[e2e][daemon][stop]") {
  DaemonProcess daemon(options("700ms", k_patient));
  QueueCheck check(daemon);
  REQUIRE(check.submit("upgraded", 8, true, R"("concurrency":4)"));
  REQUIRE(eventually([&] { return daemon.simulator().call_count() >= 4; }));
  CHECK(daemon.stop() == 0);
  daemon.start();
  const auto jobs = list_all_jobs(daemon);
  REQUIRE(jobs.size() == 1);
  CHECK(jobs.front().find("crash_count")->integer().value_or(-1) <= 1);  // it may run again
  check.wait_for_all();
  const auto calls = daemon.simulator().calls_by_message();
  CHECK(std::all_of(calls.begin(), calls.end(), [](const auto& call) { return call.second == 1; }));
  CHECK(calls.size() == 8);
  check_all(check, daemon);
}

TEST_CASE("SIGTERM ends a daemon that has nothing in flight at once, its idle workers too",
          "[e2e][daemon][stop]") {
  DaemonProcess daemon(options("1ms", k_patient));
  CHECK(daemon.stop() == 0);
  daemon.start();
  const std::string job = daemon.submit(daemon.job_body(R"([{"text":"one"}])"));
  CHECK(daemon.wait_for_end(job).at(".state") == "succeeded");
  const std::vector<pid_t> workers = daemon.workers();
  CHECK(workers.size() == 1);
  CHECK(daemon.stop() == 0);
  CHECK(kill(workers.front(), 0) != 0);
}

TEST_CASE("a job goes on with its old worker's answers when only the daemon was killed",
          "[e2e][daemon][stop]") {
  DaemonProcess daemon(options("4s"));
  QueueCheck check(daemon);
  REQUIRE(check.submit("slow", 3, true, R"("concurrency":3)"));
  REQUIRE(eventually([&] { return daemon.simulator().call_count() >= 3; }));
  daemon.kill();
  daemon.start();
  check.wait_for_all();
  const auto calls = daemon.simulator().calls_by_message();
  CHECK(std::all_of(calls.begin(), calls.end(), [](const auto& call) { return call.second == 1; }));
  const auto jobs = list_all_jobs(daemon);
  CHECK(jobs.front().find("attempt")->integer().value_or(-1) == 1);
  check_all(check, daemon);
}

TEST_CASE("a worker that stands still beyond its lease is replaced and changes nothing any more",
          "[e2e][daemon][stop]") {
  DaemonProcess daemon(options("150ms", "[daemon]\nlease = \"2s\"\n"));
  QueueCheck check(daemon);
  REQUIRE(check.submit("calm", 20, true, R"("concurrency":2)"));
  check.wait_for_all();
  REQUIRE(check.submit("stopped", 20, true, R"("concurrency":2)"));
  REQUIRE(eventually([&] { return daemon.simulator().call_count() >= 26; }));
  const std::vector<pid_t> workers = daemon.workers();
  for (const pid_t worker : workers) {
    kill(worker, SIGSTOP);
  }
  std::string job;
  for (const auto& found : list_all_jobs(daemon)) {
    if (found.find_string("name") == "stopped") {
      job = found.find_string("id").value();
    }
  }
  REQUIRE(eventually([&] { return has_events(daemon, job, "lease_lost"); }));
  for (const pid_t worker : workers) {
    CHECK(kill(worker, SIGCONT) != 0);  // it is gone
  }
  check.wait_for_all();
  const ApiAnswer attempts = daemon.get("/jobs/" + job + "/attempts");
  CHECK_THAT(attempts.body, ContainsSubstring("lease_lost"));
  // Answers that were in flight cost once more at the provider; on record is what was kept.
  const auto jobs = list_all_jobs(daemon);
  REQUIRE(jobs.size() == 2);
  CHECK(jobs[0].find("usage")->find("input_tokens")->integer().value_or(0) > 0);
  check_all(check, daemon);
}

TEST_CASE("workers are the first to go when memory runs out", "[e2e][daemon][stop]") {
  DaemonProcess daemon(options("400ms"));
  daemon.submit(daemon.job_body(R"([{"text":"one"}])"));
  const auto score = [](pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/oom_score_adj");
    int value = 0;
    file >> value;
    return value;
  };
  if (score(daemon.process().id()) >= 500) {
    WARN("skipped: this process and its children are offered already");
    return;
  }
  REQUIRE(eventually([&] { return daemon.workers().size() == 1; }));
  CHECK(eventually([&] {
    const auto workers = daemon.workers();
    return !workers.empty() && score(workers.front()) == 500;
  }));
}

TEST_CASE("a daemon that stands still for longer than a lease loses nothing",
          "[e2e][daemon][stop]") {
  DaemonProcess daemon(options("200ms", "[daemon]\nlease = \"2s\"\n"));
  QueueCheck check(daemon);
  REQUIRE(check.submit("unattended", 20, true, R"("concurrency":1)"));
  REQUIRE(eventually([&] { return daemon.simulator().call_count() >= 2; }));
  daemon.process().send_signal(SIGSTOP);
  // 16 more rows, one after another: more than the lease.
  REQUIRE(eventually([&] { return daemon.simulator().call_count() >= 18; }));
  daemon.process().send_signal(SIGCONT);
  check.wait_for_all();
  CHECK(check.interruptions() == 0);
  const auto jobs = list_all_jobs(daemon);
  CHECK(jobs.front().find("attempt")->integer().value_or(-1) == 1);
  check_all(check, daemon);
  CHECK(check.interruptions() == 0);
}
