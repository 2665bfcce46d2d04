// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.h"
#include "core/ledger_format.h"
#include "core/outcome.h"
#include "core/row_batch.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace batchllm {

// Where a row stands in one of its steps.
struct RowStep {
  bool is_done = false;  // it has its answer, or has failed and is not asked again
  StepOutcome outcome;   // before that: what was spent on it
};

// A row on its way from the reader to its outcome: owned by exactly one stage at a time, handed
// over by moving the pointer, recycled with its memory.
struct RowTask {
  RowPlace place;
  std::string body;    // the encoded request; of a row in a bundle: its part of it
  std::string row_id;  // value of --id-column
  std::string record;  // the row, packed: only when rows are written in completion order, for the
                       // sink, or have several steps
  // An outcome that is known without asking (an image that is not there; in doubt and not to be
  // asked again): failure none means that it is to be asked.
  RowFailure known_failure = RowFailure::none;
  RowStatus known_status = RowStatus::failed;
  std::string problem;
  std::uint32_t attempts = 0;
  std::uint32_t free_attempts = 0;     // of these, the ones that the provider did not take up
  std::uint32_t earlier_attempts = 0;  // of runs before this one
  std::uint32_t step = 0;              // which of the row's steps is asked
  std::uint32_t reasked = 0;           // how often it was told what is wrong with its answer
  std::vector<StepAnswer> answers;     // of runs before this one, with which the row goes on
  std::vector<RowStep> steps;          // all that there are; empty with a single one
  Usage spent;                         // for answers that are not its outcome
  std::optional<std::int64_t> spent_micro_usd;
  std::int64_t shown_micro_usd = 0;  // of it, what the progress of this run has counted
  std::int64_t estimated_tokens = 0;
  std::int64_t reserved_micro_usd = 0;
  std::size_t queued_bytes = 0;  // its share of the bytes between reader and outcome
  TimePoint sent_at{};
  std::int64_t requests_sent_before = 0;  // by this lane, when it was sent
  std::int64_t tokens_sent_before = 0;
  // Not empty: no row but a request for these (core/row_bundle.h); attempts are counted here for
  // the request, in each row for the row.
  std::vector<std::unique_ptr<RowTask>> rows;
};

}  // namespace batchllm
