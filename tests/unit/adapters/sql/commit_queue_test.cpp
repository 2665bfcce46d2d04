// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/commit_queue.h"

#include "tests/support/catch.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <thread>

namespace batchllm::sql {
namespace {

Database notes_database(const ScratchFolder& folder) {
  Database database = Database::open(folder.path("queue.db"), Access::read_write);
  database.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT");
  return database;
}

TEST_CASE("a write returns what its work returned", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(notes_database(folder));
  const auto id = queue.write([](Transaction& transaction) {
    transaction.prepare("INSERT INTO notes(text) VALUES (?)").bind_all("one").run();
    return transaction.database().last_insert_id();
  });
  CHECK(id == 1);
  CHECK(queue.write([](Database& database) {
    return database.string("SELECT text FROM notes WHERE id=?", 1);
  }) == "one");
}

}  // namespace
}  // namespace batchllm::sql
