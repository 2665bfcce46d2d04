// SPDX-License-Identifier: Apache-2.0
// The request of each command, out of the command line and the merged settings.
#include "cli/settings_reader.h"
#include "core/error.h"
#include "core/job_settings_reader.h"
#include "core/setting_reader.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace batchllm {
namespace {

std::string first_argument(const CommandLine& line) {
  return line.arguments.empty() ? std::string() : line.arguments.front();
}

std::uint64_t count_of(const Settings& settings, std::string_view key) {
  return static_cast<std::uint64_t>(SettingReader(settings).count_or_default(key));
}

std::vector<RowFailure> failures_in(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (int number = 1; number <= static_cast<int>(RowFailure::in_doubt); ++number) {
    known.emplace_back(failure_name(static_cast<RowFailure>(number)));
  }
  std::vector<RowFailure> failures;
  for (const std::string& name : names) {
    const auto failure = failure_from_name(name);
    if (!failure || *failure == RowFailure::none) {
      const auto near = nearest_name(name, known);
      throw Error(ErrorCode::usage,
                  fmt::format("--only {}: no such failure", one_line(name, 60)),
                  near ? fmt::format("did you mean {}?", *near)
                       : fmt::format("known are {}", name_list(known, known.size())));
    }
    failures.push_back(*failure);
  }
  return failures;
}

// An input named twice would be read, asked and paid twice; standard input can be read only once.
void refuse_repeated_stdin(const std::vector<std::string>& inputs) {
  if (std::count(inputs.begin(), inputs.end(), "-") > 1) {
    throw Error(ErrorCode::usage, "- stands for standard input, which can be read only once");
  }
}

// --status and --state are one.
std::string status_of(const SettingReader& reader) {
  const std::string status = reader.text("jobs.status");
  return status.empty() ? reader.text("jobs.state") : status;
}

}  // namespace

RunRequest read_run_request(const CommandLine& line, const Settings& settings) {
  refuse_repeated_stdin(line.arguments);
  const SettingReader reader(settings);
  RunRequest request;
  request.settings = line.command->command == Command::embed
                         ? read_embed_settings(settings, line.arguments)
                         : read_job_settings(settings, line.arguments);
  read_prompt_files(settings, request.settings.prompt);
  request.dry_run = reader.flag("run.dry_run");
  request.new_job = reader.flag("run.new_job");
  if (reader.is_set("run.show_prompts")) {
    request.show_prompts = count_of(settings, "run.show_prompts");
  }
  return request;
}

ResumeRequest read_resume_request(const CommandLine& line) {
  return {first_argument(line), JobOverrides(line.flags)};
}

RetryRequest read_retry_request(const CommandLine& line, const Settings& settings) {
  return {first_argument(line),
          failures_in(SettingReader(settings).list("retry.only")),
          JobOverrides(line.flags)};
}

InspectRequest read_inspect_request(const CommandLine& line, const Settings& settings) {
  refuse_repeated_stdin(line.arguments);
  const SettingReader reader(settings);
  InspectRequest request;
  request.inputs = line.arguments;
  request.input = read_input_settings(settings);
  request.rows = count_of(settings, "inspect.rows");
  if (request.input.has_header) {
    request.columns = reader.list("run.columns");
  }
  return request;
}

ResultsExportRequest read_results_export_request(const CommandLine& line,
                                                 const Settings& settings) {
  const SettingReader reader(settings);
  ResultsExportRequest request;
  request.job = first_argument(line);
  request.path = reader.is_set("results.output") ? reader.text("results.output") : "-";
  const std::string format = reader.text("results.output_format");
  request.format = output_format_of(format);
  const std::string status = reader.text("results.status");
  if (status == "ok") {
    request.rows = ExportedRows::ok;
  } else if (status == "failed") {
    request.rows = ExportedRows::failed;
  }
  request.overwrite = reader.flag("results.overwrite");
  return request;
}

ResultsErrorsRequest read_results_errors_request(const CommandLine& line,
                                                 const Settings& settings) {
  return {first_argument(line), count_of(settings, "results.limit")};
}

ResultsDiffRequest read_results_diff_request(const CommandLine& line, const Settings& settings) {
  const SettingReader reader(settings);
  ResultsDiffRequest request;
  request.jobs = line.arguments;
  request.path = reader.text("diff.output");
  request.format = output_format_of(reader.text("results.output_format"));
  request.limit = count_of(settings, "diff.limit");
  request.exactly = reader.flag("diff.exact");
  request.force = reader.flag("diff.force");
  request.overwrite = reader.flag("results.overwrite");
  return request;
}

JobsListRequest read_jobs_list_request(const Settings& settings) {
  const SettingReader reader(settings);
  return {status_of(reader),
          count_of(settings, "jobs.limit"),
          reader.text("jobs.project"),
          reader.list("jobs.tag")};
}

JobsWaitRequest read_jobs_wait_request(const CommandLine& line, const Settings& settings) {
  const SettingReader reader(settings);
  return {line.arguments, reader.duration_ms("jobs.timeout"), reader.flag("jobs.any")};
}

JobsAnswerRequest read_jobs_answer_request(const CommandLine& line) {
  return {first_argument(line), line.arguments.size() > 1 ? line.arguments[1] : std::string()};
}

JobsLogsRequest read_jobs_logs_request(const CommandLine& line, const Settings& settings) {
  return {first_argument(line), SettingReader(settings).flag("jobs.follow")};
}

JobsPruneRequest read_jobs_prune_request(const Settings& settings) {
  const SettingReader reader(settings);
  return {reader.duration_or_default_ms("jobs.older_than"),
          status_of(reader),
          reader.flag("jobs.dry_run")};
}

SimulateOptions read_simulate_request(const Settings& settings) {
  const SettingReader reader(settings);
  SimulateOptions request;
  if (const auto port = reader.count("simulate.port"); port && *port != 0) {
    request.port = static_cast<int>(*port);
  }
  if (reader.is_set("simulate.host")) {
    request.host = reader.text("simulate.host");
  }
  request.socket = reader.text("simulate.socket");
  request.seed = count_of(settings, "simulate.seed");
  request.latency = reader.text("simulate.latency");
  request.rpm = reader.count("simulate.rpm");
  request.tpm = reader.count("simulate.tpm");
  request.faults = reader.list("simulate.fault");
  request.script = reader.text("simulate.script");
  request.log = reader.text("simulate.log");
  request.log_bodies = reader.flag("simulate.log_bodies");
  request.tls_cert = reader.text("simulate.tls_cert");
  request.tls_key = reader.text("simulate.tls_key");
  request.require_key = reader.text("simulate.require_key");
  return request;
}

}  // namespace batchllm
