// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"
#include "core/file_handle.h"
#include "core/job_event.h"
#include "core/job_view.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace batchllm {

// Where the events of a job that runs without the daemon are: one event document
// (core/job_event.h) a line, numbers from 1 without gaps.
std::filesystem::path event_log_path(const std::filesystem::path& job_folder);

// Reads an event log from its first line on, also while another process appends to it. Not
// thread-safe.
class EventLogReader {
 public:
  explicit EventLogReader(std::filesystem::path path) : path_(std::move(path)) {}

  // The next whole line, without its line break. False when there is none yet, also while there is
  // no file: ask again later. Throws Error(storage), and Error(job_corrupt) for a line that is too
  // long to be an event.
  bool next(std::string& line);

  // Bytes of the lines that were read.
  std::uint64_t offset() const noexcept { return offset_; }

 private:
  std::filesystem::path path_;
  FileHandle file_;
  std::uint64_t offset_ = 0;  // of buffer_[taken_]
  std::string buffer_;
  std::size_t taken_ = 0;
};

// Appends to the event log of a job that this process has locked. Everything here is besides the
// job: what cannot be written is left out, and no function throws. Not thread-safe.
class EventLog {
 public:
  // Opens the log, made (0600) when it is absent, and cuts off a torn last line. A log with a line
  // that is no event of this program is put aside as events.jsonl.damaged. `clock` must outlive
  // the log.
  EventLog(const std::filesystem::path& job_folder, const Clock& clock) noexcept;

  // What the events so far say of the job.
  const JobView& view() const noexcept { return view_; }

  // Numbers the event and writes its line. False when it was left out: it could not be written, or
  // apply() refuses it.
  bool append(std::string_view actor, JobEventData data) noexcept;

  // Lets what was written survive the death of the machine.
  void sync() noexcept;

 private:
  void open(const std::filesystem::path& path);
  bool read_events(const std::filesystem::path& path);
  bool write_line(std::string_view line) noexcept;

  const Clock& clock_;
  FileHandle file_;
  std::uint64_t bytes_ = 0;  // of whole lines
  JobView view_;
};

}  // namespace batchllm
