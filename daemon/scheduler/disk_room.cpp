// SPDX-License-Identifier: Apache-2.0
#include "daemon/scheduler/disk_room.h"

#include "core/error.h"
#include "daemon/service/daemon_log.h"

#include <fmt/format.h>

#include <sys/statvfs.h>

#include <algorithm>
#include <limits>

namespace batchllm::daemon {
namespace {

constexpr std::uint64_t k_smallest_reserve = std::uint64_t{64} << 10;
constexpr std::uint64_t k_largest_reserve = std::uint64_t{16} << 20;
constexpr double k_mib = 1 << 20;

std::uint64_t reserve_for(std::uint64_t wanted_bytes) {
  return std::clamp(wanted_bytes / 4, k_smallest_reserve, k_largest_reserve);
}

}  // namespace

DiskRoom::DiskRoom(std::filesystem::path state_dir, std::uint64_t wanted_bytes)
    : state_dir_(std::move(state_dir)),
      wanted_bytes_(wanted_bytes),
      reserve_bytes_(reserve_for(wanted_bytes)),
      reserve_(state_dir_ / "daemon" / "reserve", reserve_bytes_) {
  const MutexLock lock(mutex_);
  has_reserve_ = reserve_.make();
}

void DiskRoom::note_full() noexcept {
  const MutexLock lock(mutex_);
  if (!is_full_) {
    log_error("the disk is full: jobs pause until there is room in {}", state_dir_.string());
  }
  is_full_ = true;
  reserve_.drop();
  has_reserve_ = false;
}

bool DiskRoom::look() {
  const MutexLock lock(mutex_);
  const std::uint64_t needed = wanted_bytes_ + (has_reserve_ ? 0 : reserve_bytes_);
  if (free_bytes() < needed) {
    return false;
  }
  has_reserve_ = reserve_.make();
  if (is_full_) {
    log_info("there is room again in {}", state_dir_.string());
  }
  is_full_ = false;
  return true;
}

bool DiskRoom::is_full() const {
  // The system is asked without the lock: every submission comes here.
  const std::uint64_t free = free_bytes();
  const MutexLock lock(mutex_);
  return is_full_ || free < wanted_bytes_;
}

void DiskRoom::require_room() {
  if (!is_full() || look()) {
    return;
  }
  const MutexLock lock(mutex_);
  throw Error(ErrorCode::storage_full,
              fmt::format("no room for another job in {}: {:.1f} MiB are free",
                          state_dir_.string(),
                          static_cast<double>(free_bytes()) / k_mib),
              fmt::format("make room on the disk until {:.0f} MiB are free (min_free), for example "
                          "with `batchllm jobs prune`",
                          static_cast<double>(wanted_bytes_ + reserve_bytes_) / k_mib));
}

void DiskRoom::want(std::uint64_t bytes) noexcept {
  const MutexLock lock(mutex_);
  wanted_bytes_ = bytes;
}

std::uint64_t DiskRoom::free_bytes() const {
  struct statvfs space {};

  if (statvfs(state_dir_.c_str(), &space) != 0) {
    return std::numeric_limits<std::uint64_t>::max();  // writing tells
  }
  return std::uint64_t{space.f_bavail} * space.f_frsize;
}

}  // namespace batchllm::daemon
