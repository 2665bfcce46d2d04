// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_report.h"

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>

namespace batchllm {
namespace {

// Totals of a shard that is not sealed.
ShardTotals scan_totals(const JobDirectory& directory, std::uint64_t number, JobReport& report) {
  std::map<std::uint64_t, RowStatus> rows;
  const LedgerScan scan = scan_ledger(Ledger::shard_path(directory.folder(), number),
                                      [&](std::uint64_t, std::string_view, const LineGlance& seen) {
                                        rows[seen.row_index] = seen.status;
                                      });
  ShardTotals totals = scan.totals;
  for (const auto& [row, status] : rows) {
    totals.ok += status == RowStatus::ok ? 1 : 0;
    totals.failed += status == RowStatus::failed ? 1 : 0;
    totals.skipped += status == RowStatus::skipped ? 1 : 0;
  }
  for (const auto& [row, attempt] : scan.open_attempts) {
    if (!attempt.answered && !report.is_running) {
      ++report.in_doubt;
      report.in_doubt_micro_usd += attempt.max_cost_micro_usd;
    }
  }
  return totals;
}

std::uint64_t count_lines(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return 0;
  }
  const std::string text = read_file(path, std::size_t{4} << 30);
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

std::string_view JobReport::status() const noexcept {
  if (is_running) {
    return "running";
  }
  return record.status == JobStatus::running ? "interrupted" : job_status_name(record.status);
}

JobReport report_job(const JobDirectory& directory) {
  JobReport report;
  report.record = directory.load();
  report.is_running = directory.is_locked();
  const Manifest manifest(directory.manifest_path(), Manifest::Access::read_only);
  report.totals = manifest.totals();
  for (const std::uint64_t number : Ledger::shards_in(directory.folder())) {
    if (!manifest.shards().contains(number)) {
      report.totals += scan_totals(directory, number, report);
    }
  }
  report.rejected = count_lines(directory.rejects_path());
  return report;
}

bool has_failed_rows(const std::filesystem::path& job_folder) {
  const Manifest manifest(job_folder / "manifest.jsonl", Manifest::Access::read_only);
  const ShardTotals totals = manifest.totals();
  if (totals.failed + totals.skipped != 0) {
    return true;
  }
  for (const std::uint64_t number : Ledger::shards_in(job_folder)) {
    if (manifest.shards().contains(number)) {
      continue;
    }
    std::set<std::uint64_t> failed;
    scan_ledger(Ledger::shard_path(job_folder, number),
                [&failed](std::uint64_t, std::string_view, const LineGlance& seen) {
                  if (seen.status == RowStatus::ok) {
                    failed.erase(seen.row_index);
                  } else {
                    failed.insert(seen.row_index);
                  }
                });
    if (!failed.empty()) {
      return true;
    }
  }
  return false;
}

void for_each_failure(const JobDirectory& directory,
                      const std::function<void(const Outcome&)>& visit) {
  const Manifest manifest(directory.manifest_path(), Manifest::Access::read_only);
  for (const std::uint64_t number : Ledger::shards_in(directory.folder())) {
    const auto sealed = manifest.shards().find(number);
    if (sealed != manifest.shards().end() &&
        sealed->second.totals.failed + sealed->second.totals.skipped == 0) {
      continue;
    }
    std::map<std::uint64_t, Outcome> failures;
    scan_ledger(Ledger::shard_path(directory.folder(), number),
                [&](std::uint64_t, std::string_view line, const LineGlance& seen) {
                  if (seen.status == RowStatus::ok) {
                    failures.erase(seen.row_index);
                  } else if (auto outcome = read_outcome_line(line)) {
                    outcome->output.clear();
                    outcome->steps.clear();
                    failures[seen.row_index] = std::move(*outcome);
                  }
                });
    for (const auto& [row, outcome] : failures) {
      visit(outcome);
    }
  }
}

std::map<RowFailure, FailureGroup> group_failures(const JobDirectory& directory,
                                                  std::uint64_t most_examples) {
  std::map<RowFailure, FailureGroup> groups;
  for_each_failure(directory, [&](const Outcome& outcome) {
    FailureGroup& group = groups[outcome.failure];
    ++group.rows;
    if (group.examples.size() < most_examples) {
      group.examples.push_back(outcome);
    }
  });
  return groups;
}

std::map<std::uint64_t, OpenAttempt> rows_in_doubt(const JobDirectory& directory) {
  std::map<std::uint64_t, OpenAttempt> rows;
  if (directory.is_locked()) {
    return rows;
  }
  for (const std::uint64_t number : Ledger::shards_in(directory.folder())) {
    const LedgerScan scan = scan_ledger(Ledger::shard_path(directory.folder(), number),
                                        [](std::uint64_t, std::string_view, const LineGlance&) {});
    for (const auto& [row, attempt] : scan.open_attempts) {
      if (!attempt.answered) {
        rows.emplace(row, attempt);
      }
    }
  }
  return rows;
}

std::string job_report_json(const JobReport& report) {
  JsonWriter json;
  json.begin_object().key("id").string(report.record.id).key("status").string(report.status());
  json.key("created_ms").number(report.record.created_ms).key("finished_ms");
  report.record.finished_ms == 0 ? json.null() : json.number(report.record.finished_ms);
  json.key("model").string(asked_models(report.record)).key("inputs").begin_array();
  for (const auto& input : report.record.inputs) {
    json.string(input.path);
  }
  json.end_array().key("output").string(report.record.output_path);
  json.key("rows")
      .begin_object()
      .key("ok")
      .number(report.totals.ok)
      .key("failed")
      .number(report.totals.failed);
  json.key("skipped").number(report.totals.skipped).key("in_doubt").number(report.in_doubt);
  json.key("rejected").number(report.rejected).end_object();
  json.key("in_doubt_cost_usd").decimal(static_cast<double>(report.in_doubt_micro_usd) / 1e6, 6);
  json.key("cost_usd").decimal(static_cast<double>(report.totals.cost_micro_usd) / 1e6, 6);
  json.key("tokens").begin_object().key("input").number(report.totals.input_tokens);
  json.key("output").number(report.totals.output_tokens).end_object();
  if (!report.record.stop_code.empty()) {
    json.key("stopped_by")
        .string(report.record.stop_code)
        .key("stop_message")
        .string(report.record.stop_message);
  }
  return json.end_object().text();
}

}  // namespace batchllm
