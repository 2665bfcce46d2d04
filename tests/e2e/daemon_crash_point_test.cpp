// SPDX-License-Identifier: Apache-2.0
// A crash at every point of core/crash_point.h, and another at the same point while the daemon
// recovers from it. Random kills alone miss most of these windows.
#include "core/crash_point.h"
#include "tests/support/catch.h"
#include "tests/support/queue_check.h"

#include <atomic>
#include <thread>

using namespace batchllm::test;
using batchllm::crash_point_labels;
using batchllm::has_crash_points;

namespace {

constexpr int k_at_once = 9;  // scenarios; they mostly wait

// One daemon that crashes at one point.
class Scenario {
 public:
  explicit Scenario(std::string label)
      : label_(std::move(label)),
        rows_(label_.starts_with("progress") ? 20 : 8),
        daemon_({.program = BATCHLLM_DAEMON,
                 .batchllm = BATCHLLM_PROGRAM,
                 .simulator = {"--latency", "200ms"},
                 .starts = false}),
        check_(daemon_) {}

  std::vector<std::string> run() {
    if (label_.starts_with("rescue")) {
      leave_a_job_running();
    }
    crash(true);
    crash(false);
    daemon_.start();
    submit();
    check_.wait_for_all();
    auto problems = check_.problems_at_the_end(daemon_);
    if (!was_reached_) {
      problems.emplace_back("it was never reached");
    }
    return problems;
  }

 private:
  void leave_a_job_running() {
    daemon_.start();
    submit();
    eventually([&] { return daemon_.simulator().call_count() > 0; });
    daemon_.kill();
  }

  void submit() {
    check_.submit("one", rows_, true, R"("concurrency":2)");
    check_.submit("two", rows_, true, R"("concurrency":2)");
  }

  // Works until it has crashed. While recovering it may come to the end of its work instead.
  void crash(bool is_first) {
    bool crashed = !daemon_.try_start({{"BATCHLLM_CRASH_AT", label_}});
    if (!crashed) {
      submit();
      if (label_.starts_with("backup")) {
        back_up();
      }
      crashed = eventually([&] { return has_crashed() || (!is_first && is_idle()); });
    }
    was_reached_ = was_reached_ || (is_first && crashed);
    check_.note_answered_rows();
    daemon_.kill();
  }

  void back_up() {
    try {
      daemon_.post("/daemon/backup", "{}");
    } catch (const std::runtime_error&) {
      return;  // it died of the job before
    }
  }

  // A daemon goes on without its worker, and says so.
  bool has_crashed() {
    daemon_.process().exchange();
    return !daemon_.is_running() ||
           daemon_.process().error_text().find("worker died") != std::string::npos;
  }

  bool is_idle() {
    try {
      for (const auto& job : list_all_jobs(daemon_)) {
        if (!job.find_string("finished_at")) {
          return false;
        }
      }
      return true;
    } catch (const std::exception&) {
      return false;  // it has just died
    }
  }

  std::string label_;
  std::size_t rows_;  // progress is stored of jobs that take a while
  DaemonProcess daemon_;
  QueueCheck check_;
  bool was_reached_ = false;
};

}  // namespace

TEST_CASE("nothing is lost by a crash at any labelled point, nor by another while recovering",
          "[e2e][daemon][crash]") {
  if (!has_crash_points()) {
    WARN("skipped: built without BATCHLLM_CRASH_POINTS");
    return;
  }
  const auto labels = crash_point_labels();
  std::vector<std::vector<std::string>> problems(labels.size());
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < k_at_once; ++i) {
    threads.emplace_back([&] {
      for (std::size_t mine = next++; mine < labels.size(); mine = next++) {
        try {
          problems[mine] = Scenario(std::string(labels[mine])).run();
        } catch (const std::exception& error) {
          problems[mine] = {error.what()};
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (const std::string& problem : problems[i]) {
      FAIL_CHECK(labels[i] << ": " << problem);
    }
  }
}

TEST_CASE("a job that takes its workers down is set aside while others finish",
          "[e2e][daemon][crash]") {
  if (!has_crash_points()) {
    WARN("skipped: built without BATCHLLM_CRASH_POINTS");
    return;
  }
  DaemonProcess daemon({.program = BATCHLLM_DAEMON, .batchllm = BATCHLLM_PROGRAM, .starts = false});
  REQUIRE(daemon.try_start({{"BATCHLLM_CRASH_AT", "job_begun=simulator/poison"}}));
  std::string body = daemon.job_body(R"([{"text":"bad"}])");
  body.replace(body.find("simulator/any"), 13, "simulator/poison");
  const std::string poison = daemon.submit(body);
  const std::string healthy = daemon.submit(daemon.job_body(R"([{"text":"good"}])"));
  CHECK(daemon.wait_for_end(healthy).at(".state") == "succeeded");
  REQUIRE(daemon.wait_for_state(poison, "paused"));
  const ApiAnswer aside = daemon.get("/jobs/" + poison);
  CHECK(aside.at(".reason") == "crash_limit");
  CHECK(aside.at(".crash_count") == "3");
  CHECK(aside.at(".error.hint") != "");
  CHECK(daemon.wait_for_end(daemon.submit(daemon.job_body(R"([{"text":"late"}])"))).at(".state") ==
        "succeeded");

  daemon.kill();
  daemon.start();
  CHECK(daemon.get("/jobs/" + poison).at(".state") == "paused");
  CHECK(daemon.post("/jobs/" + poison + "/resume", "{}").status == 200);
  CHECK(daemon.wait_for_end(poison).at(".state") == "succeeded");
}
