// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/commit_queue.h"

#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/thrown_error.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace batchllm::sql {
namespace {

Database notes_database(const ScratchFolder& folder) {
  Database database = Database::open(folder.path("queue.db"), Access::read_write);
  database.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT");
  return database;
}

void add_note(Database& database, std::string_view text) {
  database.run("INSERT INTO notes(text) VALUES (?)", text);
}

std::vector<std::string> notes_of(CommitQueue& queue) {
  return queue.write([](Database& database) {
    std::vector<std::string> notes;
    Statement rows = database.prepare("SELECT text FROM notes ORDER BY id");
    while (rows.step()) {
      notes.push_back(rows.string(0));
    }
    return notes;
  });
}

// Keeps the writer busy inside a write, so that what comes meanwhile waits together.
class BusyWriter {
 public:
  explicit BusyWriter(CommitQueue& queue) {
    queue.post([this, leave = leave_](Database&) {
      entered_.count_down();
      leave->wait();
    });
    entered_.wait();
  }

  ~BusyWriter() { leave_->count_down(); }

 private:
  std::latch entered_{1};
  std::shared_ptr<std::latch> leave_ = std::make_shared<std::latch>(1);  // outlives this for wait()
};

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

TEST_CASE("a write is in the file for others when it returns", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(notes_database(folder));
  queue.write([](Database& database) { add_note(database, "one"); });
  Database reader = Database::open(folder.path("queue.db"), Access::read_only);
  CHECK(reader.integer("SELECT count(*) FROM notes") == 1);
}

TEST_CASE("what waits together is committed together and in order", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(notes_database(folder));
  std::vector<std::string> expected;
  {
    const BusyWriter busy(queue);
    for (int number = 0; number < 100; ++number) {
      expected.push_back("note " + std::to_string(number));
      queue.post([text = expected.back()](Database& database) { add_note(database, text); });
    }
  }
  CHECK(notes_of(queue) == expected);
  CHECK(queue.figures().commits <= 3);  // of the busy one, of the hundred, of the look at them
}

TEST_CASE("a commit takes no more than its bounds", "[sql]") {
  struct Case {
    std::size_t max_writes;
    std::size_t max_bytes;
    std::uint64_t commits;
  };

  const auto& c = GENERATE(values<Case>({{10, 1'000'000, 10}, {1000, 500, 20}, {1000, 50, 100}}));
  const ScratchFolder folder;
  CommitQueueOptions options;
  options.max_writes = c.max_writes;
  options.max_bytes = c.max_bytes;
  CommitQueue queue(notes_database(folder), options);
  {
    const BusyWriter busy(queue);
    for (int number = 0; number < 100; ++number) {
      queue.post([text = std::to_string(number)](Database& database) { add_note(database, text); },
                 100);
    }
  }
  queue.stop();
  CHECK(queue.figures().writes == 101);
  CHECK(queue.figures().commits == c.commits + 1);
}

TEST_CASE("a write that throws is undone alone, and its caller gets what it threw", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(notes_database(folder));
  std::vector<std::thread> callers;
  std::atomic<int> thrown = 0;
  {
    const BusyWriter busy(queue);
    for (int number = 0; number < 12; ++number) {
      callers.emplace_back([&queue, &thrown, number] {
        try {
          queue.write([number](Database& database) {
            add_note(database, "first of " + std::to_string(number));
            if (number % 3 == 0) {
              throw std::runtime_error(std::to_string(number));
            }
            add_note(database, "second of " + std::to_string(number));
          });
        } catch (const std::runtime_error& error) {
          thrown += error.what() == std::to_string(number) ? 1 : 100;
        }
      });
    }
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  CHECK(thrown == 4);
  const auto notes = notes_of(queue);
  CHECK(notes.size() == 16);
  CHECK(std::none_of(notes.begin(), notes.end(), [](const std::string& note) {
    return note == "first of 3" || note == "first of 0";
  }));
}

TEST_CASE("a key that exists is told apart from other errors", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(notes_database(folder));
  queue.write([](Database& database) { add_note(database, "one"); });
  try {
    queue.write([](Database& database) { add_note(database, "one"); });
    FAIL("accepted");
  } catch (const ConstraintError& error) {
    CHECK(error.kind() == ConstraintError::Kind::unique);
    CHECK(error.columns() == "notes.text");
  }
  CHECK(notes_of(queue).size() == 1);
}

TEST_CASE("many threads lose nothing and see only whole writes", "[sql]") {
  constexpr int k_threads = 16;
  constexpr int k_writes = 50;
  const ScratchFolder folder;
  CommitQueue queue(notes_database(folder));
  std::vector<std::thread> callers;
  for (int thread = 0; thread < k_threads; ++thread) {
    callers.emplace_back([&queue, thread] {
      for (int number = 0; number < k_writes; ++number) {
        const std::string name = std::to_string(thread) + "/" + std::to_string(number);
        queue.write([&name](Database& database) {
          add_note(database, "a" + name);
          add_note(database, "b" + name);
        });
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  const auto notes = notes_of(queue);
  REQUIRE(notes.size() == std::size_t{2} * k_threads * k_writes);
  std::vector<int> next(k_threads, 0);
  for (std::size_t index = 0; index < notes.size(); index += 2) {
    // The two of a write stand together, a thread's writes in its order.
    CHECK(notes[index].substr(1) == notes[index + 1].substr(1));
    const int thread = std::stoi(notes[index].substr(1));
    const std::string number = notes[index].substr(notes[index].find('/') + 1);
    CHECK(number == std::to_string(next[static_cast<std::size_t>(thread)]++));
  }
}

TEST_CASE("what follows a commit happens in order and before the callers go on", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(notes_database(folder));
  std::vector<std::string> told;  // writer thread; read after the write that waits
  {
    const BusyWriter busy(queue);
    for (const char* name : {"one", "bad", "two"}) {
      queue.post([&told, name](Transaction& transaction) {
        transaction.after_commit([&told, name] { told.emplace_back(name); });
        add_note(transaction, name);
        if (std::string_view(name) == "bad") {
          throw std::runtime_error("no");
        }
      });
    }
  }
  queue.write([&](Transaction& transaction) {
    transaction.after_commit([&told] { told.emplace_back("last"); });
  });
  CHECK(told == std::vector<std::string>{"one", "two", "last"});
}

TEST_CASE("the error of a write that nobody waits for is reported", "[sql]") {
  const ScratchFolder folder;
  std::vector<std::string> reported;
  CommitQueueOptions options;
  options.on_failure = [&reported](const Error& error) { reported.push_back(error.message()); };
  CommitQueue queue(notes_database(folder), options);
  queue.post([](Database&) { throw Error(ErrorCode::job_conflict, "not now"); });
  queue.stop();
  CHECK(reported == std::vector<std::string>{"not now"});
}

TEST_CASE("a queue that stops commits what waits and refuses what comes", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(notes_database(folder));
  {
    const BusyWriter busy(queue);
    queue.post([](Database& database) { add_note(database, "waiting"); });
  }
  queue.stop();
  const auto error = thrown_error([&] { queue.write([](Database&) {}); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::daemon_unreachable);
  Database database = Database::open(folder.path("queue.db"), Access::read_only);
  CHECK(database.integer("SELECT count(*) FROM notes") == 1);
}

TEST_CASE("a thrown error may be changed by its catcher without another seeing it", "[sql]") {
  const ScratchFolder folder;
  CommitQueue queue(notes_database(folder));
  std::vector<std::thread> callers;
  std::atomic<int> right = 0;
  {
    const BusyWriter busy(queue);
    for (int number = 0; number < 8; ++number) {
      callers.emplace_back([&queue, &right, number] {
        try {
          // Ends the transaction of the batch under everyone's feet, as a full disk does.
          queue.write([](Database& database) {
            database.execute("ROLLBACK");
            throw Error(ErrorCode::storage_full, "no room");
          });
        } catch (Error& error) {
          const Error mine = std::move(error).with_context(std::to_string(number));
          right += mine.message() == std::to_string(number) + ": no room" ? 1 : 0;
        }
      });
    }
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  CHECK(right == 8);
}

TEST_CASE("a log that is not long is copied into the file in a pause", "[sql]") {
  const ScratchFolder folder;
  CommitQueueOptions options;
  options.log_pages = 1;
  CommitQueue queue(notes_database(folder), options);
  for (int number = 0; number < 100; ++number) {
    queue.write([&](Database& database) { add_note(database, std::to_string(number)); });
  }
  CHECK(queue.figures().log_bytes > 0);
  REQUIRE(eventually([&] { return queue.figures().checkpoints != 0; }));
  const std::uint64_t checkpoints = queue.figures().checkpoints;
  // Few pauses were that long while the writes came; a checkpoint after each commit would be many.
  CHECK(checkpoints < 50);
  // And none without a write in between.
  queue.write([](Database& database) { add_note(database, "one more"); });
  REQUIRE(eventually([&] { return queue.figures().checkpoints > checkpoints; }));
  CHECK(queue.figures().checkpoints == checkpoints + 1);
}

TEST_CASE("the log is copied into the file and does not grow for ever", "[sql]") {
  const ScratchFolder folder;
  CommitQueueOptions options;
  options.log_pages = 20;
  options.log_limit_bytes = 100 * 4096;
  CommitQueue queue(notes_database(folder), options);
  const std::string long_text(2000, 'x');
  const auto write_many = [&](const std::string& name) {
    for (int number = 0; number < 100; ++number) {
      queue.write([&](Database& database) {
        add_note(database, name + std::to_string(number) + long_text);
      });
    }
  };
  write_many("alone ");
  CHECK(queue.figures().checkpoints > 1);
  CHECK(queue.figures().log_bytes < options.log_limit_bytes);
  {
    Database reader = Database::open(folder.path("queue.db"), Access::read_only);
    const TransactionScope open_read(reader, TransactionScope::Kind::read);
    REQUIRE(reader.integer("SELECT count(*) FROM notes") == 100);
    write_many("beside a reader ");
    CHECK(queue.figures().log_bytes > options.log_limit_bytes);
    CHECK(reader.integer("SELECT count(*) FROM notes") == 100);
  }
  write_many("after it ");
  CHECK(queue.figures().log_bytes < options.log_limit_bytes);
}

}  // namespace
}  // namespace batchllm::sql
