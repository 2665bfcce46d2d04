// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/simulate_command.h"
#include "core/config_layers.h"

namespace batchllm {

// Checks the value of every option that `spec` takes, and that options which exclude each other are
// not both given. Throws Error(usage | config_invalid) naming the option and where it was set.
void check_settings(const CommandSpec& spec, const Settings& settings);

// Reads --prompt-file and --system-file into `prompt`. Throws Error(input_missing |
// input_unreadable | input_malformed) when that fails.
void read_prompt_files(const Settings& settings, PromptSettings& prompt);

// One request a command; `settings` must have been checked.
RunRequest read_run_request(const CommandLine& line, const Settings& settings);
ResumeRequest read_resume_request(const CommandLine& line);
RetryRequest read_retry_request(const CommandLine& line, const Settings& settings);
InspectRequest read_inspect_request(const CommandLine& line, const Settings& settings);
ResultsExportRequest read_results_export_request(const CommandLine& line, const Settings& settings);
ResultsDiffRequest read_results_diff_request(const CommandLine& line, const Settings& settings);
ResultsErrorsRequest read_results_errors_request(const CommandLine& line, const Settings& settings);
JobsListRequest read_jobs_list_request(const Settings& settings);
JobsWaitRequest read_jobs_wait_request(const CommandLine& line, const Settings& settings);
JobsAnswerRequest read_jobs_answer_request(const CommandLine& line);
JobsLogsRequest read_jobs_logs_request(const CommandLine& line, const Settings& settings);
JobsPruneRequest read_jobs_prune_request(const Settings& settings);
SimulateOptions read_simulate_request(const Settings& settings);

}  // namespace batchllm
