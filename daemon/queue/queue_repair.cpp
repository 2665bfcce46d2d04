// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/queue_repair.h"

#include "adapters/sql/sqlite_migrations.h"
#include "core/atomic_file.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"
#include "daemon/queue/database_header.h"
#include "daemon/queue/queue_schema.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace batchllm::daemon {
namespace {

namespace fs = std::filesystem;

// A database that is complete and waits to take the damaged one's place.
fs::path finished_path(const fs::path& state_dir) {
  return state_dir / "daemon" / "queue.repaired.db";
}

bool is_repairable(const Error& error, const fs::path& database) {
  return error.code() == ErrorCode::database_corrupt || error.code() == ErrorCode::database_newer ||
         (error.code() == ErrorCode::storage &&
          is_foreign_database(database, sql::k_application_id));
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    throw_storage_error("rename", from.string(), errno);
  }
  sync_folder(to.parent_path());
}

class QueueRepair {
 public:
  QueueRepair(const fs::path& state_dir, std::int64_t now_ms)
      : state_dir_(state_dir),
        now_ms_(now_ms),
        path_(state_dir / "daemon" / "queue.db"),
        backups_(state_dir / "daemon" / "backups"),
        work_(state_dir / "daemon" / "repair"),
        finished_(finished_path(state_dir)) {
    report_.database = path_;
  }

  RepairReport run() {
    std::error_code error;
    if (fs::exists(finished_, error)) {
      report_.damage = "an earlier repair was not finished";
      take_place();
    }
    auto database = open_whole();
    if (!database) {
      rebuild();
      take_place();
      database = open_whole();
    }
    if (!database) {
      throw Error(ErrorCode::database_corrupt, "the queue cannot be repaired: " + report_.damage);
    }
    complete(*database);
    report_.jobs = database->integer("SELECT count(*) FROM jobs").value_or(0);
    return std::move(report_);
  }

 private:
  sql::Database open_at(const fs::path& path, const fs::path& backups) const {
    sql::MigrationOptions options;
    options.backups = backups;
    options.now_ms = now_ms_;
    return sql::open_migrated(path, queue_migrations(), options);
  }

  // nullopt: it cannot be used as it is.
  std::optional<sql::Database> open_whole() {
    try {
      sql::Database database = open_at(path_, backups_);
      sql::check_integrity(database, sql::Check::full);
      return database;
    } catch (const Error& error) {
      if (!is_repairable(error, path_)) {
        throw;
      }
      report_.damage = error.message();
      return std::nullopt;
    }
  }

  void rebuild() {
    std::error_code error;
    fs::remove_all(work_, error);
    make_private_folder(work_);
    {
      sql::Database target = open_at(work_ / "queue.db", work_ / "none");
      const auto names = table_names(target);
      const std::vector<std::string_view> tables(names.begin(), names.end());
      report_.salvaged = sql::salvage(readable_source(), target, tables);
      fill_from_backup(target, tables);
      complete(target);
    }
    rename_file(work_ / "queue.db", finished_);
  }

  void complete(sql::Database& database) {
    for (auto& job : mend_events(database)) {
      report_.mended.push_back(std::move(job));
    }
    report_.unreadable.clear();
    for (auto& job : put_back_jobs(database, state_dir_, report_.unreadable)) {
      report_.put_back.push_back(std::move(job));
    }
  }

  // The damaged file; with a new header in a copy, when it is only that.
  fs::path readable_source() const {
    const fs::path copy = work_ / "damaged.db";
    return copy_with_header(path_, copy) ? copy : path_;
  }

  static std::vector<std::string> table_names(sql::Database& database) {
    std::vector<std::string> names;
    auto query = database.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'");
    while (query.step()) {
      names.push_back(query.string(0));
    }
    return names;
  }

  // Rows that are newer in the damaged file stay as they are.
  void fill_from_backup(sql::Database& target, const std::vector<std::string_view>& tables) {
    for (const fs::path& backup : sql::list_backups(backups_, path_)) {
      const fs::path copy = work_ / "backup.db";
      try {
        fs::copy_file(backup, copy, fs::copy_options::overwrite_existing);
        sql::Database source = open_at(copy, work_ / "none");
        sql::check_integrity(source, sql::Check::full);
      } catch (const Error&) {
        continue;  // the one before may be good
      } catch (const fs::filesystem_error& error) {
        throw_storage_error("copy", backup.string(), error.code().value());
      }
      sql::salvage(copy, target, tables);
      report_.backup = backup;
      return;
    }
  }

  void take_place() {
    std::error_code error;
    if (fs::exists(path_, error) || fs::exists(path_.string() + "-wal", error)) {
      report_.moved_to = sql::move_database_aside(path_, now_ms_);
    }
    rename_file(finished_, path_);
    fs::remove_all(work_, error);
  }

  const fs::path state_dir_;
  const std::int64_t now_ms_;
  const fs::path path_;
  const fs::path backups_;
  const fs::path work_;  // begun anew by each repair
  const fs::path finished_;
  RepairReport report_;
};

void write_jobs(JsonWriter& json, std::string_view name, const std::vector<RebuiltJob>& jobs) {
  json.key(name).begin_array();
  for (const RebuiltJob& job : jobs) {
    json.begin_object().key("id").string(job.id);
    json.key("state").string(job_state_name(job.state)).end_object();
  }
  json.end_array();
}

void write_path(JsonWriter& json, std::string_view name, const std::optional<fs::path>& path) {
  json.key(name);
  if (path) {
    json.string(path->string());
  } else {
    json.null();
  }
}

void add_jobs(std::string& text, std::string_view what, const std::vector<RebuiltJob>& jobs) {
  for (const RebuiltJob& job : jobs) {
    text += fmt::format("{} {}: {}\n", what, job.id, job_state_name(job.state));
  }
}

}  // namespace

void refuse_unfinished_repair(const fs::path& state_dir) {
  std::error_code error;
  if (fs::exists(finished_path(state_dir), error)) {
    throw Error(ErrorCode::database_corrupt,
                fmt::format("a repair of the queue was begun and not finished: {} is there",
                            finished_path(state_dir).string()),
                "batchllm daemon repair finishes it");
  }
}

void throw_with_way_out(const Error& error, const fs::path& state_dir) {
  const fs::path database = state_dir / "daemon" / "queue.db";
  if (!is_repairable(error, database)) {
    throw Error(error);
  }
  const auto backup = sql::newest_backup(state_dir / "daemon" / "backups", database);
  throw Error(
      error.code(),
      error.message(),
      fmt::format(
          "nothing was changed; {}`batchllm daemon repair` keeps the file aside and makes "
          "the queue anew from what can be read of it, {} and the jobs' folders",
          error.code() == ErrorCode::database_newer ? "install that version again, or " : "",
          backup ? "the backup " + backup->string() : "no backup"));
}

RepairReport repair_queue(const fs::path& state_dir, std::int64_t now_ms) {
  return QueueRepair(state_dir, now_ms).run();
}

std::string repair_report_json(const RepairReport& report) {
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.repair/1");
  json.key("database").string(report.database.string()).key("damage");
  if (report.damage.empty()) {
    json.null();
  } else {
    json.string(report.damage);
  }
  write_path(json, "moved_to", report.moved_to);
  write_path(json, "backup", report.backup);
  json.key("salvaged").begin_object();
  for (const sql::Salvaged& table : report.salvaged) {
    json.key(table.table).begin_object().key("rows").number(table.rows);
    json.key("complete").boolean(table.is_complete).end_object();
  }
  json.end_object();
  write_jobs(json, "mended", report.mended);
  write_jobs(json, "put_back", report.put_back);
  json.key("unreadable").begin_array();
  for (const std::string& folder : report.unreadable) {
    json.string(folder);
  }
  return json.end_array().key("jobs").number(report.jobs).end_object().text();
}

std::string repair_report_text(const RepairReport& report) {
  std::string text = report.damage.empty() ? fmt::format("{} is whole\n", report.database.string())
                                           : printable(report.damage) + "\n";
  if (report.moved_to) {
    text += fmt::format("moved it to {}\n", report.moved_to->string());
  }
  for (const sql::Salvaged& table : report.salvaged) {
    if (table.rows > 0 || !table.is_complete) {
      text += fmt::format("read {} rows of {}{}\n",
                          table.rows,
                          table.table,
                          table.is_complete ? "" : ", not all of it");
    }
  }
  if (report.backup) {
    text += fmt::format("completed it from {}\n", report.backup->string());
  }
  add_jobs(text, "wrote new events for", report.mended);
  add_jobs(text, "put back", report.put_back);
  for (const std::string& folder : report.unreadable) {
    text += fmt::format("left out {}\n", printable(folder));
  }
  return text + fmt::format("jobs in the queue: {}\n", report.jobs);
}

}  // namespace batchllm::daemon
