// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/commit_queue.h"
#include "adapters/sql/database_care.h"
#include "tests/support/catch.h"
#include "tests/support/fault_vfs.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <atomic>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace batchllm::sql {
namespace {

using Fault = FaultVfs::Fault;
using Operation = FaultVfs::Operation;

// A small table whose every write makes two rows: half a write shows.
Database pairs_database(const std::string& path, const OpenOptions& options) {
  Database database = Database::open(path, Access::read_write, options);
  database.execute(
      "CREATE TABLE IF NOT EXISTS pairs(number INTEGER, half INTEGER, text TEXT, "
      "PRIMARY KEY(number, half)) STRICT, WITHOUT ROWID");
  return database;
}

void add_pair(CommitQueue& queue, int number) {
  queue.write([number](Database& database) {
    for (const int half : {0, 1}) {
      database.run("INSERT OR IGNORE INTO pairs VALUES (?, ?, ?)",
                   number,
                   half,
                   std::string(700, static_cast<char>('a' + number % 26)));
    }
  });
}

// The numbers of whole pairs, after every check of the file.
std::set<int> pairs_in(const std::string& path) {
  const FaultVfs disk;  // no faults, and no waiting for the real disk
  OpenOptions options;
  options.vfs = disk.name();
  Database database = pairs_database(path, options);
  check_integrity(database, Check::full);
  CHECK(database.integer("SELECT count(*) FROM (SELECT number FROM pairs GROUP BY number "
                         "HAVING count(*) <> 2)") == 0);
  std::set<int> numbers;
  Statement rows = database.prepare("SELECT DISTINCT number FROM pairs");
  while (rows.step()) {
    numbers.insert(static_cast<int>(rows.integer(0)));
  }
  return numbers;
}

CommitQueueOptions small_log() {
  CommitQueueOptions options;
  options.log_pages = 8;
  options.log_limit_bytes = 20 * 4096;
  return options;
}

// Runs `action` and, when the fault hits it, once more after the fault is lifted.
template <typename Action>
void with_second_try(FaultVfs& disk, Action action) {
  const auto error = thrown_error(action);
  if (error) {
    CAPTURE(error->message());
    CHECK((error->code() == ErrorCode::storage || error->code() == ErrorCode::storage_full));
    CHECK_FALSE(error->hint().empty());
    REQUIRE(disk.lift());
    action();
  }
}

TEST_CASE("whichever I/O operation fails, nothing acknowledged is lost and writing goes on",
          "[sql]") {
  struct Case {
    Operation operation;
    Fault fault;
  };

  const auto& c = GENERATE(values<Case>({{Operation::write, Fault::full},
                                         {Operation::write, Fault::io_error},
                                         {Operation::write, Fault::short_write},
                                         {Operation::sync, Fault::io_error},
                                         {Operation::open, Fault::io_error},
                                         {Operation::truncate, Fault::io_error},
                                         {Operation::remove, Fault::io_error}}));
  const bool for_good = GENERATE(false, true);
  CAPTURE(static_cast<int>(c.operation), static_cast<int>(c.fault), for_good);
  bool has_failed = true;
  for (int nth = 1; has_failed; ++nth) {
    CAPTURE(nth);
    REQUIRE(nth < 500);
    const ScratchFolder folder;
    FaultVfs disk;
    OpenOptions options;
    options.vfs = disk.name();
    disk.fail(c.operation, nth, c.fault, for_good);
    std::set<int> acknowledged;
    {
      std::optional<CommitQueue> queue;
      with_second_try(disk, [&] {
        queue.emplace(pairs_database(folder.path("queue.db"), options), small_log());
      });
      for (int number = 0; number < 25; ++number) {
        with_second_try(disk, [&] { add_pair(*queue, number); });
        acknowledged.insert(number);
      }
    }
    has_failed = disk.lift();
    CHECK(pairs_in(folder.path("queue.db")) == acknowledged);
  }
}

struct CutResult {
  int lost = 0;
  bool was_cut = false;
};

// Writes from `threads` threads until the power goes, and looks at what is left.
CutResult cut_power(std::uint64_t seed, int threads, Durability durability) {
  const ScratchFolder folder;
  const std::string path = folder.path("queue.db");
  FaultVfs disk;
  OpenOptions options;
  options.vfs = disk.name();
  options.durability = durability;
  std::mutex mutex;
  std::set<int> acknowledged;
  CutResult result;
  disk.cut_power_at(static_cast<std::int64_t>(std::mt19937_64(seed)() % 250));
  try {
    CommitQueue queue(pairs_database(path, options), small_log());
    std::vector<std::thread> writers;
    for (int thread = 0; thread < threads; ++thread) {
      writers.emplace_back([&, thread] {
        for (int count = 0; count < 40; ++count) {
          const int number = count * threads + thread;
          if (thrown_error([&] { add_pair(queue, number); })) {
            return;
          }
          const std::lock_guard lock(mutex);
          acknowledged.insert(number);
        }
      });
    }
    for (std::thread& writer : writers) {
      writer.join();
    }
  } catch (const Error&) {
    REQUIRE(disk.is_power_cut());
  }
  result.was_cut = disk.is_power_cut();
  disk.restore_power(seed);
  const std::set<int> left = pairs_in(path);
  for (const int number : acknowledged) {
    result.lost += left.count(number) == 0 ? 1 : 0;
  }
  return result;
}

TEST_CASE("a power cut takes nothing that was acknowledged", "[sql]") {
  int cuts = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    const CutResult result = cut_power(seed, 4, Durability::full);
    CHECK(result.lost == 0);
    cuts += result.was_cut ? 1 : 0;
  }
  CHECK(cuts > 100);
}

TEST_CASE("without a sync for each commit a power cut takes commits but leaves the file whole",
          "[sql]") {
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    lost += cut_power(seed, 1, Durability::normal).lost;
  }
  // Also shows that the model takes what is not synced.
  CHECK(lost > 0);
}

TEST_CASE("on a full disk writes fail as such, what is there is read, and room lets it go on",
          "[sql]") {
  const ScratchFolder folder;
  const std::string path = folder.path("queue.db");
  std::vector<ErrorCode> reported;
  CommitQueueOptions options = small_log();
  options.on_failure = [&reported](const Error& error) { reported.push_back(error.code()); };
  CommitQueue queue(pairs_database(path, {}), options);
  int written = 0;
  {
    const FileSizeLimit limit(200'000);
    std::optional<Error> error;
    while (!error && written < 10'000) {
      error = thrown_error([&] { add_pair(queue, written); });
      written += error ? 0 : 1;
    }
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::storage_full);
    CHECK_THAT(error->message(), ContainsSubstring(path));
    Database reader = Database::open(path, Access::read_only);
    CHECK(reader.integer("SELECT count(*) FROM pairs") == 2 * written);
  }
  add_pair(queue, written);
  queue.stop();
  CHECK_FALSE(reported.empty());
  CHECK(reported.front() == ErrorCode::storage_full);
  CHECK(pairs_in(path).size() == static_cast<std::size_t>(written) + 1);
}

}  // namespace
}  // namespace batchllm::sql
