// SPDX-License-Identifier: Apache-2.0
// The scan of 64 bytes at a time, without its instructions: included by one file for each set of
// vector instructions, and by nothing else. Before that, the file defines
//   BATCHLLM_CSV_TARGET  the attribute of functions that use them,
// and in an unnamed namespace of batchllm
//   Byte                 one byte, repeated,
//   Chunk                k_csv_chunk_bytes bytes,
//   repeated(char)       makes a Byte,
//   load(const char*)    makes a Chunk,
//   equal(Chunk, Byte)   a CsvMask of the bytes that are the same,
//   put_positions(std::uint32_t* target, std::uint32_t base, CsvMask mask)
//                        writes base + i for each bit i that is set and returns the place behind;
//                        may write up to 16 entries more.
#pragma once

#include "adapters/csv/csv_scan.h"
#include "adapters/csv/csv_scan_mask.h"
#include "adapters/csv/csv_scan_stretch.h"

#include <immintrin.h>

#include <algorithm>

namespace batchllm {
namespace {

// Bit i of the result is the parity of bits 0 to i: set from each opening quote up to, and without,
// the closing one.
BATCHLLM_CSV_TARGET inline CsvMask prefix_parity(CsvMask bits) {
  const __m128i product = _mm_clmulepi64_si128(
      _mm_set_epi64x(0, static_cast<long long>(bits)), _mm_set1_epi8(static_cast<char>(0xFF)), 0);
  return static_cast<CsvMask>(_mm_cvtsi128_si64(product));
}

// `bits` moved one byte on, `before` being the bit that comes in.
inline CsvMask shifted(CsvMask bits, CsvMask before) {
  return (bits << 1) | before;
}

// What one chunk leaves for the next, each 0 or 1 but `quoted`, which is 0 or all ones.
struct Carry {
  CsvMask quoted = 0;
  CsvMask may_open = 0;     // a quote now opens a field or is the second half of a doubled one
  CsvMask after_quote = 0;  // behind a closing quote: only an end or another quote may follow
  CsvMask after_return = 0;
};

Carry carry_of(const CsvScan& scan) {
  Carry carry;
  carry.quoted = scan.state == CsvFieldState::quoted ? ~CsvMask{0} : 0;
  carry.after_quote = scan.state == CsvFieldState::quote_seen ? 1 : 0;
  carry.may_open = scan.state == CsvFieldState::start ? 1 : carry.after_quote;
  carry.after_return = scan.after_return ? 1 : 0;
  return carry;
}

CsvFieldState state_of(const Carry& carry) {
  if (carry.quoted != 0) {
    return CsvFieldState::quoted;
  }
  if (carry.after_quote != 0) {
    return CsvFieldState::quote_seen;
  }
  return carry.may_open != 0 ? CsvFieldState::start : CsvFieldState::unquoted;
}

// Scans whole chunks up to `to`, one stretch at most, or to one whose quotes are not well-formed;
// true in the first case. There is room for what they hold.
BATCHLLM_CSV_TARGET bool scan_stretch(CsvScan& scan,
                                      const CsvDialect& dialect,
                                      const char* data,
                                      std::size_t to) {
  const Byte quote = repeated(dialect.quote);
  const Byte delimiter = repeated(dialect.delimiter);
  const Byte line_feed = repeated('\n');
  const Byte carriage_return = repeated('\r');
  const CsvMask quote_enabled = dialect.has_quote() ? ~CsvMask{0} : 0;
  Carry carry = carry_of(scan);
  Stretch stretch;
  Stretch::Part* part = stretch.parts.data();
  CsvMask bit = 1;  // of the chunk
  const std::uint32_t* const ends = scan.ends.data();
  std::uint32_t* end = scan.ends.data() + scan.end_count;
  std::size_t position = scan.position;
  bool well_formed = true;
  for (; position + k_csv_chunk_bytes <= to; position += k_csv_chunk_bytes) {
    const Chunk chunk = load(data + position);
    const CsvMask quotes = equal(chunk, quote) & quote_enabled;
    const CsvMask delimiters = equal(chunk, delimiter);
    const CsvMask line_feeds = equal(chunk, line_feed);
    const CsvMask returns = equal(chunk, carriage_return);
    const CsvMask breaks = returns | (line_feeds & ~shifted(returns, carry.after_return));
    if ((quotes | carry.quoted | carry.after_quote) == 0) {
      // Most files have few quotes or many: this is foreseen by the processor.
      part->ends = delimiters | breaks;
      part->end_count = static_cast<std::uint32_t>(end - ends);
      end = put_positions(end, static_cast<std::uint32_t>(position), part->ends);
      part->record_ends = breaks;
      part->inner_breaks = 0;
      part->doubled_quotes = 0;
      part->inner_break_count = stretch.inner_break_count;
      part->doubled_quote_count = stretch.doubled_quote_count;
      stretch.with_record_ends |= breaks != 0 ? bit : 0;
      bit <<= 1;
      ++part;
      carry.may_open = (delimiters | line_feeds | returns) >> 63;
      carry.after_return = returns >> 63;
      continue;
    }
    const CsvMask quoted = prefix_parity(quotes) ^ carry.quoted;
    const CsvMask closing = quotes & ~quoted;
    const CsvMask behind_closing = shifted(closing, carry.after_quote);
    const CsvMask ends_or_quotes = delimiters | line_feeds | returns | quotes;
    const CsvMask stray_opening = quotes & quoted & ~shifted(ends_or_quotes, carry.may_open);
    const CsvMask stray_closing = behind_closing & ~ends_or_quotes;
    if ((stray_opening | stray_closing) != 0) [[unlikely]] {
      well_formed = false;
      break;
    }
    // A line feed behind a carriage return is one line break with it.
    part->ends = (delimiters | breaks) & ~quoted;
    part->end_count = static_cast<std::uint32_t>(end - ends);
    end = put_positions(end, static_cast<std::uint32_t>(position), part->ends);
    part->record_ends = breaks & ~quoted;
    part->inner_breaks = breaks & quoted;
    part->doubled_quotes = quotes & behind_closing;
    part->inner_break_count = stretch.inner_break_count;
    part->doubled_quote_count = stretch.doubled_quote_count;
    stretch.inner_break_count += static_cast<std::uint32_t>(_mm_popcnt_u64(part->inner_breaks));
    stretch.doubled_quote_count += static_cast<std::uint32_t>(_mm_popcnt_u64(part->doubled_quotes));
    stretch.with_record_ends |= part->record_ends != 0 ? bit : 0;
    stretch.with_doubled_quotes |= part->doubled_quotes != 0 ? bit : 0;
    bit <<= 1;
    ++part;
    carry.quoted = (quoted >> 63) != 0 ? ~CsvMask{0} : 0;
    carry.may_open = ends_or_quotes >> 63;
    carry.after_quote = closing >> 63;
    carry.after_return = returns >> 63;
  }
  scan.end_count = static_cast<std::size_t>(end - scan.ends.data());
  note_doubled_quotes(scan, stretch, scan.position);
  close_records(scan, stretch, data, scan.position, to);
  scan.position = position;
  scan.state = state_of(carry);
  scan.after_return = carry.after_return != 0;
  return well_formed;
}

void scan_csv_chunks(CsvScan& scan, const CsvDialect& dialect, const char* data, std::size_t to) {
  scan.swallow_line_feed(data, to);
  while (scan.position + k_csv_chunk_bytes <= to) {
    // Short stretches: room for the worst case stays small.
    const std::size_t bytes =
        std::min(to - scan.position, k_csv_stretch_chunks * k_csv_chunk_bytes);
    scan.reserve(bytes);
    if (!scan_stretch(scan, dialect, data, scan.position + bytes)) {
      // Parity says nothing about stray quotes: this chunk is read byte by byte.
      scan_csv_plain(scan, dialect, data, scan.position + k_csv_chunk_bytes);
    }
    scan.swallow_line_feed(data, to);
  }
  scan_csv_plain(scan, dialect, data, to);
}

}  // namespace
}  // namespace batchllm
