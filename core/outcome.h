// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// The ways in which a request for a row can fail. Names (failure_name) stand in ledgers, JSON
// output and the API: they are never renamed.
enum class RowFailure : std::uint8_t {
  none,
  rate_limited,
  quota_exhausted,
  auth_refused,
  bad_request,
  context_too_long,
  content_filtered,
  refused,
  truncated,
  empty_answer,
  invalid_answer,
  server_error,
  overloaded,
  timeout,
  connection_failed,
  protocol_error,
  cancelled,
  in_doubt,
};

std::string_view failure_name(RowFailure failure) noexcept;
std::optional<RowFailure> failure_from_name(std::string_view name) noexcept;

enum class RowStatus : std::uint8_t { ok, failed, skipped };

std::string_view status_name(RowStatus status) noexcept;
std::optional<RowStatus> status_from_name(std::string_view name) noexcept;

// Tokens as the provider counted them: `input` includes cached ones, `output` includes reasoning.
struct Usage {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_tokens = 0;
};

// What became of one of a row's steps, or of one of the models that it was asked of to compare
// them.
struct StepOutcome {
  std::uint32_t step = 0;                 // from 0
  RowFailure failure = RowFailure::none;  // none: it has its answer
  std::string output;
  std::string message;          // why it failed, for people; no secrets
  std::int64_t latency_ms = 0;  // of the last attempt
  // Of all its answers that no outcome of the row before this one has counted.
  Usage usage;
  std::optional<std::int64_t> cost_micro_usd;  // nullopt: the model has no known price
};

// What became of one row. Normal, counted, stored; never thrown.
struct [[nodiscard]] Outcome {
  std::uint64_t row_index = 0;
  RowStatus status = RowStatus::ok;
  RowFailure failure = RowFailure::none;
  int http_status = 0;  // of the last response, 0 when there was none
  std::uint32_t attempts = 0;
  std::int64_t latency_ms = 0;                 // of the last attempt
  std::optional<std::int64_t> cost_micro_usd;  // nullopt: the model has no known price
  Usage usage;
  std::string output;
  std::string message;     // why it failed, for people; no secrets
  std::string request_id;  // the provider's name for the last request
  std::string row_id;      // of --id-column
  // In their order, without those that were left out; empty in jobs that do not keep them.
  std::vector<StepOutcome> steps;
};

}  // namespace batchllm
