// SPDX-License-Identifier: Apache-2.0
#include "cli/stop_signals.h"

#include "tests/support/catch.h"

#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>

using namespace batchllm;

namespace {

void wait_for_stop(const std::stop_token& token) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait(lock, token, [] { return false; });
}

// Runs `body` in a child process; its exit code.
template <typename Body>
int exit_code_of(Body&& body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

TEST_CASE("the first signal asks for a stop and is remembered", "[stop_signals]") {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    std::stop_source source;
    const StopSignals signals(source);
    CHECK(signals.received() == 0);
    kill(getpid(), number);
    wait_for_stop(source.get_token());
    CHECK(signals.received() == number);
    CHECK(signals.error_code() ==
          (number == SIGINT ? ErrorCode::interrupted : ErrorCode::terminated));
  }
}

TEST_CASE("the second signal ends the process at once", "[stop_signals]") {
  CHECK(exit_code_of([] {
          const StopSignals signals{std::stop_source()};
          raise(SIGINT);
          raise(SIGINT);
        }) == 130);
  CHECK(exit_code_of([] {
          const StopSignals signals{std::stop_source()};
          raise(SIGINT);
          raise(SIGTERM);
        }) == 143);
}

TEST_CASE("a signal that was ignored before stays ignored", "[stop_signals]") {
  CHECK(exit_code_of([] {
          signal(SIGHUP, SIG_IGN);
          const StopSignals signals{std::stop_source()};
          raise(SIGHUP);
          raise(SIGHUP);
          _exit(signals.received());
        }) == 0);
}

TEST_CASE("signals do what they did before once the watch ends", "[stop_signals]") {
  CHECK(exit_code_of([] {
          signal(SIGTERM, SIG_DFL);  // the test framework has a handler of its own
          { const StopSignals signals{std::stop_source()}; }
          raise(SIGTERM);
        }) == -SIGTERM);
}
