// SPDX-License-Identifier: Apache-2.0
// What a scan notes of a stretch of chunks, and the records made of it. Part of csv_scan_chunks.h,
// which says what must be defined before, and included by nothing else.
#pragma once

#include "adapters/csv/csv_scan.h"
#include "adapters/csv/csv_scan_mask.h"

#include <immintrin.h>

#include <array>

namespace batchllm {
namespace {

// What is found in the chunks of one stretch, before records are made of it. Whether a chunk ends a
// record cannot be predicted, so that asking each of them would cost more than going through those
// that do once all have been looked at.
struct Stretch {
  struct Part {
    CsvMask ends;  // of fields
    CsvMask record_ends;
    CsvMask inner_breaks;
    CsvMask doubled_quotes;
    // How many there were before the chunk.
    std::uint32_t end_count;
    std::uint32_t inner_break_count;
    std::uint32_t doubled_quote_count;
  };

  std::array<Part, k_csv_stretch_chunks> parts;
  // One bit for each chunk.
  CsvMask with_record_ends = 0;
  CsvMask with_doubled_quotes = 0;
  // In all chunks.
  std::uint32_t inner_break_count = 0;
  std::uint32_t doubled_quote_count = 0;
};

// Closes the records that end in the stretch from `begin` to `to`, whose positions are noted.
BATCHLLM_CSV_TARGET void close_records(
    CsvScan& scan, const Stretch& stretch, const char* data, std::size_t begin, std::size_t to) {
  CsvRecord* record = scan.records.data() + scan.record_count;
  auto record_begin = static_cast<std::uint32_t>(scan.record_begin);
  auto first_end = static_cast<std::uint32_t>(scan.open_first_end);
  auto first_quote = static_cast<std::uint32_t>(scan.open_first_inner_quote);
  const auto quotes_before =
      static_cast<std::uint32_t>(scan.inner_quote_count - stretch.doubled_quote_count);
  std::uint32_t breaks_before = 0 - scan.line_breaks;
  for (CsvMask chunks = stretch.with_record_ends; chunks != 0; chunks = _blsr_u64(chunks)) {
    const auto number = static_cast<std::size_t>(_tzcnt_u64(chunks));
    const auto& part = stretch.parts[number];
    for (CsvMask ends = part.record_ends; ends != 0; ends = _blsr_u64(ends)) {
      const CsvMask before = _blsmsk_u64(ends) >> 1;
      const auto count = [before](CsvMask mask) BATCHLLM_CSV_TARGET {
        return static_cast<std::uint32_t>(_mm_popcnt_u64(mask & before));
      };
      const std::size_t at = begin + number * k_csv_chunk_bytes + _tzcnt_u64(ends);
      const std::uint32_t breaks = part.inner_break_count + count(part.inner_breaks);
      const std::uint32_t behind_end = part.end_count + count(part.ends) + 1;
      *record++ = {record_begin,
                   static_cast<std::uint32_t>(at),
                   first_end,
                   behind_end - first_end,
                   breaks - breaks_before,
                   first_quote};
      const bool line_feed_follows = data[at] == '\r' && at + 1 < to && data[at + 1] == '\n';
      record_begin = static_cast<std::uint32_t>(at + (line_feed_follows ? 2 : 1));
      first_end = behind_end;
      first_quote = quotes_before + part.doubled_quote_count + count(part.doubled_quotes);
      breaks_before = breaks;
    }
  }
  scan.record_count = static_cast<std::size_t>(record - scan.records.data());
  scan.record_begin = record_begin;
  scan.open_first_end = first_end;
  scan.open_first_inner_quote = first_quote;
  scan.line_breaks = stretch.inner_break_count - breaks_before;
}

// Writes down where the doubled quotes are in the stretch from `begin` on.
BATCHLLM_CSV_TARGET void note_doubled_quotes(CsvScan& scan,
                                             const Stretch& stretch,
                                             std::size_t begin) {
  // A doubled quote is its position.
  static_assert(sizeof(CsvInnerQuote) == sizeof(std::uint32_t));
  auto* quote = reinterpret_cast<std::uint32_t*>(scan.inner_quotes.data()) + scan.inner_quote_count;
  for (CsvMask chunks = stretch.with_doubled_quotes; chunks != 0; chunks = _blsr_u64(chunks)) {
    const auto number = static_cast<std::size_t>(_tzcnt_u64(chunks));
    quote = put_positions(quote,
                          static_cast<std::uint32_t>(begin + number * k_csv_chunk_bytes),
                          stretch.parts[number].doubled_quotes);
  }
  scan.inner_quote_count += stretch.doubled_quote_count;
}

}  // namespace
}  // namespace batchllm
