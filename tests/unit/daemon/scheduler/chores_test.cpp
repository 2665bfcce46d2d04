// SPDX-License-Identifier: Apache-2.0
// What is deleted and copied as time passes.
#include "adapters/sql/database_care.h"
#include "daemon/queue/idempotency.h"
#include "daemon/scheduler/backup_chore.h"
#include "daemon/scheduler/disk_room.h"
#include "daemon/scheduler/retention_chore.h"
#include "tests/support/catch.h"
#include "tests/unit/daemon/scheduler/test_queue.h"

#include <filesystem>

using namespace batchllm;
using namespace batchllm::daemon;

namespace {

constexpr std::int64_t k_hour_ms = 3'600'000;
constexpr std::int64_t k_day_ms = 24 * k_hour_ms;
constexpr std::int64_t k_start_ms = 20'000 * k_day_ms;

}  // namespace

TEST_CASE("a job that ended goes when the retention is over, and not earlier", "[retention]") {
  TestQueue queue;
  queue.clock().set(k_start_ms);
  Bell bell;
  files::ContentStore content(queue.folder().path("files"));
  RetentionChore chore(queue.store(), content, queue.folder().path(), bell.ring());
  const QueuedJob ended = queue.submit(TestQueue::submission());
  const QueuedJob alive = queue.submit(TestQueue::submission());
  chore.keep_for(30 * k_day_ms);
  CHECK(chore.do_due(k_start_ms) == std::nullopt);
  queue.cancel(ended.id);
  CHECK(chore.do_due(k_start_ms) == k_start_ms + 30 * k_day_ms);
  chore.keep_for(std::nullopt);
  CHECK(chore.do_due(k_start_ms) == std::nullopt);
  chore.keep_for(30 * k_day_ms);
  CHECK(chore.do_due(k_start_ms + 30 * k_day_ms - 1) == k_start_ms + 30 * k_day_ms);
  CHECK(queue.number("SELECT count(*) FROM jobs") == 2);

  queue.clock().set(k_start_ms + 30 * k_day_ms);
  CHECK(chore.do_due(k_start_ms + 30 * k_day_ms) == std::nullopt);
  bell.wait();
  CHECK(queue.number("SELECT count(*) FROM jobs") == 1);
  CHECK(queue.job(alive.id).id == alive.id);
  CHECK(chore.do_due(k_start_ms + 30 * k_day_ms) == std::nullopt);
}

TEST_CASE("the answer to an idempotency key stays for a day, and as long as its job",
          "[retention]") {
  TestQueue queue;
  queue.clock().set(k_start_ms);
  Bell bell;
  files::ContentStore content(queue.folder().path("files"));
  RetentionChore chore(queue.store(), content, queue.folder().path(), bell.ring());
  const QueuedJob job = queue.submit(TestQueue::submission());
  queue.store().write([&](JobTable& jobs) {
    keep_answer(
        jobs.database(), {"a", "POST /jobs", "x", 201, "/api/v1/jobs/" + job.id, "{}"}, k_start_ms);
    keep_answer(
        jobs.database(), {"b", "POST /jobs/1/pause", "x", 200, "", "{}"}, k_start_ms + k_hour_ms);
  });
  CHECK(chore.do_due(k_start_ms) == k_start_ms + k_hour_ms + k_day_ms);
  const std::int64_t later_ms = k_start_ms + k_hour_ms + k_day_ms;
  CHECK(chore.do_due(later_ms) == std::nullopt);
  bell.wait();
  CHECK(queue.number("SELECT count(*) FROM idempotency WHERE key = 'a'") == 1);
  CHECK(queue.number("SELECT count(*) FROM idempotency") == 1);
  CHECK(chore.do_due(later_ms) == std::nullopt);

  queue.cancel(job.id);
  queue.store().write([&](JobTable& jobs) { delete_job(jobs, job.id); });
  CHECK(chore.do_due(later_ms) == std::nullopt);
  bell.wait();
  CHECK(queue.number("SELECT count(*) FROM idempotency") == 0);
}

TEST_CASE("the queue is copied when something was written, and three copies are kept", "[backup]") {
  TestQueue queue;
  Bell bell;
  const std::filesystem::path folder = queue.folder().path("backups");
  BackupChore chore(queue.store(), queue.path(), folder, bell.ring());
  chore.repeat_every(k_day_ms);
  CHECK(chore.do_due(k_start_ms) == std::nullopt);
  for (std::int64_t day = 1; day <= 5; ++day) {
    queue.submit(TestQueue::submission());
    const std::int64_t begin_ms = k_start_ms + (day - 1) * k_day_ms;
    CHECK(chore.do_due(begin_ms) == begin_ms + k_day_ms);
    CHECK(chore.do_due(begin_ms + k_day_ms) == std::nullopt);
    bell.wait();
    CHECK(chore.do_due(begin_ms + k_day_ms) == std::nullopt);
  }
  CHECK(sql::list_backups(folder, queue.path()).size() == 3);
  chore.repeat_every(std::nullopt);
  queue.submit(TestQueue::submission());
  CHECK(chore.do_due(k_start_ms + 9 * k_day_ms) == std::nullopt);
}

TEST_CASE("a disk is full from a failed write until there is room, and then has a reserve",
          "[disk]") {
  ScratchFolder folder;
  std::filesystem::create_directory(folder.path("daemon"));
  const std::string reserve = folder.path("daemon/reserve");
  DiskRoom disk(folder.path(), 1 << 20);
  CHECK(std::filesystem::file_size(reserve) == 256 << 10);
  CHECK_FALSE(disk.is_full());
  CHECK_NOTHROW(disk.require_room());
  disk.note_full();
  CHECK_FALSE(std::filesystem::exists(reserve));
  CHECK(disk.is_full());
  CHECK(disk.look());
  CHECK_FALSE(disk.is_full());
  CHECK(std::filesystem::exists(reserve));
  disk.want(UINT64_MAX / 2);
  CHECK(disk.is_full());
  CHECK_FALSE(disk.look());
  CHECK_THROWS_WITH(disk.require_room(), ContainsSubstring("no room for another job"));
}
