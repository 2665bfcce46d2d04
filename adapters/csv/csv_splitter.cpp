// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_splitter.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace batchllm {

CsvSplitter::CsvSplitter(const CsvDialect& dialect, CsvScanner scanner)
    : dialect_(dialect),
      use_avx2_(scanner != CsvScanner::plain && has_csv_scan_avx2()) {}

void CsvSplitter::scan(const char* data, std::size_t to) {
  assert(to <= k_max_buffer_bytes);
  if (to <= scan_.position) {
    return;
  }
  if (use_avx2_) {
    scan_csv_avx2(scan_, dialect_, data, to);
  } else {
    scan_csv_plain(scan_, dialect_, data, to);
  }
}

bool CsvSplitter::finish() {
  if (in_quotes()) {
    return false;
  }
  if (scan_.record_begin < scan_.position) {
    scan_.reserve(1);
    scan_.close_record(scan_.position, scan_.position);
    scan_.after_return = false;
  }
  return true;
}

void CsvSplitter::drop_records() {
  auto* const ends = scan_.ends.data();
  std::copy(ends + scan_.open_first_end, ends + scan_.end_count, ends);
  scan_.end_count -= scan_.open_first_end;
  scan_.open_first_end = 0;
  scan_.record_count = 0;
}

void CsvSplitter::shift(std::size_t bytes) {
  assert(scan_.record_count == 0 && bytes <= scan_.record_begin);
  for (std::size_t i = 0; i < scan_.end_count; ++i) {
    scan_.ends[i] -= static_cast<std::uint32_t>(bytes);
  }
  scan_.position -= bytes;
  scan_.record_begin -= bytes;
}

void CsvSplitter::restart(std::size_t position, bool after_return) {
  scan_.restart(position);
  scan_.after_return = after_return;
}

std::string_view unquote_csv_field(char* begin, char* end, char quote) noexcept {
  if (begin == end || *begin != quote || quote == '\0') {
    return {begin, static_cast<std::size_t>(end - begin)};
  }
  char* const text = begin + 1;
  const auto find_quote = [quote, end](char* from) {
    return static_cast<char*>(std::memchr(from, quote, static_cast<std::size_t>(end - from)));
  };
  char* source = find_quote(text);
  if (source == nullptr) {
    return {text, static_cast<std::size_t>(end - text)};
  }
  // Everything from here on moves left over the quotes that were removed.
  char* target = source;
  while (source + 1 < end && source[1] == quote) {
    *target++ = quote;
    source += 2;
    char* const next = find_quote(source);
    char* const stop = next == nullptr ? end : next;
    const auto length = static_cast<std::size_t>(stop - source);
    std::memmove(target, source, length);
    target += length;
    source = stop;
    if (next == nullptr) {
      return {text, static_cast<std::size_t>(target - text)};
    }
  }
  // `source` is the closing quote; what follows it is kept as it is.
  const auto rest = static_cast<std::size_t>(end - source) - 1;
  std::memmove(target, source + 1, rest);
  return {text, static_cast<std::size_t>(target - text) + rest};
}

}  // namespace batchllm
