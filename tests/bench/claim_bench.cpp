// SPDX-License-Identifier: Apache-2.0
// Prints what taking a job out of a queue costs with a thousand and with a million jobs waiting, as
// JSON: {"claims":…,"ns_per_claim":{"1000":…,"1000000":…},"ratio":…}. The claims of both queues
// take turns, and each figure is the median of its rounds.
//   claim_bench FOLDER [SMALL LARGE]
#include "adapters/sql/sqlite_migrations.h"
#include "daemon/queue/job_leases.h"
#include "daemon/queue/queue_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace batchllm;
using namespace batchllm::daemon;

constexpr int k_rounds = 21;
constexpr int k_claims = 20;  // in a round, so that the smaller queue stays about as long
constexpr std::int64_t k_projects = 4;

// A queue of so many jobs of different priorities, in some projects.
class Queue {
 public:
  Queue(const std::filesystem::path& folder, std::int64_t jobs) : database_(open(folder, jobs)) {
    database_.execute(fmt::format(R"sql(
        BEGIN;
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {1})
        INSERT INTO projects SELECT 'project ' || i, NULL, 0 FROM n;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0})
        INSERT INTO jobs (id, kind, project, state, held, claim_key, reason, wish, priority, attempt,
          crash_count, epoch, last_seq, ok, failed, skipped, cost_micro_usd, input_tokens,
          output_tokens, name, tags, model, lane, concurrency, output_path, policy, created_at,
          record)
        SELECT 'job_' || i, 0, 'project ' || (i % {1}), 0, 0, i - (i * 7919 % 201 - 100) * 300000,
          'queue', 0, i * 7919 % 201 - 100, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, '', '{{}}', 'm', 'l', 4,
          '', '{{}}', i, '{{}}' FROM n;
        COMMIT;)sql",
                                  jobs,
                                  k_projects));
    database_.checkpoint(sql::Checkpoint::truncate);
  }

  double ns_per_claim() {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < k_claims; ++i) {
      claim();
    }
    const std::chrono::duration<double, std::nano> elapsed =
        std::chrono::steady_clock::now() - start;
    return elapsed.count() / k_claims;
  }

 private:
  static sql::Database open(const std::filesystem::path& folder, std::int64_t jobs) {
    sql::MigrationOptions options;
    options.backups = folder / "backups";
    options.open.durability = sql::Durability::normal;  // not the disk is measured
    return sql::open_migrated(
        folder / fmt::format("claim-{}.db", jobs), queue_migrations(), options);
  }

  void claim() {
    std::vector<sql::Transaction::Action> after_commit;
    sql::TransactionScope scope(database_, sql::TransactionScope::Kind::write);
    sql::Transaction transaction(database_, after_commit);
    JobTable jobs(transaction, hub_, 1);
    const auto job = claim_job(jobs, JobKind::job, "worker:1", 2);
    if (!job) {
      throw std::runtime_error("the queue is empty");
    }
    // What was claimed runs no more, so that the number of running jobs stays small, too.
    database_.run("UPDATE jobs SET state = 2, owner = NULL, lease_until = NULL WHERE number = ?",
                  job->number);
    scope.commit();
  }

  EventHub hub_;
  sql::Database database_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() / 2);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2 && count != 4) {
    fmt::print(stderr, "claim_bench FOLDER [SMALL LARGE]\n");
    return 2;
  }
  const std::int64_t small_jobs = count == 4 ? std::atoll(words[2]) : 1'000;
  const std::int64_t large_jobs = count == 4 ? std::atoll(words[3]) : 1'000'000;
  Queue small(words[1], small_jobs);
  Queue large(words[1], large_jobs);
  std::vector<double> small_ns;
  std::vector<double> large_ns;
  for (int round = 0; round < k_rounds; ++round) {
    small_ns.push_back(small.ns_per_claim());
    large_ns.push_back(large.ns_per_claim());
  }
  fmt::print(R"({{"claims":{},"ns_per_claim":{{"{}":{:.0f},"{}":{:.0f}}},"ratio":{:.3f}}})"
             "\n",
             k_rounds * k_claims,
             small_jobs,
             median(small_ns),
             large_jobs,
             median(large_ns),
             median(large_ns) / median(small_ns));
  return 0;
}
