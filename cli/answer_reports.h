// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/gold_report.h"
#include "adapters/job/model_comparison.h"
#include "cli/ui.h"
#include "core/job_record.h"
#include "core/json_text.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace batchllm {

// What is said of a job's answers besides how many there are.
struct AnswerReports {
  std::optional<GoldReport> gold;         // beside the right ones
  std::optional<ModelComparison> models;  // of a job that compares models
};

// What the job asks for, `gold` in place of its own --gold unless empty. Throws Error.
AnswerReports make_answer_reports(const JobRecord& record,
                                  const std::filesystem::path& job_folder,
                                  const std::string& gold);

// What the job asks for. What prevents it is a warning: the run itself has its result.
AnswerReports answer_reports_of(const JobRecord& record,
                                const std::filesystem::path& job_folder,
                                Ui& ui);

// The reports in lines of `width` characters at most where numbers let them, the last one without
// its end; empty: there is none.
std::string answer_reports_text(const AnswerReports& reports, std::size_t width);

// Their members of an object that has begun.
void write_answer_reports(JsonWriter& json, const AnswerReports& reports);

}  // namespace batchllm
