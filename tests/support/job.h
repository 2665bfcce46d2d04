// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/process.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/simulator_process.h"

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::test {

using Words = std::vector<std::string>;

// A CSV file of `count` rows with the columns id and text; no two rows are alike.
std::string csv_of_rows(std::size_t count, std::size_t first = 0);

// The lines of a text, sorted: equal for results that differ in their order alone.
Words sorted_lines(const std::string& text);

// The text at `path` in a JSON document; "" when there is nothing.
std::string json_at(const std::string& json, std::string_view path);

// Runs the command until the simulator saw `calls` more requests, then sends it the signal.
ProcessResult stop_after(const ProcessOptions& command,
                         const SimulatorProcess& simulator,
                         std::size_t calls,
                         int signal_number = SIGKILL);

// A folder with its own jobs, where the program runs as a user would run it. Not thread-safe.
class Workspace {
 public:
  explicit Workspace(std::string program);

  // Calls the program with these words, in the folder, with its own state and a made-up key.
  ProcessOptions command(const Words& words) const;
  ProcessResult call(const Words& words) const;

  // `run INPUT… -p 'Say: {text}'` against the simulator; `more` comes last and may repeat options.
  Words run_words(const SimulatorProcess& simulator, const Words& more) const;
  ProcessResult run(const SimulatorProcess& simulator, const Words& more) const;

  // The newest job's id; "" when there is none.
  std::string job() const;
  std::filesystem::path job_folder() const;
  std::filesystem::path ledger_path() const;

  // A member of the newest job's state, as `jobs show --json` tells it: ".job.rows.ok".
  std::string about_job(std::string_view path) const;

  // Jobs whose events alone do not give the state that is stored, each with what `jobs replay` said
  // of it; to be empty after whatever became of them.
  Words jobs_that_replay_differently() const;

  // The types of the newest job's events, without progress.
  Words event_types() const;

  // The name of the failure of every row that failed, with how many there are.
  std::map<std::string, std::size_t> failures() const;

  // The rows (from 1) that are in doubt.
  std::vector<std::size_t> rows_in_doubt() const;

  std::string write(std::string_view name, std::string_view text) const {
    return folder_.write(name, text);
  }

  std::string read(std::string_view name) const { return folder_.read(name); }

  std::string path(std::string_view name = {}) const { return folder_.path(name); }

  bool has(std::string_view name) const { return std::filesystem::exists(folder_.path(name)); }

 private:
  std::string program_;
  ScratchFolder folder_;
};

}  // namespace batchllm::test
