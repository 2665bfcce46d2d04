// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/model_comparison.h"

#include "adapters/job/job_form.h"
#include "adapters/job/job_inputs.h"
#include "adapters/job/job_rows.h"
#include "adapters/job/recorded_outcomes.h"
#include "core/comparable_answers.h"
#include "core/ledger.h"
#include "core/ledger_reader.h"
#include "core/manifest.h"

#include <memory>
#include <string_view>
#include <utility>

namespace batchllm {
namespace {

// The right answers of a job's rows.
class GoldCells {
 public:
  GoldCells(const JobRecord& record,
            const std::filesystem::path& job_folder,
            const std::string& gold,
            const std::shared_ptr<const AnswerForm>& form)
      : inputs_(record, job_folder.string()),
        manifest_(job_folder / "manifest.jsonl", Manifest::Access::read_only) {
    auto source = inputs_.open_again({});
    column_ = find_gold(gold, result_answer(record), form.get(), *source);
    source->select({column_.column});
    rows_.emplace(std::move(source), manifest_);
    counter_.emplace(result_answer(record), form, column_);
  }

  const GoldColumn& column() const noexcept { return column_; }

  GoldCounter& counter() noexcept { return *counter_; }

  // Nullopt when the input has become shorter.
  std::optional<std::string_view> of(std::uint64_t row) {
    return rows_->go_to(row) ? std::optional(rows_->batch().row_cells(rows_->row()).front())
                             : std::nullopt;
  }

 private:
  JobInputs inputs_;
  Manifest manifest_;
  GoldColumn column_;
  std::optional<JobRows> rows_;
  std::optional<GoldCounter> counter_;
};

class Comparer {
 public:
  Comparer(const JobRecord& record, std::filesystem::path job_folder, const std::string& gold)
      : job_folder_(std::move(job_folder)),
        form_(make_form(result_answer(record))),
        comparable_(form_),
        result_{0, {}, AgreementCounts(compared_models(record).size()), std::nullopt, 0} {
    for (std::string& name : compared_models(record)) {
      result_.models.emplace_back().name = std::move(name);
    }
    if (!gold.empty()) {
      gold_.emplace(record, job_folder_, gold, form_);
      result_.gold = gold_->column();
    }
  }

  ModelComparison compare() {
    for (const std::uint64_t number : Ledger::shards_in(job_folder_)) {
      scan_ledger(Ledger::shard_path(job_folder_, number),
                  [this](std::uint64_t, std::string_view line, const LineGlance&) {
                    if (const auto outcome = read_outcome_line(line)) {
                      add_spent(*outcome);
                    }
                  });
      RecordedOutcomes outcomes(job_folder_, number);
      for (std::uint64_t row = outcomes.first_row(); row != outcomes.end_row(); ++row) {
        if (outcomes.status(row)) {
          add_row(row, outcomes.read(row));
        }
      }
    }
    return std::move(result_);
  }

 private:
  // Of every outcome that a row has had: each tells what is new since the one before.
  void add_spent(const Outcome& outcome) {
    for (const StepOutcome& step : outcome.steps) {
      if (step.step < result_.models.size()) {
        ComparedModel& model = result_.models[step.step];
        model.usage.input_tokens += step.usage.input_tokens;
        model.usage.output_tokens += step.usage.output_tokens;
        model.usage.cached_tokens += step.usage.cached_tokens;
        if (step.cost_micro_usd) {
          model.cost_micro_usd = model.cost_micro_usd.value_or(0) + *step.cost_micro_usd;
        }
      }
    }
  }

  void add_row(std::uint64_t row, const Outcome& outcome) {
    ++result_.rows;
    std::vector<const StepOutcome*> answers(result_.models.size());
    for (const StepOutcome& step : outcome.steps) {
      if (step.step < answers.size() && step.failure == RowFailure::none) {
        answers[step.step] = &step;
      }
    }
    std::vector<std::optional<AnswerClass>> classes(answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
      ComparedModel& model = result_.models[i];
      if (answers[i] == nullptr) {
        ++model.failed;
        continue;
      }
      ++model.answered;
      model.latencies.add(answers[i]->latency_ms);
      classes[i] = AnswerClass{comparable_.of(answers[i]->output), answers[i]->output};
    }
    result_.agreement.add(classes);
    if (gold_) {
      add_gold(row, answers);
    }
  }

  void add_gold(std::uint64_t row, const std::vector<const StepOutcome*>& answers) {
    const auto right = gold_->of(row);
    if (!right) {
      return;
    }
    bool is_labelled = true;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const std::string* answer = answers[i] == nullptr ? nullptr : &answers[i]->output;
      is_labelled = gold_->counter().add(*right, answer, result_.models[i].gold);
    }
    result_.unlabelled += is_labelled ? 0 : 1;
  }

  std::filesystem::path job_folder_;
  std::shared_ptr<const AnswerForm> form_;
  ComparableAnswers comparable_;
  ModelComparison result_;
  std::optional<GoldCells> gold_;
};

}  // namespace

ModelComparison compare_models(const JobRecord& record,
                               const std::filesystem::path& job_folder,
                               const std::string& gold) {
  return Comparer(record, job_folder, gold).compare();
}

}  // namespace batchllm
