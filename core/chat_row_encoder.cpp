// SPDX-License-Identifier: Apache-2.0
#include "core/chat_row_encoder.h"

#include "core/text.h"
#include "core/token_estimate.h"

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

// A message has a few tokens of its own besides its text, an image about a thousand.
constexpr std::int64_t k_tokens_per_message = 8;
constexpr std::int64_t k_tokens_per_image = 1500;

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
    names.push_back(name);
  }
}

}  // namespace

ChatRowEncoder::ChatRowEncoder(ChatTemplate chat,
                               std::optional<RowFilter> filter,
                               const Provider& provider)
    : chat_(std::move(chat)),
      filter_(std::move(filter)),
      provider_(provider) {}

void ChatRowEncoder::need_columns(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    add_once(needed_, name);
  }
}

std::vector<std::string> ChatRowEncoder::columns() const {
  std::vector<std::string> names = needed_;
  for (const auto& name : chat_.columns()) {
    add_once(names, name);
  }
  if (filter_) {
    for (const auto& name : filter_->columns()) {
      add_once(names, name);
    }
  }
  add_once(names, id_column_);
  add_once(names, image_column_);
  return names;
}

std::vector<std::string> ChatRowEncoder::warnings() const {
  std::vector<std::string> warnings = chat_.warnings();
  if (!chat_.uses_rows() && image_column_.empty()) {
    warnings.emplace_back(
        "the prompt names no column: every row is asked the same; {column} stands for its value");
  }
  return warnings;
}

void ChatRowEncoder::bind(const std::vector<std::string>& cells) {
  chat_.bind(cells);
  if (filter_) {
    filter_->bind(cells);
  }
  const auto cell_of = [&cells](const std::string& name) {
    const auto found = std::find(cells.begin(), cells.end(), name);
    return name.empty() || found == cells.end() ? k_no_cell
                                                : static_cast<std::size_t>(found - cells.begin());
  };
  id_cell_ = cell_of(id_column_);
  image_cell_ = cell_of(image_column_);
}

bool ChatRowEncoder::matches(const RowBatch& batch, std::size_t row) const {
  return !filter_ || filter_->matches(batch, row);
}

void ChatRowEncoder::encode(const RowBatch& batch, std::size_t row, RowTask& task) {
  chat_.render(batch, row, prompt_);
  if (id_cell_ != k_no_cell) {
    task.row_id = batch.row_cells(row)[id_cell_];
  }
  if (refuses_empty_texts_ && trim(prompt_.messages.back().text).empty()) {
    task.known_failure = RowFailure::bad_request;
    task.problem = "the text is empty";
    return;
  }
  std::int64_t tokens = 0;
  if (image_cell_ != k_no_cell) {
    const std::string_view cell = batch.row_cells(row)[image_cell_];
    if (!cell.empty()) {
      auto image = resolve_image_(batch.places[row], cell);
      if (!image) {
        task.known_failure = RowFailure::bad_request;
        task.problem = "image: " + image.error().message;
        return;
      }
      prompt_.image_url = std::move(*image);
      tokens += k_tokens_per_image;
    }
  }
  for (const auto& message : prompt_.messages) {
    tokens += k_tokens_per_message + estimate_tokens(message.text).upper;
  }
  task.estimated_tokens = tokens;
  provider_.encode(prompt_, task.body);
}

}  // namespace batchllm
