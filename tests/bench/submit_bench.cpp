// SPDX-License-Identifier: Apache-2.0
// Prints how many jobs a second many threads submit durably, against SQLite alone writing the same
// rows (a job and its first event) in transactions of the same size, as JSON:
//   {"threads":…,"jobs":…,"jobs_per_commit":…,"per_s":…,"sqlite_per_s":…,"ratio":…}
//   submit_bench FOLDER [THREADS JOBS_PER_THREAD]
#include "adapters/sql/sqlite_migrations.h"
#include "daemon/queue/job_queue.h"
#include "daemon/queue/job_store.h"
#include "daemon/queue/queue_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace batchllm;
using namespace batchllm::daemon;

namespace fs = std::filesystem;

constexpr std::size_t k_record_bytes = 1'000;

sql::Database open(const fs::path& folder, const std::string& name) {
  sql::MigrationOptions options;
  options.backups = folder / "backups";
  return sql::open_migrated(folder / name, queue_migrations(), options);
}

Submission a_submission() {
  Submission submission;
  submission.job.project = "default";
  submission.job.tags = "{}";
  submission.job.model = "openai/gpt-4o-mini";
  submission.job.lane = "lane";
  submission.job.record = std::string(k_record_bytes, 'x');
  return submission;
}

struct Figures {
  double per_s = 0;
  double jobs_per_commit = 0;
};

double per_second(std::int64_t jobs, std::chrono::steady_clock::time_point start) {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return static_cast<double>(jobs) / elapsed.count();
}

Figures submit_through_store(const fs::path& folder, int threads, int jobs_per_thread) {
  const SystemClock clock;
  EventHub hub;
  sql::CommitQueue writer(open(folder, "submit.db"));
  sql::ConnectionPool readers(folder / "submit.db", 1);
  JobStore store(writer, readers, hub, clock);
  const auto before = writer.figures();
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> clients;
  for (int i = 0; i < threads; ++i) {
    clients.emplace_back([&] {
      for (int job = 0; job < jobs_per_thread; ++job) {
        store.write([](JobTable& jobs) { return submit_job(jobs, a_submission(), "user:1").id; });
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  const double per_s = per_second(std::int64_t{threads} * jobs_per_thread, start);
  const auto after = writer.figures();
  return {per_s,
          static_cast<double>(after.writes - before.writes) /
              static_cast<double>(std::max<std::uint64_t>(after.commits - before.commits, 1))};
}

double insert_into_sqlite(const fs::path& folder, std::int64_t jobs, std::int64_t per_commit) {
  sql::Database database = open(folder, "raw.db");
  const std::string record(k_record_bytes, 'x');
  const std::string event =
      R"({"reason":"queue","message":"","not_before_ms":null,"priority":0,"attempt":0,"crash_count":0})";
  const std::string policy =
      R"({"wants_approval":false,"asks_at_limit":false,"max_attempts":5,"retries_failed":false,"retry_only":[]})";
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t done = 0; done < jobs;) {
    sql::TransactionScope scope(database, sql::TransactionScope::Kind::write);
    for (std::int64_t i = 0; i < per_commit && done < jobs; ++i, ++done) {
      const std::string id = fmt::format("job_20261121_074800_{:04}", done);
      database.run(
          "INSERT INTO jobs (id, kind, project, state, held, claim_key, reason, wish, priority, "
          "attempt, crash_count, epoch, last_seq, ok, failed, skipped, cost_micro_usd, "
          "input_tokens, output_tokens, name, tags, model, lane, concurrency, output_path, policy, "
          "created_at, record) VALUES (?, 0, 'default', 0, 0, ?, 'queue', 0, 0, 0, 0, 0, 1, 0, 0, "
          "0, 0, 0, 0, '', '{}', 'openai/gpt-4o-mini', 'lane', 32, '', ?, ?, ?)",
          id,
          done,
          policy,
          done,
          record);
      database.run(
          "INSERT INTO job_events VALUES (?, 1, ?, 'job.queued', 1, 'user:1', ?)", id, done, event);
    }
    scope.commit();
    if (database.log_pages() > 1'000) {
      database.checkpoint(sql::Checkpoint::passive);
    }
  }
  return per_second(jobs, start);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2 && count != 4) {
    fmt::print(stderr, "submit_bench FOLDER [THREADS JOBS_PER_THREAD]\n");
    return 2;
  }
  const int threads = count == 4 ? std::atoi(words[2]) : 64;
  const int jobs_per_thread = count == 4 ? std::atoi(words[3]) : 1'000;
  const std::int64_t jobs = std::int64_t{threads} * jobs_per_thread;
  const Figures ours = submit_through_store(words[1], threads, jobs_per_thread);
  const auto per_commit =
      std::max<std::int64_t>(static_cast<std::int64_t>(ours.jobs_per_commit + 0.5), 1);
  const double sqlite = insert_into_sqlite(words[1], jobs, per_commit);
  fmt::print(
      R"({{"threads":{},"jobs":{},"jobs_per_commit":{:.1f},"per_s":{:.0f},"sqlite_per_s":{:.0f},"ratio":{:.3f}}})"
      "\n",
      threads,
      jobs,
      ours.jobs_per_commit,
      ours.per_s,
      sqlite,
      ours.per_s / sqlite);
  return 0;
}
