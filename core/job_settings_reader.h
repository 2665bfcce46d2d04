// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_layers.h"
#include "core/job_settings.h"

#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// From merged settings, whose values were checked (check_setting), to what a job is asked to do.

OutputFormat output_format_of(std::string_view name) noexcept;  // "csv"; automatic for ""

// How inputs are read. Throws Error(usage) for a delimiter that cannot be.
InputSettings read_input_settings(const Settings& settings);

// Everything about a run. Opens no file: the texts of --prompt-file and --system-file are not in
// it. Throws as read_input_settings.
JobSettings read_job_settings(const Settings& settings, std::vector<std::string> inputs);

// The same about a run that turns rows into vectors.
JobSettings read_embed_settings(const Settings& settings, std::vector<std::string> inputs);

// What `run`, `resume` and `retry` all take: limits, key, policies. Changes only what is set in
// `options`.
void apply_asking_options(const Settings& options, JobSettings& settings);

}  // namespace batchllm
