// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/scratch_folder.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace batchllm::test {

using batchllm::eventually;

// One line of the simulator's request log.
struct LoggedCall {
  std::int64_t time_ms = 0;  // since 1970
  std::string verdict;       // HTTP status, or the name of the fault
  std::string user;          // the last user message
  std::string key;
  std::string body;
};

// `program simulate` with a request log, on a free port unless the options say --socket. Runs until
// it is destroyed. Not thread-safe.
class SimulatorProcess {
 public:
  // Throws std::runtime_error when it does not come up.
  explicit SimulatorProcess(const std::string& program,
                            const std::vector<std::string>& options = {});
  ~SimulatorProcess();
  SimulatorProcess(const SimulatorProcess&) = delete;
  SimulatorProcess& operator=(const SimulatorProcess&) = delete;
  SimulatorProcess(SimulatorProcess&&) = delete;
  SimulatorProcess& operator=(SimulatorProcess&&) = delete;

  const std::string& base_url() const noexcept { return base_url_; }

  // What it saw so far, in order; models and the like are left out.
  std::vector<LoggedCall> calls() const;

  // How often each user message came.
  std::map<std::string, std::size_t> calls_by_message() const;

  // How many lines the log has, without reading them all again.
  std::size_t call_count() const;

  // Ends it: then the log is complete.
  void stop();

 private:
  ScratchFolder folder_;
  std::string log_path_;
  std::string base_url_;
  std::unique_ptr<Process> process_;
  mutable std::size_t counted_bytes_ = 0;
  mutable std::size_t counted_lines_ = 0;
};

}  // namespace batchllm::test
