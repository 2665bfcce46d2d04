// SPDX-License-Identifier: Apache-2.0
// A record that the disk has damaged costs its row, and nothing else.
#include "core/ledger_format.h"
#include "tests/support/catch.h"
#include "tests/support/job.h"

#include <fstream>
#include <iterator>

using namespace batchllm::test;

namespace {

// A job of 30 rows, of which at least 6 are answered, that was killed.
struct KilledJob {
  KilledJob() {
    workspace.write("rows.csv", csv_of_rows(30));
    stop_after(
        workspace.command(workspace.run_words(simulator, {"rows.csv", "-o", "out.csv", "-c", "2"})),
        simulator,
        9);
    std::ifstream file(workspace.ledger_path(), std::ios::binary);
    ledger.assign(std::istreambuf_iterator<char>(file), {});
  }

  void put_back() const {
    std::ofstream(workspace.ledger_path(), std::ios::binary | std::ios::trunc) << ledger;
  }

  std::size_t place_of_row(std::size_t row_index) const {
    return ledger.find("{\"row\":" + std::to_string(row_index) + ",");
  }

  // Resumes, and says how often each row was asked in all.
  std::map<std::string, std::size_t> finish() {
    resumed = workspace.call({"resume", workspace.job()});
    CAPTURE(resumed.error_text);
    CHECK(resumed.exit_code == 0);
    CHECK(sorted_lines(workspace.read("out.csv")).size() == 31);
    simulator.stop();
    return simulator.calls_by_message();
  }

  static std::string message(std::size_t row) {
    return "Say: row " + std::to_string(row) + ", as \"said\"";
  }

  SimulatorProcess simulator{BATCHLLM_PROGRAM, {"--latency", "30ms"}};
  Workspace workspace{BATCHLLM_PROGRAM};
  std::string ledger;
  ProcessResult resumed;
};

}  // namespace

TEST_CASE("a flipped byte in the ledger costs that row only", "[e2e][ledger]") {
  const auto within = GENERATE(
      std::size_t{2}, std::size_t{20}, std::size_t{60});  // in the key, the status, the answer
  KilledJob job;
  REQUIRE(job.place_of_row(2) != std::string::npos);
  job.ledger[job.place_of_row(2) + within] ^= 4;
  job.put_back();
  const auto calls = job.finish();
  CHECK_THAT(job.resumed.error_text, ContainsSubstring("1 record in the ledger was damaged"));
  CHECK(calls.at(KilledJob::message(3)) == 2);
  for (const std::size_t row : {1U, 2U, 4U, 5U}) {
    CAPTURE(row);
    CHECK(calls.at(KilledJob::message(row)) == 1);
  }
}

TEST_CASE("a line break that was lost costs nothing but the records that it joined",
          "[e2e][ledger]") {
  KilledJob job;
  REQUIRE(job.place_of_row(2) != std::string::npos);
  job.ledger[job.ledger.find('\n', job.place_of_row(2))] = 'x';
  job.put_back();
  const auto calls = job.finish();
  CHECK(calls.at(KilledJob::message(1)) == 1);
  CHECK(calls.at(KilledJob::message(2)) == 1);
}

TEST_CASE("a torn last line is cut off", "[e2e][ledger]") {
  KilledJob job;
  const std::size_t place = job.place_of_row(2);
  REQUIRE(place != std::string::npos);
  job.ledger.resize(place + 25);
  job.put_back();
  const auto calls = job.finish();
  CHECK(calls.at(KilledJob::message(1)) == 1);
  CHECK(calls.at(KilledJob::message(2)) == 1);
  CHECK(calls.at(KilledJob::message(3)) == 2);
}

TEST_CASE("a ledger of a later version is refused, not misread", "[e2e][ledger]") {
  KilledJob job;
  std::string header = R"({"ledger":2,"job":"job_20300101_000000_aaaa","shard":0)";
  batchllm::seal_line(header, 0);
  job.ledger.replace(0, job.ledger.find('\n') + 1, header);
  job.put_back();
  const auto result = job.workspace.call({"resume", job.workspace.job()});
  CHECK(result.exit_code == 11);
  CHECK_THAT(result.error_text, ContainsSubstring("version"));
}

TEST_CASE("a job record of a later version is refused", "[e2e][ledger]") {
  const KilledJob job;
  const auto record = job.workspace.job_folder() / "job.json";
  std::string text = job.workspace.read("state/jobs/" + job.workspace.job() + "/job.json");
  const auto at = text.find(":1");
  REQUIRE(at != std::string::npos);
  text.replace(at, 2, ":9");
  std::ofstream(record, std::ios::binary | std::ios::trunc) << text;
  const auto result = job.workspace.call({"resume", job.workspace.job()});
  CHECK(result.exit_code == 11);
  CHECK_THAT(result.error_text, ContainsSubstring("newer"));
}
