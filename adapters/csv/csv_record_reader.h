// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/csv/csv_splitter.h"
#include "adapters/stream/byte_stream.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace batchllm {

// A record that does not end where it should: longer than the limit, or with a quote that is still
// open at the end of the input. It is taken to end at the first line break behind the quote that
// opened the field in question; the next record begins there.
struct CsvRunaway {
  std::uint64_t byte_offset = 0;
  std::uint64_t byte_length = 0;  // without the line ending
  std::uint64_t lines = 0;        // physical lines that it takes
  bool in_quotes = false;
  bool at_end_of_input = false;
  std::uint64_t quote_line = 0;  // lines between the record's first and the one with the open quote
  std::string raw;               // its beginning
};

// Reads a stream block by block and keeps the buffer in which its records lie. Takes about
// `max_row_bytes` and two blocks of memory at most. Not thread-safe.
class CsvRecordReader {
 public:
  CsvRecordReader(std::unique_ptr<ByteStream> stream,
                  std::size_t max_row_bytes,
                  CsvScanner scanner = CsvScanner::automatic);

  // The first bytes of the input, `wanted` or all there are; before the first `advance`.
  std::string_view peek(std::size_t wanted);

  bool peeked_all() const noexcept { return at_end_; }

  void set_dialect(const CsvDialect& dialect);

  // Forgets the records at hand and reads on. False at the end of the input; otherwise there are
  // records, or a runaway that comes before all further records.
  bool advance();

  std::span<const CsvRecord> records() const noexcept { return splitter_.records().first(count_); }

  // Where the fields of a record end; each but the first begins behind the end before.
  const std::uint32_t* field_ends(const CsvRecord& record) const noexcept {
    return splitter_.field_ends(record);
  }

  const CsvInnerQuote* inner_quotes(const CsvRecord& record) const noexcept {
    return splitter_.inner_quotes(record);
  }

  // The value of one field, for which its bytes in the buffer may be rewritten: once only.
  std::string_view value(const CsvRecord& record, std::size_t field) {
    return splitter_.value(buffer_.get(), record, field);
  }

  const std::optional<CsvRunaway>& runaway() const noexcept { return runaway_; }

  // The buffer. Its bytes may be changed within complete records. Followed by `k_padding` bytes
  // that may be read.
  char* data() noexcept { return buffer_.get(); }

  static constexpr std::size_t k_padding = 64;

  // Offset in the stream of the buffer's first byte.
  std::uint64_t base() const noexcept { return base_; }

  // Bytes of the stream that were read so far.
  std::uint64_t bytes_fetched() const noexcept { return base_ + size_; }

  // Goes on with a record that begins at `offset`, at or after the last record handed out.
  void seek(std::uint64_t offset);

  const ByteStream& stream() const noexcept { return *stream_; }

 private:
  struct FreeBuffer {
    void operator()(char* buffer) const noexcept;
  };

  using Buffer = std::unique_ptr<char[], FreeBuffer>;

  static Buffer make_buffer(std::size_t capacity);
  void read_block();
  void make_room();
  bool scan_and_finish();
  void hold_back_long_records();
  void resolve_runaway(std::size_t begin, bool at_end_of_input);
  void end_runaway_at_line_break(std::size_t from);

  std::unique_ptr<ByteStream> stream_;
  std::size_t max_row_bytes_;
  std::size_t block_bytes_;
  CsvScanner scanner_;
  CsvSplitter splitter_;
  Buffer buffer_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;  // bytes in the buffer
  std::uint64_t base_ = 0;
  bool at_end_ = false;       // of the stream
  std::size_t count_ = 0;     // of the splitter's records that may be seen
  bool long_record_ = false;  // the record behind those is too long
  std::optional<CsvRunaway> runaway_;
};

}  // namespace batchllm
