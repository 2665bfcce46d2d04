// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/answer_choices.h"
#include "core/answer_form.h"
#include "core/confusion_counts.h"
#include "core/job_record.h"
#include "core/row_source.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// Which column of the input holds the right answers, and what of an answer it is compared with.
struct GoldColumn {
  std::string column;
  std::optional<std::size_t> field;  // of AnswerForm::columns; nullopt: the whole answer
  std::string field_name;            // empty: the whole answer
};

// What --gold names: "COLUMN", for answers with fields also "FIELD=COLUMN"; a field is named as in
// the schema or by its column. `form` may be null. Throws Error(usage) for a field that is not
// there and Error(column_missing) for such a column, both with the nearest name.
GoldColumn find_gold(const std::string& gold,
                     const AnswerSettings& answer,
                     const AnswerForm* form,
                     const RowSource& source);

// Counts answers beside the right ones: compared as AnswerChoices does. Not thread-safe.
class GoldCounter {
 public:
  // `form` may be null when `gold` names no field.
  GoldCounter(const AnswerSettings& answer,
              std::shared_ptr<const AnswerForm> form,
              const GoldColumn& gold);

  // A row; `answer` is null for one without. False, and nothing is counted, when the right answer
  // is empty.
  bool add(std::string_view gold, const std::string* answer, ConfusionCounts& counts);

 private:
  std::string_view part_of(const std::string& answer);
  AnswerClass class_of(std::string_view text) const;

  std::shared_ptr<const AnswerForm> form_;
  std::optional<std::size_t> field_;
  std::optional<AnswerChoices> choices_;
  std::optional<AnswerCells> cells_;
};

// The answers of a job beside the right ones.
struct GoldReport {
  GoldColumn gold;
  ConfusionCounts counts;
  std::uint64_t unlabelled = 0;  // rows whose right answer is empty: not counted
};

// Compares the latest outcome of every row that has one, out of inputs and ledgers, in bounded
// memory; works beside the process that runs the job. Answers are compared as AnswerChoices does;
// failed and skipped rows have no answer. Throws Error as find_gold does, and for what cannot be
// read.
GoldReport report_gold(const JobRecord& record,
                       const std::filesystem::path& job_folder,
                       const std::string& gold);

}  // namespace batchllm
