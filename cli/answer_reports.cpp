// SPDX-License-Identifier: Apache-2.0
#include "cli/answer_reports.h"

#include "cli/comparison_view.h"
#include "cli/gold_view.h"
#include "core/error.h"

#include <fmt/format.h>

namespace batchllm {

AnswerReports make_answer_reports(const JobRecord& record,
                                  const std::filesystem::path& job_folder,
                                  const std::string& gold) {
  const std::string& right = gold.empty() ? record.settings.answer.gold : gold;
  AnswerReports reports;
  if (record.compares) {
    reports.models = compare_models(record, job_folder, right);
  } else if (!right.empty()) {
    reports.gold = report_gold(record, job_folder, right);
  }
  return reports;
}

AnswerReports answer_reports_of(const JobRecord& record,
                                const std::filesystem::path& job_folder,
                                Ui& ui) {
  try {
    return make_answer_reports(record, job_folder, {});
  } catch (const Error& error) {
    ui.messages().warning(
        record.settings.answer.gold.empty()
            ? fmt::format("the models cannot be compared: {}", error.message())
            : fmt::format("the answers cannot be compared with --gold: {}", error.message()));
    return {};
  }
}

std::string answer_reports_text(const AnswerReports& reports, std::size_t width) {
  if (reports.models) {
    return comparison_text(*reports.models, width);
  }
  return reports.gold ? gold_text(*reports.gold, width) : std::string();
}

void write_answer_reports(JsonWriter& json, const AnswerReports& reports) {
  if (reports.gold) {
    json.key("gold");
    write_gold(json, *reports.gold);
  }
  if (reports.models) {
    json.key("comparison");
    write_comparison(json, *reports.models);
  }
}

}  // namespace batchllm
