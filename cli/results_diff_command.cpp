// SPDX-License-Identifier: Apache-2.0
#include "cli/results_diff_command.h"

#include "adapters/job/difference_file.h"
#include "adapters/job/job_comparison.h"
#include "adapters/job/job_report.h"
#include "cli/table_cells.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

// What is kept of an answer to be shown.
constexpr std::size_t k_shown_answer = 2000;

// What one job says to a row that differs.
struct ShownAnswer {
  bool is_answered = false;
  std::string text;  // the answer, or why there is none
  std::string row_id;
};

struct ShownRow {
  std::uint64_t number = 0;  // from 1
  ShownAnswer a;
  ShownAnswer b;

  const std::string& id() const { return a.row_id.empty() ? b.row_id : a.row_id; }
};

struct Diff {
  std::array<JobReport, 2> jobs;
  JobComparison rows;
  std::vector<ShownRow> shown;
  std::string output;  // empty: none was asked for
};

ShownAnswer shown_answer(const Outcome* outcome) {
  if (outcome == nullptr) {
    return {false, "not asked", {}};
  }
  if (outcome->status != RowStatus::ok) {
    return {false,
            outcome->status == RowStatus::skipped ? "skipped"
                                                  : std::string(failure_name(outcome->failure)),
            outcome->row_id};
  }
  return {true, std::string(character_prefix(outcome->output, k_shown_answer)), outcome->row_id};
}

std::optional<double> duration_s(const JobRecord& record) {
  if (record.finished_ms == 0) {
    return std::nullopt;
  }
  return static_cast<double>(record.finished_ms - record.created_ms) / 1000;
}

// Totals do not tell a price that is not known from none.
std::optional<std::int64_t> cost_of(const JobReport& job) {
  const std::int64_t cost = job.totals.cost_micro_usd;
  return cost == 0 ? std::nullopt : std::optional(cost);
}

std::string jobs_table(const Diff& diff, std::size_t width) {
  const auto line = [width](std::string_view label, const std::string& a, const std::string& b) {
    constexpr std::size_t k_label = 10;
    constexpr std::size_t k_least = 12;
    const std::size_t column = std::max(k_least, std::min<std::size_t>(34, (width - k_label) / 2));
    return fmt::format(
        "{:<{}}{:<{}}{}\n", label, k_label, one_line(a, column - 2), column, one_line(b, column));
  };
  const auto both = [&](std::string_view label, auto&& tell) {
    return line(label, tell(diff.jobs[0]), tell(diff.jobs[1]));
  };
  std::string text = both("", [](const JobReport& job) { return job.record.id; });
  text += both("model", [](const JobReport& job) { return asked_models(job.record); });
  text += both("rows", [](const JobReport& job) {
    return fmt::format("{} ok, {} failed",
                       with_thousands(job.totals.ok),
                       with_thousands(job.totals.failed + job.totals.skipped));
  });
  text += both("tokens", [](const JobReport& job) {
    return fmt::format("{} in, {} out",
                       with_thousands(static_cast<std::uint64_t>(job.totals.input_tokens)),
                       with_thousands(static_cast<std::uint64_t>(job.totals.output_tokens)));
  });
  text += both("cost", [](const JobReport& job) {
    const auto cost = cost_of(job);
    return cost ? usd_text(*cost) : std::string("-");
  });
  text += both("duration", [](const JobReport& job) {
    const auto seconds = duration_s(job.record);
    return seconds ? duration_text(*seconds) : std::string("-");
  });
  return text;
}

std::string counts_text(const JobComparison& rows) {
  std::string text = fmt::format("{} the same, {} different: agreement {}",
                                 count_noun(rows.same, "row"),
                                 with_thousands(rows.different),
                                 share_text(rows.agreement()));
  if (const auto kappa = rows.kappa()) {
    text += fmt::format(", kappa {:.3f}", *kappa);
  }
  text += "\n";
  if (rows.only_a + rows.only_b + rows.neither != 0) {
    text += fmt::format("answered by the first alone {}, by the second alone {}, by neither {}\n",
                        with_thousands(rows.only_a),
                        with_thousands(rows.only_b),
                        with_thousands(rows.neither));
  }
  return text;
}

std::string rows_table(const Diff& diff, std::size_t width) {
  const auto name = [](const ShownRow& row) {
    return with_thousands(row.number) +
           (row.id().empty() ? "" : fmt::format(" ({})", one_line(row.id(), 20)));
  };
  const auto answer = [](const ShownAnswer& shown) {
    return shown.is_answered ? shown.text : fmt::format("[{}]", shown.text);
  };
  std::size_t first = 3;
  for (const ShownRow& row : diff.shown) {
    first = std::max(first, character_count(name(row)));
  }
  constexpr std::size_t k_gaps = 4;
  constexpr std::size_t k_least = 8;
  const std::size_t cell = std::max(k_least, (width - std::min(width, first + k_gaps)) / 2);
  std::size_t second = 5;
  for (const ShownRow& row : diff.shown) {
    second = std::max(second, character_count(one_line(answer(row.a), cell)));
  }
  std::string text = fmt::format("{:<{}}  {:<{}}  {}\n", "row", first, "first", second, "second");
  for (const ShownRow& row : diff.shown) {
    text += fmt::format("{:<{}}  {:<{}}  {}\n",
                        name(row),
                        first,
                        one_line(answer(row.a), cell),
                        second,
                        one_line(answer(row.b), cell));
  }
  return text;
}

std::string diff_text(const Diff& diff, std::size_t width) {
  std::string text = jobs_table(diff, width) + counts_text(diff.rows);
  if (!diff.shown.empty()) {
    text += rows_table(diff, width);
  }
  const std::uint64_t differing = diff.rows.different + diff.rows.only_a + diff.rows.only_b;
  if (differing > diff.shown.size() && diff.output.empty()) {
    text += fmt::format("… and {} more (--limit shows more, -o FILE writes them all)\n",
                        with_thousands(differing - diff.shown.size()));
  }
  return text;
}

void write_job(JsonWriter& json, const JobReport& job) {
  json.begin_object().key("id").string(job.record.id).key("status").string(job.status());
  json.key("model").string(as_utf8(asked_models(job.record)));
  json.key("rows").begin_object().key("ok").number(job.totals.ok);
  json.key("failed").number(job.totals.failed).key("skipped").number(job.totals.skipped);
  json.end_object().key("tokens").begin_object().key("input").number(job.totals.input_tokens);
  json.key("output").number(job.totals.output_tokens).end_object();
  json.key("cost_usd");
  const auto cost = cost_of(job);
  cost ? json.decimal(static_cast<double>(*cost) / 1e6, 6) : json.null();
  json.key("duration_s");
  const auto seconds = duration_s(job.record);
  seconds ? json.decimal(*seconds, 3) : json.null();
  json.end_object();
}

void write_answer(JsonWriter& json, std::string_view name, const ShownAnswer& shown) {
  json.key(name).begin_object().key("answer");
  shown.is_answered ? json.string(shown.text) : json.null();
  json.key("reason");
  shown.is_answered ? json.null() : json.string(shown.text);
  json.end_object();
}

std::string diff_json(const Diff& diff) {
  JsonWriter json;
  json.begin_object().key("schema").string("batchllm.diff/1").key("jobs").begin_array();
  for (const JobReport& job : diff.jobs) {
    write_job(json, job);
  }
  json.end_array().key("rows").begin_object().key("same").number(diff.rows.same);
  json.key("different").number(diff.rows.different).key("only_a").number(diff.rows.only_a);
  json.key("only_b").number(diff.rows.only_b).key("neither").number(diff.rows.neither);
  json.end_object().key("agreement");
  const auto agreement = diff.rows.agreement();
  agreement ? json.decimal(*agreement, 6) : json.null();
  json.key("kappa");
  const auto kappa = diff.rows.kappa();
  kappa ? json.decimal(*kappa, 6) : json.null();
  json.key("differences").begin_array();
  for (const ShownRow& row : diff.shown) {
    json.begin_object().key("row").number(row.number).key("id");
    row.id().empty() ? json.null() : json.string(row.id());
    write_answer(json, "a", row.a);
    write_answer(json, "b", row.b);
    json.end_object();
  }
  json.end_array().key("output");
  diff.output.empty() ? json.null() : json.string(as_utf8(diff.output));
  return json.end_object().text() + "\n";
}

void refuse_existing(const ResultsDiffRequest& request) {
  std::error_code error;
  if (!request.overwrite && !request.path.empty() && request.path != "-" &&
      fs::exists(request.path, error)) {
    throw Error(ErrorCode::output_exists,
                fmt::format("{} exists already", request.path),
                "--overwrite replaces it, -o names another file");
  }
}

}  // namespace

int results_diff_command(const ResultsDiffRequest& request, Ui& ui) {
  refuse_existing(request);
  Diff diff;
  std::array<ComparedJob, 2> jobs;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const JobDirectory directory = JobDirectory::open(ui.state_dir(), request.jobs.at(i));
    diff.jobs.at(i) = report_job(directory);
    jobs.at(i) = {diff.jobs.at(i).record, directory.folder()};
  }
  if (!request.force) {
    check_comparable(jobs[0], jobs[1]);
  }
  std::optional<DifferenceFile> file;
  if (!request.path.empty()) {
    file.emplace(jobs[0], jobs[1], request.path, request.format);
  }
  diff.rows = compare_jobs(jobs[0], jobs[1], request.exactly, [&](const ComparedRow& row) {
    if (diff.shown.size() < request.limit) {
      diff.shown.push_back({row.row_index + 1, shown_answer(row.a), shown_answer(row.b)});
    }
    if (file) {
      file->add(row);
    }
  });
  if (file) {
    file->finish();
    diff.output = file->path();
  }
  const bool rows_to_stdout = diff.output == "-";
  if (ui.json()) {
    ui.out(diff_json(diff));
  } else if (rows_to_stdout) {
    std::string text = diff_text(diff, static_cast<std::size_t>(terminal_width()));
    text.pop_back();
    ui.messages().note(text);
  } else {
    ui.out(diff_text(diff, static_cast<std::size_t>(terminal_width())));
    if (!diff.output.empty()) {
      ui.messages().note(fmt::format("Wrote the rows that differ to {}", printable(diff.output)));
    }
  }
  return 0;
}

}  // namespace batchllm
