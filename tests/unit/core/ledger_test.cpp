// SPDX-License-Identifier: Apache-2.0
#include "core/ledger.h"

#include "tests/support/catch.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/outcomes.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <filesystem>
#include <map>
#include <string>

using namespace batchllm;

namespace {

std::string file_name(std::uint64_t shard) {
  return Ledger::shard_path("", shard).string();
}

std::map<std::uint64_t, std::string> recorded_outputs(const ScratchFolder& folder,
                                                      std::uint64_t shard) {
  const auto path = Ledger::shard_path(folder.path(), shard);
  LedgerReader reader(path);
  std::map<std::uint64_t, std::string> outputs;
  scan_ledger(path, [&](std::uint64_t offset, std::string_view, const LineGlance& seen) {
    const auto outcome = read_outcome_line(reader.line_at(offset));
    REQUIRE(outcome);
    CHECK(outcome->row_index == seen.row_index);
    outputs[seen.row_index] = outcome->output;
  });
  return outputs;
}

LedgerScan scan(const ScratchFolder& folder, std::uint64_t shard) {
  return scan_ledger(Ledger::shard_path(folder.path(), shard),
                     [](std::uint64_t, std::string_view, const LineGlance&) {});
}

}  // namespace

TEST_CASE("what was committed is there after opening again", "[ledger]") {
  const ScratchFolder folder;
  {
    Ledger ledger(folder.path(), "job_1");
    ledger.open_shard(0);
    ledger.note_sent({0, 1, 7});
    ledger.note_sent({1, 1, 7});
    ledger.note_sent({2, 1, 7});
    ledger.commit(1);
    ledger.append(ok_outcome(0, "zero"));
    ledger.append(failed_outcome(1));
    CHECK(ledger.find_shard(0)->state(0).kind() == RowState::Kind::unknown);
    ledger.commit(2);
    CHECK(ledger.find_shard(0)->state(0).status() == RowStatus::ok);
    CHECK(ledger.shard_totals(0).ok == 1);
  }
  CHECK(recorded_outputs(folder, 0) == std::map<std::uint64_t, std::string>{{0, "zero"}, {1, ""}});
  Ledger ledger(folder.path(), "job_1");
  const auto shard = ledger.open_shard(0);
  CHECK(shard->state(0).status() == RowStatus::ok);
  CHECK(shard->state(1).status() == RowStatus::failed);
  CHECK(shard->state(2).kind() == RowState::Kind::unknown);
  CHECK(ledger.opened_totals().ok == 1);
  CHECK(ledger.opened_totals().failed == 1);
  CHECK(ledger.opened_totals().cost_micro_usd == 5);
  CHECK(ledger.opened_totals().input_tokens == 10);
  CHECK(ledger.lost_records() == 0);
  CHECK_FALSE(ledger.take_open_attempt(0));
  const auto doubt = ledger.take_open_attempt(2);
  REQUIRE(doubt);
  CHECK(doubt->attempts == 1);
  CHECK(doubt->max_cost_micro_usd == 7);
  CHECK_FALSE(doubt->answered);
  CHECK_FALSE(ledger.take_open_attempt(2));
}

TEST_CASE("which failures leave a row in doubt", "[ledger]") {
  struct Case {
    RowFailure failure;
    bool answered;
  };

  for (const auto& c : std::vector<Case>{{RowFailure::rate_limited, true},
                                         {RowFailure::server_error, true},
                                         {RowFailure::connection_failed, true},
                                         {RowFailure::timeout, false},
                                         {RowFailure::protocol_error, false}}) {
    const ScratchFolder folder;
    Ledger ledger(folder.path(), "job_1");
    ledger.note_sent({5, 1, 100});
    ledger.note_ended({5, 1, c.failure});
    ledger.commit(0);  // ended stands before sent: the note of the attempt is newer
    ledger.note_ended({5, 1, c.failure});
    ledger.commit(0);
    CAPTURE(failure_name(c.failure));
    CHECK(scan(folder, 0).open_attempts.at(5).answered == c.answered);
    ledger.note_sent({5, 2, 30});
    ledger.commit(0);
    const OpenAttempt attempt = scan(folder, 0).open_attempts.at(5);
    CHECK(attempt.attempts == 2);
    CHECK_FALSE(attempt.answered);
    CHECK(attempt.max_cost_micro_usd == (c.answered ? 30 : 130));
  }
}

TEST_CASE("a last line torn anywhere costs that row only, and the file goes on", "[ledger]") {
  const ScratchFolder folder;
  {
    Ledger ledger(folder.path(), "job_1");
    ledger.append(ok_outcome(0, "first"));
    ledger.append(ok_outcome(1, "last"));
    ledger.commit(0);
  }
  const std::string whole = folder.read(file_name(0));
  const std::size_t last_line = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t size = last_line; size <= whole.size(); ++size) {
    folder.write(file_name(0), whole.substr(0, size));
    const bool is_whole = size + 1 >= whole.size();
    CAPTURE(size, last_line, whole.size());
    CHECK(recorded_outputs(folder, 0).size() == (is_whole ? 2 : 1));
    {
      Ledger ledger(folder.path(), "job_1");
      const auto shard = ledger.open_shard(0);
      CHECK(shard->state(0).kind() == RowState::Kind::settled);
      CHECK((shard->state(1).kind() == RowState::Kind::settled) == is_whole);
      CHECK(ledger.lost_records() == 0);
      ledger.append(ok_outcome(2, "after"));
      ledger.commit(0);
    }
    const auto outputs = recorded_outputs(folder, 0);
    CHECK(outputs.at(0) == "first");
    CHECK(outputs.at(2) == "after");
    CHECK(outputs.size() == (is_whole ? 3 : 2));
  }
}

TEST_CASE("any damaged byte costs at most its row, and the ledger can be written on", "[ledger]") {
  const ScratchFolder folder;
  {
    Ledger ledger(folder.path(), "job_1");
    for (std::uint64_t row = 0; row < 4; ++row) {
      ledger.append(ok_outcome(row, "answer"));
    }
    ledger.commit(0);
  }
  const std::string whole = folder.read(file_name(0));
  for (const char damage : {'\n', 'x', '{'}) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string damaged = whole;
      damaged[at] = damage;
      folder.write(file_name(0), damaged);
      {
        Ledger ledger(folder.path(), "job_1");
        ledger.open_shard(0);
        ledger.append(ok_outcome(9, "after"));
        ledger.commit(0);
      }
      const auto outputs = recorded_outputs(folder, 0);
      if (outputs.size() < 4 || !outputs.contains(9)) {
        CAPTURE(at, damage, outputs.size());
        FAIL("a row was lost that was not damaged");
      }
    }
  }
}

TEST_CASE("a whole record before a torn one is kept when the line feed between them is damaged",
          "[ledger]") {
  const ScratchFolder folder;
  {
    Ledger ledger(folder.path(), "job_1");
    ledger.append(ok_outcome(0, "kept"));
    ledger.append(ok_outcome(1, "torn"));
    ledger.commit(0);
  }
  std::string bytes = folder.read(file_name(0));
  bytes[bytes.rfind('\n', bytes.size() - 2)] = ' ';
  bytes.resize(bytes.size() - 9);
  folder.write(file_name(0), bytes);
  Ledger ledger(folder.path(), "job_1");
  ledger.open_shard(0);
  ledger.append(ok_outcome(2, "next"));
  ledger.commit(0);
  CHECK(recorded_outputs(folder, 0) ==
        std::map<std::uint64_t, std::string>{{0, "kept"}, {2, "next"}});
}

TEST_CASE("a later outcome of a row takes the place of an earlier one", "[ledger]") {
  const ScratchFolder folder;
  Ledger ledger(folder.path(), "job_1");
  ledger.append(failed_outcome(3));
  ledger.commit(0);
  ledger.append(ok_outcome(3, "second"));
  ledger.commit(0);
  CHECK(ledger.shard_totals(0).failed == 0);
  CHECK(ledger.shard_totals(0).ok == 1);
  CHECK(recorded_outputs(folder, 0).at(3) == "second");
  Ledger again(folder.path(), "job_1");
  again.open_shard(0);
  CHECK(again.opened_totals().failed == 0);
  CHECK(again.opened_totals().ok == 1);
}

TEST_CASE("a reopened row is asked again and counted once", "[ledger]") {
  const ScratchFolder folder;
  {
    Ledger ledger(folder.path(), "job_1");
    ledger.append(failed_outcome(0));
    ledger.commit(0);
  }
  Ledger ledger(folder.path(), "job_1");
  const auto shard = ledger.open_shard(0);
  ledger.reopen(0);
  CHECK(shard->state(0).kind() == RowState::Kind::unknown);
  CHECK(ledger.opened_totals().failed == 0);
  ledger.append(ok_outcome(0));
  ledger.commit(0);
  CHECK(ledger.shard_totals(0).failed == 0);
  CHECK(ledger.shard_totals(0).ok == 1);
}

TEST_CASE("each shard has its file; a closed one is known as such", "[ledger]") {
  const ScratchFolder folder;
  Ledger ledger(folder.path(), "job_1");
  ledger.note_sent({0, 1, 0});
  ledger.note_sent({k_rows_per_shard, 1, 0});
  ledger.append(ok_outcome(0));
  ledger.append(ok_outcome(k_rows_per_shard + 1));
  ledger.commit(0);
  ledger.sync();
  CHECK(recorded_outputs(folder, 0).size() == 1);
  CHECK(recorded_outputs(folder, 1).size() == 1);
  CHECK(scan(folder, 1).open_attempts.contains(k_rows_per_shard));
  CHECK(ledger.open_shards().size() == 2);
  CHECK_FALSE(ledger.was_closed(0));
  ledger.close_shard(0);
  CHECK(ledger.was_closed(0));
  CHECK(ledger.find_shard(0) == nullptr);
  CHECK(ledger.open_shard(0)->state(0).status() == RowStatus::ok);
}

TEST_CASE("a write that fails leaves nothing half-written; outcomes wait for the next commit",
          "[ledger]") {
  // The limit falls into the header, into the first record, behind it, …
  for (const std::uint64_t room : {0, 1, 40, 90, 130, 200, 260, 300, 420}) {
    const ScratchFolder folder;
    CAPTURE(room);
    {
      Ledger ledger(folder.path(), "job_1");
      ledger.append(ok_outcome(0, "zero"));
      ledger.append(ok_outcome(1, "one"));
      ledger.note_sent({2, 1, 0});
      std::optional<Error> error;
      {
        const FileSizeLimit full(room);
        error = thrown_error([&] { ledger.commit(0); });
      }
      REQUIRE(error);
      CHECK(error->code() == ErrorCode::storage_full);
      CHECK(ledger.find_shard(0)->state(0).kind() == RowState::Kind::unknown);
      const LedgerScan after_failure = scan(folder, 0);
      CHECK(after_failure.intact_bytes == after_failure.file_bytes);
      ledger.append(ok_outcome(3, "three"));
      ledger.commit(0);
      const auto shard = ledger.find_shard(0);
      LedgerReader reader(Ledger::shard_path(folder.path(), 0));
      for (const std::uint64_t row : {0, 1, 3}) {
        REQUIRE(shard->state(row).kind() == RowState::Kind::settled);
        CHECK(read_outcome_line(reader.line_at(shard->state(row).ledger_offset()))->row_index ==
              row);
      }
    }
    const LedgerScan seen = scan(folder, 0);
    CHECK(seen.lost_records == 0);
    CHECK(seen.open_attempts.empty());  // the request was never sent
    CHECK(recorded_outputs(folder, 0).size() == 3);
  }
}

TEST_CASE("when a shard's file cannot be made, no request counts as sent", "[ledger]") {
  const ScratchFolder folder;
  const std::string inner = folder.path("job");
  Ledger ledger(inner, "job_1");
  ledger.note_sent({0, 1, 0});
  ledger.append(ok_outcome(1));
  CHECK(thrown_error([&] { ledger.commit(0); })->code() == ErrorCode::storage);
  std::filesystem::create_directory(inner);
  ledger.commit(0);
  const LedgerScan seen = scan_ledger(Ledger::shard_path(inner, 0),
                                      [](std::uint64_t, std::string_view, const LineGlance&) {});
  CHECK(seen.open_attempts.empty());
}

TEST_CASE("records longer than a block are read whole", "[ledger]") {
  const ScratchFolder folder;
  Ledger ledger(folder.path(), "job_1");
  const std::string large(3'000'000, 'x');
  ledger.append(ok_outcome(0, "a"));
  ledger.append(ok_outcome(1, large));
  ledger.append(ok_outcome(2, "b"));
  ledger.commit(0);
  const auto outputs = recorded_outputs(folder, 0);
  CHECK(outputs.at(0) == "a");
  CHECK(outputs.at(1) == large);
  CHECK(outputs.at(2) == "b");
}

TEST_CASE("a reader finds records written after it looked", "[ledger]") {
  const ScratchFolder folder;
  Ledger ledger(folder.path(), "job_1");
  ledger.append(ok_outcome(0, "a"));
  ledger.commit(0);
  LedgerReader reader(Ledger::shard_path(folder.path(), 0));
  const auto shard = ledger.find_shard(0);
  CHECK(read_outcome_line(reader.line_at(shard->state(0).ledger_offset()))->output == "a");
  ledger.append(ok_outcome(1, "b"));
  ledger.commit(0);
  CHECK(read_outcome_line(reader.line_at(shard->state(1).ledger_offset()))->output == "b");
  CHECK(thrown_error([&] { reader.line_at(1'000'000); })->code() == ErrorCode::job_corrupt);
}

TEST_CASE("the costs of an outcome count however long its request id is", "[ledger]") {
  const ScratchFolder folder;
  Ledger ledger(folder.path(), "job_1");
  Outcome outcome = ok_outcome(0);
  outcome.request_id = std::string(200, '\x01');  // six bytes each when escaped
  ledger.append(outcome);
  ledger.commit(0);
  CHECK(scan(folder, 0).totals.cost_micro_usd == 5);
}

TEST_CASE("a ledger of a later version is refused with a way out", "[ledger]") {
  const ScratchFolder folder;
  std::string line = R"({"ledger":2,"job":"job_1")";
  seal_line(line, 0);
  folder.write(file_name(0), line);
  Ledger ledger(folder.path(), "job_1");
  const auto error = thrown_error([&] { ledger.open_shard(0); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::job_corrupt);
  CHECK_THAT(error->hint(), ContainsSubstring("newer"));
  CHECK(folder.read(file_name(0)) == line);
}

TEST_CASE("rows that do not belong to the shard are passed over", "[ledger]") {
  const ScratchFolder folder;
  std::string lines;
  append_outcome_line(lines, ok_outcome(k_rows_per_shard * 5));
  append_outcome_line(lines, ok_outcome(1));
  folder.write(file_name(0), lines);
  Ledger ledger(folder.path(), "job_1");
  ledger.open_shard(0);
  CHECK(ledger.opened_totals().ok == 1);
}
