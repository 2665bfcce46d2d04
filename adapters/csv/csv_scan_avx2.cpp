// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_scan.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#include <algorithm>

// The functions below are compiled for AVX2, whatever the rest of the program is compiled for.
#define BATCHLLM_AVX2 __attribute__((target("avx2,pclmul,bmi,bmi2,popcnt,lzcnt")))

namespace batchllm {
namespace {

constexpr std::size_t k_chunk_bytes = 64;
constexpr std::size_t k_stretch_bytes = 64 * k_chunk_bytes;

// One bit for each of 64 bytes.
using Mask = std::uint64_t;

struct Chunk {
  __m256i low;
  __m256i high;
};

BATCHLLM_AVX2 inline Chunk load(const char* bytes) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)),
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + 32))};
}

BATCHLLM_AVX2 inline Mask equal(const Chunk& chunk, __m256i byte) {
  const auto low =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(chunk.low, byte)));
  const auto high =
      static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(chunk.high, byte)));
  return low | (Mask{high} << 32);
}

// Bit i of the result is the parity of bits 0 to i: set from each opening quote up to, and without,
// the closing one.
BATCHLLM_AVX2 inline Mask prefix_parity(Mask bits) {
  const __m128i product = _mm_clmulepi64_si128(
      _mm_set_epi64x(0, static_cast<long long>(bits)), _mm_set1_epi8(static_cast<char>(0xFF)), 0);
  return static_cast<Mask>(_mm_cvtsi128_si64(product));
}

// `bits` moved one byte on, `before` being the bit that comes in.
inline Mask shifted(Mask bits, Mask before) {
  return (bits << 1) | before;
}

// What one chunk leaves for the next, each 0 or 1 but `quoted`, which is 0 or all ones.
struct Carry {
  Mask quoted = 0;
  Mask may_open = 0;     // a quote now opens a field or is the second half of a doubled one
  Mask after_quote = 0;  // behind a closing quote: only an end or another quote may follow
  Mask after_return = 0;
};

Carry carry_of(const CsvScan& scan) {
  Carry carry;
  carry.quoted = scan.state == CsvFieldState::quoted ? ~Mask{0} : 0;
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

// Writes down where fields and records end. Its members stay in registers, which those of CsvScan
// could not, being written between stores to memory.
class EndWriter {
 public:
  explicit EndWriter(CsvScan& scan)
      : ends_(scan.ends.data()),
        end_(ends_ + scan.end_count),
        first_end_(ends_ + scan.open_first_end),
        record_(scan.records.data() + scan.record_count),
        record_begin_(static_cast<std::uint32_t>(scan.record_begin)),
        line_breaks_(scan.line_breaks) {}

  // Closes the fields and records that end in one chunk, whose first byte is `data[chunk]`.
  BATCHLLM_AVX2 inline void close(const char* data,
                                  std::size_t chunk,
                                  std::size_t to,
                                  Mask ends,
                                  Mask record_ends,
                                  Mask inner_breaks) {
    while (record_ends != 0) {
      const Mask before = _blsmsk_u64(record_ends) >> 1;
      const std::size_t at = chunk + _tzcnt_u64(record_ends);
      line_breaks_ += static_cast<std::uint32_t>(_mm_popcnt_u64(inner_breaks & before));
      inner_breaks &= ~before;
      const std::uint32_t* const last = end_ + _mm_popcnt_u64(ends & before);
      const bool line_feed_follows = data[at] == '\r' && at + 1 < to && data[at + 1] == '\n';
      close_record(at, at + (line_feed_follows ? 2 : 1), last + 1);
      record_ends = _blsr_u64(record_ends);
    }
    line_breaks_ += static_cast<std::uint32_t>(_mm_popcnt_u64(inner_breaks));
    close_fields(chunk, ends);
  }

  void store(CsvScan& scan) const {
    scan.end_count = static_cast<std::size_t>(end_ - ends_);
    scan.record_count = static_cast<std::size_t>(record_ - scan.records.data());
    scan.open_first_end = static_cast<std::size_t>(first_end_ - ends_);
    scan.record_begin = record_begin_;
    scan.line_breaks = line_breaks_;
  }

 private:
  // How many ends a chunk has cannot be predicted: a fixed number is written, and the surplus
  // overwritten by the next chunk. The loop goes round again only where fields are short.
  BATCHLLM_AVX2 inline void close_fields(std::size_t chunk, Mask ends) {
    std::uint32_t* const behind = end_ + _mm_popcnt_u64(ends);
    do {
      ends = put_lowest(chunk, ends);
      ends = put_lowest(chunk, ends);
      ends = put_lowest(chunk, ends);
      ends = put_lowest(chunk, ends);
    } while (ends != 0);
    end_ = behind;
  }

  BATCHLLM_AVX2 inline Mask put_lowest(std::size_t chunk, Mask ends) {
    *end_++ = static_cast<std::uint32_t>(chunk + _tzcnt_u64(ends));
    return _blsr_u64(ends);
  }

  void close_record(std::size_t at, std::size_t next, const std::uint32_t* behind_last_end) {
    *record_++ = {record_begin_,
                  static_cast<std::uint32_t>(at),
                  static_cast<std::uint32_t>(first_end_ - ends_),
                  static_cast<std::uint32_t>(behind_last_end - first_end_),
                  line_breaks_};
    record_begin_ = static_cast<std::uint32_t>(next);
    first_end_ = behind_last_end;
    line_breaks_ = 0;
  }

  std::uint32_t* ends_;
  std::uint32_t* end_;
  const std::uint32_t* first_end_;  // of the unfinished record
  CsvRecord* record_;
  std::uint32_t record_begin_;
  std::uint32_t line_breaks_;
};

// Scans whole chunks up to `to` or to one whose quotes are not well-formed; true in the first case.
// There is room for what they hold.
BATCHLLM_AVX2 bool scan_chunks(CsvScan& scan,
                               const CsvDialect& dialect,
                               const char* data,
                               std::size_t to) {
  const __m256i quote = _mm256_set1_epi8(dialect.quote);
  const __m256i delimiter = _mm256_set1_epi8(dialect.delimiter);
  const __m256i line_feed = _mm256_set1_epi8('\n');
  const __m256i carriage_return = _mm256_set1_epi8('\r');
  const Mask quote_enabled = dialect.has_quote() ? ~Mask{0} : 0;
  Carry carry = carry_of(scan);
  EndWriter writer(scan);
  std::size_t position = scan.position;
  bool well_formed = true;
  for (; position + k_chunk_bytes <= to; position += k_chunk_bytes) {
    const Chunk chunk = load(data + position);
    const Mask quotes = equal(chunk, quote) & quote_enabled;
    const Mask delimiters = equal(chunk, delimiter);
    const Mask line_feeds = equal(chunk, line_feed);
    const Mask returns = equal(chunk, carriage_return);
    const Mask quoted = prefix_parity(quotes) ^ carry.quoted;
    const Mask closing = quotes & ~quoted;
    const Mask ends_or_quotes = delimiters | line_feeds | returns | quotes;
    const Mask stray_opening = quotes & quoted & ~shifted(ends_or_quotes, carry.may_open);
    const Mask stray_closing = shifted(closing, carry.after_quote) & ~ends_or_quotes;
    if ((stray_opening | stray_closing) != 0) [[unlikely]] {
      well_formed = false;
      break;
    }
    // A line feed behind a carriage return is one line break with it.
    const Mask breaks = returns | (line_feeds & ~shifted(returns, carry.after_return));
    writer.close(
        data, position, to, (delimiters | breaks) & ~quoted, breaks & ~quoted, breaks & quoted);
    carry.quoted = (quoted >> 63) != 0 ? ~Mask{0} : 0;
    carry.may_open = ends_or_quotes >> 63;
    carry.after_quote = closing >> 63;
    carry.after_return = returns >> 63;
  }
  writer.store(scan);
  scan.position = position;
  scan.state = state_of(carry);
  scan.after_return = carry.after_return != 0;
  return well_formed;
}

}  // namespace

bool has_csv_scan_avx2() noexcept {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("pclmul") != 0 &&
         __builtin_cpu_supports("bmi2") != 0;
}

void scan_csv_avx2(CsvScan& scan, const CsvDialect& dialect, const char* data, std::size_t to) {
  scan.swallow_line_feed(data, to);
  while (scan.position + k_chunk_bytes <= to) {
    // Short stretches: room for the worst case stays small.
    const std::size_t stretch = std::min(to - scan.position, k_stretch_bytes);
    scan.reserve(stretch);
    if (!scan_chunks(scan, dialect, data, scan.position + stretch)) {
      // Parity says nothing about stray quotes: this chunk is read byte by byte.
      scan_csv_plain(scan, dialect, data, scan.position + k_chunk_bytes);
    }
    scan.swallow_line_feed(data, to);
  }
  scan_csv_plain(scan, dialect, data, to);
}

}  // namespace batchllm

#else

namespace batchllm {

bool has_csv_scan_avx2() noexcept {
  return false;
}

void scan_csv_avx2(CsvScan& scan, const CsvDialect& dialect, const char* data, std::size_t to) {
  scan_csv_plain(scan, dialect, data, to);
}

}  // namespace batchllm

#endif
