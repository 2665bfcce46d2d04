// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/gold_report.h"
#include "core/agreement_counts.h"
#include "core/confusion_counts.h"
#include "core/duration_counts.h"
#include "core/job_record.h"
#include "core/outcome.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// How one of the models that a job compares did.
struct ComparedModel {
  std::string name;  // as the user wrote it
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;                    // rows of the job without an answer of this model
  Usage usage;                                 // of everything it was asked, retries too
  std::optional<std::int64_t> cost_micro_usd;  // nullopt: its price is not known
  DurationCounts latencies;                    // of its answers, the last attempt each
  ConfusionCounts gold;                        // beside the right answers
};

// The models that a job compares beside each other.
struct ModelComparison {
  std::uint64_t rows = 0;  // with an outcome
  std::vector<ComparedModel> models;
  AgreementCounts agreement;       // in the order of the models
  std::optional<GoldColumn> gold;  // nullopt: there are no right answers
  std::uint64_t unlabelled = 0;    // rows whose right answer is empty
};

// Compares the models of a job (JobRecord::compares) out of its ledgers, in bounded memory; works
// beside the process that runs the job. Answers are compared as AnswerChoices does, those with
// fields field by field. `gold`: what --gold names; empty: nothing. Throws Error as find_gold does,
// and for what cannot be read.
ModelComparison compare_models(const JobRecord& record,
                               const std::filesystem::path& job_folder,
                               const std::string& gold);

}  // namespace batchllm
