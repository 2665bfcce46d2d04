// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/job_removal.h"

#include "adapters/sql/sqlite_migrations.h"
#include "core/job_directory.h"
#include "core/job_record.h"
#include "daemon/queue/file_table.h"
#include "daemon/queue/job_queue.h"
#include "daemon/queue/queue_schema.h"
#include "tests/support/catch.h"
#include "tests/support/queue_database.h"
#include "tests/support/thrown_error.h"

#include <filesystem>
#include <string>

namespace batchllm::daemon {
namespace {

namespace fs = std::filesystem;

// A state folder with the queue, contents and jobs' folders in it.
struct State {
  ScratchFolder folder;
  SystemClock clock;
  EventHub hub;
  sql::CommitQueue writer{sql::open_migrated(
      folder.path("queue.db"), queue_migrations(), {folder.path("backups"), 0, {}})};
  sql::ConnectionPool readers{folder.path("queue.db"), 4};
  JobStore store{writer, readers, hub, clock};
  files::ContentStore content{folder.path("files")};

  std::string add_file(std::string_view text, bool is_listed) {
    files::ContentWriter bytes = content.begin();
    bytes.write(text);
    const files::PinnedContent pinned = bytes.finish();
    StoredFile file;
    file.id = make_file_id();
    file.sha256 = pinned.sha256();
    file.is_listed = is_listed;
    store.write([&](JobTable& jobs) { insert_file(jobs.database(), file); });
    return file.id;
  }

  // An ended job that used the file, with a folder of its own.
  std::string add_ended_job(const std::string& file_id) {
    const std::string id = store.write([&](JobTable& jobs) {
      Submission submission = a_submission();
      submission.file_ids = {file_id};
      const std::string added = submit_job(jobs, std::move(submission), "user:1").id;
      cancel_job(jobs, added, "user:1");
      return added;
    });
    JobRecord record;
    record.id = id;
    JobDirectory::create(folder.path(), record);
    return id;
  }

  void remove(const std::string& id) { remove_ended_job(store, content, folder.path(), id); }

  bool has_file(const std::string& id) {
    return store.read(
        [&](sql::Database& database) { return read_file_row(database, id).has_value(); });
  }

  bool has_folder(const std::string& id) { return fs::exists(folder.path("jobs/" + id)); }
};

TEST_CASE("a job is removed with its folder and what came with it alone", "[job_removal]") {
  State state;
  const std::string uploaded = state.add_file("a file", true);
  const std::string inline_rows = state.add_file("rows", false);
  const std::string shared_rows = state.add_file("shared rows", false);
  const std::string first = state.add_ended_job(inline_rows);
  const std::string second = state.add_ended_job(uploaded);
  const std::string third = state.add_ended_job(shared_rows);
  const std::string fourth = state.add_ended_job(shared_rows);
  CHECK(state.content.list().size() == 3);
  CHECK(state.has_folder(first));
  state.remove(first);
  CHECK_FALSE(state.has_folder(first));
  CHECK_FALSE(state.has_file(inline_rows));
  CHECK(state.content.list().size() == 2);
  state.remove(second);
  CHECK(state.has_file(uploaded));
  state.remove(third);
  CHECK(state.has_file(shared_rows));
  CHECK(state.has_folder(fourth));
  state.remove(fourth);
  CHECK_FALSE(state.has_file(shared_rows));
  CHECK(state.content.list().size() == 1);
}

TEST_CASE("a content stays as long as another file has it", "[job_removal]") {
  State state;
  const std::string uploaded = state.add_file("the same", true);
  const std::string id = state.add_ended_job(state.add_file("the same", false));
  REQUIRE(state.content.list().size() == 1);
  state.remove(id);
  CHECK(state.content.list().size() == 1);
  remove_file(state.store, state.content, state.folder.path(), uploaded);
  CHECK(state.content.list().empty());
}

TEST_CASE("a job that never began has no folder to remove", "[job_removal]") {
  State state;
  const std::string id = state.add_ended_job(state.add_file("rows", false));
  fs::remove_all(state.folder.path("jobs/" + id));
  CHECK_FALSE(thrown_error([&] { state.remove(id); }));
  CHECK(thrown_error([&] { state.remove(id); })->code() == ErrorCode::job_not_found);
}

TEST_CASE("a job that has not ended is not removed, nor anything of it", "[job_removal]") {
  State state;
  const std::string rows = state.add_file("rows", false);
  const std::string id = state.store.write([&](JobTable& jobs) {
    Submission submission = a_submission();
    submission.file_ids = {rows};
    return submit_job(jobs, std::move(submission), "user:1").id;
  });
  CHECK(thrown_error([&] { state.remove(id); })->code() == ErrorCode::job_conflict);
  CHECK(state.has_file(rows));
  CHECK(state.content.list().size() == 1);
}

}  // namespace
}  // namespace batchllm::daemon
