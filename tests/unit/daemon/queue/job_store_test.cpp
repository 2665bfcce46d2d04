// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/job_store.h"

#include "adapters/sql/sqlite_migrations.h"
#include "daemon/queue/event_reader.h"
#include "daemon/queue/job_leases.h"
#include "daemon/queue/job_queue.h"
#include "daemon/queue/queue_schema.h"
#include "tests/support/catch.h"
#include "tests/support/queue_database.h"
#include "tests/support/scratch_folder.h"

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace batchllm::daemon {
namespace {

using namespace std::chrono_literals;

// The store as the daemon has it: a writer's thread and connections that read.
struct Store {
  ScratchFolder folder;
  SystemClock clock;
  EventHub hub;
  sql::CommitQueue writer{sql::open_migrated(
      folder.path("queue.db"), queue_migrations(), {folder.path("backups"), 0, {}})};
  sql::ConnectionPool readers{folder.path("queue.db"), 4};
  JobStore store{writer, readers, hub, clock};

  std::string submit() {
    return store.write(
        [](JobTable& jobs) { return submit_job(jobs, a_submission(), "user:1").id; });
  }

  QueuedJob job(const std::string& id) {
    return store.read([&](sql::Database& database) { return require_job(database, id); });
  }
};

TEST_CASE("a job that was submitted is there for whoever reads next", "[job_store]") {
  Store store;
  const std::string id = store.submit();
  CHECK(store.job(id).view.state == JobState::queued);
}

TEST_CASE("what throws has done nothing and told nobody", "[job_store]") {
  Store store;
  const std::string id = store.submit();
  EventHub::Watch watch(store.hub, id);
  CHECK_THROWS_AS(store.store.write([&](JobTable& jobs) {
    cancel_job(jobs, id, "user:1");
    throw std::runtime_error("no");
  }),
                  std::runtime_error);
  CHECK(store.job(id).view.state == JobState::queued);
  CHECK_FALSE(watch.wait(1, 0ms).event);
}

TEST_CASE("many workers claim each job once", "[job_store]") {
  constexpr int k_workers = 6;
  constexpr int k_jobs = 120;
  Store store;
  for (int i = 0; i < k_jobs; ++i) {
    store.submit();
  }
  std::mutex mutex;
  std::multiset<std::string> claimed;
  std::vector<std::thread> workers;
  for (int i = 0; i < k_workers; ++i) {
    workers.emplace_back([&, name = "worker:" + std::to_string(i)] {
      while (const auto job = store.store.write([&](JobTable& jobs) {
        return claim_job(jobs, JobKind::job, name, jobs.now_ms() + 1000);
      })) {
        const std::lock_guard lock(mutex);
        claimed.insert(job->id);
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  CHECK(claimed.size() == k_jobs);
  CHECK(std::set<std::string>(claimed.begin(), claimed.end()).size() == k_jobs);
}

TEST_CASE("one who reads what is stored and then waits misses no event", "[job_store]") {
  constexpr int k_rounds = 100;
  Store store;
  const std::string id = store.submit();
  std::thread changer([&] {
    for (int i = 0; i < k_rounds; ++i) {
      store.store.write([&](JobTable& jobs) { pause_job(jobs, id, "user:1"); });
      store.store.write([&](JobTable& jobs) { resume_job(jobs, id, std::nullopt, "user:1"); });
    }
    store.store.write([&](JobTable& jobs) { cancel_job(jobs, id, "user:1"); });
  });
  std::vector<std::thread> watchers;
  std::atomic<int> complete = 0;
  for (int i = 0; i < 4; ++i) {
    watchers.emplace_back([&] {
      while (true) {  // each round another client, that comes in the middle
        EventHub::Watch watch(store.hub, id);
        std::int64_t seen = 0;
        bool looks = true;
        while (true) {
          if (looks) {
            const auto events = store.store.read([&](sql::Database& database) {
              return read_event_documents(database, id, seen, 1000);
            });
            for (const StoredEvent& event : events) {
              if (event.seq != ++seen) {
                return;
              }
              if (is_end_event(event_type_of(event.document))) {
                ++complete;
                return;
              }
            }
          }
          const auto news = watch.wait(seen, 60s);
          looks = news.look_it_up;
          if (!looks && !news.event) {
            return;
          }
          if (news.event) {
            ++seen;
            if (is_end_event(event_type_of(*news.event))) {
              ++complete;
              return;
            }
            if (seen % 37 == 0) {
              break;
            }
          }
        }
      }
    });
  }
  changer.join();
  for (std::thread& watcher : watchers) {
    watcher.join();
  }
  CHECK(complete == 4);
}

}  // namespace
}  // namespace batchllm::daemon
