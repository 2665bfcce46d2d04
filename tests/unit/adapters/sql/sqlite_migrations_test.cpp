// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/sqlite_migrations.h"

#include "adapters/sql/database_care.h"
#include "tests/support/catch.h"
#include "tests/support/fault_vfs.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace batchllm::sql {
namespace {

constexpr std::array k_steps = {
    Migration{1, "jobs", "CREATE TABLE jobs(id TEXT PRIMARY KEY, state INTEGER) STRICT"},
    Migration{
        2, "names", "ALTER TABLE jobs ADD COLUMN name TEXT; UPDATE jobs SET name = 'job ' || id"},
    // Made anew, which foreign keys would refuse if they were on.
    Migration{
        3,
        "events",
        "CREATE TABLE events(job TEXT NOT NULL REFERENCES jobs(id), seq INTEGER) STRICT;"
        "INSERT INTO events SELECT id, 1 FROM jobs;"
        "CREATE TABLE jobs_new(id TEXT PRIMARY KEY, state INTEGER NOT NULL, name TEXT) STRICT;"
        "INSERT INTO jobs_new SELECT id, state, name FROM jobs;"
        "DROP TABLE jobs; ALTER TABLE jobs_new RENAME TO jobs"}};

struct Place {
  ScratchFolder folder;
  std::string path = folder.path("queue.db");
  MigrationOptions options{folder.path("backups"), 1'700'000'000'123, {}};

  Database open(std::size_t steps) {
    return open_migrated(path, std::span(k_steps).first(steps), options);
  }
};

void add_jobs(Database& database, int count) {
  for (int number = 0; number < count; ++number) {
    database.run("INSERT INTO jobs(id, state) VALUES (?, 0)", "j" + std::to_string(number));
  }
}

TEST_CASE("a new database gets every step and our mark, and no backup", "[sql]") {
  Place place;
  Database database = place.open(3);
  CHECK(schema_version(database) == 3);
  CHECK(database.integer("PRAGMA application_id") == k_application_id);
  CHECK(database.integer("SELECT count(*) FROM events") == 0);
  CHECK(database.integer("PRAGMA foreign_keys") == 1);
  CHECK_FALSE(std::filesystem::exists(place.options.backups));
}

TEST_CASE("an older database is brought up to date after a copy of it was made", "[sql]") {
  Place place;
  {
    Database old = place.open(1);
    add_jobs(old, 3);
  }
  Database database = place.open(3);
  CHECK(schema_version(database) == 3);
  CHECK(database.string("SELECT name FROM jobs WHERE id = 'j2'") == "job j2");
  CHECK(database.integer("SELECT count(*) FROM events") == 3);
  const auto copies = list_backups(place.options.backups, place.path);
  REQUIRE(copies.size() == 1);
  CHECK(copies.front().filename() == "queue-before-v3-20231114T221320.123Z.db");
  Database copy = Database::open(copies.front(), Access::read_only);
  CHECK(schema_version(copy) == 1);
  CHECK(copy.integer("SELECT count(*) FROM jobs") == 3);
}

TEST_CASE("a database that is up to date is left as it is", "[sql]") {
  Place place;
  place.open(3);
  const std::string before = place.folder.read("queue.db");
  place.open(3);
  CHECK(place.folder.read("queue.db") == before);
  CHECK_FALSE(std::filesystem::exists(place.options.backups));
}

TEST_CASE("a database that is not ours, newer or lost is refused and stays as it is", "[sql]") {
  struct Case {
    const char* name;
    const char* script;  // run on a database of two steps
    ErrorCode code;
    const char* hint;
  };

  const auto& c = GENERATE(
      values<Case>({{"newer", "PRAGMA user_version=9", ErrorCode::database_newer, "install"},
                    {"foreign", "PRAGMA application_id=77", ErrorCode::storage, "--state-dir"},
                    {"unmarked", "PRAGMA application_id=0", ErrorCode::storage, "--state-dir"}}));
  CAPTURE(c.name);
  Place place;
  place.open(2).execute(c.script);
  const std::string before = place.folder.read("queue.db");
  const auto error = thrown_error([&] { place.open(3); });
  REQUIRE(error);
  CHECK(error->code() == c.code);
  CHECK(error->exit_code() == 11);
  CHECK_THAT(error->message(), ContainsSubstring(place.path));
  CHECK_THAT(error->hint(), ContainsSubstring(c.hint));
  CHECK(place.folder.read("queue.db") == before);
}

TEST_CASE("no new database is made where one was lost", "[sql]") {
  const bool is_empty_file = GENERATE(false, true);
  const bool is_log_left = GENERATE(false, true);
  Place place;
  {
    Database old = place.open(2);
    add_jobs(old, 3);
    if (is_log_left) {
      std::filesystem::copy_file(place.path + "-wal", place.folder.path("kept"));
    } else {
      back_up(old, place.options.backups, "daily", 0);
    }
  }
  std::filesystem::remove(place.path);
  if (is_log_left) {
    std::filesystem::rename(place.folder.path("kept"), place.path + "-wal");
  }
  if (is_empty_file) {
    place.folder.write("queue.db", "");
  }
  const auto error = thrown_error([&] { place.open(2); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::database_corrupt);
  CHECK_THAT(error->message(), ContainsSubstring(is_log_left ? "queue.db-wal" : "queue-daily-"));
  CHECK_THAT(error->hint(), ContainsSubstring("batchllm daemon repair"));
  CHECK(std::filesystem::exists(place.path) == is_empty_file);
  CHECK(std::filesystem::exists(place.path + "-wal") == is_log_left);
}

TEST_CASE("a step that fails leaves the step before it", "[sql]") {
  Place place;
  const std::array steps = {
      k_steps[0], Migration{2, "broken", "CREATE TABLE more(a); INSERT INTO none VALUES (1)"}};
  CHECK(thrown_error([&] { open_migrated(place.path, steps, place.options); }));
  Database database = place.open(1);
  CHECK(schema_version(database) == 1);
  CHECK(database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'more'") == 0);
}

TEST_CASE("a step that leaves a reference to nothing is refused", "[sql]") {
  Place place;
  const std::array steps = {k_steps[0],
                            Migration{2,
                                      "orphan",
                                      "CREATE TABLE e(job TEXT REFERENCES jobs(id)) STRICT;"
                                      "INSERT INTO e VALUES ('gone')"}};
  const auto error = thrown_error([&] { open_migrated(place.path, steps, place.options); });
  REQUIRE(error);
  CHECK_THAT(error->message(), ContainsSubstring("migration 2 (orphan)"));
}

// Runs `work` in a process of its own, which ends at the n-th change of the disk. True: it got to
// the end.
template <typename Work>
bool survives(std::int64_t nth, Work work) {
  constexpr int k_killed = 77;
  const pid_t child = fork();
  if (child == 0) {
    FaultVfs disk;
    disk.exit_at(nth, k_killed);
    try {
      work(disk.name());
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == k_killed));
  return WEXITSTATUS(status) == 0;
}

TEST_CASE("whoever is killed while migrating goes on at the next start", "[sql]") {
  bool is_through = false;
  int kills = 0;
  for (std::int64_t nth = 1; !is_through; nth += 3) {
    CAPTURE(nth);
    Place place;
    {
      Database old = place.open(1);
      add_jobs(old, 5);
    }
    is_through = survives(nth, [&](const std::string& vfs) {
      place.options.open.vfs = vfs;
      place.open(3);
    });
    kills += is_through ? 0 : 1;
    Database database = place.open(3);
    check_integrity(database, Check::full);
    CHECK(schema_version(database) == 3);
    CHECK(database.integer("SELECT count(*) FROM jobs WHERE name = 'job ' || id") == 5);
    CHECK(database.integer("SELECT count(*) FROM events") == 5);
  }
  CHECK(kills > 5);
}

TEST_CASE("whoever is killed while making the database makes it at the next start", "[sql]") {
  bool is_through = false;
  for (std::int64_t nth = 1; !is_through; ++nth) {
    CAPTURE(nth);
    Place place;
    is_through = survives(nth, [&](const std::string& vfs) {
      place.options.open.vfs = vfs;
      place.open(3);
    });
    Database database = place.open(3);
    CHECK(schema_version(database) == 3);
  }
}

}  // namespace
}  // namespace batchllm::sql
