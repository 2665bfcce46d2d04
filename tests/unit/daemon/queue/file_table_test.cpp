// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/file_table.h"

#include "tests/support/catch.h"
#include "tests/support/queue_database.h"
#include "tests/support/thrown_error.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace batchllm::daemon {
namespace {

StoredFile a_file(const std::string& id, char digit = 'a') {
  StoredFile file;
  file.id = id;
  file.sha256 = std::string(64, digit);
  file.name = "rows.csv";
  return file;
}

std::vector<std::string> ids(const std::vector<StoredFile>& files) {
  std::vector<std::string> found;
  for (const StoredFile& file : files) {
    found.push_back(file.id);
  }
  return found;
}

using Ids = std::vector<std::string>;

TEST_CASE("a file's row comes back with every member", "[file_table]") {
  QueueDatabase queue;
  const StoredFile file{0,
                        "file_1",
                        std::string(64, 'f'),
                        "ü.csv",
                        "text/csv",
                        123,
                        "csv",
                        "latin1",
                        7,
                        R"(["a","b"])",
                        false,
                        99};
  insert_file(queue.database(), file);
  const StoredFile found = require_file(queue.database(), "file_1");
  CHECK(found.sha256 == file.sha256);
  CHECK(found.name == file.name);
  CHECK(found.media_type == file.media_type);
  CHECK(found.bytes == 123);
  CHECK(found.format == "csv");
  CHECK(found.encoding == "latin1");
  CHECK(found.rows == 7);
  CHECK(found.columns == file.columns);
  CHECK_FALSE(found.is_listed);
  CHECK(found.created_ms == 99);
  insert_file(queue.database(), a_file("file_2"));
  CHECK_FALSE(require_file(queue.database(), "file_2").rows);
}

TEST_CASE("a file that is not there is not found", "[file_table]") {
  QueueDatabase queue;
  CHECK_FALSE(read_file_row(queue.database(), "file_x"));
  const auto error = thrown_error([&] { require_file(queue.database(), "file_x\x1b[2J"); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::file_not_found);
  CHECK(error->message().find('\x1b') == std::string::npos);
}

TEST_CASE("ids of files differ and have one shape", "[file_table]") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = make_file_id();
    CHECK(id.size() == 17);
    CHECK(id.starts_with("file_"));
    CHECK(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", 5) == std::string::npos);
    seen.insert(id);
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("files are listed page by page, the newest first", "[file_table]") {
  QueueDatabase queue;
  sql::Database& database = queue.database();
  for (int i = 1; i <= 5; ++i) {
    StoredFile file = a_file("file_" + std::to_string(i));
    file.is_listed = i != 3;
    insert_file(database, file);
  }
  CHECK(ids(list_files(database, std::nullopt, 2)) == Ids{"file_5", "file_4"});
  CHECK(ids(list_files(database, require_file(database, "file_4").number, 2)) ==
        Ids{"file_2", "file_1"});
  CHECK(list_files(database, require_file(database, "file_1").number, 2).empty());
}

TEST_CASE("a file is in use until the jobs that need it have ended", "[file_table]") {
  QueueDatabase queue;
  insert_file(queue.database(), a_file("file_1"));
  CHECK_FALSE(is_file_in_use(queue.database(), "file_1"));
  Submission submission = a_submission();
  submission.file_ids = {"file_1", "file_1"};
  const std::string first = queue.submit(submission).id;
  const std::string second = queue.submit(submission).id;
  CHECK(is_file_in_use(queue.database(), "file_1"));
  queue.cancel(first);
  CHECK(is_file_in_use(queue.database(), "file_1"));
  queue.cancel(second);
  CHECK_FALSE(is_file_in_use(queue.database(), "file_1"));
  queue.write([&](JobTable& jobs) {
    delete_job(jobs, first);
    delete_job(jobs, second);
  });
  delete_file_row(queue.database(), "file_1");
  CHECK_FALSE(read_file_row(queue.database(), "file_1"));
  queue.check_file();
}

TEST_CASE("a content is used as long as one of its files is there", "[file_table]") {
  QueueDatabase queue;
  sql::Database& database = queue.database();
  insert_file(database, a_file("file_1"));
  insert_file(database, a_file("file_2"));
  const std::string sha256(64, 'a');
  delete_file_row(database, "file_1");
  CHECK(is_content_used(database, sha256));
  delete_file_row(database, "file_2");
  CHECK_FALSE(is_content_used(database, sha256));
}

}  // namespace
}  // namespace batchllm::daemon
