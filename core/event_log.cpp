// SPDX-License-Identifier: Apache-2.0
#include "core/event_log.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/job_replay.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <utility>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_piece = std::size_t{64} << 10;
constexpr std::size_t k_longest_line = std::size_t{16} << 20;

}  // namespace

fs::path event_log_path(const fs::path& job_folder) {
  return job_folder / "events.jsonl";
}

bool EventLogReader::next(std::string& line) {
  if (!file_.is_open()) {
    file_ = FileHandle(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file_.is_open()) {
      if (errno == ENOENT) {
        return false;
      }
      throw_storage_error("read", path_.string(), errno);
    }
  }
  for (std::size_t looked_at = taken_;;) {
    const auto end = buffer_.find('\n', looked_at);
    if (end != std::string::npos) {
      line.assign(buffer_, taken_, end - taken_);
      offset_ += end + 1 - taken_;
      taken_ = end + 1;
      return true;
    }
    buffer_.erase(0, std::exchange(taken_, 0));
    looked_at = buffer_.size();
    if (looked_at > k_longest_line) {
      throw Error(ErrorCode::job_corrupt, fmt::format("{}: a line is too long", path_.string()));
    }
    buffer_.resize(looked_at + k_piece);
    ssize_t count = 0;
    do {
      count = pread(file_.get(),
                    buffer_.data() + looked_at,
                    k_piece,
                    static_cast<off_t>(offset_ + looked_at));
    } while (count < 0 && errno == EINTR);
    buffer_.resize(looked_at + static_cast<std::size_t>(count < 0 ? 0 : count));
    if (count < 0) {
      throw_storage_error("read", path_.string(), errno);
    }
    if (count == 0) {
      // The rest may be a torn line that the next run cuts off: it is read again.
      buffer_.clear();
      return false;
    }
  }
}

EventLog::EventLog(const fs::path& job_folder, const Clock& clock) noexcept : clock_(clock) {
  try {
    open(event_log_path(job_folder));
  } catch (const std::exception&) {
    file_.reset();
  }
}

void EventLog::open(const fs::path& path) {
  if (!read_events(path)) {
    fs::rename(path, path.string() + ".damaged");
    view_ = {};
    bytes_ = 0;
  }
  file_ = FileHandle(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file_.is_open() && ftruncate(file_.get(), static_cast<off_t>(bytes_)) != 0) {
    file_.reset();
  }
}

// False for a line that is no event, or not the next one.
bool EventLog::read_events(const fs::path& path) {
  EventLogReader reader(path);
  try {
    for (std::string line; reader.next(line);) {
      apply(view_, parse_job_event_document(line));
      bytes_ = reader.offset();
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::job_corrupt) {
      throw;
    }
    return false;
  }
  return true;
}

bool EventLog::append(std::string_view actor, JobEventData data) noexcept {
  if (!file_.is_open()) {
    return false;
  }
  try {
    JobEvent event{view_.last_seq + 1, clock_.wall_ms(), std::string(actor), std::move(data)};
    JobView next = view_;
    apply(next, event);
    const std::string line = job_event_document(event.seq,
                                                event.at_ms,
                                                job_event_type(event.data),
                                                k_job_event_version,
                                                event.actor,
                                                job_event_json(event.data)) +
                             "\n";
    if (!write_line(line)) {
      return false;
    }
    view_ = std::move(next);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void EventLog::sync() noexcept {
  if (file_.is_open()) {
    static_cast<void>(fdatasync(file_.get()));
  }
}

// A line that cannot be written as a whole is taken back.
bool EventLog::write_line(std::string_view line) noexcept {
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t count = pwrite(
        file_.get(), line.data() + done, line.size() - done, static_cast<off_t>(bytes_ + done));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      if (ftruncate(file_.get(), static_cast<off_t>(bytes_)) != 0) {
        file_.reset();
      }
      return false;
    }
    done += static_cast<std::size_t>(count);
  }
  bytes_ += line.size();
  return true;
}

}  // namespace batchllm
