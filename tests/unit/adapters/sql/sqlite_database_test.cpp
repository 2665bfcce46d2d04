// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/sqlite_database.h"

#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <sys/stat.h>

namespace batchllm::sql {
namespace {

Database values_database(const ScratchFolder& folder) {
  Database database = Database::open(folder.path("queue.db"), Access::read_write);
  database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, value ANY) STRICT");
  return database;
}

TEST_CASE("values come back as they were bound", "[sql]") {
  const ScratchFolder folder;
  Database database = values_database(folder);
  const std::string with_zero("a\0b", 3);
  database.run("INSERT INTO t VALUES (1, ?)", std::int64_t{1} << 62);
  database.run("INSERT INTO t VALUES (2, ?)", 0.5);
  database.run("INSERT INTO t VALUES (3, ?)", with_zero);
  database.run("INSERT INTO t VALUES (4, ?)", nullptr);
  database.run("INSERT INTO t VALUES (5, ?)", std::optional<std::string>());
  database.run("INSERT INTO t VALUES (6, ?)", std::string_view());
  database.run("INSERT INTO t VALUES (7, ?)", true);
  Statement rows = database.prepare("SELECT value FROM t ORDER BY id");
  REQUIRE(rows.step());
  CHECK(rows.optional_integer(0) == std::int64_t{1} << 62);
  REQUIRE(rows.step());
  CHECK(rows.real(0) == 0.5);
  REQUIRE(rows.step());
  CHECK(rows.text(0) == with_zero);
  REQUIRE(rows.step());
  CHECK(rows.is_null(0));
  REQUIRE(rows.step());
  CHECK(rows.optional_string(0) == std::nullopt);
  REQUIRE(rows.step());
  CHECK(rows.optional_string(0) == "");
  REQUIRE(rows.step());
  CHECK(rows.boolean(0));
  CHECK_FALSE(rows.step());
}

TEST_CASE("a statement that is in use can be prepared a second time", "[sql]") {
  const ScratchFolder folder;
  Database database = values_database(folder);
  database.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b')");
  const char* sql = "SELECT id FROM t ORDER BY id";
  Statement outer = database.prepare(sql);
  REQUIRE(outer.step());
  {
    Statement inner = database.prepare(sql);
    REQUIRE(inner.step());
    CHECK(inner.integer(0) == 1);
  }
  REQUIRE(outer.step());
  CHECK(outer.integer(0) == 2);
}

TEST_CASE("a loan that ends forgets what was bound and ends its read", "[sql]") {
  const ScratchFolder folder;
  Database database = values_database(folder);
  database.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b')");
  const char* sql = "SELECT id FROM t WHERE id >= coalesce(?, 0)";
  {
    Statement first = database.prepare(sql);
    first.bind(1, 2);
    REQUIRE(first.step());
  }
  database.execute("DROP TABLE IF EXISTS other");  // not refused by a read under way
  Statement second = database.prepare(sql);
  REQUIRE(second.step());
  CHECK(second.integer(0) == 1);
}

TEST_CASE("more texts than the cache keeps still work", "[sql]") {
  const ScratchFolder folder;
  Database database = values_database(folder);
  for (int number = 0; number < 1000; ++number) {
    REQUIRE(database.integer("SELECT " + std::to_string(number)) == number);
  }
}

TEST_CASE("constraints are told apart", "[sql]") {
  struct Case {
    const char* sql;
    ConstraintError::Kind kind;
    const char* columns;
  };

  const auto& c = GENERATE(values<Case>(
      {{"INSERT INTO c VALUES (1, 'x', 1, NULL)", ConstraintError::Kind::unique, "c.id"},
       {"INSERT INTO c VALUES (2, 'a', 1, NULL)", ConstraintError::Kind::unique, "c.key"},
       {"INSERT INTO c VALUES (2, NULL, 1, NULL)", ConstraintError::Kind::not_null, "c.key"},
       {"INSERT INTO c VALUES (2, 'b', -1, NULL)", ConstraintError::Kind::check, "positive"},
       {"INSERT INTO c VALUES (2, 'b', 1, 99)", ConstraintError::Kind::foreign_key, ""},
       {"INSERT INTO c VALUES (2, 'b', 'x', NULL)", ConstraintError::Kind::other, ""}}));
  const ScratchFolder folder;
  Database database = Database::open(folder.path("queue.db"), Access::read_write);
  database.execute(
      "CREATE TABLE c(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, "
      "n INTEGER CONSTRAINT positive CHECK(n > 0), parent INTEGER REFERENCES c(id)) STRICT;"
      "INSERT INTO c VALUES (1, 'a', 1, NULL)");
  CAPTURE(c.sql);
  try {
    database.execute(c.sql);
    FAIL("accepted");
  } catch (const ConstraintError& error) {
    CHECK(error.kind() == c.kind);
    CHECK(error.columns() == c.columns);
  }
}

TEST_CASE("files of the database are for their user only", "[sql]") {
  const ScratchFolder folder;
  const Database database = values_database(folder);
  for (const char* name : {"queue.db", "queue.db-wal", "queue.db-shm"}) {
    struct stat about {};

    REQUIRE(stat(folder.path(name).c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
  }
}

TEST_CASE("errors say which file and what to do", "[sql]") {
  struct Case {
    const char* name;
    ErrorCode code;
    const char* hint;
  };

  const auto& c =
      GENERATE(values<Case>({{"none/queue.db", ErrorCode::storage, "--state-dir"},
                             {"folder", ErrorCode::storage, ""},
                             {"text.db", ErrorCode::database_corrupt, "daemon repair"}}));
  const ScratchFolder folder;
  std::filesystem::create_directory(folder.path("folder"));
  folder.write("text.db", std::string(5000, 'x'));
  for (const Access access : {Access::read_only, Access::read_write}) {
    CAPTURE(c.name, access == Access::read_only);
    const auto error = thrown_error([&] {
      Database::open(folder.path(c.name), access).integer("SELECT count(*) FROM sqlite_schema");
    });
    REQUIRE(error);
    CHECK(error->code() == c.code);
    CHECK_THAT(error->message(), ContainsSubstring(folder.path(c.name)));
    if (access == Access::read_only || c.code == ErrorCode::database_corrupt) {
      CHECK_THAT(error->hint(), ContainsSubstring(c.hint));
    }
  }
}

TEST_CASE("the rollback journal is used when it is asked for", "[sql]") {
  const ScratchFolder folder;
  OpenOptions options;
  options.journal = Journal::rollback;
  Database database = Database::open(folder.path("queue.db"), Access::read_write, options);
  database.execute("CREATE TABLE t(a)");
  CHECK_FALSE(std::filesystem::exists(folder.path("queue.db-wal")));
  CHECK(database.checkpoint(Checkpoint::truncate));
}

}  // namespace
}  // namespace batchllm::sql
