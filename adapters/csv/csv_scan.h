// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/csv/csv_dialect.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace batchllm {

// One record found in a buffer. Positions count bytes from the buffer's beginning. Its fields end
// at `fields` entries of the field ends from `first_end` on; the first begins where the record
// does, each other one behind the end of the one before. Its inner quotes are those from
// `first_inner_quote` on.
struct CsvRecord {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  // without the line ending
  std::uint32_t first_end = 0;
  std::uint32_t fields = 0;
  std::uint32_t line_breaks = 0;  // inside the record: in quoted fields
  std::uint32_t first_inner_quote = 0;
};

// A quote inside of a quoted field that is no part of its value: the second half of a doubled one,
// or a closing one with text behind it. Noted while scanning, so that nobody need look for it.
class CsvInnerQuote {
 public:
  CsvInnerQuote() = default;

  static CsvInnerQuote doubled(std::uint32_t at) { return CsvInnerQuote(at); }

  static CsvInnerQuote closing(std::uint32_t at) { return CsvInnerQuote(at | k_closing); }

  // Behind all positions that a buffer has.
  static CsvInnerQuote none() { return CsvInnerQuote(~std::uint32_t{0}); }

  std::uint32_t position() const noexcept { return value_ & ~k_closing; }

  bool is_closing() const noexcept { return (value_ & k_closing) != 0; }

  void shift(std::uint32_t bytes) noexcept { value_ -= bytes; }

 private:
  static constexpr std::uint32_t k_closing = std::uint32_t{1} << 31;

  explicit CsvInnerQuote(std::uint32_t value) : value_(value) {}

  std::uint32_t value_ = 0;
};

// Where a scan stands inside of a record.
enum class CsvFieldState : std::uint8_t {
  start,       // at the first byte of a field
  unquoted,    // in text where quotes mean nothing
  quoted,      // between quotes
  quote_seen,  // behind a quote inside of a quoted field: its end, or the first half of a doubled
               // one
};

// What a scan has found and where it stands: everything that one scanner leaves for the next, at
// any byte. All scanners work on it, and give the same result for the same bytes however they are
// cut.
struct CsvScan {
  // Begins a record at `start`, forgetting the unfinished one.
  void restart(std::size_t start);

  // Room for what `bytes` bytes can hold at most.
  void reserve(std::size_t bytes);

  void close_field(std::size_t at) noexcept { ends[end_count++] = static_cast<std::uint32_t>(at); }

  void note_inner_quote(CsvInnerQuote quote) noexcept { inner_quotes[inner_quote_count++] = quote; }

  // Ends the record before the line break (or the end of the input) at `at`; the next one begins at
  // `next`.
  void close_record(std::size_t at, std::size_t next) noexcept;

  std::size_t open_fields() const noexcept { return end_count - open_first_end; }

  // A line feed right behind a carriage return that ended a record belongs to that line ending.
  void swallow_line_feed(const char* data, std::size_t to) noexcept;

  std::vector<CsvRecord> records;  // the first `record_count` are valid; the rest is room
  std::size_t record_count = 0;
  std::vector<std::uint32_t> ends;  // of fields, likewise
  std::size_t end_count = 0;
  std::vector<CsvInnerQuote> inner_quotes;  // likewise
  std::size_t inner_quote_count = 0;

  std::size_t position = 0;                // the first byte that was not looked at
  std::size_t record_begin = 0;            // of the unfinished record
  std::size_t open_first_end = 0;          // its first field end
  std::size_t open_first_inner_quote = 0;  // likewise
  std::uint32_t line_breaks = 0;           // in it
  CsvFieldState state = CsvFieldState::start;
  bool after_return = false;  // the last byte was a carriage return
};

// Goes on from `scan.position` to `to`. The rules are those of Python's csv module: a quote is
// special at the start of a field only, a doubled one inside of a quoted field stands for one, text
// behind the closing quote belongs to the field. LF, CR and CRLF end a record.
using CsvScanFunction = void (*)(CsvScan& scan,
                                 const CsvDialect& dialect,
                                 const char* data,
                                 std::size_t to);

enum class CsvScanner { automatic, plain, avx2, avx512 };

// What the processor at hand can run; `automatic` is the fastest of those.
bool has_csv_scanner(CsvScanner scanner) noexcept;
CsvScanFunction csv_scan_function(CsvScanner scanner) noexcept;

// Byte by byte.
void scan_csv_plain(CsvScan& scan, const CsvDialect& dialect, const char* data, std::size_t to);

// 64 bytes at a time where quotes are well-formed. Only on processors that have the instructions;
// null when the program was built for another kind of processor.
extern const CsvScanFunction k_csv_scan_avx2;
extern const CsvScanFunction k_csv_scan_avx512;

}  // namespace batchllm
