// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/daemon_process.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm::test {

// What tests asked of a daemon that crashes, and whether all of it holds afterwards: no job that
// was acknowledged is lost, none is there that nobody submitted, events have no gaps and tell what
// is stored beside them, and no row is asked again whose answer was on record. Jobs have names of
// their own, and the rows of a job are "NAME 0", "NAME 1", …
//
// Problems are texts, not failures: it may be used from any thread. Thread-safe where it says so.
class QueueCheck {
 public:
  explicit QueueCheck(const DaemonProcess& daemon) : daemon_(daemon) {}

  // The body of POST /jobs for a job of that name. `options` as in DaemonProcess::job_body.
  std::string body_of(const std::string& name,
                      std::size_t rows,
                      std::string_view options = {}) const;

  // Submits it once; `key` makes it safe to try again. True: it was acknowledged. Thread-safe.
  bool submit(const std::string& name,
              std::size_t rows,
              bool has_key = true,
              std::string_view options = {});

  // Thread-safe.
  std::size_t acknowledged() const;

  // Notes which rows have their answer on record at this moment. The daemon may be dead.
  void note_answered_rows();

  // Waits until every job has ended, taking up those that were set aside after too many crashes.
  // Tells what is wrong.
  void wait_for_all();

  // With the daemon running; ends it, and the simulator.
  std::vector<std::string> problems_at_the_end(DaemonProcess& daemon);

  // Attempts at jobs that a crash cut off.
  std::size_t interruptions() const noexcept { return interruptions_; }

 private:
  struct Submitted {
    std::size_t rows = 0;
    std::string id;  // empty: not acknowledged
  };

  void check_jobs();
  void check_job(const JsonNode& job);
  void check_events(const std::string& id, const JsonNode& job);
  void check_result(const std::string& id, const std::string& name, std::size_t rows);
  void check_calls(const SimulatorProcess& simulator);
  void check_database();

  void found(std::string problem) { problems_.push_back(std::move(problem)); }

  const DaemonProcess& daemon_;
  mutable std::mutex mutex_;
  std::map<std::string, Submitted> submitted_;       // by name
  std::map<std::string, std::int64_t> answered_ms_;  // message, when it was seen to be on record
  std::set<std::string> read_whole_;                 // job folders with nothing new to come
  std::map<std::string, std::size_t> doubts_;        // by name: attempts that were cut off
  std::vector<std::string> problems_;
  std::size_t interruptions_ = 0;
};

// All jobs of the queue, over its pages.
std::vector<JsonNode> list_all_jobs(const DaemonProcess& daemon);

}  // namespace batchllm::test
