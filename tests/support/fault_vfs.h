// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace batchllm {

// A file system for SQLite over the real one (real files, real locks) on which things go wrong on
// demand: the n-th operation fails, the process ends in the middle, the power is cut. Give name()
// as OpenOptions::vfs. Thread-safe. Connections are closed before it goes.
class FaultVfs {
 public:
  enum class Operation { write, sync, open, truncate, remove };
  enum class Fault { full, io_error, short_write };

  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const noexcept;

  // The n-th (from 1) such operation from now on fails, once or, when `for_good`, with all after
  // it.
  void fail(Operation operation, std::int64_t nth, Fault fault, bool for_good = false);

  // Nothing fails any more. True when something did.
  bool lift();

  // Writes, syncs, truncations and removals so far.
  std::int64_t changes() const;

  // Before the n-th change from now on the process ends, without any cleaning up.
  void exit_at(std::int64_t nth, int status);

  // Power cut: what is written after this call and not synced is not safe any more; before the n-th
  // change from now on the power goes: nothing changes the disk any more, every change fails.
  void cut_power_at(std::int64_t nth);
  bool is_power_cut() const;

  // The power comes back. All connections are closed. Of what was not synced, every block of 4 KiB
  // is there, not there or torn at a sector of 512 bytes; a file that was never synced may be gone,
  // a deleted one back. The same seed decides the same.
  void restore_power(std::uint64_t seed);

 private:
  struct Disk;

  std::unique_ptr<Disk> disk_;
};

}  // namespace batchllm
