// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/event_log.h"
#include "core/file_handle.h"
#include "core/job_directory.h"

#include <functional>
#include <stop_token>
#include <string>

namespace batchllm {

// Follows the event log of a job that another process runs. The kernel says when there is more and
// when that process is gone (inotify, pidfd); only where it cannot, for folders of other machines,
// it looks twice a second. Not thread-safe.
class EventWatch {
 public:
  explicit EventWatch(const JobDirectory& directory);

  using OnLine = std::function<bool(const std::string& line)>;

  // Gives every line that there is, then those that come, until `on_line` returns false, no process
  // has the job any more, or `stop` says so: false then. Before each wait for more it calls
  // `on_pause` (may be empty). Throws Error(storage).
  bool follow(const OnLine& on_line,
              const std::function<void()>& on_pause,
              const std::stop_token& stop);

 private:
  bool read_lines(const OnLine& on_line);
  void wait();
  void open_holder();

  const JobDirectory& directory_;
  EventLogReader reader_;
  FileHandle notify_;   // not open: the kernel cannot tell about this folder
  FileHandle holder_;   // of the process that has the job
  FileHandle stopped_;  // an eventfd
};

}  // namespace batchllm
