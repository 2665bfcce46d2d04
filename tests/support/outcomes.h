// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/outcome.h"

#include <string>
#include <utility>

namespace batchllm {

// A row that was answered, with numbers that make sums telling.
inline Outcome ok_outcome(std::uint64_t row_index, std::string output = "yes") {
  Outcome outcome;
  outcome.row_index = row_index;
  outcome.output = std::move(output);
  outcome.http_status = 200;
  outcome.attempts = 1;
  outcome.cost_micro_usd = 5;
  outcome.usage = {10, 2, 0};
  return outcome;
}

inline Outcome failed_outcome(std::uint64_t row_index,
                              RowFailure failure = RowFailure::bad_request) {
  Outcome outcome;
  outcome.row_index = row_index;
  outcome.status = RowStatus::failed;
  outcome.failure = failure;
  outcome.message = "because";
  outcome.attempts = 1;
  return outcome;
}

}  // namespace batchllm
