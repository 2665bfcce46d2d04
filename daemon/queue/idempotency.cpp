// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/idempotency.h"

#include <array>
#include <string>

namespace batchllm::daemon {
namespace {

constexpr std::array<std::string_view, 2> k_places_of_jobs = {"/api/v1/jobs/", "/api/v1/tasks/"};

bool is_job(std::string_view location) noexcept {
  return location.starts_with(k_places_of_jobs[0]) || location.starts_with(k_places_of_jobs[1]);
}

}  // namespace

void keep_answer(sql::Database& database, const KeptAnswer& answer, std::int64_t now_ms) {
  database.run("INSERT INTO idempotency VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               answer.key,
               answer.operation,
               answer.request_sha256,
               std::int64_t{answer.status},
               answer.location,
               answer.body,
               now_ms,
               std::int64_t{is_job(answer.location)});
}

std::optional<KeptAnswer> find_answer(sql::Database& database,
                                      std::string_view key,
                                      std::string_view operation) {
  auto query = database.prepare(
      "SELECT request_sha256, status, location, body FROM idempotency WHERE key = ? AND operation "
      "= ?");
  query.bind_all(key, operation);
  if (!query.step()) {
    return std::nullopt;
  }
  return KeptAnswer{std::string(key),
                    std::string(operation),
                    query.string(0),
                    static_cast<int>(query.integer(1)),
                    query.string(2),
                    query.string(3)};
}

std::optional<std::int64_t> next_old_answer_ms(sql::Database& database) {
  const auto oldest = database.integer("SELECT min(created_at) FROM idempotency WHERE has_job = 0");
  return oldest ? std::optional(*oldest + k_keep_keys_ms) : std::nullopt;
}

std::int64_t remove_old_answers(sql::Database& database, std::int64_t now_ms, std::int64_t limit) {
  return database.run(
      "DELETE FROM idempotency WHERE (key, operation) IN (SELECT key, operation FROM idempotency "
      "WHERE has_job = 0 AND created_at <= ? ORDER BY created_at LIMIT ?)",
      now_ms - k_keep_keys_ms,
      limit);
}

void release_answers_of(sql::Database& database, std::string_view job_id) {
  for (const std::string_view place : k_places_of_jobs) {
    database.run("UPDATE idempotency SET has_job = 0 WHERE location = ? AND location != ''",
                 std::string(place).append(job_id));
  }
}

}  // namespace batchllm::daemon
