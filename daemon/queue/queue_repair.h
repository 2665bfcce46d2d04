// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/database_care.h"
#include "core/error.h"
#include "daemon/queue/job_rebuild.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace batchllm::daemon {

// What a repair found and did.
struct RepairReport {
  std::filesystem::path database;
  std::string damage;                             // what was wrong with it; empty: nothing
  std::optional<std::filesystem::path> moved_to;  // where the damaged one is now
  std::optional<std::filesystem::path> backup;    // what filled the gaps
  std::vector<sql::Salvaged> salvaged;            // read from the damaged one
  std::vector<RebuiltJob> mended;                 // their events were not all there
  std::vector<RebuiltJob> put_back;               // known from their folders only
  std::vector<std::string> unreadable;            // folders, each with the reason
  std::int64_t jobs = 0;                          // in the queue now
};

// Throws Error(database_corrupt) when a repair was begun and has not ended: the queue must not be
// used before it has.
void refuse_unfinished_repair(const std::filesystem::path& state_dir);

// Throws `error`, which came while the queue was opened; where a repair helps, with a hint that
// names it and the newest backup.
[[noreturn]] void throw_with_way_out(const Error& error, const std::filesystem::path& state_dir);

// Makes the queue of a state folder usable again; the caller has the folder's lock. A damaged
// database (or one of another version or program) is moved aside as it is; in its place comes a new
// one with all that can be read of it, completed from the newest good backup and from the jobs' own
// folders. A database that is whole is only completed. Whoever is killed meanwhile goes on with the
// next repair: the new database takes its place as a whole. Throws Error(storage | storage_full)
// when it cannot be done.
RepairReport repair_queue(const std::filesystem::path& state_dir, std::int64_t now_ms);

std::string repair_report_json(const RepairReport& report);

// For people, several lines.
std::string repair_report_text(const RepairReport& report);

}  // namespace batchllm::daemon
