// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/outcome.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// The bytes of a ledger at rest; man/batchllm-files.5 is the same in words. A ledger is a text file
// of JSON objects, one a line. The last member of every line is "xxh3": XXH3 (64 bit, 16
// hexadecimal digits) of all bytes of the line before `,"xxh3"`. Members are added, never renamed
// or given another meaning; a reader passes over members it does not know.
//
//   {"ledger":1,"job":"job_…","shard":0,"first_row":0,…}            the first line
//   {"sent":[[ROW,ATTEMPT,MAX_COST],…],…}           these requests leave now; cost in micro-USD
//   {"ended":[[ROW,ATTEMPT,"FAILURE"],…],…}         these came back with a failure that may pass
//   {"answer":[ROW,ATTEMPT,STEP,"ok"],"output":"…",…}  a step of the row has its answer, and the
//                                                   row goes on; "invalid_answer": it is asked
//                                                   again; with "final":true: it has none, and the
//                                                   row goes on without
//   {"row":ROW,"status":"ok","output":"…",…}        the row has its outcome; a later one counts
inline constexpr int k_ledger_version = 1;

// Rows of a shard: a ledger file holds the rows [shard * k, (shard + 1) * k).
inline constexpr std::uint64_t k_rows_per_shard = 32'768;

struct SentRecord {
  std::uint64_t row_index = 0;
  std::uint32_t attempt = 0;
  std::int64_t max_cost_micro_usd = 0;
};

struct EndedRecord {
  std::uint64_t row_index = 0;
  std::uint32_t attempt = 0;
  RowFailure failure = RowFailure::none;
};

// An answer that is not yet the row's outcome: of a step before the last, or one that has not the
// form that was asked for and that the model is told so. Or that a step has failed, and that the
// row goes on without its answer.
struct StepAnswer {
  std::uint64_t row_index = 0;
  std::uint32_t attempt = 0;
  std::uint32_t step = 0;
  RowFailure failure = RowFailure::none;  // invalid_answer: asked again, unless it is final
  bool is_final = false;                  // of a failure
  std::string text;
  std::string message;          // of a final failure, for people; no secrets
  std::int64_t latency_ms = 0;  // of its last attempt
  Usage usage;
  std::optional<std::int64_t> cost_micro_usd;
};

// Each appends one line, with its checksum.
void append_header_line(std::string& out, std::string_view job_id, std::uint64_t shard);
void append_sent_line(std::string& out,
                      const std::vector<SentRecord>& records,
                      std::int64_t wall_ms);
void append_ended_line(std::string& out, const std::vector<EndedRecord>& records);
void append_answer_line(std::string& out, const StepAnswer& answer);
void append_outcome_line(std::string& out, const Outcome& outcome);

// Ends any JSON object line that was begun at `start` in `out` ("{…" without its brace) with the
// checksum, brace and line feed. For other files of the job that use the same framing.
void seal_line(std::string& out, std::size_t start);

// True when the line (without its line feed) carries a right checksum.
bool is_intact(std::string_view line) noexcept;

// What a line says at a glance, without a JSON parse: only for intact lines.
struct LineGlance {
  enum class Kind : std::uint8_t { header, sent, ended, answer, outcome, other };
  Kind kind = Kind::other;
  std::uint64_t row_index = 0;       // of an outcome
  RowStatus status = RowStatus::ok;  // of an outcome
};

LineGlance glance(std::string_view line) noexcept;

std::vector<SentRecord> read_sent_line(std::string_view line);
std::vector<EndedRecord> read_ended_line(std::string_view line);

// nullopt when the line is no answer of a step.
std::optional<StepAnswer> read_answer_line(std::string_view line);

// The whole outcome; nullopt when the line is no outcome.
std::optional<Outcome> read_outcome_line(std::string_view line);

// Finds the intact records in a stretch of bytes whose line breaks may be damaged. Calls `found`
// with the offset and text of each; returns how many stretches could not be read.
std::uint64_t salvage_records(std::string_view bytes,
                              const std::function<void(std::size_t, std::string_view)>& found);

}  // namespace batchllm
