// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_splitter.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace batchllm {

CsvSplitter::CsvSplitter(const CsvDialect& dialect, CsvScanner scanner)
    : dialect_(dialect),
      scan_function_(csv_scan_function(scanner)) {}

void CsvSplitter::scan(const char* data, std::size_t to) {
  assert(to <= k_max_buffer_bytes);
  if (to <= scan_.position) {
    return;
  }
  scan_function_(scan_, dialect_, data, to);
  end_inner_quotes();
}

bool CsvSplitter::finish() {
  if (in_quotes()) {
    return false;
  }
  if (scan_.record_begin < scan_.position) {
    scan_.reserve(1);
    scan_.close_record(scan_.position, scan_.position);
    scan_.after_return = false;
    end_inner_quotes();
  }
  return true;
}

void CsvSplitter::end_inner_quotes() {
  scan_.reserve(1);
  scan_.inner_quotes[scan_.inner_quote_count] = CsvInnerQuote::none();
}

void CsvSplitter::drop_records() {
  const auto keep_open = [](auto& values, std::size_t& count, std::size_t& open) {
    std::copy(values.data() + open, values.data() + count, values.data());
    count -= open;
    open = 0;
  };
  keep_open(scan_.ends, scan_.end_count, scan_.open_first_end);
  keep_open(scan_.inner_quotes, scan_.inner_quote_count, scan_.open_first_inner_quote);
  scan_.record_count = 0;
}

void CsvSplitter::shift(std::size_t bytes) {
  assert(scan_.record_count == 0 && bytes <= scan_.record_begin);
  for (std::size_t i = 0; i < scan_.end_count; ++i) {
    scan_.ends[i] -= static_cast<std::uint32_t>(bytes);
  }
  for (std::size_t i = 0; i < scan_.inner_quote_count; ++i) {
    scan_.inner_quotes[i].shift(static_cast<std::uint32_t>(bytes));
  }
  scan_.position -= bytes;
  scan_.record_begin -= bytes;
}

void CsvSplitter::restart(std::size_t position, bool after_return) {
  scan_.restart(position);
  scan_.after_return = after_return;
}

std::string_view CsvSplitter::value(char* data, const CsvRecord& record, std::size_t field) const {
  const auto raw = raw_field(data, record, field);
  if (!dialect_.has_quote() || raw.empty() || raw.front() != dialect_.quote) {
    return raw;
  }
  const auto begin = static_cast<std::size_t>(raw.data() - data);
  const auto* inner = inner_quotes(record);
  if (inner->position() < begin) {
    const auto* const last = scan_.inner_quotes.data() + scan_.inner_quote_count;
    inner = std::partition_point(
        inner, last, [begin](CsvInnerQuote quote) { return quote.position() < begin; });
  }
  return unquoted_csv_field(data, begin, begin + raw.size(), inner);
}

std::string_view remove_inner_quotes(char* data,
                                     std::size_t begin,
                                     std::size_t end,
                                     const CsvInnerQuote*& inner) noexcept {
  // Everything behind the first one moves left over those that were removed.
  char* target = data + inner->position();
  bool has_closing_at_end = true;
  while (inner->position() < end) {
    has_closing_at_end = !inner->is_closing();
    const std::size_t source = inner->position() + std::size_t{1};
    ++inner;
    const std::size_t stop = std::min<std::size_t>(inner->position(), end);
    std::memmove(target, data + source, stop - source);
    target += stop - source;
  }
  const char* const text = data + begin + 1;
  return {text, static_cast<std::size_t>(target - text) - (has_closing_at_end ? 1 : 0)};
}

}  // namespace batchllm
