// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/cost_estimate.h"

#include "adapters/job/job_encoder.h"
#include "core/text.h"
#include "core/token_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace batchllm {
namespace {

constexpr std::uint64_t k_rows_rendered = 200;

std::string count_in_words(std::int64_t count) {
  if (count >= 10'000'000) {
    return fmt::format("{}M", count / 1'000'000);
  }
  if (count >= 1'000'000) {
    return fmt::format("{:.1f}M", static_cast<double>(count) / 1e6);
  }
  return count >= 10'000 ? fmt::format("{}k", count / 1000) : std::to_string(count);
}

}  // namespace

CostEstimate CostEstimate::without(std::uint64_t rows_done) const {
  CostEstimate rest = *this;
  rest.rows -= std::min(rows_done, rows);
  const double share = rows == 0 ? 0 : static_cast<double>(rest.rows) / static_cast<double>(rows);
  rest.input_tokens = std::llround(static_cast<double>(input_tokens) * share);
  if (input_cost_micro_usd) {
    rest.input_cost_micro_usd = std::llround(static_cast<double>(*input_cost_micro_usd) * share);
  }
  return rest;
}

CostEstimate estimate_cost(const JobRecord& record,
                           const JobInputs& inputs,
                           const JobModel& model,
                           JobSteps* steps) {
  const auto source = inputs.open_again({});
  const auto encoder = make_encoder(record, *source, model);
  if (steps != nullptr) {
    encoder->need_columns(steps->row_columns());
    steps->start(nullptr, encoder->columns());
  }
  source->select(encoder->columns());
  encoder->bind(encoder->columns());
  JobSteps::Estimate of_steps;
  RowBatch batch;
  RowTask task;
  std::uint64_t seen = 0;
  std::uint64_t matching = 0;
  std::uint64_t rendered = 0;
  std::int64_t tokens = 0;
  bool at_end = !source->next_batch(batch);
  if (!at_end) {
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      ++seen;
      if (!encoder->matches(batch, row)) {
        continue;
      }
      ++matching;
      if (rendered < k_rows_rendered && record.settings.prompt.image_column.empty() &&
          record.settings.prompt.document_column.empty()) {
        encoder->encode(batch, row, task);
        ++rendered;
        for (const auto& message : encoder->prompt().messages) {
          tokens += estimate_tokens(message.text).mean;
        }
        if (steps != nullptr) {
          const auto of_row = steps->estimate(batch, row);
          of_steps.tokens += of_row.tokens;
          of_steps.micro_usd = of_row.micro_usd && of_steps.micro_usd
                                   ? std::optional(*of_steps.micro_usd + *of_row.micro_usd)
                                   : std::nullopt;
        }
      }
    }
    const double fraction = source->fraction_read().value_or(1.0);
    at_end = !source->next_batch(batch);
    if (!at_end && fraction > 0) {
      matching = static_cast<std::uint64_t>(static_cast<double>(matching) / fraction);
    }
  }
  CostEstimate estimate;
  const RowSelection& selection = record.settings.selection;
  estimate.rows = matching - std::min(matching, selection.offset);
  estimate.rows = std::min(estimate.rows, selection.limit.value_or(estimate.rows));
  estimate.rows = std::min(estimate.rows, selection.sample.value_or(estimate.rows));
  estimate.rows_are_exact = at_end;
  if (rendered != 0) {
    const double mean =
        static_cast<double>(tokens + of_steps.tokens) / static_cast<double>(rendered);
    estimate.input_tokens = static_cast<std::int64_t>(mean * static_cast<double>(estimate.rows));
  }
  estimate.steps = record.later_steps.size() + 1;
  estimate.compares = record.compares;
  if (model.price && of_steps.micro_usd) {
    const std::int64_t first = rendered == 0 ? 0 : tokens / static_cast<std::int64_t>(rendered);
    const double later = rendered == 0 ? 0 : *of_steps.micro_usd / static_cast<double>(rendered);
    const double each =
        static_cast<double>(model.price->base.input) * static_cast<double>(first) / 1e6 + later;
    estimate.input_cost_micro_usd =
        static_cast<std::int64_t>(each * static_cast<double>(estimate.rows));
    estimate.output_price =
        std::max(model.price->base.output, steps != nullptr ? steps->highest_output_price() : 0);
  }
  return estimate;
}

std::string describe_estimate(const CostEstimate& estimate,
                              std::optional<std::int64_t> max_cost_micro_usd) {
  const std::string steps = estimate.steps == 1 ? std::string()
                            : estimate.compares ? fmt::format(" for {} models", estimate.steps)
                                                : fmt::format(" of {} steps", estimate.steps);
  std::string text = fmt::format("{}{}{}, about {} tokens in",
                                 estimate.rows_are_exact ? "" : "about ",
                                 count_noun(estimate.rows, "row"),
                                 steps,
                                 count_in_words(estimate.input_tokens));
  if (!estimate.input_cost_micro_usd) {
    text += ", price not known";
  } else if (*estimate.input_cost_micro_usd != 0 || estimate.output_price != 0) {
    text += fmt::format(", about {} for them", usd_text(*estimate.input_cost_micro_usd));
    if (estimate.output_price != 0) {
      text +=
          fmt::format(" and {} for each 1,000 tokens out", usd_text(estimate.output_price / 1000));
    }
  }
  if (max_cost_micro_usd) {
    text += fmt::format(" (limit {})", usd_text(*max_cost_micro_usd));
  }
  return text;
}

}  // namespace batchllm
