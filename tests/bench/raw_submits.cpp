// SPDX-License-Identifier: Apache-2.0
// What SQLite alone does with the writes of a queue's submissions: reads the jobs that a service
// has queued, with their events and files, and puts the same rows into a new database with the same
// schema and settings, in transactions of as many jobs as one of the service's commits held:
//   raw_submits QUEUE_DB NEW_DB JOBS_PER_COMMIT
// Prints jobs, commits and seconds as JSON. Only the writing is timed, with rows in memory and
// statements compiled.
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
};

struct EndStatement {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

struct FreeValue {
  void operator()(sqlite3_value* value) const noexcept { sqlite3_value_free(value); }
};

using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, EndStatement>;
using Row = std::vector<std::unique_ptr<sqlite3_value, FreeValue>>;

void check(sqlite3* database, int code) {
  if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) {
    throw std::runtime_error(sqlite3_errmsg(database));
  }
}

Database open(const char* path, int flags) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path, &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(opened);
  check(opened, code);
  return database;
}

void execute(sqlite3* database, const std::string& script) {
  check(database, sqlite3_exec(database, script.c_str(), nullptr, nullptr, nullptr));
}

Statement prepare(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* compiled = nullptr;
  check(database, sqlite3_prepare_v2(database, sql.c_str(), -1, &compiled, nullptr));
  return Statement(compiled);
}

std::vector<Row> read_rows(sqlite3* database, const std::string& query) {
  std::vector<Row> rows;
  const Statement statement = prepare(database, query);
  while (sqlite3_step(statement.get()) == SQLITE_ROW) {
    Row& row = rows.emplace_back();
    for (int column = 0; column < sqlite3_column_count(statement.get()); ++column) {
      row.emplace_back(sqlite3_value_dup(sqlite3_column_value(statement.get(), column)));
    }
  }
  return rows;
}

// A table's rows in the order in which jobs came, and what puts one in.
class Table {
 public:
  Table(sqlite3* from, sqlite3* to, const std::string& name, const std::string& rest)
      : database_(to),
        rows_(read_rows(from, fmt::format("SELECT {0}.* FROM {0} {1}", name, rest))) {
    if (!rows_.empty()) {
      std::string places = "?";
      for (std::size_t column = 1; column < rows_.front().size(); ++column) {
        places += ", ?";
      }
      insertion_ = prepare(to, fmt::format("INSERT INTO {} VALUES ({})", name, places));
    }
  }

  std::size_t size() const noexcept { return rows_.size(); }

  // Writes the rows from the next one up to number `end`.
  void write_to(std::size_t end) {
    for (; next_ < end; ++next_) {
      int position = 0;
      for (const auto& value : rows_[next_]) {
        sqlite3_bind_value(insertion_.get(), ++position, value.get());
      }
      check(database_, sqlite3_step(insertion_.get()));
      sqlite3_reset(insertion_.get());
    }
  }

 private:
  sqlite3* database_;
  std::vector<Row> rows_;
  Statement insertion_;
  std::size_t next_ = 0;
};

void copy_schema(sqlite3* from, sqlite3* to) {
  const Statement statement =
      prepare(from, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type = 'index'");
  while (sqlite3_step(statement.get()) == SQLITE_ROW) {
    execute(to, reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 0)));
  }
}

// As the service sets its writer up, and checkpoints under load.
constexpr const char* k_settings =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8000; PRAGMA journal_size_limit=67108864; PRAGMA "
    "mmap_size=0; "
    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA wal_autocheckpoint=4000";

// Rows of `table` that belong to the first `jobs` of `all`: each job has as many.
std::size_t share(const Table& table, std::size_t jobs, std::size_t all) {
  return table.size() * jobs / all;
}

void run(const char* source, const char* target, double jobs_per_commit) {
  const Database from = open(source, SQLITE_OPEN_READONLY);
  const Database to = open(target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  execute(to.get(), k_settings);
  copy_schema(from.get(), to.get());
  for (const char* name : {"projects", "files"}) {
    Table table(from.get(), to.get(), name, "");
    table.write_to(table.size());
  }
  const std::string in_order = "JOIN jobs ON jobs.id = job_id ORDER BY jobs.number";
  Table jobs(from.get(), to.get(), "jobs", "ORDER BY number");
  Table events(from.get(), to.get(), "job_events", in_order);
  Table files(from.get(), to.get(), "job_files", in_order);
  if (jobs.size() == 0) {
    throw std::runtime_error("there are no jobs");
  }
  const auto begin = std::chrono::steady_clock::now();
  std::size_t commits = 0;
  for (std::size_t done = 0; done < jobs.size();) {
    ++commits;
    const auto upto =
        static_cast<std::size_t>(std::llround(static_cast<double>(commits) * jobs_per_commit));
    const std::size_t end = std::min(jobs.size(), std::max(upto, done + 1));
    execute(to.get(), "BEGIN IMMEDIATE");
    for (; done < end; ++done) {
      jobs.write_to(done + 1);
      events.write_to(share(events, done + 1, jobs.size()));
      files.write_to(share(files, done + 1, jobs.size()));
    }
    execute(to.get(), "COMMIT");
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print(R"({{"jobs":{},"commits":{},"seconds":{:.6f}}})"
             "\n",
             jobs.size(),
             commits,
             seconds);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: raw_submits QUEUE_DB NEW_DB JOBS_PER_COMMIT\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], std::stod(argv[3]));
  } catch (const std::exception& error) {
    fmt::print(stderr, "raw_submits: {}\n", error.what());
    return 1;
  }
  return 0;
}
