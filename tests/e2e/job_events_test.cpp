// SPDX-License-Identifier: Apache-2.0
// The events of local runs: they tell how each job stands, whatever became of it.
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <csignal>

using namespace batchllm::test;

namespace {

// A workspace with rows.csv, and a simulator for it.
struct Bench {
  explicit Bench(std::size_t rows = 20, const Words& simulated = {})
      : simulator(BATCHLLM_PROGRAM, simulated) {
    workspace.write("rows.csv", csv_of_rows(rows));
  }

  ProcessResult run(const Words& more = {}) const {
    Words words = {"rows.csv", "-o", "out.csv"};
    words.insert(words.end(), more.begin(), more.end());
    return workspace.run(simulator, words);
  }

  ProcessOptions command(const Words& more = {}) const {
    Words words = workspace.run_words(simulator, {"rows.csv", "-o", "out.csv"});
    words.insert(words.end(), more.begin(), more.end());
    return workspace.command(words);
  }

  Workspace workspace{BATCHLLM_PROGRAM};
  SimulatorProcess simulator;
};

constexpr const char* k_slow = "uniform:20ms,40ms";

}  // namespace

TEST_CASE("a run that succeeds tells so in its events", "[e2e][events]") {
  const Bench bench;
  REQUIRE(bench.run().exit_code == 0);
  CHECK(bench.workspace.event_types() == Words{"job.queued", "job.started", "job.succeeded"});
  CHECK(bench.workspace.jobs_that_replay_differently().empty());
  const auto replay = bench.workspace.call({"jobs", "replay", bench.workspace.job(), "--json"});
  CHECK(replay.exit_code == 0);
  CHECK(json_at(replay.output_text, ".schema") == "batchllm.replay/1");
  CHECK(json_at(replay.output_text, ".matches") == "true");
  const auto text = bench.workspace.call({"jobs", "replay", bench.workspace.job()});
  CHECK_THAT(text.output_text, ContainsSubstring("  rows.ok              20"));
}

TEST_CASE("failed rows, a retry and its end are events of one job", "[e2e][events]") {
  const Bench bench(20);
  bench.workspace.write("script.jsonl",
                        R"({"match":"row 3,","status":400,"error":"no such thing","times":1})"
                        "\n");
  const SimulatorProcess failing(BATCHLLM_PROGRAM,
                                 {"--script", bench.workspace.path("script.jsonl")});
  REQUIRE(bench.workspace.run(failing, {"rows.csv", "-o", "out.csv"}).exit_code == 4);
  CHECK(bench.workspace.event_types() == Words{"job.queued", "job.started", "job.partial"});
  CHECK(bench.workspace.jobs_that_replay_differently().empty());
  REQUIRE(bench.workspace.call({"retry", bench.workspace.job()}).exit_code == 0);
  CHECK(bench.workspace.event_types() == Words{"job.queued",
                                               "job.started",
                                               "job.partial",
                                               "job.queued",
                                               "job.started",
                                               "job.succeeded"});
  CHECK(bench.workspace.jobs_that_replay_differently().empty());
}

TEST_CASE("a limit pauses the job and its resume goes on with its events", "[e2e][events]") {
  const Bench bench(20, {"--fault", "500:100%"});
  CHECK(bench.run({"--max-failures", "1", "--max-attempts", "1", "-c", "1"}).exit_code == 5);
  CHECK(bench.workspace.event_types() == Words{"job.queued", "job.started", "job.paused"});
  CHECK(bench.workspace.jobs_that_replay_differently().empty());
  CHECK(bench.workspace.call({"resume", "--max-failures", "2"}).exit_code == 5);
  CHECK(
      bench.workspace.event_types() ==
      Words{"job.queued", "job.started", "job.paused", "job.queued", "job.started", "job.paused"});
  CHECK(bench.workspace.jobs_that_replay_differently().empty());
}

TEST_CASE("a refused key ends the job as failed, and it can be taken up", "[e2e][events]") {
  const Bench bench(20, {"--require-key", "sk-another"});
  CHECK(bench.run().exit_code == 6);
  CHECK(bench.workspace.event_types() == Words{"job.queued", "job.started", "job.failed"});
  CHECK(bench.workspace.jobs_that_replay_differently().empty());
  CHECK(bench.workspace.call({"resume"}).exit_code == 6);
  CHECK(bench.workspace.event_types().size() == 6);
  CHECK(bench.workspace.jobs_that_replay_differently().empty());
}

TEST_CASE("signals interrupt the job", "[e2e][events]") {
  struct Case {
    int signal;
    int exit_code;
  };

  const auto c = GENERATE(values<Case>({{SIGINT, 130}, {SIGTERM, 143}}));
  const Bench bench(400, {"--latency", k_slow});
  const auto result = stop_after(bench.command({"-c", "4"}), bench.simulator, 20, c.signal);
  CHECK(result.exit_code == c.exit_code);
  CHECK(bench.workspace.event_types() == Words{"job.queued", "job.started", "job.interrupted"});
  CHECK(bench.workspace.jobs_that_replay_differently().empty());
}

TEST_CASE("after kill -9 the next run says that the last one died", "[e2e][events]") {
  const Bench bench(200, {"--latency", k_slow});
  stop_after(bench.command({"-c", "4"}), bench.simulator, 20);
  CHECK(bench.workspace.event_types() == Words{"job.queued", "job.started"});
  CHECK(bench.workspace.jobs_that_replay_differently().empty());
  REQUIRE(bench.run({"-c", "64"}).exit_code == 0);
  CHECK(bench.workspace.event_types() == Words{"job.queued",
                                               "job.started",
                                               "job.interrupted",
                                               "job.queued",
                                               "job.started",
                                               "job.log",  // rows that are in doubt
                                               "job.succeeded"});
  CHECK(bench.workspace.jobs_that_replay_differently().empty());
}

TEST_CASE("a replay finds what does not agree", "[e2e][events]") {
  const Bench bench;
  REQUIRE(bench.run().exit_code == 0);
  const std::string name = "state/jobs/" + bench.workspace.job() + "/events.jsonl";
  std::string events = bench.workspace.read(name);
  const std::string counted = "\"ok\":20";
  const auto at = events.rfind(counted);
  REQUIRE(at != std::string::npos);
  bench.workspace.write(name, events.replace(at, counted.size(), "\"ok\":19"));
  const auto replay = bench.workspace.call({"jobs", "replay", bench.workspace.job(), "--json"});
  CHECK(replay.exit_code == 11);
  CHECK(json_at(replay.output_text, ".matches") == "false");
  CHECK(json_at(replay.output_text, ".differences[1].fact") == "rows.ok");
  CHECK(json_at(replay.output_text, ".differences[1].replayed") == "19");
  CHECK(json_at(replay.output_text, ".differences[1].stored") == "20");

  bench.workspace.write(name, events.substr(events.find('\n') + 1));
  CHECK(bench.workspace.call({"jobs", "replay", bench.workspace.job()}).exit_code == 11);
}
