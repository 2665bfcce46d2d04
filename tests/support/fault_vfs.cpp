// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fault_vfs.h"

#include "tests/support/unsynced_files.h"

#include <sqlite3.h>

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <new>
#include <optional>

namespace batchllm {
namespace {

using Operation = FaultVfs::Operation;
using Fault = FaultVfs::Fault;

struct Trap {
  Operation operation;
  std::int64_t nth;
  Fault fault;
  bool for_good;
};

int failure_of(Operation operation, Fault fault) {
  switch (operation) {
    case Operation::open:
      return SQLITE_CANTOPEN;
    case Operation::write:
      return fault == Fault::io_error ? SQLITE_IOERR_WRITE : SQLITE_FULL;
    case Operation::sync:
      return SQLITE_IOERR_FSYNC;
    case Operation::truncate:
      return SQLITE_IOERR_TRUNCATE;
    case Operation::remove:
      return SQLITE_IOERR_DELETE;
  }
  return SQLITE_IOERR;
}

}  // namespace

struct FaultVfs::Disk {
  // SQLITE_OK: go on. Anything else: fail with it; `half` asks for half a write first.
  int before(Operation operation, bool* half = nullptr) {
    const std::lock_guard lock(mutex);
    if (operation != Operation::open) {
      ++changes;
      if (exit_in > 0 && --exit_in == 0) {
        _exit(exit_status);
      }
      if (cut_in > 0 && --cut_in == 0) {
        is_cut = true;
      }
    }
    if (is_cut) {
      return failure_of(operation, Fault::io_error);
    }
    if (!trap || trap->operation != operation || --trap->nth > 0) {
      return SQLITE_OK;
    }
    if (trap->nth < 0 && !trap->for_good) {
      return SQLITE_OK;
    }
    has_failed = true;
    if (half != nullptr) {
      *half = trap->fault == Fault::short_write;
    }
    return failure_of(operation, trap->fault);
  }

  mutable std::mutex mutex;
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  std::string name;
  std::optional<Trap> trap;
  bool has_failed = false;
  std::int64_t changes = 0;
  std::int64_t exit_in = 0;
  int exit_status = 0;
  std::int64_t cut_in = 0;
  bool is_cut = false;
  bool is_tracking = false;
  UnsyncedFiles unsynced;

  // SQLite's side. A file is this head, then the real file.
  struct File {
    sqlite3_file head;
    Disk* disk;
    std::string* path;

    sqlite3_file* real_file() noexcept {
      return reinterpret_cast<sqlite3_file*>(reinterpret_cast<std::byte*>(this) + k_head_bytes);
    }
  };

  static constexpr std::size_t k_head_bytes = 64;
  static const sqlite3_io_methods k_methods;

  static File& file_of(sqlite3_file* file) noexcept { return *reinterpret_cast<File*>(file); }

  static sqlite3_file* real_of(sqlite3_file* file) noexcept { return file_of(file).real_file(); }

  static Disk& disk_of(sqlite3_vfs* vfs) noexcept { return *static_cast<Disk*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* got);
  static int remove(sqlite3_vfs* vfs, const char* name, int sync_folder);
  static int close(sqlite3_file* file);
  static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset);
  static int truncate(sqlite3_file* file, sqlite3_int64 size);
  static int sync(sqlite3_file* file, int flags);
};

int FaultVfs::Disk::open(
    sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* got) {
  Disk& disk = disk_of(vfs);
  file->pMethods = nullptr;
  if (const int code = disk.before(Operation::open); code != SQLITE_OK) {
    return code;
  }
  File& own = file_of(file);
  const bool is_new = name != nullptr && access(name, F_OK) != 0;
  const int code = disk.real->xOpen(disk.real, name, own.real_file(), flags, got);
  if (code != SQLITE_OK) {
    return code;
  }
  own.disk = &disk;
  own.path = new std::string(name == nullptr ? "" : name);
  own.head.pMethods = &k_methods;
  const std::lock_guard lock(disk.mutex);
  if (disk.is_tracking && is_new) {
    disk.unsynced.note_new_file(*own.path);
  }
  return SQLITE_OK;
}

int FaultVfs::Disk::remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  Disk& disk = disk_of(vfs);
  if (const int code = disk.before(Operation::remove); code != SQLITE_OK) {
    return code;
  }
  {
    const std::lock_guard lock(disk.mutex);
    if (disk.is_tracking) {
      disk.unsynced.note_removal(name, sync_folder != 0);
    }
  }
  return disk.real->xDelete(disk.real, name, sync_folder);
}

int FaultVfs::Disk::close(sqlite3_file* file) {
  File& own = file_of(file);
  const int code = own.real_file()->pMethods->xClose(own.real_file());
  delete own.path;
  return code;
}

int FaultVfs::Disk::write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  File& own = file_of(file);
  bool half = false;
  const int code = own.disk->before(Operation::write, &half);
  if (code != SQLITE_OK && !half) {
    return code;
  }
  {
    const std::lock_guard lock(own.disk->mutex);
    if (own.disk->is_tracking) {
      own.disk->unsynced.note_write(
          *own.path, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(count));
    }
  }
  const int written =
      own.real_file()->pMethods->xWrite(own.real_file(), bytes, half ? count / 2 : count, offset);
  return code == SQLITE_OK ? written : code;
}

int FaultVfs::Disk::truncate(sqlite3_file* file, sqlite3_int64 size) {
  File& own = file_of(file);
  if (const int code = own.disk->before(Operation::truncate); code != SQLITE_OK) {
    return code;
  }
  {
    const std::lock_guard lock(own.disk->mutex);
    if (own.disk->is_tracking) {
      own.disk->unsynced.note_truncation(*own.path, static_cast<std::uint64_t>(size));
    }
  }
  return own.real_file()->pMethods->xTruncate(own.real_file(), size);
}

int FaultVfs::Disk::sync(sqlite3_file* file, int /*flags*/) {
  File& own = file_of(file);
  if (const int code = own.disk->before(Operation::sync); code != SQLITE_OK) {
    return code;
  }
  // Nothing is asked of the real disk: what counts as synced, this model knows.
  const std::lock_guard lock(own.disk->mutex);
  if (own.disk->is_tracking) {
    own.disk->unsynced.note_sync(*own.path);
  }
  return SQLITE_OK;
}

// What is not listed goes to the real file as it is.
#define BATCHLLM_FORWARD(method)                       \
  [](sqlite3_file* file, auto... arguments) {          \
    sqlite3_file* real = real_of(file);                \
    return real->pMethods->method(real, arguments...); \
  }

const sqlite3_io_methods FaultVfs::Disk::k_methods = {3,
                                                      &close,
                                                      BATCHLLM_FORWARD(xRead),
                                                      &write,
                                                      &truncate,
                                                      &sync,
                                                      BATCHLLM_FORWARD(xFileSize),
                                                      BATCHLLM_FORWARD(xLock),
                                                      BATCHLLM_FORWARD(xUnlock),
                                                      BATCHLLM_FORWARD(xCheckReservedLock),
                                                      BATCHLLM_FORWARD(xFileControl),
                                                      BATCHLLM_FORWARD(xSectorSize),
                                                      BATCHLLM_FORWARD(xDeviceCharacteristics),
                                                      BATCHLLM_FORWARD(xShmMap),
                                                      BATCHLLM_FORWARD(xShmLock),
                                                      BATCHLLM_FORWARD(xShmBarrier),
                                                      BATCHLLM_FORWARD(xShmUnmap),
                                                      BATCHLLM_FORWARD(xFetch),
                                                      BATCHLLM_FORWARD(xUnfetch)};
#undef BATCHLLM_FORWARD

FaultVfs::FaultVfs() : disk_(std::make_unique<Disk>()) {
  static std::atomic<int> count = 0;
  Disk& disk = *disk_;
  static_assert(sizeof(Disk::File) <= Disk::k_head_bytes);
  disk.name = "fault-" + std::to_string(++count);
  disk.real = sqlite3_vfs_find(nullptr);
  // The clock, randomness and names come from the real one, which takes its own pointer from us.
  disk.vfs = *disk.real;
  disk.vfs.zName = disk.name.c_str();
  disk.vfs.pAppData = &disk;
  disk.vfs.pNext = nullptr;
  disk.vfs.szOsFile = static_cast<int>(Disk::k_head_bytes) + disk.real->szOsFile;
  disk.vfs.xOpen = &Disk::open;
  disk.vfs.xDelete = &Disk::remove;
  sqlite3_vfs_register(&disk.vfs, 0);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&disk_->vfs);
}

const std::string& FaultVfs::name() const noexcept {
  return disk_->name;
}

void FaultVfs::fail(Operation operation, std::int64_t nth, Fault fault, bool for_good) {
  const std::lock_guard lock(disk_->mutex);
  disk_->trap = Trap{operation, nth, fault, for_good};
  disk_->has_failed = false;
}

bool FaultVfs::lift() {
  const std::lock_guard lock(disk_->mutex);
  disk_->trap.reset();
  return disk_->has_failed;
}

std::int64_t FaultVfs::changes() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->changes;
}

void FaultVfs::exit_at(std::int64_t nth, int status) {
  const std::lock_guard lock(disk_->mutex);
  disk_->exit_in = nth;
  disk_->exit_status = status;
}

void FaultVfs::cut_power_at(std::int64_t nth) {
  const std::lock_guard lock(disk_->mutex);
  disk_->is_tracking = true;
  disk_->cut_in = nth;
}

bool FaultVfs::is_power_cut() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->is_cut;
}

void FaultVfs::restore_power(std::uint64_t seed) {
  const std::lock_guard lock(disk_->mutex);
  disk_->unsynced.lose_some(seed);
  disk_->is_cut = false;
  disk_->is_tracking = false;
  disk_->cut_in = 0;
}

}  // namespace batchllm
