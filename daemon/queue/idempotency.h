// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_database.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// How long the answer to an Idempotency-Key is kept; that of a job (or task) as long as the job,
// when that is longer.
constexpr std::int64_t k_keep_keys_ms = 86'400'000;

// A key and the answer that was given for it.
struct KeptAnswer {
  std::string key;
  std::string operation;  // "POST /api/v1/jobs"
  std::string request_sha256;
  int status = 0;
  std::string location;  // of what was made; empty: nothing was
  std::string body;
};

void keep_answer(sql::Database& database, const KeptAnswer& answer, std::int64_t now_ms);

std::optional<KeptAnswer> find_answer(sql::Database& database,
                                      std::string_view key,
                                      std::string_view operation);

// When the next answer is old enough to go; nullopt: none is. Answers whose job is there do not
// count.
std::optional<std::int64_t> next_old_answer_ms(sql::Database& database);

// Removes such answers, at most `limit`; returns how many.
std::int64_t remove_old_answers(sql::Database& database, std::int64_t now_ms, std::int64_t limit);

// The job is about to be deleted: the answers about it need it no more.
void release_answers_of(sql::Database& database, std::string_view job_id);

}  // namespace batchllm::daemon
