// SPDX-License-Identifier: Apache-2.0
#include "adapters/stream/spool.h"

#include "adapters/stream/file_descriptor.h"
#include "adapters/stream/storage_error.h"
#include "core/error.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>

namespace batchllm {
namespace {

constexpr const char* k_partial_name = "input.spool.part";
constexpr const char* k_complete_name = "input.spool";

}  // namespace

SpoolState spool_state(const std::string& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(spool_path(folder, SpoolState::complete), ignored)) {
    return SpoolState::complete;
  }
  return std::filesystem::exists(spool_path(folder, SpoolState::partial), ignored)
             ? SpoolState::partial
             : SpoolState::none;
}

std::string spool_path(const std::string& folder, SpoolState state) {
  const std::filesystem::path path(folder);
  return (path / (state == SpoolState::complete ? k_complete_name : k_partial_name)).string();
}

// The file and how far it has been written. Thread-safe.
class Spool::Shared {
 public:
  Shared(std::string folder, std::string name)
      : folder_(std::move(folder)),
        name_(std::move(name)),
        partial_(spool_path(folder_, SpoolState::partial)) {
    constexpr mode_t k_owner_only = 0600;
    std::error_code ignored;
    std::filesystem::remove(spool_path(folder_, SpoolState::complete), ignored);
    file_ = FileDescriptor(
        ::open(partial_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, k_owner_only));
    if (!file_) {
      throw_storage_error(partial_, errno);
    }
  }

  const std::string& name() const noexcept { return name_; }

  // First reader only.
  void append(const char* bytes, std::size_t count) {
    for (std::size_t done = 0; done < count;) {
      const ssize_t written = ::write(file_.get(), bytes + done, count - done);
      if (written < 0 && errno != EINTR) {
        throw_storage_error(partial_, errno);
      }
      done += written > 0 ? static_cast<std::size_t>(written) : 0;
    }
    const std::lock_guard lock(mutex_);
    written_ += count;
    grown_.notify_all();
  }

  // First reader only: the pipe has ended.
  void complete() {
    const std::string target = spool_path(folder_, SpoolState::complete);
    if (::fsync(file_.get()) != 0 || std::rename(partial_.c_str(), target.c_str()) != 0) {
      throw_storage_error(partial_, errno);
    }
    const FileDescriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0) {
      throw_storage_error(folder_, errno);
    }
    end(State::complete);
  }

  // First reader only: nobody will read on.
  void abandon() { end(State::abandoned); }

  // Waits until there are bytes at `offset`, then reads some; 0 at the end.
  std::size_t read_at(std::uint64_t offset,
                      char* buffer,
                      std::size_t capacity,
                      const std::stop_token& stop) {
    std::uint64_t available = 0;
    {
      std::unique_lock lock(mutex_);
      grown_.wait(lock, stop, [&] { return written_ > offset || state_ != State::growing; });
      if (written_ <= offset) {
        return end_of_file(stop);
      }
      available = written_ - offset;
    }
    const std::size_t wanted = std::min<std::uint64_t>(capacity, available);
    while (true) {
      const ssize_t count = ::pread(file_.get(), buffer, wanted, static_cast<off_t>(offset));
      if (count > 0) {
        return static_cast<std::size_t>(count);
      }
      if (count == 0 || errno != EINTR) {
        throw Error(
            ErrorCode::input_unreadable,
            fmt::format("the copy of {} in {} cannot be read at byte {}", name_, folder_, offset));
      }
    }
  }

 private:
  enum class State { growing, complete, abandoned };

  void end(State state) {
    const std::lock_guard lock(mutex_);
    if (state_ == State::growing) {
      state_ = state;
    }
    grown_.notify_all();
  }

  std::size_t end_of_file(const std::stop_token& stop) const {
    if (state_ == State::complete) {
      return 0;
    }
    if (stop.stop_requested()) {
      throw Error(ErrorCode::interrupted, fmt::format("stopped while waiting for {}", name_));
    }
    throw Error(ErrorCode::input_unreadable, fmt::format("{} was not read to its end", name_));
  }

  const std::string folder_;
  const std::string name_;
  const std::string partial_;
  FileDescriptor file_;
  std::mutex mutex_;
  std::condition_variable_any grown_;
  std::uint64_t written_ = 0;     // guarded by mutex_
  State state_ = State::growing;  // guarded by mutex_
};

class Spool::FirstReader final : public RawBytes {
 public:
  FirstReader(int descriptor, std::shared_ptr<Shared> shared)
      : pipe_(raw_descriptor(descriptor, shared->name())),
        shared_(std::move(shared)) {}

  ~FirstReader() override { shared_->abandon(); }

  FirstReader(const FirstReader&) = delete;
  FirstReader& operator=(const FirstReader&) = delete;

  std::size_t read(char* buffer, std::size_t capacity) override {
    if (ended_) {
      return 0;
    }
    const std::size_t count = pipe_->read(buffer, capacity);
    if (count == 0 && capacity != 0) {
      ended_ = true;
      shared_->complete();
    } else {
      shared_->append(buffer, count);
    }
    return count;
  }

  bool seek(std::uint64_t /*offset*/) override { return false; }

  std::optional<double> fraction_read() const override { return pipe_->fraction_read(); }

  std::optional<PrefixDigest> prefix_digest() const override { return std::nullopt; }

  const std::string& name() const override { return shared_->name(); }

 private:
  std::unique_ptr<RawBytes> pipe_;
  std::shared_ptr<Shared> shared_;
  bool ended_ = false;
};

class Spool::SecondReader final : public RawBytes {
 public:
  SecondReader(std::shared_ptr<Shared> shared, std::stop_token stop)
      : shared_(std::move(shared)),
        stop_(std::move(stop)) {}

  std::size_t read(char* buffer, std::size_t capacity) override {
    const std::size_t count =
        capacity == 0 ? 0 : shared_->read_at(offset_, buffer, capacity, stop_);
    offset_ += count;
    return count;
  }

  bool seek(std::uint64_t offset) override {
    offset_ = offset;
    return true;
  }

  std::optional<double> fraction_read() const override { return std::nullopt; }

  std::optional<PrefixDigest> prefix_digest() const override { return std::nullopt; }

  const std::string& name() const override { return shared_->name(); }

 private:
  std::shared_ptr<Shared> shared_;
  std::stop_token stop_;
  std::uint64_t offset_ = 0;
};

Spool::Spool(int descriptor, const std::string& folder, const std::string& name)
    : shared_(std::make_shared<Shared>(folder, name)),
      descriptor_(descriptor) {}

std::unique_ptr<RawBytes> Spool::first_reader() {
  return std::make_unique<FirstReader>(descriptor_, shared_);
}

std::unique_ptr<RawBytes> Spool::second_reader(std::stop_token stop) const {
  return std::make_unique<SecondReader>(shared_, std::move(stop));
}

}  // namespace batchllm
