// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/simulate_command.h"
#include "core/config_layers.h"
#include "core/setting_reader.h"

#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Checks the value of every option that `spec` takes, and that options which exclude each other are
// not both given. Throws Error(usage | config_invalid) naming the option and where it was set.
void check_settings(const CommandSpec& spec, const Settings& settings);

OutputFormat output_format_of(std::string_view name) noexcept;  // "csv"; automatic for ""

// How inputs are read, and everything about a run. Reads --prompt-file and --system-file: throws
// Error(input_missing | input_unreadable | input_malformed) when that fails.
InputSettings read_input_settings(const Settings& settings);
JobSettings read_job_settings(const Settings& settings, std::vector<std::string> inputs);

// One request a command; `settings` must have been checked.
RunRequest read_run_request(const CommandLine& line, const Settings& settings);
ResumeRequest read_resume_request(const CommandLine& line);
RetryRequest read_retry_request(const CommandLine& line, const Settings& settings);
InspectRequest read_inspect_request(const CommandLine& line, const Settings& settings);
ResultsExportRequest read_results_export_request(const CommandLine& line, const Settings& settings);
ResultsErrorsRequest read_results_errors_request(const CommandLine& line, const Settings& settings);
JobsListRequest read_jobs_list_request(const Settings& settings);
JobsPruneRequest read_jobs_prune_request(const Settings& settings);
SimulateOptions read_simulate_request(const Settings& settings);

}  // namespace batchllm
