// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/chat_template.h"
#include "core/provider.h"
#include "core/result.h"
#include "core/row_encoder.h"
#include "core/row_filter.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Turns the cell of an image column into what a request holds: a URL. Failure: why it cannot.
using ResolveImage =
    std::function<Result<std::string>(const RowPlace& place, std::string_view cell)>;

// What the file that a cell names is to a prompt: a text in the place of its name, or a part of its
// own.
struct CellDocument {
  std::string text;
  std::optional<Attachment> part;
};

using ResolveDocument =
    std::function<Result<CellDocument>(const RowPlace& place, std::string_view cell)>;

// Renders a row's chat messages and encodes them for a provider.
class ChatRowEncoder final : public RowEncoder {
 public:
  // `provider` outlives the encoder. An empty name: no id column.
  ChatRowEncoder(ChatTemplate chat, std::optional<RowFilter> filter, const Provider& provider);

  void set_id_column(std::string name) { id_column_ = std::move(name); }

  void set_image_columns(std::vector<std::string> names, ResolveImage resolve) {
    image_columns_ = std::move(names);
    resolve_image_ = std::move(resolve);
  }

  // In prompts these columns are the texts of the files that their cells name. One that no prompt
  // speaks of is put behind what the user says last.
  void set_document_columns(std::vector<std::string> names, ResolveDocument resolve) {
    document_columns_ = std::move(names);
    resolve_document_ = std::move(resolve);
  }

  // A row whose last message is blank is not asked: it fails. For embeddings.
  void refuse_empty_texts() { refuses_empty_texts_ = true; }

  // Columns that are needed besides those of the templates (for results that are written from the
  // batches read here).
  void need_columns(const std::vector<std::string>& names);

  std::vector<std::string> columns() const override;
  void bind(const std::vector<std::string>& cells) override;
  bool matches(const RowBatch& batch, std::size_t row) const override;
  void encode(const RowBatch& batch, std::size_t row, RowTask& task) override;

  // Things that are allowed and probably not meant, as sentences.
  std::vector<std::string> warnings() const;

  // The rendered messages of the row that was encoded last.
  const Prompt& prompt() const noexcept { return prompt_; }

 private:
  static constexpr std::size_t k_no_cell = static_cast<std::size_t>(-1);

  struct DocumentCell {
    std::size_t cell;
    bool is_in_prompt;
  };

  bool read_documents(const RowBatch& batch, std::size_t row, RowTask& task);
  bool add_images(const RowBatch& batch, std::size_t row, RowTask& task);
  void add_documents(RowTask& task);

  ChatTemplate chat_;
  std::optional<RowFilter> filter_;
  const Provider& provider_;
  std::string id_column_;
  std::vector<std::string> image_columns_;
  ResolveImage resolve_image_;
  std::vector<std::string> document_columns_;
  ResolveDocument resolve_document_;
  bool refuses_empty_texts_ = false;
  std::vector<std::string> needed_;
  std::size_t id_cell_ = k_no_cell;
  std::vector<std::size_t> image_cells_;
  std::vector<DocumentCell> document_cells_;
  std::vector<CellDocument> documents_;  // of the row that is encoded
  RowBatch with_documents_;              // that row, with texts in the place of names
  Prompt prompt_;
};

}  // namespace batchllm
