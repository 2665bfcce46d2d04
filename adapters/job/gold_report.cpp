// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/gold_report.h"

#include "adapters/job/column_check.h"
#include "adapters/job/job_form.h"
#include "adapters/job/job_inputs.h"
#include "adapters/job/job_rows.h"
#include "adapters/job/recorded_outcomes.h"
#include "core/answer_choices.h"
#include "core/code_points.h"
#include "core/error.h"
#include "core/ledger.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

// The column that a field of the schema becomes.
std::string column_of_field(const std::string& field, const AnswerSettings& answer) {
  for (const auto& [name, column] : answer.columns_of_fields) {
    if (name == field) {
      return column;
    }
  }
  return field;
}

std::optional<std::size_t> find_field(const std::string& field,
                                      const AnswerSettings& answer,
                                      const AnswerForm& form) {
  const auto& columns = form.columns();
  for (const std::string& name : {column_of_field(field, answer), field}) {
    const auto found = std::find(columns.begin(), columns.end(), name);
    if (found != columns.end()) {
      return static_cast<std::size_t>(found - columns.begin());
    }
  }
  return std::nullopt;
}

}  // namespace

GoldCounter::GoldCounter(const AnswerSettings& answer,
                         std::shared_ptr<const AnswerForm> form,
                         const GoldColumn& gold)
    : form_(std::move(form)),
      field_(gold.field) {
  if (!answer.choices.empty()) {
    choices_.emplace(AnswerChoices::compile(answer.choices));
  }
  if (field_) {
    cells_.emplace(*form_);
  }
}

bool GoldCounter::add(std::string_view gold, const std::string* answer, ConfusionCounts& counts) {
  const std::string_view right = trim_white_space(gold);
  if (right.empty()) {
    return false;
  }
  const std::string_view given =
      answer == nullptr ? std::string_view{} : trim_white_space(part_of(*answer));
  const AnswerClass expected = class_of(right);
  if (given.empty()) {
    counts.add(expected, nullptr);
  } else {
    const AnswerClass answered = class_of(given);
    counts.add(expected, &answered);
  }
  return true;
}

std::string_view GoldCounter::part_of(const std::string& answer) {
  return cells_ ? cells_->read(answer)[*field_].text : std::string_view(answer);
}

AnswerClass GoldCounter::class_of(std::string_view text) const {
  if (choices_) {
    if (const auto choice = choices_->apply(text)) {
      // No comparable text begins so: a choice is told from what is none.
      return {"\n" + std::string(*choice), *choice};
    }
  }
  return {comparable_answer(text), text};
}

GoldColumn find_gold(const std::string& gold,
                     const AnswerSettings& answer,
                     const AnswerForm* form,
                     const RowSource& source) {
  GoldColumn found;
  found.column = gold;
  if (form != nullptr && !form->columns().empty()) {
    const std::size_t sign = gold.find('=');
    found.field_name = gold.substr(0, sign);
    found.field = find_field(found.field_name, answer, *form);
    if (!found.field) {
      const auto near = nearest_name(found.field_name, form->columns());
      throw Error(ErrorCode::usage,
                  fmt::format("--gold {}: the answers have no such field", printable(gold)),
                  fmt::format("{}fields are: {}; say --gold FIELD=COLUMN",
                              near ? fmt::format("did you mean {}? ", *near) : "",
                              name_list(form->columns())));
    }
    found.column = sign == std::string::npos ? gold : gold.substr(sign + 1);
  }
  if (found.column.empty()) {
    throw Error(ErrorCode::usage, "--gold: no column", "say --gold FIELD=COLUMN");
  }
  require_column(source, found.column, "--gold", LaterColumns::refused);
  return found;
}

GoldReport report_gold(const JobRecord& record,
                       const std::filesystem::path& job_folder,
                       const std::string& gold) {
  if (record.settings.embedding.is_wanted) {
    throw Error(ErrorCode::usage, "--gold: vectors are not compared with right answers");
  }
  if (record.compares) {
    throw Error(ErrorCode::internal, "a job that compares models has no answers of its own");
  }
  const auto form = make_form(result_answer(record));
  const JobInputs inputs(record, job_folder.string());
  auto source = inputs.open_again({});
  GoldReport report;
  report.gold = find_gold(gold, result_answer(record), form.get(), *source);
  source->select({report.gold.column});
  const Manifest manifest(job_folder / "manifest.jsonl", Manifest::Access::read_only);
  JobRows rows(std::move(source), manifest);
  GoldCounter counter(result_answer(record), form, report.gold);
  for (const std::uint64_t number : Ledger::shards_in(job_folder)) {
    RecordedOutcomes outcomes(job_folder, number);
    for (std::uint64_t row = outcomes.first_row(); row != outcomes.end_row(); ++row) {
      const auto status = outcomes.status(row);
      if (!status || !rows.go_to(row)) {
        continue;
      }
      const std::string_view cell = rows.batch().row_cells(rows.row()).front();
      const auto outcome =
          *status == RowStatus::ok ? std::optional(outcomes.read(row)) : std::nullopt;
      const bool counts = counter.add(cell, outcome ? &outcome->output : nullptr, report.counts);
      report.unlabelled += counts ? 0 : 1;
    }
  }
  return report;
}

}  // namespace batchllm
