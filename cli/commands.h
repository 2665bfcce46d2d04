// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"
#include "core/input_settings.h"
#include "core/job_settings.h"
#include "core/outcome.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// What each command was asked to do: plain values, validated. The functions that do it are declared
// in the command's own header (cli/run_command.h, …) and called from cli/program.cpp.

struct RunRequest {
  // Prompt and model may be missing: the command says what is needed, knowing the file's columns.
  JobSettings settings;
  bool dry_run = false;
  std::optional<std::uint64_t> show_prompts;
  bool new_job = false;
};

// Options given on the command line of `resume` and `retry`: they replace what was saved with the
// job. Environment and config files do not: the job already holds what they said when it was made.
class JobOverrides {
 public:
  JobOverrides() = default;

  // Takes the flags of the run section. Throws Error(usage) for values that cannot be.
  explicit JobOverrides(const SettingLayer& flags);

  void apply_to(JobSettings& settings) const;

 private:
  Settings settings_;
};

struct ResumeRequest {
  std::string job;  // empty: the latest unfinished one
  JobOverrides overrides;
};

struct RetryRequest {
  std::string job;
  std::vector<RowFailure> only;  // empty: every failed row
  JobOverrides overrides;
};

struct InspectRequest {
  std::vector<std::string> inputs;
  InputSettings input;
  std::uint64_t rows = 0;            // rows to look at
  std::vector<std::string> columns;  // columns to show; empty: all
};

struct ResultsShowRequest {
  std::string job;
  std::string gold = {};  // column with the right answers; empty: the job's own, if it has one
};

enum class ExportedRows { all, ok, failed };

struct ResultsExportRequest {
  std::string job;
  std::string path;  // "-": standard output
  OutputFormat format = OutputFormat::automatic;
  ExportedRows rows = ExportedRows::all;
  bool overwrite = false;
};

struct ResultsDiffRequest {
  std::vector<std::string> jobs;  // two
  std::string path;               // for the rows that differ; empty: none, "-": standard output
  OutputFormat format = OutputFormat::automatic;
  std::uint64_t limit = 0;  // rows shown
  bool exactly = false;
  bool force = false;
  bool overwrite = false;
};

struct ResultsErrorsRequest {
  std::string job;
  std::uint64_t limit = 0;  // rows shown of each kind of failure
};

struct JobsListRequest {
  std::string status;  // empty: any
  std::uint64_t limit = 0;
  std::string project;            // empty: any
  std::vector<std::string> tags;  // "name" or "name=value"; a job must have all of them
};

struct JobsWaitRequest {
  std::vector<std::string> jobs;
  std::optional<std::int64_t> timeout_ms;
  bool any = false;  // until the first has ended, not all
};

struct JobsAnswerRequest {
  std::string job;
  std::string answer;  // empty: the person at the terminal is asked
};

struct JobsLogsRequest {
  std::string job;
  bool follow = false;
};

struct JobsShowRequest {
  std::string job;
};

struct JobsRemoveRequest {
  std::vector<std::string> jobs;
};

struct JobsPruneRequest {
  std::int64_t older_than_ms = 0;
  std::string status;  // empty: any
  bool dry_run = false;
};

}  // namespace batchllm
