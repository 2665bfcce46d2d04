// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/csv/csv_record_reader.h"
#include "core/input_settings.h"
#include "core/row_source.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

// Rows of one CSV or TSV input. Cells are text, unquoted, valid UTF-8; blank lines are not rows
// unless there is a single column. Rows that are too short are filled up with empty cells (or bad,
// as `settings.ragged` says), those with too many fields are bad unless all that is too much is
// empty.
//
// Reasons of bad rows: `too_few_fields`, `too_many_fields`, `not_utf8`, `too_long`,
// `unclosed_quote`. A record longer than `settings.max_row_bytes`, or with a quote that is never
// closed, costs one bad row: its first line, and those lines behind it that have another number of
// fields than rows have.
class CsvRowSource final : public RowSource {
 public:
  // `reader` has its dialect and stands at the first record. Throws Error(input_malformed) when the
  // header cannot be read, or there is none.
  CsvRowSource(CsvRecordReader reader, const InputSettings& settings, const CsvDialect& dialect);

  const std::vector<std::string>& columns() const override { return columns_; }

  bool is_open_ended() const override { return false; }

  void select(const std::vector<std::string>& names) override;
  bool next_batch(RowBatch& batch) override;
  void seek(const RowPlace& place) override;

  std::optional<double> fraction_read() const override;

  // What was found out: {"format","csv"}, {"delimiter",","}, {"quote","\""}, {"header","yes"}.
  const std::vector<std::pair<std::string, std::string>>& facts() const { return facts_; }

  // Columns that were renamed, in words.
  const std::vector<std::string>& warnings() const { return warnings_; }

  // Rows so far that had fewer fields than there are columns.
  std::uint64_t padded_rows() const { return padded_rows_; }

  std::optional<PrefixDigest> prefix_digest() const { return reader_.stream().prefix_digest(); }

  const ByteStream& stream() const { return reader_.stream(); }

 private:
  void read_columns(const InputSettings& settings);
  std::vector<std::string> first_record_fields();
  std::size_t first_record_width();
  bool next_records();
  std::size_t add_rows(RowBatch& batch);
  std::size_t add_usual(std::span<const CsvRecord> records, RowBatch& batch, std::size_t rows);
  void add_any(const CsvRecord& record, RowBatch& batch, std::size_t& rows);
  void add_row(const CsvRecord& record, RowBatch& batch, std::size_t& rows);
  void add_unusual(const CsvRecord& record, RowBatch& batch, std::size_t& rows);
  void fill_cells(const CsvRecord& record, std::string_view* cells);
  bool has_only_empty_fields(const CsvRecord& record, std::size_t from) const;
  RowPlace place_of(const CsvRecord& record) const;
  std::string_view raw_record(const CsvRecord& record);
  std::string field_count_message(const CsvRecord& record) const;
  void add_bad(const CsvRecord& record, std::string reason, std::string message, RowBatch& batch);
  void begin_runaway(const CsvRunaway& runaway);
  void end_runaway(RowBatch& batch);

  CsvRecordReader reader_;
  CsvDialect dialect_;
  std::size_t max_row_bytes_;
  RaggedPolicy ragged_;
  bool has_header_;
  std::vector<std::string> columns_;
  std::vector<std::size_t> selected_;  // columns that become cells
  bool takes_all_columns_ = true;      // those are all columns in order
  std::vector<std::pair<std::string, std::string>> facts_;
  std::vector<std::string> warnings_;
  std::size_t next_record_ = 0;  // of the reader's records
  std::uint64_t row_index_ = 0;  // of the next row
  std::uint64_t line_ = 1;       // of the next record
  std::size_t last_fields_ = 0;  // of the last good row
  std::uint64_t padded_rows_ = 0;
  bool check_each_row_ = false;    // the rows at hand are not all UTF-8
  std::optional<BadRow> runaway_;  // a bad row whose end is being looked for
};

// Opens `stream` as CSV: finds its dialect and reads its header. `tab_separated` when the name or
// the user says so. Throws Error(input_malformed | input_unreadable | usage).
std::unique_ptr<CsvRowSource> open_csv(std::unique_ptr<ByteStream> stream,
                                       const InputSettings& settings,
                                       bool tab_separated);

}  // namespace batchllm
