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
// A page of a PDF has a few thousand tokens and about as many bytes, in base64 more.
constexpr std::int64_t k_bytes_per_token_of_document = 4;

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
  for (const auto& columns : {image_columns_, document_columns_}) {
    for (const auto& name : columns) {
      add_once(names, name);
    }
  }
  return names;
}

std::vector<std::string> ChatRowEncoder::warnings() const {
  std::vector<std::string> warnings = chat_.warnings();
  if (!chat_.uses_rows() && image_columns_.empty() && document_columns_.empty()) {
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
  image_cells_.clear();
  for (const auto& name : image_columns_) {
    image_cells_.push_back(cell_of(name));
  }
  document_cells_.clear();
  const auto& spoken_of = chat_.columns();
  for (const auto& name : document_columns_) {
    const bool is_in_prompt =
        std::find(spoken_of.begin(), spoken_of.end(), name) != spoken_of.end();
    document_cells_.push_back({cell_of(name), is_in_prompt});
  }
}

bool ChatRowEncoder::matches(const RowBatch& batch, std::size_t row) const {
  return !filter_ || filter_->matches(batch, row);
}

// Makes `with_documents_` the row with what its files say. False: the task has failed.
bool ChatRowEncoder::read_documents(const RowBatch& batch, std::size_t row, RowTask& task) {
  const auto cells = batch.row_cells(row);
  documents_.clear();
  with_documents_.clear();
  with_documents_.column_count = cells.size();
  with_documents_.cells.assign(cells.begin(), cells.end());
  for (std::size_t column = 0; column < cells.size(); ++column) {
    with_documents_.kinds.push_back(batch.cell_kind(row, column));
  }
  with_documents_.places.push_back(batch.places[row]);
  for (const DocumentCell& document : document_cells_) {
    auto read = resolve_document_(batch.places[row], cells[document.cell]);
    if (!read) {
      task.known_failure = RowFailure::bad_request;
      task.problem = read.error().message;
      return false;
    }
    documents_.push_back(std::move(*read));
  }
  for (std::size_t i = 0; i < documents_.size(); ++i) {
    const std::size_t cell = document_cells_[i].cell;
    with_documents_.cells[cell] = documents_[i].part ? std::string_view(documents_[i].part->name)
                                                     : std::string_view(documents_[i].text);
    with_documents_.kinds[cell] = CellKind::text;
  }
  return true;
}

// False: the task has failed.
bool ChatRowEncoder::add_images(const RowBatch& batch, std::size_t row, RowTask& task) {
  for (const std::size_t cell : image_cells_) {
    auto image = resolve_image_(batch.places[row], batch.row_cells(row)[cell]);
    if (!image) {
      task.known_failure = RowFailure::bad_request;
      task.problem = image.error().message;
      return false;
    }
    if (!image->empty()) {
      prompt_.attachments.push_back({Attachment::Kind::image, std::move(*image)});
      task.estimated_tokens += k_tokens_per_image;
    }
  }
  return true;
}

void ChatRowEncoder::add_documents(RowTask& task) {
  std::string* last = nullptr;
  for (auto& message : prompt_.messages) {
    last = message.role == "user" ? &message.text : last;
  }
  for (std::size_t i = 0; i < documents_.size(); ++i) {
    CellDocument& document = documents_[i];
    if (document.part) {
      task.estimated_tokens +=
          static_cast<std::int64_t>(document.part->url.size()) / k_bytes_per_token_of_document;
      prompt_.attachments.push_back(std::move(*document.part));
    } else if (!document_cells_[i].is_in_prompt && last != nullptr && !document.text.empty()) {
      last->append(last->empty() ? "" : "\n\n").append(document.text);
    }
  }
}

void ChatRowEncoder::encode(const RowBatch& batch, std::size_t row, RowTask& task) {
  if (id_cell_ != k_no_cell) {
    task.row_id = batch.row_cells(row)[id_cell_];
  }
  task.estimated_tokens = 0;
  if (document_cells_.empty()) {
    chat_.render(batch, row, prompt_);
  } else if (read_documents(batch, row, task)) {
    chat_.render(with_documents_, 0, prompt_);
    add_documents(task);
  } else {
    return;
  }
  if (refuses_empty_texts_ && trim(prompt_.messages.back().text).empty()) {
    task.known_failure = RowFailure::bad_request;
    task.problem = "the text is empty";
    return;
  }
  if (!add_images(batch, row, task)) {
    return;
  }
  for (const auto& message : prompt_.messages) {
    task.estimated_tokens += k_tokens_per_message + estimate_tokens(message.text).upper;
  }
  provider_.encode(prompt_, task.body);
}

}  // namespace batchllm
