// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_row_source.h"

#include "adapters/csv/csv_bad_row.h"
#include "adapters/csv/csv_header.h"
#include "adapters/csv/utf8_check.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

namespace batchllm {
namespace {

// A batch stays small enough for the cells of its rows to lie in the processor's cache.
constexpr std::size_t k_batch_rows = 1024;
constexpr int k_no_byte = 256;
constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

std::string character_name(char character) {
  switch (character) {
    case '\t':
      return "tab";
    case '\0':
      return "none";
    case ' ':
      return "space";
    default:
      return {character};
  }
}

// Makes room without touching what is there: a vector that is reused costs nothing.
template <typename T>
void grow(std::vector<T>& values, std::size_t size) {
  if (values.size() < size) {
    values.resize(size);
  }
}

std::uint32_t saturated(std::uint64_t length) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(length, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

CsvRowSource::CsvRowSource(CsvRecordReader reader,
                           const InputSettings& settings,
                           const CsvDialect& dialect)
    : reader_(std::move(reader)),
      dialect_(dialect),
      max_row_bytes_(settings.max_row_bytes),
      ragged_(settings.ragged),
      has_header_(settings.has_header) {
  read_columns(settings);
  selected_.resize(columns_.size());
  std::iota(selected_.begin(), selected_.end(), std::size_t{0});
  last_fields_ = columns_.size();
  facts_ = {{"format", dialect.delimiter == '\t' ? "tsv" : "csv"},
            {"delimiter", character_name(dialect.delimiter)},
            {"quote", character_name(dialect.quote)},
            {"header", settings.has_header ? "yes" : "no"}};
}

void CsvRowSource::read_columns(const InputSettings& settings) {
  std::vector<std::string> names;
  if (settings.has_header) {
    names = first_record_fields();
  } else {
    names = headerless_column_names(settings.columns, first_record_width());
  }
  if (names.empty()) {
    throw Error(ErrorCode::input_malformed,
                fmt::format("{}: the input is empty: there is no header", reader_.stream().name()),
                "give a file whose first line names its columns, or --no-header with --columns");
  }
  auto unique = unique_column_names(names);
  columns_ = std::move(unique.names);
  warnings_ = std::move(unique.renames);
}

// Fields of the first record that is not a blank line; it stays where it is, the lines go.
std::size_t CsvRowSource::first_record_width() {
  while (next_records()) {
    const CsvRecord& record = reader_.records()[next_record_];
    if (record.begin != record.end) {
      return record.fields;
    }
    ++next_record_;
    ++line_;
  }
  return 0;
}

// The header, which is the first record that is not a blank line.
std::vector<std::string> CsvRowSource::first_record_fields() {
  while (next_records()) {
    const CsvRecord record = reader_.records()[next_record_++];
    const std::uint64_t line = line_;
    line_ += record.line_breaks + 1;
    if (record.begin == record.end) {
      continue;
    }
    const auto raw = raw_record(record);
    if (!is_utf8(raw)) {
      throw Error(ErrorCode::input_malformed,
                  fmt::format("{}: line {}: the header is not UTF-8: {}",
                              reader_.stream().name(),
                              line,
                              csv_not_utf8_message(raw, reader_.base() + record.begin)),
                  "name the file's encoding with --encoding");
    }
    std::vector<std::string> names;
    for (std::size_t i = 0; i < record.fields; ++i) {
      names.emplace_back(reader_.value(record, i));
    }
    if (names.front().starts_with(k_byte_order_mark)) {
      names.front().erase(0, k_byte_order_mark.size());
    }
    return names;
  }
  return {};
}

// Makes sure that there is a record at `next_record_`; a runaway in front of it becomes a bad row
// later. False at the end of the input.
bool CsvRowSource::next_records() {
  while (next_record_ == reader_.records().size()) {
    next_record_ = 0;
    if (!reader_.advance()) {
      return false;
    }
    if (reader_.runaway()) {
      if (columns_.empty()) {
        throw Error(ErrorCode::input_malformed,
                    fmt::format("{}: line {}: the first record cannot be read: {}",
                                reader_.stream().name(),
                                line_,
                                csv_runaway_message(*reader_.runaway(), line_, max_row_bytes_)),
                    "repair that line, or give the file's quote with --quote");
      }
      return true;
    }
    const auto records = reader_.records();
    const char* const begin = reader_.data() + records.front().begin;
    check_each_row_ = !is_utf8_block(
        {begin, static_cast<std::size_t>(reader_.data() + records.back().end - begin)});
  }
  return true;
}

void CsvRowSource::select(const std::vector<std::string>& names) {
  std::vector<std::size_t> selected;
  for (const auto& name : names) {
    const auto found = std::find(columns_.begin(), columns_.end(), name);
    if (found == columns_.end()) {
      const auto nearest = nearest_name(name, columns_);
      throw Error(ErrorCode::column_missing,
                  fmt::format("{}: there is no column \"{}\"", reader_.stream().name(), name),
                  nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                          : fmt::format("its columns are {}", name_list(columns_)));
    }
    selected.push_back(static_cast<std::size_t>(found - columns_.begin()));
  }
  selected_ = std::move(selected);
  takes_all_columns_ =
      selected_.size() == columns_.size() &&
      std::adjacent_find(selected_.begin(), selected_.end(), std::greater_equal<>{}) ==
          selected_.end();
}

bool CsvRowSource::next_batch(RowBatch& batch) {
  batch.bad_rows.clear();
  batch.kinds.clear();
  batch.records.clear();
  batch.column_count = selected_.size();
  std::size_t rows = 0;
  while (rows == 0 && batch.bad_rows.empty()) {
    if (!next_records()) {
      end_runaway(batch);
      break;
    }
    if (reader_.runaway() && reader_.records().empty()) {
      end_runaway(batch);
      begin_runaway(*reader_.runaway());
      continue;
    }
    rows = add_rows(batch);
  }
  batch.places.resize(rows);
  batch.cells.resize(rows * batch.column_count);
  return !batch.empty();
}

// Turns records into rows and bad rows; returns how many rows.
std::size_t CsvRowSource::add_rows(RowBatch& batch) {
  const auto records = reader_.records().subspan(next_record_);
  const auto taken = records.first(std::min(records.size(), k_batch_rows));
  grow(batch.places, taken.size());
  grow(batch.cells, taken.size() * batch.column_count);
  std::size_t rows = 0;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (takes_all_columns_ && !check_each_row_ && !runaway_) [[likely]] {
      const std::size_t usual = add_usual(taken.subspan(i), batch, rows);
      rows += usual;
      i += usual;
      if (i == taken.size()) {
        break;
      }
    }
    add_any(taken[i], batch, rows);
    line_ += taken[i].line_breaks + 1;
  }
  next_record_ += taken.size();
  return rows;
}

// Makes rows of `records` up to the first that does not have as many fields as there are columns,
// for batches that take all columns; returns how many. Short, since all of the usual input goes
// through it.
std::size_t CsvRowSource::add_usual(std::span<const CsvRecord> records,
                                    RowBatch& batch,
                                    std::size_t rows) {
  char* const data = reader_.data();
  const std::size_t width = columns_.size();
  const std::uint64_t base = reader_.base();
  const int quote = dialect_.has_quote() ? dialect_.quote : k_no_byte;
  std::string_view* cell = batch.cells.data() + rows * width;
  RowPlace* place = batch.places.data() + rows;
  std::uint64_t line = line_;
  std::uint64_t row_index = row_index_;
  for (const auto& record : records) {
    if (record.fields != width) [[unlikely]] {
      break;
    }
    *place++ = {row_index++, line, base + record.begin, record.end - record.begin, 0};
    line += record.line_breaks + 1;
    const std::uint32_t* const ends = reader_.field_ends(record);
    const CsvInnerQuote* inner = reader_.inner_quotes(record);
    std::size_t begin = record.begin;
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t end = ends[i];
      // An empty field's first byte is the delimiter or line break behind it, never a quote.
      *cell++ = data[begin] == quote ? unquoted_csv_field(data, begin, end, inner)
                                     : std::string_view(data + begin, end - begin);
      begin = end + 1;
    }
  }
  const auto made = static_cast<std::size_t>(row_index - row_index_);
  last_fields_ = made > 0 ? width : last_fields_;
  line_ = line;
  row_index_ = row_index;
  return made;
}

void CsvRowSource::add_any(const CsvRecord& record, RowBatch& batch, std::size_t& rows) {
  if (record.fields == columns_.size() && !check_each_row_ && !runaway_) {
    add_row(record, batch, rows);
  } else {
    add_unusual(record, batch, rows);
  }
}

void CsvRowSource::add_row(const CsvRecord& record, RowBatch& batch, std::size_t& rows) {
  batch.places[rows] = place_of(record);
  fill_cells(record, batch.cells.data() + rows * batch.column_count);
  last_fields_ = record.fields;
  ++row_index_;
  ++rows;
}

void CsvRowSource::add_unusual(const CsvRecord& record, RowBatch& batch, std::size_t& rows) {
  if (record.begin == record.end && columns_.size() > 1) {
    return;
  }
  if (runaway_) {
    if (record.fields != columns_.size() && record.fields != last_fields_) {
      const auto end = reader_.base() + record.end;
      runaway_->place.byte_length = saturated(end - runaway_->place.byte_offset);
      return;
    }
    end_runaway(batch);
  }
  const auto raw = raw_record(record);
  if (check_each_row_ && !is_utf8(raw)) {
    add_bad(record, "not_utf8", csv_not_utf8_message(raw, reader_.base() + record.begin), batch);
  } else if (record.fields > columns_.size() && !has_only_empty_fields(record, columns_.size())) {
    add_bad(record, "too_many_fields", field_count_message(record), batch);
  } else if (record.fields < columns_.size() && ragged_ == RaggedPolicy::error) {
    add_bad(record, "too_few_fields", field_count_message(record), batch);
  } else {
    padded_rows_ += record.fields < columns_.size() ? 1 : 0;
    add_row(record, batch, rows);
  }
}

void CsvRowSource::fill_cells(const CsvRecord& record, std::string_view* cells) {
  for (const std::size_t column : selected_) {
    *cells++ = column < record.fields ? reader_.value(record, column) : std::string_view("", 0);
  }
}

// Spreadsheets like to end a row with delimiters too many.
bool CsvRowSource::has_only_empty_fields(const CsvRecord& record, std::size_t from) const {
  const std::uint32_t* const ends = reader_.field_ends(record);
  return ends[record.fields - 1] - ends[from - 1] == record.fields - from;
}

RowPlace CsvRowSource::place_of(const CsvRecord& record) const {
  return {row_index_, line_, reader_.base() + record.begin, record.end - record.begin, 0};
}

std::string_view CsvRowSource::raw_record(const CsvRecord& record) {
  return {reader_.data() + record.begin, record.end - record.begin};
}

std::string CsvRowSource::field_count_message(const CsvRecord& record) const {
  return fmt::format("the row has {}, {} {}",
                     count_noun(record.fields, "field"),
                     has_header_ ? "the header has" : "the first row has",
                     columns_.size());
}

void CsvRowSource::add_bad(const CsvRecord& record,
                           std::string reason,
                           std::string message,
                           RowBatch& batch) {
  batch.bad_rows.push_back({place_of(record),
                            std::move(reason),
                            std::move(message),
                            std::string(raw_record(record).substr(0, BadRow::k_bad_row_bytes))});
  ++row_index_;
}

void CsvRowSource::begin_runaway(const CsvRunaway& runaway) {
  BadRow bad;
  bad.place = {row_index_, line_, runaway.byte_offset, saturated(runaway.byte_length), 0};
  bad.reason = runaway.in_quotes ? "unclosed_quote" : "too_long";
  bad.message = csv_runaway_message(runaway, line_, max_row_bytes_);
  bad.raw = runaway.raw;
  runaway_ = std::move(bad);
  ++row_index_;
  line_ += runaway.lines;
}

void CsvRowSource::end_runaway(RowBatch& batch) {
  if (runaway_) {
    batch.bad_rows.push_back(std::move(*runaway_));
    runaway_.reset();
  }
}

std::optional<double> CsvRowSource::fraction_read() const {
  const auto fetched = reader_.stream().fraction_read();
  const auto records = reader_.records();
  if (!fetched || next_record_ == 0 || next_record_ > records.size()) {
    return fetched;
  }
  // Of what was fetched, only what was handed out counts: in a small file everything is in the
  // buffer long before its rows are.
  const auto handed_out = static_cast<double>(reader_.base() + records[next_record_ - 1].end);
  return *fetched * handed_out / static_cast<double>(reader_.bytes_fetched());
}

void CsvRowSource::seek(const RowPlace& place) {
  reader_.seek(place.byte_offset);
  next_record_ = 0;
  row_index_ = place.row_index;
  line_ = place.line;
  runaway_.reset();
}

std::unique_ptr<CsvRowSource> open_csv(std::unique_ptr<ByteStream> stream,
                                       const InputSettings& settings,
                                       bool tab_separated) {
  CsvRecordReader reader(std::move(stream), settings.max_row_bytes);
  const bool knows_dialect = settings.quote && (settings.delimiter || tab_separated);
  const auto sample = reader.peek(knows_dialect ? 1 : k_dialect_sample_bytes);
  const auto dialect = detect_csv_dialect(sample, reader.peeked_all(), settings, tab_separated);
  reader.set_dialect(dialect);
  return std::make_unique<CsvRowSource>(std::move(reader), settings, dialect);
}

}  // namespace batchllm
