// SPDX-License-Identifier: Apache-2.0
#include "cli/results_command.h"

#include "adapters/job/job_report.h"
#include "adapters/job/result_export.h"
#include "cli/answer_reports.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

ResultRows wanted_rows(ExportedRows rows) {
  switch (rows) {
    case ExportedRows::ok:
      return ResultRows::ok;
    case ExportedRows::failed:
      return ResultRows::failed;
    default:
      return ResultRows::all;
  }
}

std::string row_name(const Outcome& outcome) {
  std::string name = "row " + with_thousands(outcome.row_index + 1);
  if (!outcome.row_id.empty()) {
    name += fmt::format(" ({})", one_line(outcome.row_id, 40));
  }
  return name;
}

std::string errors_json(const JobRecord& record,
                        const std::map<RowFailure, FailureGroup>& groups,
                        const std::map<std::uint64_t, OpenAttempt>& doubts,
                        std::uint64_t limit) {
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.errors/1").key("job").string(record.id);
  json.key("groups").begin_array();
  for (const auto& [failure, group] : groups) {
    json.begin_object().key("error").string(failure_name(failure)).key("rows").number(group.rows);
    json.key("examples").begin_array();
    for (const Outcome& outcome : group.examples) {
      json.begin_object().key("row").number(outcome.row_index + 1).key("id");
      outcome.row_id.empty() ? json.null() : json.string(outcome.row_id);
      json.key("message").string(outcome.message).key("http_status").number(outcome.http_status);
      json.key("attempts").number(std::uint64_t{outcome.attempts});
      json.key("request_id").string(outcome.request_id).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().key("in_doubt").begin_object().key("rows").number(std::uint64_t{doubts.size()});
  std::int64_t cost = 0;
  json.key("examples").begin_array();
  for (const auto& [row, attempt] : doubts) {
    cost += attempt.max_cost_micro_usd;
    if (limit-- > 0) {
      json.begin_object()
          .key("row")
          .number(row + 1)
          .key("attempts")
          .number(std::uint64_t{attempt.attempts});
      json.end_object();
    } else {
      limit = 0;
    }
  }
  json.end_array().key("max_cost_usd").decimal(static_cast<double>(cost) / 1e6, 6).end_object();
  return json.end_object().text() + "\n";
}

std::string errors_text(const JobRecord& record,
                        const std::map<RowFailure, FailureGroup>& groups,
                        const std::map<std::uint64_t, OpenAttempt>& doubts,
                        std::uint64_t limit) {
  if (groups.empty() && doubts.empty()) {
    return fmt::format("No row of {} failed.\n", record.id);
  }
  std::string text;
  for (const auto& [failure, group] : groups) {
    text += fmt::format("{}: {}\n", failure_name(failure), count_noun(group.rows, "row"));
    for (const Outcome& outcome : group.examples) {
      text += fmt::format("  {}: {}\n", row_name(outcome), one_line(outcome.message, 160));
    }
    if (group.rows > group.examples.size()) {
      text += fmt::format("  … and {} more\n", with_thousands(group.rows - group.examples.size()));
    }
  }
  if (!doubts.empty()) {
    std::int64_t cost = 0;
    std::string rows;
    std::uint64_t shown = 0;
    for (const auto& [row, attempt] : doubts) {
      cost += attempt.max_cost_micro_usd;
      if (shown++ < limit) {
        rows += (rows.empty() ? "" : ", ") + with_thousands(row + 1);
      }
    }
    text +=
        fmt::format("in_doubt: {}, sent and never heard of; may have cost up to {}\n  {}: {}{}\n",
                    count_noun(doubts.size(), "row"),
                    usd_text(cost),
                    doubts.size() == 1 ? "row" : "rows",
                    rows,
                    doubts.size() > limit ? ", …" : "");
    text += fmt::format(
        "  resume asks them again (--in-doubt skip or fail does not): batchllm resume {}\n",
        record.id);
  }
  if (!groups.empty()) {
    text += fmt::format("Ask failed rows again: batchllm retry {}\n", record.id);
  }
  return text;
}

std::string show_json(const JobReport& report, const AnswerReports& reports) {
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.job/1").key("job");
  json.raw(job_report_json(report));
  write_answer_reports(json, reports);
  return json.end_object().text() + "\n";
}

}  // namespace

int results_show_command(const ResultsShowRequest& request, Ui& ui) {
  const JobDirectory directory = JobDirectory::open(ui.state_dir(), request.job);
  const JobReport report = report_job(directory);
  const JobRecord& record = report.record;
  // What is asked for must be there; what the job names is shown when it can be.
  const AnswerReports reports = request.gold.empty()
                                    ? answer_reports_of(record, directory.folder(), ui)
                                    : make_answer_reports(record, directory.folder(), request.gold);
  if (ui.json()) {
    ui.out(show_json(report, reports));
    return 0;
  }
  std::string text = fmt::format("{}  {}\n", record.id, report.status());
  text += fmt::format("  model    {}\n", printable(asked_models(record)));
  for (const auto& input : record.inputs) {
    text += fmt::format("  input    {}\n", printable(input.path));
    if (record.inputs.size() > 5 && &input == &record.inputs[4]) {
      text += fmt::format("           … and {} more\n", record.inputs.size() - 5);
      break;
    }
  }
  text +=
      fmt::format("  output   {}\n",
                  record.output_path == "-" ? "standard output" : printable(record.output_path));
  text += fmt::format("  begun    {}\n", local_time_text(record.created_ms));
  text += fmt::format(
      "  rows     {} ok, {} failed, {} skipped{}\n",
      with_thousands(report.totals.ok),
      with_thousands(report.totals.failed),
      with_thousands(report.totals.skipped),
      report.rejected == 0 ? "" : fmt::format(", {} rejected", with_thousands(report.rejected)));
  if (report.in_doubt != 0) {
    text += fmt::format("  in doubt {}, may have cost up to {}\n",
                        count_noun(report.in_doubt, "row"),
                        usd_text(report.in_doubt_micro_usd));
  }
  text += fmt::format("  tokens   {} in, {} out\n",
                      with_thousands(static_cast<std::uint64_t>(report.totals.input_tokens)),
                      with_thousands(static_cast<std::uint64_t>(report.totals.output_tokens)));
  text += fmt::format("  cost     {}\n", usd_text(report.totals.cost_micro_usd));
  if (!record.stop_message.empty()) {
    text += fmt::format("  stopped  {}: {}\n", record.stop_code, printable(record.stop_message));
  }
  const std::string answers =
      answer_reports_text(reports, static_cast<std::size_t>(terminal_width()));
  text += answers.empty() ? "" : answers + "\n";
  ui.out(text);
  return 0;
}

int results_export_command(const ResultsExportRequest& request, Ui& ui) {
  const JobDirectory directory = JobDirectory::open(ui.state_dir(), request.job);
  ExportSettings settings;
  settings.rows = wanted_rows(request.rows);
  settings.format = request.format;
  settings.path = request.path.empty() ? "-" : request.path;
  std::error_code error;
  if (!request.overwrite && settings.path != "-" && fs::exists(request.path, error)) {
    throw Error(ErrorCode::output_exists,
                fmt::format("{} exists already", request.path),
                "--overwrite replaces it, -o names another file");
  }
  ResultExport results(directory.load(), directory.folder(), settings);
  const std::uint64_t rows = results.write();
  if (results.path() != "-") {
    ui.messages().note(
        fmt::format("Wrote {} to {}", count_noun(rows, "row"), printable(results.path())));
  }
  if (ui.json()) {
    JsonWriter json;
    json.begin_object().key("schema").string("batchllm.export/1").key("job").string(request.job);
    json.key("rows").number(rows).key("output").string(results.path()).end_object();
    ui.out(json.text() + "\n");
  }
  return 0;
}

int results_errors_command(const ResultsErrorsRequest& request, Ui& ui) {
  const JobDirectory directory = JobDirectory::open(ui.state_dir(), request.job);
  const JobRecord record = directory.load();
  const auto groups = group_failures(directory, request.limit);
  const auto doubts = rows_in_doubt(directory);
  ui.out(ui.json() ? errors_json(record, groups, doubts, request.limit)
                   : errors_text(record, groups, doubts, request.limit));
  return 0;
}

}  // namespace batchllm
