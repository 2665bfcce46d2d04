// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/backup_chore.h"

#include "adapters/sql/database_care.h"
#include "core/error.h"
#include "daemon/service/daemon_log.h"

#include <chrono>
#include <string_view>

namespace batchllm::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_label = "daily";
constexpr std::size_t k_kept = 3;
constexpr std::int64_t k_retry_after_ms = 60 * 60'000;

std::optional<std::int64_t> changed_ms(const fs::path& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  if (error) {
    return std::nullopt;
  }
  const auto wall = std::chrono::file_clock::to_sys(time).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(wall).count();
}

std::optional<fs::path> newest_copy(const fs::path& folder, const fs::path& database) {
  for (const fs::path& copy : sql::list_backups(folder, database)) {
    if (copy.filename().string().find(k_label) != std::string::npos) {
      return copy;
    }
  }
  return std::nullopt;
}

}  // namespace

BackupChore::BackupChore(JobStore& store,
                         fs::path database,
                         fs::path folder,
                         std::function<void()> wake)
    : store_(store),
      database_(std::move(database)),
      folder_(std::move(folder)),
      work_("backup", std::move(wake)) {
  if (const auto copy = newest_copy(folder_, database_)) {
    last_ms_ = changed_ms(*copy);
    // A daemon that ends copies its log into the file when there is something in it.
    is_changed_since_ = changed_ms(database_) > last_ms_;
  }
}

void BackupChore::repeat_every(std::optional<std::int64_t> every_ms) noexcept {
  every_ms_ = every_ms.value_or(-1);
}

std::optional<std::int64_t> BackupChore::do_due(std::int64_t now_ms) {
  const std::int64_t every_ms = every_ms_;
  const std::uint64_t writes = store_.figures().writes;
  if (every_ms < 0 || work_.is_busy() || (writes == copied_writes_ && !is_changed_since_)) {
    return std::nullopt;
  }
  if (!last_ms_ || *last_ms_ > now_ms) {
    last_ms_ = now_ms;  // the first copy is of a queue that has been used; and clocks are set
  }
  if (*last_ms_ + every_ms > now_ms) {
    return *last_ms_ + every_ms;
  }
  try {
    work_.start([this, now_ms, writes] { back_up_now(now_ms, writes); });
  } catch (const std::system_error& error) {
    log_error("the queue is not backed up: {}", error.what());
    return now_ms + k_retry_after_ms;
  }
  return std::nullopt;
}

void BackupChore::back_up_now(std::int64_t now_ms, std::uint64_t writes) {
  try {
    sql::Database database = sql::Database::open(database_, sql::Access::read_only);
    const fs::path copy = sql::back_up(database, folder_, k_label, now_ms);
    sql::keep_newest_backups(folder_, database_, k_label, k_kept);
    log_info("the queue was backed up to {}", copy.string());
    last_ms_ = now_ms;
    copied_writes_ = writes;
    is_changed_since_ = false;
  } catch (const Error& error) {
    log_error("the queue is not backed up: {}", error.message());
    const std::int64_t every_ms = every_ms_;
    last_ms_ = now_ms - every_ms + std::min(every_ms, k_retry_after_ms);
  }
}

}  // namespace batchllm::daemon
