// SPDX-License-Identifier: Apache-2.0
#include "core/result_columns.h"

#include "core/error.h"
#include "core/float_vector.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

// "bad_request: HTTP 400: …", the reason of a failed row in one text.
void append_error(std::string& out, const Outcome& outcome) {
  out += failure_name(outcome.failure);
  if (!outcome.message.empty()) {
    out += ": ";
    out += outcome.message;
  }
}

std::string usd_decimal(std::int64_t micro_usd) {
  return fmt::format("{}.{:06}", micro_usd / 1'000'000, micro_usd % 1'000'000);
}

}  // namespace

ResultColumns::ResultColumns(std::string output_column,
                             std::shared_ptr<const AnswerForm> form,
                             bool with_meta,
                             bool with_error,
                             const std::vector<std::string>& input_columns,
                             AnswerKind kind)
    : form_(std::move(form)),
      kind_(kind),
      with_meta_(with_meta),
      with_error_(with_meta || with_error) {
  const auto add = [&](std::string name) {
    if (std::find(input_columns.begin(), input_columns.end(), name) != input_columns.end()) {
      name = output_column + "_" + name;
    }
    names_.push_back(std::move(name));
  };
  if (form_ != nullptr && !form_->columns().empty()) {
    fields_.emplace(*form_);
    names_ = form_->columns();
  } else {
    names_.push_back(output_column);
  }
  if (with_meta_) {
    add("status");
  }
  if (with_error_) {
    add("error");
  }
  if (with_meta_) {
    for (const char* name :
         {"input_tokens", "output_tokens", "cost_usd", "latency_ms", "attempts"}) {
      add(name);
    }
  }
  texts_.resize(8);
}

std::string_view ResultColumns::number(std::string text) {
  std::string& kept = texts_[used_texts_++];
  kept = std::move(text);
  return kept;
}

NewCell ResultColumns::answer_cell(std::string_view output) {
  if (kind_ == AnswerKind::text) {
    return {output, CellKind::text};
  }
  if (!read_vector(output, vector_, vector_bytes_)) {
    throw Error(ErrorCode::job_corrupt, "a vector in the ledger cannot be read");
  }
  vector_json_.clear();
  append_vector_json(vector_json_, vector_);
  return {vector_json_, CellKind::json};
}

const std::vector<NewCell>& ResultColumns::cells(const Outcome& outcome) {
  cells_.clear();
  used_texts_ = 0;
  const bool ok = outcome.status == RowStatus::ok;
  if (fields_) {
    const auto& cells = fields_->read(ok ? std::string_view(outcome.output) : std::string_view{});
    cells_.assign(cells.begin(), cells.end());
  } else {
    cells_.push_back(ok ? answer_cell(outcome.output) : NewCell{});
  }
  if (with_meta_) {
    cells_.push_back({status_name(outcome.status), CellKind::text});
  }
  if (with_error_) {
    error_.clear();
    if (!ok) {
      append_error(error_, outcome);
    }
    cells_.push_back({ok ? std::string_view{} : std::string_view(error_), CellKind::text});
  }
  if (with_meta_) {
    const auto add = [this](std::string text) {
      cells_.push_back({number(std::move(text)), CellKind::json});
    };
    add(std::to_string(outcome.usage.input_tokens));
    add(std::to_string(outcome.usage.output_tokens));
    if (outcome.cost_micro_usd) {
      add(usd_decimal(*outcome.cost_micro_usd));
    } else {
      cells_.push_back({});
    }
    add(std::to_string(outcome.latency_ms));
    add(std::to_string(outcome.attempts));
  }
  return cells_;
}

}  // namespace batchllm
