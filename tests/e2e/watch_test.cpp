// SPDX-License-Identifier: Apache-2.0
// A run that is watched from another terminal.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <csignal>

using namespace batchllm::test;

namespace {

// A slow run that has asked its first rows, and who watches it.
struct WatchedRun {
  explicit WatchedRun(std::size_t rows, const Words& simulated = {}, const Words& more = {})
      : simulator(BATCHLLM_PROGRAM, with(simulated, {"--latency", "uniform:20ms,40ms"})) {
    workspace.write("rows.csv", csv_of_rows(rows));
    run = std::make_unique<Process>(workspace.command(
        workspace.run_words(simulator, with({"rows.csv", "-o", "out.csv", "-c", "4"}, more))));
    REQUIRE(eventually([this] { return simulator.call_count() > 8; }));
    job = workspace.job();
    watch = std::make_unique<Process>(
        workspace.command({"jobs", "watch", job, "--json", "--progress", "json"}));
    REQUIRE(watch->wait_for_error("{"));  // it shows how far the run is
  }

  static Words with(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  Workspace workspace{BATCHLLM_PROGRAM};
  SimulatorProcess simulator;
  std::unique_ptr<Process> run;
  std::unique_ptr<Process> watch;
  std::string job;
};

}  // namespace

TEST_CASE("a run is watched to its end, whose code the watch returns", "[e2e][watch]") {
  struct Case {
    Words simulated;
    Words more;
    int exit_code;
    std::string status;
  };

  const auto c = GENERATE(values<Case>({
      {{}, {}, 0, "succeeded"},
      {{"--fault", "500:30%"}, {"--max-attempts", "1"}, 4, "partial"},
      {{}, {"--deadline", "1s"}, 5, "interrupted"},
  }));
  CAPTURE(c.status);
  WatchedRun watched(300, c.simulated, c.more);
  const auto seen = watched.watch->wait();
  const auto ended = watched.run->wait();
  CAPTURE(seen.error_text, ended.error_text);
  CHECK(ended.exit_code == c.exit_code);
  CHECK(seen.exit_code == c.exit_code);
  CHECK(json_at(seen.output_text, ".schema") == "batchllm.job/1");
  CHECK(json_at(seen.output_text, ".job.status") == c.status);

  const auto again = watched.workspace.call({"jobs", "watch", watched.job});
  CHECK(again.exit_code == c.exit_code);
  CHECK_THAT(again.error_text, ContainsSubstring(watched.job + " " + c.status + ": "));
}

TEST_CASE("who watches a run that is killed learns it at once", "[e2e][watch]") {
  WatchedRun watched(5000);
  watched.run->send_signal(SIGKILL);
  watched.run->wait();
  const auto seen = watched.watch->wait();
  CHECK(seen.exit_code == 130);
  CHECK_THAT(seen.error_text, ContainsSubstring("its process is gone"));
  CHECK(json_at(seen.output_text, ".job.status") == "interrupted");
}

TEST_CASE("Ctrl-C ends the watching and not the job", "[e2e][watch]") {
  WatchedRun watched(5000);
  watched.watch->send_signal(SIGINT);
  const auto seen = watched.watch->wait();
  CHECK(seen.exit_code == 130);
  CHECK_THAT(seen.error_text, ContainsSubstring("goes on. Look again"));
  CHECK(watched.run->is_running());
  watched.run->send_signal(SIGINT);
  CHECK(watched.run->wait().exit_code == 130);
}

TEST_CASE("the log of a local run is its events", "[e2e][watch]") {
  WatchedRun watched(100);
  Process follow(watched.workspace.command({"jobs", "logs", watched.job, "-f"}));
  const auto followed = follow.wait();
  CHECK(followed.exit_code == 0);
  CHECK(watched.run->wait().exit_code == 0);
  CHECK_THAT(followed.output_text, ContainsSubstring("  started        attempt 1, "));
  CHECK_THAT(followed.output_text, ContainsSubstring("  succeeded      "));
  CHECK(watched.workspace.call({"jobs", "logs", watched.job}).output_text == followed.output_text);
  CHECK(watched.workspace.call({"jobs", "logs", watched.job, "--json"}).output_text ==
        watched.workspace.read("state/jobs/" + watched.job + "/events.jsonl"));
}
