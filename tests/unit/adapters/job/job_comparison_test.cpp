// SPDX-License-Identifier: Apache-2.0
// Two jobs of several shards beside each other, and each beside the right answers.
#include "adapters/job/job_comparison.h"

#include "adapters/job/gold_report.h"
#include "core/ledger.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace batchllm;

namespace {

constexpr std::uint64_t k_rows = k_rows_per_shard + 100;

std::string truth_of(std::uint64_t row) {
  return row % 2 == 0 ? "even" : "odd";
}

// The answer of a row; nullopt: it failed.
using Answers = std::function<std::optional<std::string>(std::uint64_t row)>;

// A file of two shards, and jobs on it.
class Jobs {
 public:
  Jobs() {
    std::string csv = "text,truth\n";
    for (std::uint64_t row = 0; row < k_rows; ++row) {
      csv += fmt::format("row {},{}\n", row, truth_of(row));
    }
    folder_.write("rows.csv", csv);
  }

  // Every row from `first` on has its outcome.
  ComparedJob make(const std::string& id, std::uint64_t first, const Answers& answers) const {
    ComparedJob job;
    job.record.id = id;
    job.record.inputs.push_back(fingerprint_input(folder_.path("rows.csv")));
    job.folder = folder_.path(id);
    std::filesystem::create_directory(job.folder);
    Ledger ledger(job.folder, id);
    for (std::uint64_t shard = 0; shard * k_rows_per_shard < k_rows; ++shard) {
      ledger.open_shard(shard);
    }
    for (std::uint64_t row = first; row < k_rows; ++row) {
      const auto answer = answers(row);
      Outcome outcome;
      outcome.row_index = row;
      outcome.status = answer ? RowStatus::ok : RowStatus::failed;
      outcome.failure = answer ? RowFailure::none : RowFailure::timeout;
      outcome.output = answer.value_or("");
      ledger.append(outcome);
    }
    ledger.commit(0);
    return job;
  }

 private:
  ScratchFolder folder_;
};

}  // namespace

TEST_CASE("rows of all shards are compared, and those that differ come in order",
          "[job][comparison]") {
  const Jobs jobs;
  const ComparedJob a = jobs.make("a", 0, truth_of);
  const ComparedJob b = jobs.make("b", 2, [](std::uint64_t row) -> std::optional<std::string> {
    if (row == 7) {
      return std::nullopt;
    }
    return row == 5 || row == k_rows - 1 ? "neither" : fmt::format(" **{}**. ", truth_of(row));
  });
  check_comparable(a, b);
  std::vector<std::uint64_t> rows;
  const JobComparison found = compare_jobs(a, b, false, [&](const ComparedRow& row) {
    rows.push_back(row.row_index);
    CHECK(row.a != nullptr);
    CHECK((row.b == nullptr) == (row.row_index < 2));
  });
  CHECK(rows == std::vector<std::uint64_t>{0, 1, 5, 7, k_rows - 1});
  CHECK(found.same == k_rows - 5);
  CHECK(found.different == 2);
  CHECK(found.only_a == 3);
  CHECK(found.only_b == 0);
  CHECK(found.neither == 0);
  CHECK(found.kappa());
  CHECK(compare_jobs(a, b, true, [](const ComparedRow&) {}).same == 0);
}

TEST_CASE("answers beside the right ones, in all shards", "[job][gold]") {
  const Jobs jobs;
  const ComparedJob job = jobs.make("job", 0, [](std::uint64_t row) -> std::optional<std::string> {
    if (row == k_rows_per_shard) {
      return std::nullopt;
    }
    return row == 1 ? "EVEN" : truth_of(row) + ".";
  });
  const GoldReport report = report_gold(job.record, job.folder, "truth");
  CHECK(report.counts.rows() == k_rows);
  CHECK(report.counts.right() == k_rows - 2);
  CHECK(report.counts.unanswered() == 1);
  CHECK(report.counts.count(1, 0) == 1);
  const auto missing = thrown_error([&] { report_gold(job.record, job.folder, "thruth"); });
  REQUIRE(missing);
  CHECK(missing->code() == ErrorCode::column_missing);
}

TEST_CASE("a file that was written to between two jobs is not the same input",
          "[job][comparison]") {
  const Jobs jobs;
  const ComparedJob a = jobs.make("a", 0, truth_of);
  ComparedJob b = jobs.make("b", 0, truth_of);
  b.record.inputs.front().modified_ns += 1;
  auto refused = thrown_error([&] { check_comparable(a, b); });
  REQUIRE(refused);
  CHECK(refused->code() == ErrorCode::input_changed);
  b = jobs.make("c", 0, truth_of);
  b.record.inputs.push_back(b.record.inputs.front());
  refused = thrown_error([&] { check_comparable(a, b); });
  REQUIRE(refused);
  CHECK_THAT(refused->message(), ContainsSubstring("1 file and 2 files"));
}
