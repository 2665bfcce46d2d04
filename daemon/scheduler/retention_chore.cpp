// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/retention_chore.h"

#include "core/error.h"
#include "daemon/queue/idempotency.h"
#include "daemon/queue/job_removal.h"
#include "daemon/service/daemon_log.h"

#include <algorithm>
#include <string>
#include <vector>

namespace batchllm::daemon {
namespace {

constexpr std::int64_t k_at_once = 20;
constexpr std::int64_t k_retry_after_ms = 10 * 60'000;

std::vector<std::string> ended_until(sql::Database& database, std::int64_t time_ms) {
  auto query = database.prepare(
      "SELECT id FROM jobs WHERE finished_at IS NOT NULL AND finished_at <= ? ORDER BY finished_at "
      "LIMIT ?");
  query.bind_all(time_ms, k_at_once);
  std::vector<std::string> ids;
  while (query.step()) {
    ids.push_back(query.string(0));
  }
  return ids;
}

}  // namespace

void RetentionChore::keep_for(std::optional<std::int64_t> retention_ms) noexcept {
  retention_ms_ = retention_ms.value_or(-1);
}

std::optional<std::int64_t> RetentionChore::do_due(std::int64_t now_ms) {
  if (work_.is_busy()) {
    return std::nullopt;
  }
  if (retry_ms_ && now_ms < *retry_ms_ && *retry_ms_ - now_ms <= k_retry_after_ms) {
    return retry_ms_;
  }
  retry_ms_.reset();
  const auto next = next_ms();
  if (!next || *next > now_ms) {
    return next;
  }
  try {
    work_.start([this, now_ms] { remove_some(now_ms); });
  } catch (const std::system_error& error) {
    log_error("ended jobs wait for their removal: {}", error.what());
    return now_ms + k_retry_after_ms;
  }
  return std::nullopt;
}

std::optional<std::int64_t> RetentionChore::next_ms() const {
  const std::int64_t retention_ms = retention_ms_;
  return store_.read([retention_ms](sql::Database& database) {
    auto next = next_old_answer_ms(database);
    if (retention_ms < 0) {
      return next;
    }
    const auto oldest = database.integer(
        "SELECT finished_at FROM jobs WHERE finished_at IS NOT NULL ORDER BY finished_at LIMIT 1");
    if (oldest) {
      next = std::min(next.value_or(*oldest + retention_ms), *oldest + retention_ms);
    }
    return next;
  });
}

void RetentionChore::remove_some(std::int64_t now_ms) {
  const std::int64_t retention_ms = retention_ms_;
  try {
    store_.write([now_ms](JobTable& jobs) {
      return remove_old_answers(jobs.database(), now_ms, k_at_once);
    });
    const auto ended =
        retention_ms < 0 ? std::vector<std::string>() : store_.read([&](sql::Database& database) {
          return ended_until(database, now_ms - retention_ms);
        });
    for (const std::string& id : ended) {
      remove_ended_job(store_, content_, state_dir_, id);
      log_info("{} was removed: it ended longer ago than the retention", id);
    }
  } catch (const Error& error) {
    log_error("ended jobs wait for their removal: {}", error.message());
    retry_ms_ = now_ms + k_retry_after_ms;
  }
}

}  // namespace batchllm::daemon
