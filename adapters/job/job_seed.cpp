// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_seed.h"

#include "core/atomic_file.h"
#include "core/file_handle.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <system_error>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_prefix = ".seed-";
constexpr std::size_t k_block = std::size_t{1} << 20;

bool is_taken_over(const std::string& name) {
  return (name.starts_with("ledger-") && name.ends_with(".jsonl")) || name == "manifest.jsonl" ||
         name == "rejects.jsonl";
}

// What copy_file_range cannot do on this file system, or no more.
void copy_the_rest(int from, int to, const std::string& path) {
  const auto block = std::make_unique<char[]>(k_block);
  while (true) {
    const ssize_t count = ::read(from, block.get(), k_block);
    if (count == 0) {
      return;
    }
    if (count > 0) {
      write_all(to, {block.get(), static_cast<std::size_t>(count)}, path);
    } else if (errno != EINTR) {
      throw_storage_error("read", path, errno);
    }
  }
}

void copy_contents(int from, int to, const std::string& path) {
  if (::ioctl(to, FICLONE, from) == 0) {
    return;
  }
  while (true) {
    const ssize_t count = ::copy_file_range(from, nullptr, to, nullptr, std::size_t{1} << 30, 0);
    if (count <= 0) {
      // An error of the disk comes again, and is told then.
      copy_the_rest(from, to, path);
      return;
    }
  }
}

}  // namespace

JobSeed::JobSeed(const fs::path& state_dir, const std::string& from_id)
    : jobs_(state_dir / "jobs") {
  const fs::path from = jobs_ / from_id;
  std::error_code error;
  if (!fs::is_directory(from, error)) {
    return;
  }
  std::string pattern = (jobs_ / (std::string(k_prefix) + "XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw_storage_error("create", pattern, errno);
  }
  folder_ = pattern;
  try {
    for (const auto& entry : fs::directory_iterator(from)) {
      if (is_taken_over(entry.path().filename().string())) {
        copy_file(entry.path());
      }
    }
  } catch (const fs::filesystem_error& failure) {
    fs::remove_all(folder_, error);
    throw_storage_error("read", from.string(), failure.code().value());
  } catch (...) {
    fs::remove_all(folder_, error);
    throw;
  }
}

JobSeed::~JobSeed() {
  std::error_code error;
  if (!folder_.empty()) {
    fs::remove_all(folder_, error);
  }
}

void JobSeed::copy_file(const fs::path& from) const {
  const fs::path to = folder_ / from.filename();
  const FileHandle source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.is_open()) {
    throw_storage_error("read", from.string(), errno);
  }
  const FileHandle copy(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!copy.is_open()) {
    throw_storage_error("create", to.string(), errno);
  }
  copy_contents(source.get(), copy.get(), to.string());
  if (::fsync(copy.get()) != 0) {
    throw_storage_error("write", to.string(), errno);
  }
}

void JobSeed::adopt(const JobRecord& record) {
  write_file_atomically(folder_ / "job.json", job_record_json(record), 0600);
  const fs::path target = jobs_ / record.id;
  if (std::rename(folder_.c_str(), target.c_str()) != 0) {
    throw_storage_error("rename", folder_.string(), errno);
  }
  folder_.clear();
  sync_folder(jobs_);
}

void sweep_job_seeds(const fs::path& state_dir) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(state_dir / "jobs", error)) {
    if (entry.path().filename().string().starts_with(k_prefix)) {
      std::error_code kept;
      fs::remove_all(entry.path(), kept);
    }
  }
}

}  // namespace batchllm
