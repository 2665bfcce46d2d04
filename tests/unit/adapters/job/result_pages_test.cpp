// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/result_pages.h"

#include "core/ledger.h"
#include "core/manifest.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <vector>

using namespace batchllm;

namespace {

constexpr std::uint64_t k_rows = 2 * k_rows_per_shard + 100;
constexpr std::size_t k_line_bytes = 10;   // "row 00001\n" each
constexpr std::size_t k_header_bytes = 5;  // "text\n"
constexpr std::uint64_t k_failed_row = k_rows_per_shard + 7;

// A job of three shards: two are sealed, of the third every second row is answered.
class Job {
 public:
  Job() {
    std::string csv = "text\n";
    for (std::uint64_t row = 0; row < k_rows; ++row) {
      csv += fmt::format("row {:05}\n", row);
    }
    folder_.write("rows.csv", csv);
    InputFingerprint input;
    input.path = path("rows.csv");
    record.inputs.push_back(input);
    answer_rows();
  }

  std::string path(std::string_view name) const { return folder_.path(name); }

  std::vector<FinishedRow> page(ResultRows wanted, std::uint64_t first, std::size_t limit) const {
    std::vector<FinishedRow> rows;
    visit_finished_rows(record, folder_.path(), wanted, first, [&](const FinishedRow& row) {
      rows.push_back(row);
      return rows.size() < limit;
    });
    return rows;
  }

  JobRecord record;

 private:
  void answer_rows() {
    Ledger ledger(folder_.path(), "job_20260102_030405_k7f3");
    for (std::uint64_t shard = 0; shard < 3; ++shard) {
      ledger.open_shard(shard);
    }
    for (std::uint64_t row = 0; row < k_rows; ++row) {
      if (row < 2 * k_rows_per_shard || row % 2 == 0) {
        Outcome outcome;
        outcome.row_index = row;
        outcome.status = row == k_failed_row ? RowStatus::failed : RowStatus::ok;
        outcome.failure = row == k_failed_row ? RowFailure::timeout : RowFailure::none;
        outcome.output = fmt::format("answer {}", row);
        ledger.append(outcome);
      }
    }
    ledger.commit(0);
    Manifest manifest(folder_.path("manifest.jsonl"));
    for (std::uint64_t shard = 0; shard < 2; ++shard) {
      SealedShard sealed;
      sealed.number = shard;
      sealed.rows = k_rows_per_shard;
      sealed.totals = ledger.shard_totals(shard);
      const std::uint64_t next = (shard + 1) * k_rows_per_shard;
      sealed.next_place = RowPlace{next, next + 2, k_header_bytes + next * k_line_bytes, 0, 0};
      manifest.seal(sealed);
    }
  }

  ScratchFolder folder_;
};

}  // namespace

TEST_CASE("a page has its rows with what they asked and what was answered", "[job]") {
  const Job job;
  const auto rows = job.page(ResultRows::all, k_rows_per_shard - 1, 3);
  REQUIRE(rows.size() == 3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    const std::uint64_t row = k_rows_per_shard - 1 + i;
    CHECK(rows[i].outcome.row_index == row);
    CHECK(rows[i].outcome.output == fmt::format("answer {}", row));
    CHECK(rows[i].input == fmt::format(R"({{"text":"row {:05}"}})", row));
  }
}

TEST_CASE("a page reads neither input nor ledger of the shards before it", "[job]") {
  const Job job;
  std::filesystem::remove(Ledger::shard_path(job.path(""), 0));
  {
    // A quote that is never closed would swallow all rows behind it.
    std::fstream input(job.path("rows.csv"), std::ios::in | std::ios::out | std::ios::binary);
    input.seekp(k_header_bytes + 20'000 * k_line_bytes);
    input << '"';
  }
  const auto rows = job.page(ResultRows::all, 2 * k_rows_per_shard, 2);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].input == fmt::format(R"({{"text":"row {}"}})", 2 * k_rows_per_shard));
  CHECK(rows[1].outcome.row_index == 2 * k_rows_per_shard + 2);
}

TEST_CASE("rows without an answer are left out, rows of the other kind too", "[job]") {
  const Job job;
  CHECK(job.page(ResultRows::all, 2 * k_rows_per_shard, 1000).size() == 50);
  const auto failed = job.page(ResultRows::failed, 0, 1000);
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].outcome.row_index == k_failed_row);
  CHECK(failed[0].input == fmt::format(R"({{"text":"row {}"}})", k_failed_row));
  CHECK(job.page(ResultRows::ok, k_failed_row, 1).at(0).outcome.row_index == k_failed_row + 1);
  CHECK(job.page(ResultRows::all, k_rows, 10).empty());
}

TEST_CASE("a job without a folder has no finished rows", "[job]") {
  const Job job;
  std::size_t visited = 0;
  visit_finished_rows(
      job.record, job.path("nowhere"), ResultRows::all, 0, [&visited](const FinishedRow&) {
        ++visited;
        return true;
      });
  CHECK(visited == 0);
}
