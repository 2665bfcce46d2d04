// SPDX-License-Identifier: Apache-2.0
// The queue's promise: whatever moment the daemon or its workers are killed at, a job that was
// acknowledged is there and ends, and what was answered is not asked again.
#include "tests/support/catch.h"
#include "tests/support/queue_check.h"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

using namespace batchllm::test;

namespace {

std::size_t kills() {
  const char* wanted = std::getenv("BATCHLLM_LONG_TESTS");
  return wanted != nullptr && std::string(wanted) == "1" ? 1000 : 30;
}

// Clients that submit small jobs one after another, each until it is acknowledged or, without a key
// to try again with, once.
class Clients {
 public:
  Clients(QueueCheck& check, std::size_t count) {
    for (std::size_t client = 0; client < count; ++client) {
      threads_.emplace_back([this, &check, client] { submit_jobs(check, client); });
    }
  }

  ~Clients() { stop(); }

  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;
  Clients(Clients&&) = delete;
  Clients& operator=(Clients&&) = delete;

  void stop() {
    is_over_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }

 private:
  void submit_jobs(QueueCheck& check, std::size_t client) const {
    for (std::size_t number = 0; !is_over_; ++number) {
      const std::string name = "client" + std::to_string(client) + "-" + std::to_string(number);
      const bool has_key = number % 2 == 0;
      while (!check.submit(name, 1 + number % 5, has_key, R"("concurrency":2)")) {
        std::this_thread::sleep_for(
            std::chrono::milliseconds(5));  // nobody there: not all the time
        if (!has_key || is_over_) {
          break;
        }
      }
    }
  }

  std::atomic<bool> is_over_{false};
  std::vector<std::thread> threads_;
};

class Killer {
 public:
  explicit Killer(DaemonProcess& daemon, unsigned seed) : daemon_(daemon), random_(seed) {}

  void kill(std::size_t turn) {
    const std::vector<pid_t> workers = daemon_.workers();
    if (turn % 3 != 1) {
      daemon_.kill();
    }
    if (turn % 3 == 2) {
      for (const pid_t worker : workers) {
        ::kill(worker, SIGKILL);
      }
    } else if (turn % 3 == 1 && !workers.empty()) {
      ::kill(workers[number_up_to(workers.size()) - 1], SIGKILL);
    }
  }

  std::size_t number_up_to(std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(1, most)(random_);
  }

 private:
  DaemonProcess& daemon_;
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("no job and no answer is lost when the daemon and its workers are killed at any moment",
          "[e2e][daemon][kill]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  DaemonProcess daemon({.program = BATCHLLM_DAEMON,
                        .batchllm = BATCHLLM_PROGRAM,
                        .simulator = {"--latency", "uniform:1ms,60ms"}});
  QueueCheck check(daemon);
  Killer killer(daemon, seed);
  {
    Clients clients(check, 2);
    for (std::size_t turn = 0; turn < kills(); ++turn) {
      const std::size_t target = check.acknowledged() + killer.number_up_to(5);
      REQUIRE(eventually([&] { return check.acknowledged() >= target; }));
      std::this_thread::sleep_for(std::chrono::microseconds(killer.number_up_to(30'000)));
      killer.kill(turn);
      check.note_answered_rows();
      if (!daemon.is_running()) {
        daemon.start();
      }
      daemon.process().exchange();
    }
  }
  check.wait_for_all();
  for (const std::string& problem : check.problems_at_the_end(daemon)) {
    FAIL_CHECK(problem);
  }
  CHECK(check.interruptions() > 0);
}
