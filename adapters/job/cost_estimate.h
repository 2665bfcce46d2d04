// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/job/job_inputs.h"
#include "adapters/job/job_model.h"
#include "adapters/job/job_steps.h"
#include "core/job_record.h"

#include <cstdint>
#include <optional>
#include <string>

namespace batchllm {

// What a job will probably ask and cost, from its first rows.
struct CostEstimate {
  std::uint64_t rows = 0;
  bool rows_are_exact = false;
  std::uint64_t steps = 1;  // of a row
  bool compares = false;    // they ask several models
  std::int64_t input_tokens = 0;
  std::optional<std::int64_t> input_cost_micro_usd;  // nullopt: the price is not known
  std::int64_t output_price = 0;                     // micro-USD for a million tokens

  // For what is left when so many rows are done.
  CostEstimate without(std::uint64_t rows_done) const;
};

// Renders the first rows of the inputs (a few milliseconds, whatever their size), for all steps of
// a row; the answers that later steps read count as nothing. `model` is the first step's; `steps`
// (null: there is one) are to be started again afterwards.
CostEstimate estimate_cost(const JobRecord& record,
                           const JobInputs& inputs,
                           const JobModel& model,
                           JobSteps* steps);

// "about 20,000 rows, 4.1M tokens in, $1.03 for them"
std::string describe_estimate(const CostEstimate& estimate,
                              std::optional<std::int64_t> max_cost_micro_usd);

}  // namespace batchllm
