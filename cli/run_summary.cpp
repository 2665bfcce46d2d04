// SPDX-License-Identifier: Apache-2.0
#include "cli/run_summary.h"

#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

namespace batchllm {
namespace {

void report_json(const JobRecord& record, const JobEnd& end, const AnswerReports& reports, Ui& ui) {
  const ProgressSnapshot& rows = end.result.progress;
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.run/1").key("job").string(record.id);
  json.key("status").string(job_status_name(record.status)).key("exit_code").number(end.exit_code);
  json.key("rows").begin_object().key("total");
  rows.total&& rows.total_is_exact ? json.number(*rows.total) : json.null();
  json.key("ok")
      .number(rows.ok)
      .key("failed")
      .number(rows.failed)
      .key("skipped")
      .number(rows.skipped);
  json.key("already_done").number(rows.already_done).key("rejected").number(end.result.bad_rows);
  json.key("in_doubt").number(end.result.in_doubt).end_object();
  json.key("requests").number(end.result.requests);
  json.key("tokens").begin_object().key("input").number(rows.input_tokens);
  json.key("output").number(rows.output_tokens).end_object();
  json.key("cost_usd");
  rows.cost_is_known ? json.decimal(static_cast<double>(rows.cost_micro_usd) / 1e6, 6)
                     : json.null();
  json.key("duration_s").decimal(rows.elapsed_s, 3).key("output");
  end.output_path.empty() ? json.null() : json.string(end.output_path);
  if (!end.rejects_path.empty()) {
    json.key("rejects").string(end.rejects_path);
  }
  if (end.stop) {
    json.key("stopped_by").string(end.stop->name());
  }
  write_answer_reports(json, reports);
  ui.out(json.end_object().text() + "\n");
}

void note_reports(const AnswerReports& reports, Ui& ui) {
  constexpr std::size_t k_indent = 2;  // of the further lines of a note
  const std::string text =
      answer_reports_text(reports, static_cast<std::size_t>(terminal_width()) - k_indent);
  if (!text.empty()) {
    ui.messages().note(text);
  }
}

std::string cost_text(const ProgressSnapshot& rows) {
  return rows.cost_is_known ? ", " + usd_text(rows.cost_micro_usd) : "";
}

void report_stop(const JobRecord& record, const JobEnd& end, Ui& ui) {
  const ProgressSnapshot& rows = end.result.progress;
  const std::string next = fmt::format("batchllm resume {}", record.id);
  if (end.stop->code() == ErrorCode::interrupted || end.stop->code() == ErrorCode::terminated) {
    ui.messages().note(fmt::format("Stopped after {}: {} ok, {} failed{}.",
                                   count_noun(rows.done, "row"),
                                   with_thousands(rows.ok),
                                   with_thousands(rows.failed),
                                   cost_text(rows)));
    ui.messages().note(fmt::format("Everything is saved. Go on with: {}", next));
    return;
  }
  Error error = *end.stop;
  // What is wrong with the input, resume cannot mend; the hint says what can.
  const bool can_resume = error.exit_code() != error_kind(ErrorCode::input_malformed).exit_code;
  if (!ui.json() && (can_resume || rows.done != 0)) {
    std::string hint = error.hint();
    hint += fmt::format(
        "{}{} done{}", hint.empty() ? "" : "\n", count_noun(rows.done, "row"), cost_text(rows));
    hint += can_resume ? fmt::format("; go on with: {}", next)
                       : "; the same command with another --on-bad-row goes on";
    error = Error(error.code(), error.message(), hint);
  }
  ui.messages().error(std::move(error).with_detail("job", record.id));
}

}  // namespace

void report_run(const JobRecord& record, const JobEnd& end, const AnswerReports& reports, Ui& ui) {
  const ProgressSnapshot& rows = end.result.progress;
  if (end.stop) {
    report_stop(record, end, ui);
  } else {
    ui.messages().note(
        fmt::format("Done: {} ok, {} failed{} in {}{}.{}",
                    with_thousands(rows.ok),
                    with_thousands(rows.failed),
                    rows.skipped != 0 ? fmt::format(", {} skipped", rows.skipped) : "",
                    duration_text(rows.elapsed_s),
                    cost_text(rows),
                    end.output_path.empty() || end.output_path == "-"
                        ? ""
                        : " Wrote " + printable(end.output_path)));
  }
  if (end.result.bad_rows != 0 && !end.rejects_path.empty()) {
    ui.messages().warning(fmt::format(
        "{} could not be read: see {}", count_noun(end.result.bad_rows, "row"), end.rejects_path));
  }
  if (!end.stop && rows.failed + rows.skipped != 0) {
    ui.messages().note(fmt::format(
        "Why they failed: batchllm results errors {}   ask them again: batchllm retry {}",
        record.id,
        record.id));
  }
  note_reports(reports, ui);
  if (ui.json()) {
    report_json(record, end, reports, ui);
  }
}

void report_already_done(const JobRecord& record,
                         const JobEnd& end,
                         const AnswerReports& reports,
                         Ui& ui) {
  const ProgressSnapshot& rows = end.result.progress;
  ui.messages().note(
      fmt::format("{} is finished: {} ok, {} failed. Nothing was asked; its result is {}",
                  record.id,
                  with_thousands(rows.ok),
                  with_thousands(rows.failed + rows.skipped),
                  printable(end.output_path)));
  note_reports(reports, ui);
  if (ui.json()) {
    report_json(record, end, reports, ui);
  }
}

}  // namespace batchllm
