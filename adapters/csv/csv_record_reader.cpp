// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_record_reader.h"

#include "core/error.h"
#include "core/row_batch.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_block_bytes = std::size_t{256} << 10;
constexpr std::size_t k_smallest_block_bytes = std::size_t{4} << 10;
constexpr std::align_val_t k_alignment{4096};

// A small limit means small blocks: what is read again after a record that is too long stays in
// proportion to the limit.
std::size_t block_bytes_for(std::size_t max_row_bytes) {
  return std::clamp(4 * max_row_bytes, k_smallest_block_bytes, k_block_bytes);
}

// Line breaks in text that does not begin in the middle of one.
std::uint64_t count_line_breaks(std::string_view text) {
  std::uint64_t count = 0;
  char previous = '\0';
  for (const char byte : text) {
    count += byte == '\r' || (byte == '\n' && previous != '\r') ? 1 : 0;
    previous = byte;
  }
  return count;
}

bool is_line_break(char byte) {
  return byte == '\n' || byte == '\r';
}

}  // namespace

void CsvRecordReader::FreeBuffer::operator()(char* buffer) const noexcept {
  ::operator delete[](buffer, k_alignment);
}

CsvRecordReader::Buffer CsvRecordReader::make_buffer(std::size_t capacity) {
  return Buffer(static_cast<char*>(::operator new[](capacity + k_padding, k_alignment)));
}

CsvRecordReader::CsvRecordReader(std::unique_ptr<ByteStream> stream,
                                 std::size_t max_row_bytes,
                                 CsvScanner scanner)
    : stream_(std::move(stream)),
      max_row_bytes_(
          std::clamp<std::size_t>(max_row_bytes, 1, CsvSplitter::k_max_buffer_bytes / 4)),
      block_bytes_(block_bytes_for(max_row_bytes_)),
      scanner_(scanner),
      splitter_(CsvDialect{}, scanner),
      buffer_(make_buffer(2 * block_bytes_)),
      capacity_(2 * block_bytes_) {}

std::string_view CsvRecordReader::peek(std::size_t wanted) {
  while (size_ < wanted && !at_end_) {
    make_room();
    read_block();
  }
  return {buffer_.get(), size_};
}

void CsvRecordReader::set_dialect(const CsvDialect& dialect) {
  splitter_ = CsvSplitter(dialect, scanner_);
}

void CsvRecordReader::read_block() {
  const std::size_t read = stream_->read(buffer_.get() + size_, block_bytes_);
  at_end_ = read == 0;
  size_ += read;
  std::memset(buffer_.get() + size_, 0, k_padding);
}

// Room for one more block: the unfinished record goes to the front of the buffer, which grows when
// that record fills it, and shrinks again afterwards.
void CsvRecordReader::make_room() {
  const std::size_t begin = std::min(splitter_.record_begin(), size_);
  const std::size_t open = size_ - begin;
  const bool oversized = capacity_ > 2 * block_bytes_ && open <= block_bytes_ / 2;
  if (oversized || open + block_bytes_ > capacity_) {
    const std::size_t capacity =
        oversized ? 2 * block_bytes_
                  : std::min(2 * capacity_, std::max(capacity_, max_row_bytes_) + 2 * block_bytes_);
    Buffer bigger = make_buffer(capacity);
    std::memcpy(bigger.get(), buffer_.get() + begin, open);
    buffer_ = std::move(bigger);
    capacity_ = capacity;
  } else if (begin > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin, open);
  }
  if (begin > 0) {
    splitter_.shift(begin);
  }
  base_ += begin;
  size_ = open;
}

bool CsvRecordReader::advance() {
  runaway_.reset();
  if (long_record_) {
    const std::size_t begin = splitter_.records()[count_].begin;
    long_record_ = false;
    count_ = 0;
    resolve_runaway(begin, false);
    return true;
  }
  splitter_.drop_records();
  count_ = 0;
  while (true) {
    if (scan_and_finish()) {
      return true;
    }
    if (at_end_) {
      return false;
    }
    make_room();
    read_block();
  }
}

// Looks at what the buffer holds. True when there is something to hand out.
bool CsvRecordReader::scan_and_finish() {
  splitter_.scan(buffer_.get(), size_);
  const bool unclosed = at_end_ && !splitter_.finish();
  hold_back_long_records();
  if (count_ > 0 || long_record_) {
    return count_ > 0 || advance();
  }
  const std::size_t begin = splitter_.record_begin();
  const bool too_long = begin < size_ && size_ - begin > max_row_bytes_;
  if (too_long || unclosed) {
    resolve_runaway(begin, !too_long);
    return true;
  }
  return false;
}

void CsvRecordReader::hold_back_long_records() {
  const auto all = splitter_.records();
  count_ = all.size();
  if (count_ == 0 || all.back().end - all.front().begin <= max_row_bytes_) {
    return;
  }
  const auto* long_record =
      std::find_if(all.data(), all.data() + all.size(), [this](const auto& r) {
        return r.end - r.begin > max_row_bytes_;
      });
  count_ = static_cast<std::size_t>(long_record - all.data());
  long_record_ = count_ < all.size();
}

// Decides where the record at `begin`, which is too long or open at the end, is taken to end. What
// counts is the state of the scan at the limit, however much happens to be in the buffer.
void CsvRecordReader::resolve_runaway(std::size_t begin, bool at_end_of_input) {
  const std::size_t limit = at_end_of_input ? size_ : std::min(size_, begin + max_row_bytes_ + 1);
  splitter_.drop_records();
  splitter_.restart(begin);
  splitter_.scan(buffer_.get(), limit);
  CsvRunaway runaway;
  runaway.in_quotes = splitter_.in_quotes();
  runaway.at_end_of_input = at_end_of_input;
  runaway.byte_offset = base_ + begin;
  runaway.raw.assign(buffer_.get() + begin, std::min(limit - begin, BadRow::k_bad_row_bytes));
  // Taken literally, the quote that opened the field does not hide the next line break. Behind a
  // record that is too long without an open quote, any line break will do.
  const std::size_t from = runaway.in_quotes ? splitter_.field_begin() : limit;
  runaway.quote_line =
      runaway.in_quotes ? count_line_breaks({buffer_.get() + begin, from - begin}) : 0;
  runaway.lines = count_line_breaks({buffer_.get() + begin, from - begin}) + 1;
  runaway_ = std::move(runaway);
  end_runaway_at_line_break(from);
}

void CsvRecordReader::end_runaway_at_line_break(std::size_t from) {
  while (true) {
    const char* const data = buffer_.get();
    const char* const stop = data + size_;
    const char* const found = std::find_if(data + from, stop, is_line_break);
    const auto at = static_cast<std::size_t>(found - data);
    if (found != stop || at_end_) {
      runaway_->byte_length = base_ + at - runaway_->byte_offset;
      runaway_->raw.resize(static_cast<std::size_t>(
          std::min<std::uint64_t>(runaway_->raw.size(), runaway_->byte_length)));
      splitter_.restart(found == stop ? at : at + 1, found != stop && *found == '\r');
      return;
    }
    // Nothing of the record is needed any more.
    splitter_.restart(size_);
    make_room();
    read_block();
    from = 0;
  }
}

void CsvRecordReader::seek(std::uint64_t offset) {
  runaway_.reset();
  long_record_ = false;
  count_ = 0;
  splitter_.drop_records();
  if (offset >= base_ && offset <= base_ + size_) {
    splitter_.restart(static_cast<std::size_t>(offset - base_));
    return;
  }
  if (offset < base_) {
    throw Error(ErrorCode::internal, stream_->name() + ": cannot go back to a row already read");
  }
  stream_->skip_to(offset);
  base_ = offset;
  size_ = 0;
  at_end_ = false;
  splitter_.restart(0);
}

}  // namespace batchllm
