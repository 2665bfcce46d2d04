// SPDX-License-Identifier: Apache-2.0
#include "core/row_reader.h"

#include "tests/support/catch.h"
#include "tests/support/memory_row_source.h"
#include "tests/support/outcomes.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/text_row_encoder.h"
#include "tests/support/thrown_error.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace batchllm;

namespace {

// A reader with everything around it; what it hands on is collected afterwards.
class Bench {
 public:
  explicit Bench(MemoryRowSource source,
                 RowReaderSettings settings = {},
                 const std::string& needle = {})
      : source_(std::move(source)),
        encoder_(needle),
        ledger_(folder_.path(), "job_1"),
        rejects_(folder_.path("rejects.jsonl"), {"in.csv"}),
        queue_(10'000'000, std::size_t{1} << 30),
        settings_(std::move(settings)) {
    settings_.input_names = {"in.csv"};
    settings_.rejects_name = "out.rejects.jsonl";
  }

  std::vector<std::uint64_t> run() {
    RowReader reader(source_, encoder_, ledger_, sealed, rejects_, queue_, counters, settings_);
    reader.run(stop.get_token());
    end_row = reader.end_row();
    return handed_on();
  }

  std::vector<std::uint64_t> handed_on() {
    std::vector<std::uint64_t> rows;
    for (TaskBatch batch = queue_.try_pop(); !batch.empty(); batch = queue_.try_pop()) {
      for (const auto& task : batch) {
        rows.push_back(task->place.row_index);
        if (tasks.size() < 100) {
          tasks[task->place.row_index] = std::move(*task);
        }
      }
    }
    return rows;
  }

  Ledger& ledger() { return ledger_; }

  MemoryRowSource& source() { return source_; }

  RejectLog& rejects() { return rejects_; }

  JobCounters counters;
  std::map<std::uint64_t, SealedShard> sealed;
  std::map<std::uint64_t, RowTask> tasks;  // the first of them
  std::stop_source stop;
  std::uint64_t end_row = 0;

 private:
  ScratchFolder folder_;
  MemoryRowSource source_;
  TextRowEncoder encoder_;
  Ledger ledger_;
  RejectLog rejects_;
  TaskQueue queue_;
  RowReaderSettings settings_;
};

using Rows = std::vector<std::uint64_t>;

std::vector<std::string> every_third_red(std::size_t count) {
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.emplace_back(i % 3 == 0 ? "red" : "blue");
  }
  return rows;
}

RowReaderSettings selection(std::uint64_t offset, std::optional<std::uint64_t> limit) {
  RowReaderSettings settings;
  settings.offset = offset;
  settings.limit = limit;
  return settings;
}

}  // namespace

TEST_CASE("where comes first, then offset, then limit", "[row_reader]") {
  struct Case {
    std::string needle;
    std::uint64_t offset;
    std::optional<std::uint64_t> limit;
    Rows rows;
    std::uint64_t end_row;
  };

  for (const auto& c : std::vector<Case>{{"", 0, std::nullopt, {0, 1, 2, 3, 4, 5, 6, 7}, 8},
                                         {"red", 0, std::nullopt, {0, 3, 6}, 8},
                                         {"red", 1, 1, {3}, 4},
                                         {"", 6, 5, {6, 7}, 8},
                                         {"", 2, 2, {2, 3}, 4},
                                         {"", 9, std::nullopt, {}, 8},
                                         {"green", 0, 3, {}, 8},
                                         {"", 0, 0, {}, 0}}) {
    for (const std::size_t batch_rows : {1, 3, 100}) {
      Bench bench(MemoryRowSource(every_third_red(8), {}, batch_rows),
                  selection(c.offset, c.limit),
                  c.needle);
      CAPTURE(c.needle, c.offset, batch_rows);
      CHECK(bench.run() == c.rows);
      CHECK(bench.end_row == c.end_row);
      CHECK(bench.counters.rows_read == c.rows.size());
      CHECK(bench.counters.reading_is_done);
      if (!c.rows.empty()) {
        const auto shard = bench.ledger().find_shard(0);
        CHECK(shard->rows() == c.end_row);
        for (std::uint64_t row = 0; row < c.end_row; ++row) {
          const bool asked = std::find(c.rows.begin(), c.rows.end(), row) != c.rows.end();
          CHECK((shard->state(row).kind() == RowState::Kind::excluded) == !asked);
        }
      }
    }
  }
}

TEST_CASE("with a limit no more is read than is needed", "[row_reader]") {
  Bench bench(MemoryRowSource(numbered_rows(10'000), {}, 10), selection(0, 20));
  CHECK(bench.run().size() == 20);
  CHECK(bench.source().batches_read == 2);
}

TEST_CASE("a sample's rows are asked, and reading ends behind the last", "[row_reader]") {
  RowReaderSettings settings;
  settings.sampled_rows = {2, 5, 11};
  Bench bench(MemoryRowSource(numbered_rows(1000), {}, 4), settings);
  CHECK(bench.run() == Rows{2, 5, 11});
  CHECK(bench.end_row == 12);
  CHECK(bench.source().batches_read == 3);
}

TEST_CASE("rows that have their outcome are not asked again", "[row_reader]") {
  Bench bench(MemoryRowSource(numbered_rows(5)));
  bench.ledger().append(ok_outcome(1));
  bench.ledger().append(failed_outcome(3));
  bench.ledger().commit(0);
  CHECK(bench.run() == Rows{0, 2, 4});
  CHECK(bench.counters.rows_read == 5);
}

TEST_CASE("a bad row among the first thousand stops before anything is handed on", "[row_reader]") {
  Bench bench(MemoryRowSource(numbered_rows(2000), {990}, 10));
  const auto error = thrown_error([&] { bench.run(); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::bad_row);
  CHECK_THAT(error->message(), ContainsSubstring("in.csv:992: row 991: not UTF-8"));
  CHECK_THAT(error->hint(), ContainsSubstring("out.rejects.jsonl"));
  CHECK(bench.handed_on().empty());
}

TEST_CASE("a bad row further down stops there; what stood before goes on", "[row_reader]") {
  Bench bench(MemoryRowSource(numbered_rows(3000), {2500}, 10));
  CHECK(thrown_error([&] { bench.run(); })->code() == ErrorCode::bad_row);
  const Rows rows = bench.handed_on();
  CHECK(rows.size() > 1000);
  CHECK(rows.back() < 2500);
  CHECK_FALSE(bench.counters.reading_is_done);
}

TEST_CASE("rejected rows go to the log, and the others are asked", "[row_reader]") {
  RowReaderSettings settings;
  settings.on_bad_row = BadRowPolicy::reject;
  for (const std::size_t batch_rows : {1, 2, 100}) {
    Bench bench(MemoryRowSource(numbered_rows(6), {0, 3, 5}, batch_rows), settings);
    CHECK(bench.run() == Rows{1, 2, 4});
    CHECK(bench.rejects().count() == 3);
    CHECK(bench.counters.bad_rows == 3);
    CHECK(bench.end_row == 6);
    CHECK(bench.ledger().find_shard(0)->state(5).kind() == RowState::Kind::excluded);
  }
}

TEST_CASE("a bad row behind the job's last row is nobody's business", "[row_reader]") {
  for (const std::size_t batch_rows : {1, 3, 100}) {
    for (const std::uint64_t bad : {3, 4, 5}) {
      Bench bench(MemoryRowSource(numbered_rows(6), {bad}, batch_rows), selection(0, 3));
      CAPTURE(batch_rows, bad);
      CHECK(bench.run() == Rows{0, 1, 2});
      CHECK(bench.end_row == 3);
    }
  }
}

TEST_CASE("reading goes on behind sealed shards, without reading them", "[row_reader]") {
  constexpr std::uint64_t k_shard = k_rows_per_shard;
  Bench bench(MemoryRowSource(numbered_rows(3 * k_shard + 10), {}, 1000),
              selection(5, 2 * k_shard + 8));
  SealedShard first;
  first.rows = k_shard;
  first.matched = k_shard;
  first.next_place = RowPlace{k_shard, 0, k_shard * 10, 0, 0};
  SealedShard third = first;
  third.number = 2;
  third.matched = 2 * k_shard + 8;  // as if some rows of the second did not match
  third.next_place = RowPlace{3 * k_shard, 0, 3 * k_shard * 10, 0, 0};
  bench.sealed = {{0, first}, {2, third}};
  const Rows rows = bench.run();
  CHECK(bench.source().seeks == Rows{k_shard, 3 * k_shard});
  REQUIRE(rows.size() == k_shard + 5);
  CHECK(rows.front() == k_shard);
  CHECK(rows[k_shard - 1] == 2 * k_shard - 1);
  CHECK(rows[k_shard] == 3 * k_shard);
  CHECK(bench.end_row == 3 * k_shard + 5);
  CHECK(bench.ledger().find_shard(1)->has_end());
  CHECK(bench.ledger().find_shard(2) == nullptr);
}

TEST_CASE("when every shard is sealed nothing is read", "[row_reader]") {
  Bench bench(MemoryRowSource(numbered_rows(10)));
  SealedShard only;
  only.rows = 10;
  only.matched = 10;
  bench.sealed = {{0, only}};
  CHECK(bench.run().empty());
  CHECK(bench.source().batches_read == 0);
  CHECK(bench.counters.reading_is_done);
  CHECK(bench.end_row == 10);
}

TEST_CASE("rows in doubt are asked again, skipped or failed", "[row_reader]") {
  struct Case {
    InDoubtPolicy policy;
    RowFailure failure;
    RowStatus status;
  };

  for (const auto& c :
       std::vector<Case>{{InDoubtPolicy::retry, RowFailure::none, RowStatus::failed},
                         {InDoubtPolicy::skip, RowFailure::in_doubt, RowStatus::skipped},
                         {InDoubtPolicy::fail, RowFailure::in_doubt, RowStatus::failed}}) {
    RowReaderSettings settings;
    settings.in_doubt = c.policy;
    Bench bench(MemoryRowSource(numbered_rows(3)), settings);
    // As an earlier run left it: the file is read when the reader opens the shard anew.
    bench.ledger().note_sent({0, 2, 70});
    bench.ledger().note_sent({1, 1, 30});
    bench.ledger().commit(0);
    bench.ledger().note_ended({1, 1, RowFailure::rate_limited});
    bench.ledger().commit(0);
    bench.ledger().close_shard(0);
    CHECK(bench.run() == Rows{0, 1, 2});
    CHECK(bench.tasks[0].known_failure == c.failure);
    CHECK(bench.tasks[0].earlier_attempts == 2);
    if (c.failure != RowFailure::none) {
      CHECK(bench.tasks[0].known_status == c.status);
    }
    CHECK(bench.tasks[1].known_failure == RowFailure::none);  // it was answered
    CHECK(bench.tasks[1].earlier_attempts == 1);
    CHECK(bench.counters.in_doubt == 1);
    CHECK(bench.counters.in_doubt_micro_usd == 70);
  }
}

TEST_CASE("a stop ends the reading and the shard stays open", "[row_reader]") {
  Bench bench(MemoryRowSource(numbered_rows(10)));
  bench.stop.request_stop();
  CHECK(bench.run().empty());
  CHECK_FALSE(bench.counters.reading_is_done);
}

TEST_CASE("rows are packed for results in the order of answers", "[row_reader]") {
  RowReaderSettings settings;
  settings.pack_rows = true;
  Bench bench(MemoryRowSource({"a", "b"}), settings);
  bench.run();
  CHECK_FALSE(bench.tasks[0].record.empty());
  CHECK(bench.tasks[1].body == "b");
}
