// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_row_sink.h"

#include "core/text.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_buffer_bytes = std::size_t{64} << 10;

// One bit in each byte of a word.
constexpr std::uint64_t k_ones = 0x0101010101010101;
constexpr std::uint64_t k_high_bits = 0x8080808080808080;

// Not zero when a byte of `word` equals the byte that `pattern` repeats.
constexpr std::uint64_t has_byte(std::uint64_t word, std::uint64_t pattern) {
  const std::uint64_t difference = word ^ pattern;
  return (difference - k_ones) & ~difference & k_high_bits;
}

// Looks for bytes that need quotes around a field, eight at a time.
class SpecialBytes {
 public:
  explicit SpecialBytes(char delimiter)
      : delimiter_(delimiter),
        delimiters_(k_ones * static_cast<unsigned char>(delimiter)) {}

  bool in(std::string_view text) const {
    const char* bytes = text.data();
    std::size_t left = text.size();
    for (; left >= sizeof(std::uint64_t); bytes += 8, left -= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes, sizeof(word));
      if ((has_byte(word, delimiters_) | has_byte(word, k_ones * '"') |
           has_byte(word, k_ones * '\n') | has_byte(word, k_ones * '\r')) != 0) {
        return true;
      }
    }
    return std::any_of(bytes, bytes + left, [this](char byte) {
      return byte == delimiter_ || byte == '"' || byte == '\n' || byte == '\r';
    });
  }

 private:
  char delimiter_;
  std::uint64_t delimiters_;
};

bool begins_like_a_formula(std::string_view text) {
  constexpr std::string_view k_starts = "=+-@\t\r";
  return !text.empty() && k_starts.find(text.front()) != std::string_view::npos;
}

bool is_plain_number(std::string_view text) {
  // parse_number does not know the plus sign.
  return parse_number(text.front() == '+' ? text.substr(1) : text).has_value() &&
         text.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
}

}  // namespace

CsvRowSink::CsvRowSink(std::unique_ptr<ByteSink> sink,
                       char delimiter,
                       bool escape_formulas,
                       bool write_header)
    : sink_(std::move(sink)),
      delimiter_(delimiter),
      escape_formulas_(escape_formulas),
      write_header_(write_header) {
  buffer_.reserve(2 * k_buffer_bytes);
}

void CsvRowSink::begin(const std::vector<std::string>& input_columns,
                       const std::vector<std::string>& new_columns) {
  if (!write_header_) {
    return;
  }
  for (const auto* columns : {&input_columns, &new_columns}) {
    for (const auto& name : *columns) {
      append_cell(name);
    }
  }
  end_row();
}

void CsvRowSink::write(const RowBatch& batch, std::size_t row, std::span<const NewCell> added) {
  for (const auto& cell : batch.row_cells(row)) {
    append_cell(cell);
  }
  for (const auto& cell : added) {
    append_cell(cell.text);
  }
  end_row();
}

void CsvRowSink::append_cell(std::string_view text) {
  if (!at_row_start_) {
    buffer_ += delimiter_;
  }
  at_row_start_ = false;
  const bool apostrophe = escape_formulas_ && begins_like_a_formula(text) && !is_plain_number(text);
  append_field(text, apostrophe);
}

void CsvRowSink::append_field(std::string_view text, bool apostrophe) {
  if (text.empty()) {
    return;
  }
  if (!SpecialBytes(delimiter_).in(text)) {
    if (apostrophe) {
      buffer_ += '\'';
    }
    buffer_.append(text);
    return;
  }
  buffer_ += '"';
  if (apostrophe) {
    buffer_ += '\'';
  }
  while (true) {
    const std::size_t quote = text.find('"');
    buffer_.append(text.substr(0, quote));
    if (quote == std::string_view::npos) {
      break;
    }
    buffer_ += "\"\"";
    text.remove_prefix(quote + 1);
  }
  buffer_ += '"';
}

void CsvRowSink::end_row() {
  if (buffer_.size() == row_begin_) {
    buffer_ += "\"\"";
  }
  buffer_ += '\n';
  row_begin_ = buffer_.size();
  at_row_start_ = true;
  if (buffer_.size() >= k_buffer_bytes) {
    hand_over();
  }
}

void CsvRowSink::hand_over() {
  sink_->write(buffer_);
  buffer_.clear();
  row_begin_ = 0;
}

void CsvRowSink::flush() {
  hand_over();
  sink_->flush();
}

void CsvRowSink::finish() {
  hand_over();
  sink_->finish();
}

}  // namespace batchllm
