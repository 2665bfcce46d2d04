// SPDX-License-Identifier: Apache-2.0
#include "core/result_writer.h"

#include "core/packed_row.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/memory_row_sink.h"
#include "tests/support/memory_row_source.h"
#include "tests/support/outcomes.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <future>
#include <memory>
#include <string>
#include <vector>

using namespace batchllm;

namespace {

using Lines = std::vector<std::string>;

// A job of a few rows in one shard, and where its result goes.
class Bench {
 public:
  explicit Bench(std::size_t rows, std::set<std::uint64_t> bad_rows = {})
      : rows_(rows),
        bad_rows_(std::move(bad_rows)),
        ledger_(folder_.path(), "job_1") {
    ledger_.open_shard(0);
  }

  ResultWriterSettings settings() {
    ResultWriterSettings settings;
    settings.columns.output_column = "out";
    settings.open_source = [this](std::vector<std::string>& columns) {
      columns = {"text"};
      return std::make_unique<MemoryRowSource>(numbered_rows(rows_), bad_rows_, 2);
    };
    settings.open_sink = [this] { return std::make_unique<MemoryRowSink>(written); };
    return settings;
  }

  void settle(const Outcome& outcome) {
    ledger_.append(outcome);
    ledger_.commit(0);
  }

  Ledger& ledger() { return ledger_; }

  std::string folder() const { return folder_.path(); }

  WrittenRows written;

 private:
  std::size_t rows_;
  std::set<std::uint64_t> bad_rows_;
  ScratchFolder folder_;
  Ledger ledger_;
};

}  // namespace

TEST_CASE("rows are written in input order, each as soon as those before it are there",
          "[result_writer]") {
  Bench bench(3);
  ResultWriter writer(bench.settings(), &bench.ledger(), bench.folder(), {});
  auto complete = std::async(std::launch::async, [&] { return writer.write_in_input_order({}); });
  bench.settle(ok_outcome(2, "c"));
  bench.settle(ok_outcome(0, "a"));
  CHECK(eventually([&] { return bench.written.lines().size() == 2; }));
  CHECK(eventually([&] { return writer.position() == 1; }));
  CHECK_FALSE(bench.written.is_finished());
  bench.settle(ok_outcome(1, "b"));
  writer.finish_run(3);
  CHECK(complete.get());
  CHECK(bench.written.lines() == Lines{"text|out", "row 0|a", "row 1|b", "row 2|c"});
  CHECK(bench.written.is_finished());
  CHECK(bench.written.times_opened() == 1);
  CHECK(writer.rows_written() == 3);
}

TEST_CASE("rows that are not of the job and bad ones are left out", "[result_writer]") {
  Bench bench(6, {1});
  const auto shard = bench.ledger().find_shard(0);
  shard->exclude(1);
  shard->exclude(2);
  bench.settle(ok_outcome(0, "a"));
  bench.settle(ok_outcome(3, "b"));
  ResultWriter writer(bench.settings(), &bench.ledger(), bench.folder(), {});
  writer.finish_run(4);  // rows 4 and 5 lie behind the limit
  CHECK(writer.write_in_input_order({}));
  CHECK(bench.written.lines() == Lines{"text|out", "row 0|a", "row 3|b"});
}

TEST_CASE("the first failed row starts a file anew, with a column for the reason",
          "[result_writer]") {
  Bench bench(3);
  bench.settle(ok_outcome(0, "a"));
  bench.settle(failed_outcome(1));
  bench.settle(failed_outcome(2, RowFailure::timeout));
  ResultWriter writer(bench.settings(), &bench.ledger(), bench.folder(), {});
  writer.finish_run(3);
  CHECK(writer.write_in_input_order({}));
  CHECK(bench.written.lines() == Lines{"text|out|error",
                                       "row 0|a|-",
                                       "row 1|-|bad_request: because",
                                       "row 2|-|timeout: because"});
  CHECK(bench.written.times_opened() == 2);
}

TEST_CASE("a stream is not started anew: the failed row's output is empty", "[result_writer]") {
  Bench bench(2);
  bench.settle(ok_outcome(0, "a"));
  bench.settle(failed_outcome(1));
  ResultWriterSettings settings = bench.settings();
  settings.may_restart = false;
  ResultWriter writer(settings, &bench.ledger(), bench.folder(), {});
  writer.finish_run(2);
  CHECK(writer.write_in_input_order({}));
  CHECK(bench.written.lines() == Lines{"text|out", "row 0|a", "row 1|-"});
  CHECK(bench.written.times_opened() == 1);
}

TEST_CASE("meta columns hold the reason: nothing is started anew", "[result_writer]") {
  Bench bench(1);
  bench.settle(failed_outcome(0));
  ResultWriterSettings settings = bench.settings();
  settings.columns.include_meta = true;
  ResultWriter writer(settings, &bench.ledger(), bench.folder(), {});
  writer.finish_run(1);
  CHECK(writer.write_in_input_order({}));
  CHECK(bench.written.times_opened() == 1);
  CHECK_THAT(bench.written.lines().at(1),
             ContainsSubstring("row 0|-|failed|bad_request: because|"));
}

TEST_CASE("a run that ends before its last row leaves an unfinished document", "[result_writer]") {
  Bench bench(3);
  bench.settle(ok_outcome(0, "a"));
  bench.settle(ok_outcome(2, "c"));
  ResultWriter writer(bench.settings(), &bench.ledger(), bench.folder(), {});
  auto complete = std::async(std::launch::async, [&] { return writer.write_in_input_order({}); });
  CHECK(eventually([&] { return writer.position() == 1; }));
  writer.finish_run(std::nullopt);
  CHECK_FALSE(complete.get());
  CHECK_FALSE(bench.written.is_finished());
}

TEST_CASE("a stop ends the waiting", "[result_writer]") {
  Bench bench(3);
  ResultWriter writer(bench.settings(), &bench.ledger(), bench.folder(), {});
  std::stop_source stop;
  auto complete =
      std::async(std::launch::async, [&] { return writer.write_in_input_order(stop.get_token()); });
  stop.request_stop();
  CHECK_FALSE(complete.get());
}

TEST_CASE("an export takes what the ledger holds, whole", "[result_writer]") {
  Bench bench(4);
  bench.settle(ok_outcome(3, "d"));
  bench.settle(ok_outcome(1, "b"));
  bench.settle(failed_outcome(2));

  struct Case {
    ResultRows rows;
    Lines lines;
  };

  for (const auto& c : std::vector<Case>{
           {ResultRows::all,
            {"text|out|error", "row 1|b|-", "row 2|-|bad_request: because", "row 3|d|-"}},
           {ResultRows::ok, {"text|out", "row 1|b", "row 3|d"}},
           {ResultRows::failed, {"text|out|error", "row 2|-|bad_request: because"}}}) {
    ResultWriterSettings settings = bench.settings();
    settings.rows = c.rows;
    ResultWriter writer(settings, nullptr, bench.folder(), {});
    writer.write_recorded(c.rows != ResultRows::ok);
    CHECK(bench.written.lines() == c.lines);
    CHECK(bench.written.is_finished());
  }
}

TEST_CASE("an export reads a last record that lacks its line feed", "[result_writer]") {
  Bench bench(2);
  bench.settle(ok_outcome(0, "a"));
  bench.settle(ok_outcome(1, "b"));
  const auto path = Ledger::shard_path(bench.folder(), 0);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  ResultWriter writer(bench.settings(), nullptr, bench.folder(), {});
  writer.write_recorded(false);
  CHECK(bench.written.lines() == Lines{"text|out", "row 0|a", "row 1|b"});
}

TEST_CASE("an export of a job without a ledger is an empty document", "[result_writer]") {
  Bench bench(2);
  ScratchFolder empty;
  ResultWriter writer(bench.settings(), nullptr, empty.path(), {});
  writer.write_recorded(false);
  CHECK(bench.written.lines() == Lines{"text|out"});
}

TEST_CASE("rows of sealed and forgotten shards are read from their file", "[result_writer]") {
  Bench bench(2);
  bench.settle(ok_outcome(0, "a"));
  bench.settle(ok_outcome(1, "b"));
  bench.ledger().close_shard(0);
  ResultWriter writer(bench.settings(), &bench.ledger(), bench.folder(), {});
  writer.finish_run(2);
  CHECK(writer.write_in_input_order({}));
  CHECK(bench.written.lines().size() == 3);
}

TEST_CASE("in the order of completion each row comes with its answer", "[result_writer]") {
  Bench bench(0);
  CompletionWriter writer(bench.settings(), 500);
  auto done = std::async(std::launch::async, [&] { writer.run({}); });
  RowBatch batch;
  batch.column_count = 1;
  batch.cells = {"first", "second"};
  batch.places.resize(2);
  for (const std::size_t row : {1, 0}) {
    std::string packed;
    pack_row(batch, row, packed);
    writer.add(batch.places[row], packed, row == 0 ? ok_outcome(0, "a") : failed_outcome(1));
  }
  CHECK(eventually([&] { return bench.written.lines().size() == 3; }));
  CHECK(eventually([&] { return writer.has_room(); }));
  writer.finish();
  done.get();
  CHECK(bench.written.lines() ==
        Lines{"text|out|error", "second|-|bad_request: because", "first|a|-"});
  CHECK(bench.written.is_finished());
}

TEST_CASE("a completion writer that nobody empties says that it has no room", "[result_writer]") {
  Bench bench(0);
  CompletionWriter writer(bench.settings(), 100);
  CHECK(writer.has_room());
  writer.add({}, std::string(200, 'x'), ok_outcome(0));
  CHECK_FALSE(writer.has_room());
}
