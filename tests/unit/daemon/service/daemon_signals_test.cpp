// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/daemon_signals.h"

#include "tests/support/catch.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

using namespace batchllm::daemon;

namespace {

std::optional<ServiceRequest> already_asked(DaemonSignals& signals) {
  return signals.wait(std::chrono::steady_clock::now());
}

}  // namespace

TEST_CASE("SIGTERM and SIGINT ask for a drain, SIGHUP for a reload, and each comes once",
          "[signals]") {
  DaemonSignals signals;
  CHECK(already_asked(signals) == std::nullopt);
  std::raise(SIGHUP);
  std::raise(SIGHUP);
  std::raise(GENERATE(SIGTERM, SIGINT));
  CHECK(signals.wait() == ServiceRequest::drain);  // more urgent than the reload before it
  CHECK(signals.wait() == ServiceRequest::reload);
  CHECK(already_asked(signals) == std::nullopt);
}

TEST_CASE("a request of another thread wakes the main thread", "[signals]") {
  DaemonSignals signals;
  std::jthread other([] { DaemonSignals::post(ServiceRequest::finish); });
  CHECK(signals.wait() == ServiceRequest::finish);
}

TEST_CASE("the second signal ends the process at once", "[signals]") {
  const int number = GENERATE(SIGTERM, SIGINT);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const DaemonSignals signals;
    std::raise(number);
    std::raise(number);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 128 + number);
}

TEST_CASE("a signal that was ignored before stays ignored", "[signals]") {
  const auto former = std::signal(SIGHUP, SIG_IGN);
  {
    DaemonSignals signals;
    std::raise(SIGHUP);
    CHECK(already_asked(signals) == std::nullopt);
  }
  std::signal(SIGHUP, former);
}
