// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/connection_pool.h"

#include "adapters/sql/commit_queue.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <atomic>
#include <filesystem>
#include <iterator>
#include <thread>
#include <vector>

namespace batchllm::sql {
namespace {

Database numbers_database(const ScratchFolder& folder) {
  Database database = Database::open(folder.path("queue.db"), Access::read_write);
  database.execute("CREATE TABLE numbers(number INTEGER) STRICT");
  return database;
}

TEST_CASE("a reader cannot write", "[sql]") {
  const ScratchFolder folder;
  const Database writer = numbers_database(folder);
  ConnectionPool pool(folder.path("queue.db"), 2);
  const auto error = thrown_error([&] { pool.lease()->execute("INSERT INTO numbers VALUES (1)"); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::storage);
}

TEST_CASE("a read sees one moment and everything committed before it", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(numbers_database(folder));
  ConnectionPool pool(folder.path("queue.db"), 2);
  queue.write([](Database& database) { database.run("INSERT INTO numbers VALUES (1)"); });
  pool.read([&](Database& database) {
    CHECK(database.integer("SELECT count(*) FROM numbers") == 1);
    queue.write([](Database& other) { other.run("INSERT INTO numbers VALUES (2)"); });
    CHECK(database.integer("SELECT count(*) FROM numbers") == 1);
  });
  CHECK(pool.read([](Database& database) {
    return database.integer("SELECT count(*) FROM numbers");
  }) == 2);
}

TEST_CASE("more threads than connections all get one", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(numbers_database(folder));
  ConnectionPool pool(folder.path("queue.db"), 2);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> reads = 0;
  std::vector<std::thread> readers;
  for (int thread = 0; thread < 8; ++thread) {
    readers.emplace_back([&] {
      for (int count = 0; count < 50; ++count) {
        pool.read([&](Database& database) {
          most = std::max(most.load(), ++inside);
          database.integer("SELECT count(*) FROM numbers");
          --inside;
        });
        queue.write([](Database& database) { database.run("INSERT INTO numbers VALUES (7)"); });
        ++reads;
      }
    });
  }
  for (std::thread& reader : readers) {
    reader.join();
  }
  CHECK(reads == 400);
  CHECK(most <= 2);
}

TEST_CASE("a pool closes what nobody uses, and opens it again", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(numbers_database(folder));
  ConnectionPool pool(folder.path("queue.db"), 2);
  const auto open_files = [] {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return std::distance(begin(files), end(files));
  };
  auto used = pool.lease();
  CHECK(pool.lease()->integer("SELECT count(*) FROM numbers") == 0);
  const auto both = open_files();
  pool.close_idle();
  CHECK(open_files() < both);
  CHECK(used->integer("SELECT count(*) FROM numbers") == 0);
  CHECK(pool.lease()->integer("SELECT count(*) FROM numbers") == 0);
}

TEST_CASE("a pool whose file is missing says so each time and gives its places back", "[sql]") {
  const ScratchFolder folder;
  ConnectionPool pool(folder.path("queue.db"), 1);
  for (int count = 0; count < 3; ++count) {
    const auto error = thrown_error([&] { pool.lease(); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::storage);
  }
}

TEST_CASE("an exception ends the read and keeps the connection", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(numbers_database(folder));
  ConnectionPool pool(folder.path("queue.db"), 1);
  const auto error = thrown_error([&] {
    pool.read([](Database& database) {
      database.integer("SELECT count(*) FROM numbers");
      throw Error(ErrorCode::job_not_found, "no");
    });
  });
  REQUIRE(error);
  queue.write([](Database& database) { database.run("INSERT INTO numbers VALUES (1)"); });
  CHECK(pool.lease()->integer("SELECT count(*) FROM numbers") == 1);
}

}  // namespace
}  // namespace batchllm::sql
