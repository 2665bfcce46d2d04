// SPDX-License-Identifier: Apache-2.0
// Rows whose answer nobody knows: what is said of them, and what the user may choose.
#include "tests/support/catch.h"
#include "tests/support/job.h"

using namespace batchllm::test;

namespace {

// A job of 40 rows that was killed with its first eight in flight.
struct KilledJob {
  KilledJob() {
    workspace.write("rows.csv", csv_of_rows(40));
    stop_after(
        workspace.command(workspace.run_words(slow, {"rows.csv", "-o", "out.csv", "-c", "8"})),
        slow,
        8);
  }

  // `resume` with these options.
  ProcessResult resume(Words options) const {
    options.insert(options.begin(), {"resume", workspace.job()});
    return workspace.call(options);
  }

  SimulatorProcess slow{BATCHLLM_PROGRAM, {"--latency", "700ms"}};
  Workspace workspace{BATCHLLM_PROGRAM};
};

}  // namespace

TEST_CASE("rows in flight at a kill are counted, listed and priced", "[e2e][in_doubt]") {
  const KilledJob job;
  CHECK(job.workspace.rows_in_doubt() == std::vector<std::size_t>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(job.workspace.about_job(".job.status") == "interrupted");
  CHECK(job.workspace.about_job(".job.rows.in_doubt") == "8");
  CHECK(std::stod(job.workspace.about_job(".job.in_doubt_cost_usd")) > 0);

  const auto errors = job.workspace.call({"results", "errors", job.workspace.job()});
  CHECK(errors.exit_code == 0);
  CHECK_THAT(errors.output_text,
             ContainsSubstring("in_doubt: 8 rows, sent and never heard of; may have cost up to $"));
  CHECK_THAT(errors.output_text, ContainsSubstring("rows: 1, 2, 3, 4, 5, 6, 7, 8\n"));
  CHECK_THAT(errors.output_text, ContainsSubstring("batchllm resume " + job.workspace.job()));
  CHECK_THAT(job.workspace.call({"results", "show", job.workspace.job()}).output_text,
             ContainsSubstring("in doubt 8 rows, may have cost up to $"));
}

TEST_CASE("rows in doubt are asked again unless that is unwanted", "[e2e][in_doubt]") {
  struct Case {
    Words options;
    int exit_code;
    std::size_t calls;  // of a row in doubt
    std::string status;
    std::map<std::string, std::size_t> failures;
  };

  const auto c = GENERATE(values<Case>({
      {{}, 0, 2, "succeeded", {}},
      {{"--in-doubt", "retry"}, 0, 2, "succeeded", {}},
      {{"--in-doubt", "fail"}, 4, 1, "partial", {{"in_doubt", 8}}},
      {{"--in-doubt", "skip"}, 4, 1, "partial", {{"in_doubt", 8}}},
  }));
  CAPTURE(c.options);
  KilledJob job;
  const auto result = job.resume(c.options);
  CHECK(result.exit_code == c.exit_code);
  CHECK_THAT(result.error_text, ContainsSubstring("8 rows were in flight when an earlier run was"));
  CHECK(job.workspace.about_job(".job.status") == c.status);
  CHECK(job.workspace.failures() == c.failures);
  job.slow.stop();
  const auto calls = job.slow.calls_by_message();
  CHECK(calls.size() == 40);
  CHECK(calls.at("Say: row 1, as \"said\"") == c.calls);
  CHECK(calls.at("Say: row 9, as \"said\"") == 1);
}
