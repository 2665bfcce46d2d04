// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/database_care.h"

#include "adapters/sql/commit_queue.h"
#include "adapters/sql/sqlite_migrations.h"
#include "tests/support/catch.h"
#include "tests/support/fault_vfs.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <sys/stat.h>

#include <array>
#include <atomic>
#include <fstream>
#include <thread>

namespace batchllm::sql {
namespace {

constexpr std::array k_schema = {
    Migration{1,
              "all",
              "CREATE TABLE jobs(id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
              "CREATE TABLE events(job INTEGER NOT NULL REFERENCES jobs(id), seq INTEGER NOT NULL, "
              "data TEXT, PRIMARY KEY(job, seq)) STRICT, WITHOUT ROWID"}};

constexpr int k_jobs = 400;

// 400 jobs with two events each, some hundred pages, all in the file.
void make_database(const ScratchFolder& folder) {
  Database database =
      open_migrated(folder.path("queue.db"), k_schema, {folder.path("backups"), 1000, {}});
  TransactionScope transaction(database, TransactionScope::Kind::write);
  for (int job = 1; job <= k_jobs; ++job) {
    database.run("INSERT INTO jobs VALUES (?, ?)", job, std::string(500, 'n'));
    for (const int seq : {1, 2}) {
      database.run("INSERT INTO events VALUES (?, ?, ?)", job, seq, std::string(500, 'e'));
    }
  }
  transaction.commit();
}

void overwrite(const std::string& path, std::uint64_t offset, std::size_t bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file << std::string(bytes, '\xA5');
}

Database start(const ScratchFolder& folder) {
  Database database =
      open_migrated(folder.path("queue.db"), k_schema, {folder.path("backups"), 1000, {}});
  check_at_start(database);
  return database;
}

TEST_CASE("damage is noticed at the start, named, and nothing is changed", "[sql]") {
  struct Case {
    const char* name;
    void (*damage)(const std::string& path);
  };

  const auto& c = GENERATE(
      values<Case>({{"header", [](const std::string& path) { overwrite(path, 0, 100); }},
                    {"first page", [](const std::string& path) { overwrite(path, 0, 4096); }},
                    {"a page", [](const std::string& path) { overwrite(path, 20 * 4096, 4096); }},
                    {"truncated",
                     [](const std::string& path) {
                       std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
                     }},
                    {"one page short", [](const std::string& path) {
                       std::filesystem::resize_file(path, std::filesystem::file_size(path) - 4096);
                     }}}));
  CAPTURE(c.name);
  const ScratchFolder folder;
  make_database(folder);
  c.damage(folder.path("queue.db"));
  const std::string before = folder.read("queue.db");
  const auto error = thrown_error([&] { start(folder); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::database_corrupt);
  CHECK(error->exit_code() == 11);
  CHECK_THAT(error->message(), ContainsSubstring(folder.path("queue.db")));
  CHECK_THAT(error->hint(), ContainsSubstring("batchllm daemon repair"));
  CHECK(folder.read("queue.db") == before);
}

TEST_CASE("without its log a database is older, whole, and says nothing", "[sql]") {
  const ScratchFolder folder;
  make_database(folder);
  {
    Database writer = start(folder);
    writer.execute("DELETE FROM events");
    std::filesystem::copy_file(folder.path("queue.db"), folder.path("copy.db"));
  }
  Database copy = Database::open(folder.path("copy.db"), Access::read_write);
  CHECK(check_at_start(copy));
  CHECK(copy.integer("SELECT count(*) FROM events") == 2 * k_jobs);
}

TEST_CASE("only the full check sees that an index and its table disagree", "[sql]") {
  const ScratchFolder folder;
  {
    Database database = Database::open(folder.path("queue.db"), Access::read_write);
    database.execute(
        "CREATE TABLE t(a TEXT); CREATE INDEX i ON t(a); "
        "INSERT INTO t VALUES ('needle'), ('straw')");
  }
  std::string bytes = folder.read("queue.db");
  bytes[bytes.find("needle")] = 'N';
  folder.write("queue.db", bytes);
  Database database = Database::open(folder.path("queue.db"), Access::read_write);
  CHECK_NOTHROW(check_integrity(database, Check::quick));
  const auto error = thrown_error([&] { check_integrity(database, Check::full); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::database_corrupt);
}

TEST_CASE("the check at the start leaves large databases out", "[sql]") {
  const ScratchFolder folder;
  make_database(folder);
  Database database = Database::open(folder.path("queue.db"), Access::read_write);
  CHECK(check_at_start(database));
  CHECK_FALSE(check_at_start(database, 10'000));
}

TEST_CASE("a backup taken while others write holds whole writes only", "[sql]") {
  const ScratchFolder folder;
  make_database(folder);
  CommitQueue queue(start(folder));
  std::atomic<bool> is_done = false;
  std::thread writer([&] {
    for (int job = k_jobs + 1; !is_done; ++job) {
      queue.write([job](Database& database) {
        database.run("INSERT INTO jobs VALUES (?, 'x')", job);
        database.run("INSERT INTO events VALUES (?, 1, 'x'), (?, 2, 'x')", job, job);
      });
    }
  });
  Database reader = Database::open(folder.path("queue.db"), Access::read_only);
  for (int copy = 0; copy < 5; ++copy) {
    const auto path = back_up(reader, folder.path("backups"), "daily", 1000 + copy);

    struct stat about {};

    REQUIRE(stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    Database backup = Database::open(path, Access::read_only);
    check_integrity(backup, Check::full);
    CHECK(schema_version(backup) == 1);
    CHECK(backup.integer("SELECT count(*) FROM events") ==
          backup.integer("SELECT 2 * count(*) FROM jobs"));
  }
  is_done = true;
  writer.join();
  for (const auto& entry : std::filesystem::directory_iterator(folder.path("backups"))) {
    CHECK(entry.path().extension() == ".db");
  }
}

TEST_CASE("the newest backups of a label stay, those of others too", "[sql]") {
  const ScratchFolder folder;
  make_database(folder);
  Database database = Database::open(folder.path("queue.db"), Access::read_only);
  const std::filesystem::path backups = folder.path("backups");
  back_up(database, backups, "before-v2", 0);
  for (const int time : {4000, 2000, 3000, 1000}) {
    back_up(database, backups, "daily", time);
  }
  folder.write("backups/notes.txt", "mine");
  keep_newest_backups(backups, folder.path("queue.db"), "daily", 2);
  const auto left = list_backups(backups, folder.path("queue.db"));
  REQUIRE(left.size() == 3);
  CHECK(left[0].filename() == "queue-daily-19700101T000004.000Z.db");
  CHECK(left[1].filename() == "queue-daily-19700101T000003.000Z.db");
  CHECK(left[2].filename() == "queue-before-v2-19700101T000000.000Z.db");
  CHECK(newest_backup(backups, folder.path("queue.db")) == left[0]);
  CHECK(newest_backup(folder.path("none"), folder.path("queue.db")) == std::nullopt);
}

TEST_CASE("a backup that finds no room leaves nothing behind", "[sql]") {
  const ScratchFolder folder;
  make_database(folder);
  FaultVfs disk;
  OpenOptions options;
  options.vfs = disk.name();
  Database database = Database::open(folder.path("queue.db"), Access::read_only, options);
  disk.fail(FaultVfs::Operation::write, 5, FaultVfs::Fault::full, true);
  const auto error = thrown_error([&] { back_up(database, folder.path("backups"), "daily", 0); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::storage_full);
  CHECK(std::filesystem::is_empty(folder.path("backups")));
}

struct Rescue {
  std::vector<Salvaged> tables;
  std::int64_t jobs = 0;
  std::int64_t events = 0;
};

Rescue salvage_all(const ScratchFolder& folder) {
  constexpr std::array<std::string_view, 2> k_tables = {"jobs", "events"};
  Database target =
      open_migrated(folder.path("new.db"), k_schema, {folder.path("new-backups"), 0, {}});
  Rescue result;
  result.tables = salvage(folder.path("queue.db"), target, k_tables);
  check_integrity(target, Check::full);
  CHECK(target.string("PRAGMA foreign_key_check") == std::nullopt);
  result.jobs = target.integer("SELECT count(*) FROM jobs").value_or(0);
  result.events = target.integer("SELECT count(*) FROM events").value_or(0);
  return result;
}

TEST_CASE("everything is salvaged from a database that is whole", "[sql]") {
  const ScratchFolder folder;
  make_database(folder);
  const Rescue result = salvage_all(folder);
  CHECK(result.jobs == k_jobs);
  CHECK(result.events == 2 * k_jobs);
  CHECK(result.tables[0].rows == k_jobs);
  CHECK(result.tables[0].is_complete);
  CHECK(result.tables[1].is_complete);
}

TEST_CASE("damaged pages cost the rows on them and not those behind them", "[sql]") {
  const ScratchFolder folder;
  make_database(folder);
  const auto pages = std::filesystem::file_size(folder.path("queue.db")) / 4096;
  REQUIRE(pages > 100);
  // Three islands of damage, each of one page.
  for (const std::uint64_t page : {pages / 4, pages / 2, pages * 3 / 4}) {
    overwrite(folder.path("queue.db"), page * 4096, 4096);
  }
  const Rescue result = salvage_all(folder);
  CHECK(result.jobs > k_jobs - 40);
  CHECK(result.jobs < k_jobs);
  CHECK(result.events > k_jobs);
  CHECK_FALSE(result.tables[0].is_complete);
}

TEST_CASE("nothing is salvaged from what is no database", "[sql]") {
  const ScratchFolder folder;
  folder.write("queue.db", std::string(8192, 'x'));
  const Rescue result = salvage_all(folder);
  CHECK(result.jobs == 0);
  CHECK_FALSE(result.tables[0].is_complete);
}

TEST_CASE("a damaged database is moved aside with its log", "[sql]") {
  const ScratchFolder folder;
  folder.write("queue.db", "db");
  folder.write("queue.db-wal", "log");
  const auto aside = move_database_aside(folder.path("queue.db"), 0);
  CHECK(aside.filename() == "corrupt-19700101T000000.000Z");
  CHECK(folder.read("corrupt-19700101T000000.000Z/queue.db-wal") == "log");
  CHECK(folder.read("corrupt-19700101T000000.000Z/queue.db") == "db");
  CHECK_FALSE(std::filesystem::exists(folder.path("queue.db")));
}

}  // namespace
}  // namespace batchllm::sql
