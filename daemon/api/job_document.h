// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/sqlite_database.h"
#include "core/json_text.h"
#include "daemon/queue/queued_job.h"

#include <cstdint>
#include <optional>
#include <string>

namespace batchllm::daemon {

// The object `Job` of the contract. Reads what the job waits for from `database`.
std::string job_document(sql::Database& database, const QueuedJob& job);

// "0.012300": micro-USD as a decimal text of USD.
std::string usd_decimal(std::int64_t micro_usd);

// A time, or null.
void write_time(JsonWriter& json, std::optional<std::int64_t> time_ms);

// A text, or null when it is empty.
void write_text_or_null(JsonWriter& json, const std::string& text);

}  // namespace batchllm::daemon
