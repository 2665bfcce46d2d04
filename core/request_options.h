// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/config_keys.h"
#include "core/config_layers.h"
#include "core/job_settings.h"
#include "core/json_document.h"

#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// A name and its values: one for most options, any number for those that can be repeated.
using OptionTexts = std::pair<std::string, std::vector<std::string>>;

// The options that came with a request to the daemon, checked, for read_job_settings. A name is a
// long flag of `run` with `_` for `-`: {"max_cost", {"5"}}, {"param", {"top_p=0.5"}}. Each stands
// for its own flag in messages ("concurrency 0: must be between 1 and 65536").
//
// Throws Error(usage) for an unknown name (with the nearest one), a name given twice, a value that
// cannot be, options that exclude each other, and for what a caller cannot ask of a process that
// runs elsewhere: prompts and keys from files, standard output, relative paths, acts of the command
// line such as dry_run.
Settings settings_from_options(const std::vector<OptionTexts>& options);

// The options of one of a job's steps: those that say which model is asked, and how, and what form
// its answer has. Throws what settings_from_options throws, also for the job's other options.
Settings settings_from_step_options(const std::vector<OptionTexts>& options);

// The same options as one JSON object: {"model":"x/y","concurrency":64,"param":{"top_p":0.5}}.
// Numbers keep their spelling; null is as good as absent; lists are arrays or text with commas,
// pairs are objects. Throws Error(usage) for what is not that.
std::vector<OptionTexts> options_from_json(const JsonNode& object);

// The other way: what a caller asks of the daemon, out of its own merged settings, which were
// checked. Paths become absolute; what settings_from_options() refuses is left out, as are the
// prompt, the system message (they travel as messages) and the output (whose place the caller
// decides).
std::string options_to_json(const SettingLayer& settings);

// What a step says of its model and of the form of its answer, as such options.
std::string step_options_to_json(const ModelSettings& model, const AnswerSettings& answer);

// True for what a request may say: the names of settings_from_options.
bool is_request_option(const OptionKey& option);

}  // namespace batchllm
