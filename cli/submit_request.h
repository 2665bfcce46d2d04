// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/command_line.h"
#include "cli/commands.h"
#include "core/config_layers.h"
#include "core/job_record.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace batchllm {

// What `submit` was asked to do beyond what `run` knows.
struct SubmitRequest {
  RunRequest run;
  SettingLayer options;  // merged settings
  std::int64_t priority = 0;
  std::vector<std::pair<std::string, std::string>> after;  // job, "ok" | "any" | "failed"
  std::optional<std::int64_t> not_before_ms;
  std::vector<std::pair<std::string, std::string>> tags;
  std::string name;
  std::string project;  // empty: the daemon's default
  std::string idempotency_key;
  bool asks_first = false;
  bool asks_at_limit = false;
  bool waits = false;
};

// `settings` must have been checked. Reads prompt files. `now_ms` is the wall clock, for --at.
// Throws Error(usage) for a job to wait for or a time that cannot be, and for what a daemon cannot
// do: write to standard output, read a key file.
SubmitRequest read_submit_request(const CommandLine& line,
                                  const Settings& settings,
                                  std::int64_t now_ms);

// Where the daemon finds an input: a file it was sent, or a path it can read.
struct SubmittedInput {
  std::string file_id;
  std::string path;
};

// The body of POST /jobs. `record` holds messages and model as they were found in templates.
std::string submit_body(const SubmitRequest& request,
                        const JobRecord& record,
                        const std::vector<SubmittedInput>& inputs);

}  // namespace batchllm
