// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/csv/csv_scan.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace batchllm {

// Cuts CSV text into records and fields without copying or changing it. The text lies in a buffer
// of the caller, who may add to its end, and drop what was read from its beginning, between two
// calls; nothing is looked at twice. Every record is there, blank lines included. Not thread-safe.
class CsvSplitter {
 public:
  // Buffers are at most this long.
  static constexpr std::size_t k_max_buffer_bytes = (std::size_t{1} << 31) - 1;

  explicit CsvSplitter(const CsvDialect& dialect, CsvScanner scanner = CsvScanner::automatic);

  // Goes on to byte `to` of the buffer.
  void scan(const char* data, std::size_t to);

  // Makes what is left at the end of the input the last record. False when a quoted field is still
  // open there: then nothing changes.
  bool finish();

  // Complete records, in order, and the ends of their fields.
  std::span<const CsvRecord> records() const noexcept {
    return {scan_.records.data(), scan_.record_count};
  }

  const std::uint32_t* field_ends(const CsvRecord& record) const noexcept {
    return scan_.ends.data() + record.first_end;
  }

  // Those of a record and all further ones; `CsvInnerQuote::none()` is behind the last.
  const CsvInnerQuote* inner_quotes(const CsvRecord& record) const noexcept {
    return scan_.inner_quotes.data() + record.first_inner_quote;
  }

  // The value of one field of a complete record: quotes removed, doubled ones made single. Once
  // only: the bytes of the field are rewritten in place when it has inner quotes.
  std::string_view value(char* data, const CsvRecord& record, std::size_t field) const;

  // One field as it stands in the buffer, quotes included.
  std::string_view raw_field(const char* data, const CsvRecord& record, std::size_t field) const {
    const std::uint32_t* const ends = field_ends(record);
    const std::size_t begin = field == 0 ? record.begin : ends[field - 1] + std::size_t{1};
    return {data + begin, ends[field] - begin};
  }

  // Forgets the complete records.
  void drop_records();

  // The caller has removed `bytes` from the buffer's beginning; there must be no complete records.
  void shift(std::size_t bytes);

  // Forgets the unfinished record; the next one begins at `position`. `after_return`: the byte
  // before is a carriage return that ended a line.
  void restart(std::size_t position, bool after_return = false);

  std::size_t position() const noexcept { return scan_.position; }

  // The unfinished record: where it begins, where its last field begins, what the scan is in.
  std::size_t record_begin() const noexcept { return scan_.record_begin; }

  std::size_t field_begin() const noexcept {
    return scan_.open_fields() == 0 ? scan_.record_begin
                                    : scan_.ends[scan_.end_count - 1] + std::size_t{1};
  }

  bool in_quotes() const noexcept { return scan_.state == CsvFieldState::quoted; }

 private:
  void end_inner_quotes();

  CsvScan scan_;
  CsvDialect dialect_;
  CsvScanFunction scan_function_;
};

// The value of the quoted field from `begin` to `end`, see `CsvSplitter::value`. `inner` is the
// first inner quote behind `begin`, and afterwards the first one behind the field.
std::string_view remove_inner_quotes(char* data,
                                     std::size_t begin,
                                     std::size_t end,
                                     const CsvInnerQuote*& inner) noexcept;

inline std::string_view unquoted_csv_field(char* data,
                                           std::size_t begin,
                                           std::size_t end,
                                           const CsvInnerQuote*& inner) noexcept {
  return inner->position() >= end ? std::string_view(data + begin + 1, end - begin - 2)
                                  : remove_inner_quotes(data, begin, end, inner);
}

}  // namespace batchllm
