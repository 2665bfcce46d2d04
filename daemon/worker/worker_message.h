// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_event.h"
#include "core/progress.h"
#include "daemon/queue/job_leases.h"
#include "daemon/queue/queued_job.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace batchllm::daemon {

// What the daemon and its workers say to each other, one JSON object a line. Both are of the same
// build: there is no version.

// Daemon to worker.
struct RunOrder {
  std::string job_id;
  std::int64_t epoch = 0;
  std::string record;  // JSON of core/job_record.h
  std::int64_t created_ms = 0;
  std::int64_t concurrency = 0;  // rows in flight to begin with
  JobCounts counts;              // as they stood before, until the worker knows better
  bool writes_result = true;     // to a place of its own in the job's folder, when it has no other
  bool retries_failed = false;
  std::vector<std::string> retry_only;
  std::vector<std::pair<std::string, std::string>> keys;  // variable, secret
  std::vector<std::string> variables;    // of the daemon's environment that any job may name
  bool trusts_environment = false;       // this one may name every variable
  std::vector<std::string> model_files;  // of the user, see ModelCatalog::load
};

struct StopOrder {
  RunEnding::Why why = RunEnding::Why::paused;
  bool abandons_answers = false;  // nobody will see those in flight
};

struct ConcurrencyOrder {
  std::int64_t rows_in_flight = 0;
};

// To a worker that does nothing else.
struct TransferOrder {
  bool is_upload = false;  // by PUT; else the file is fetched
  std::string url;
  std::string file;
  std::string media_type;  // of an upload
  std::int64_t bytes = 0;  // larger files are refused
  std::int64_t timeout_ms = 0;
  bool public_addresses_only = true;
};

// Worker to daemon, each about the run of a job: the number alone tells no job from the next.
struct AliveReport {
  std::string job_id;
  std::int64_t epoch = 0;
  JobCounts counts;
  std::int64_t in_flight = 0;
  double rows_per_s = 0;
};

struct TextReport {
  std::string job_id;
  std::int64_t epoch = 0;
  std::string level;  // "info", "warning"
  std::string text;
};

struct EndReport {
  std::string job_id;
  std::int64_t epoch = 0;
  RunEnding ending;
};

// The answer to a TransferOrder.
struct TransferReport {
  std::int64_t bytes = 0;
  std::string media_type;  // of a file that was fetched, as the server said
  std::optional<JobFault> fault;
};

using WorkerMessage = std::variant<RunOrder,
                                   StopOrder,
                                   ConcurrencyOrder,
                                   TransferOrder,
                                   AliveReport,
                                   TextReport,
                                   EndReport,
                                   TransferReport>;

// One line with its line break.
std::string worker_message_line(const WorkerMessage& message);

// Throws Error(internal): the other side is not what it should be.
WorkerMessage parse_worker_message(std::string_view line);

}  // namespace batchllm::daemon
