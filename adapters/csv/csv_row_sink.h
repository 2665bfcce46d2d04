// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_sink.h"
#include "core/row_sink.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm {

// Writes rows as RFC 4180 has them, with LF line ends: a field is quoted when it holds the
// delimiter, a quote or a line break, or when it is empty and alone in its row (which would read as
// a blank line).
//
// `escape_formulas` puts an apostrophe before cells, the input's and the added ones, that a
// spreadsheet would run: those that begin with = + - @ TAB or CR. Plain numbers (-5, +3.2) stay as
// they are.
class CsvRowSink final : public RowSink {
 public:
  // `write_header` false: for appending to a file that has one.
  CsvRowSink(std::unique_ptr<ByteSink> sink,
             char delimiter,
             bool escape_formulas,
             bool write_header = true);

  void begin(const std::vector<std::string>& input_columns,
             const std::vector<std::string>& new_columns) override;
  void write(const RowBatch& batch, std::size_t row, std::span<const NewCell> added) override;
  void flush() override;
  void finish() override;

 private:
  void append_cell(std::string_view text);
  void append_field(std::string_view text, bool apostrophe);
  void end_row();
  void hand_over();

  std::unique_ptr<ByteSink> sink_;
  char delimiter_;
  bool escape_formulas_;
  bool write_header_;
  bool at_row_start_ = true;
  std::size_t row_begin_ = 0;  // in buffer_
  std::string buffer_;
};

}  // namespace batchllm
