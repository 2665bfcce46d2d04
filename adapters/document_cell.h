// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/chat_row_encoder.h"
#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// The longest text of a file that becomes part of a prompt, in bytes.
constexpr std::size_t k_max_document_text = std::size_t{4} << 20;

// What the model takes of files that are no text: data of share/models.toml.
struct DocumentLimits {
  bool takes_pdf = false;
  std::uint64_t bytes = std::uint64_t{20} << 20;
  std::string model;  // for messages
};

// Turns a cell of --document-column, which names a file, into what the model gets: the text of a
// text file (whatever its name: txt, md, html, csv, json as they are; UTF-8, or UTF-16 by its
// mark), or a PDF where the model takes one. Which it is tells the content. Files are found as
// read_cell_file does. An empty cell is an empty text. The failure says what is wrong with this
// row's document, for Outcome::message.
Result<CellDocument> document_of_cell(std::string_view cell,
                                      const std::optional<std::string>& folder,
                                      const DocumentLimits& limits);

}  // namespace batchllm
