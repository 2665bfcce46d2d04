// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/confusion_counts.h"
#include "core/job_record.h"
#include "core/outcome.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

namespace batchllm {

// One of two jobs that are compared.
struct ComparedJob {
  JobRecord record;
  std::filesystem::path folder;
};

// What the two jobs have for a row; null: no outcome yet, or not asked.
struct ComparedRow {
  std::uint64_t row_index = 0;
  const Outcome* a = nullptr;
  const Outcome* b = nullptr;
};

// Rows of which at least one of the jobs has an outcome.
struct JobComparison {
  static constexpr std::size_t k_most_classes = 100;

  std::uint64_t same = 0;
  std::uint64_t different = 0;  // both answered
  std::uint64_t only_a = 0;     // answered by the first alone
  std::uint64_t only_b = 0;
  std::uint64_t neither = 0;  // failed, skipped or not asked in both

  ConfusionCounts pairs{k_most_classes};  // of the rows that both answered

  // Of the rows that both answered; nullopt when there is none.
  std::optional<double> agreement() const noexcept { return pairs.accuracy(); }

  // Cohen's kappa; nullopt for more than k_most_classes different answers.
  std::optional<double> kappa() const noexcept { return pairs.kappa(); }
};

// Throws Error(input_changed) when the jobs do not have the same inputs in the same order: other
// content, as far as size, times and the digests that were taken tell, or other columns. Throws
// Error(usage) for jobs that make vectors.
void check_comparable(const ComparedJob& a, const ComparedJob& b);

// Compares row by row, by number, out of the ledgers, in bounded memory; works beside processes
// that run the jobs. Answers are compared as AnswerChoices does, those with fields field by field;
// with `exactly` as they are stored. `differs` is called for every row that is not the same in
// both and that one answered at least, in the order of the input. Jobs that compare models are the
// same in a row where each model's answers are; the output of their outcomes is a JSON object of
// these. Throws Error, Error(usage) when the jobs do not compare the same models.
JobComparison compare_jobs(const ComparedJob& a,
                           const ComparedJob& b,
                           bool exactly,
                           const std::function<void(const ComparedRow&)>& differs);

}  // namespace batchllm
