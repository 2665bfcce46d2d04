// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/sql/state_folder.h"
#include "core/mutex.h"

#include <cstdint>
#include <filesystem>

namespace batchllm::daemon {

// Whether the disk has room for the queue and its jobs. A file that holds some of it is given up
// when the disk is full: without it, it could not even be written down that jobs pause.
// Thread-safe.
class DiskRoom {
 public:
  // `wanted_bytes`: free space below which no job is taken or begun; 0: as long as there is any.
  DiskRoom(std::filesystem::path state_dir, std::uint64_t wanted_bytes);

  // Something could not be written: the reserve is given up, and the disk counts as full until
  // look() finds room.
  void note_full() noexcept;

  // True when there is room; the reserve is made again then.
  bool look();

  // No room was found, and none since; or less is free than there should be.
  bool is_full() const;

  // Throws Error(storage_full) when there is no room for another job.
  void require_room();

  void want(std::uint64_t bytes) noexcept;  // from now on

 private:
  std::uint64_t free_bytes() const;

  const std::filesystem::path state_dir_;
  mutable Mutex mutex_;
  std::uint64_t wanted_bytes_ BATCHLLM_GUARDED_BY(mutex_);
  const std::uint64_t reserve_bytes_;
  sql::ReserveFile reserve_ BATCHLLM_GUARDED_BY(mutex_);
  bool has_reserve_ BATCHLLM_GUARDED_BY(mutex_) = false;
  bool is_full_ BATCHLLM_GUARDED_BY(mutex_) = false;
};

}  // namespace batchllm::daemon
