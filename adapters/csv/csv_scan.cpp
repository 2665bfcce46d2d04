// SPDX-License-Identifier: Apache-2.0
#include "adapters/csv/csv_scan.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace batchllm {

namespace {

// Scanners may write a few entries more than they keep.
constexpr std::size_t k_spare = 64;

template <typename T>
void make_room(std::vector<T>& values, std::size_t count, std::size_t more) {
  if (values.size() - count < more + k_spare) {
    values.resize(std::max(2 * values.size(), count + more + k_spare));
  }
}

}  // namespace

void CsvScan::restart(std::size_t start) {
  end_count = open_first_end;
  inner_quote_count = open_first_inner_quote;
  position = start;
  record_begin = start;
  line_breaks = 0;
  state = CsvFieldState::start;
  after_return = false;
}

void CsvScan::reserve(std::size_t bytes) {
  // Each byte ends a field and a record, or is an inner quote, at most.
  make_room(ends, end_count, bytes);
  make_room(records, record_count, bytes);
  make_room(inner_quotes, inner_quote_count, bytes);
}

void CsvScan::close_record(std::size_t at, std::size_t next) noexcept {
  close_field(at);
  records[record_count++] = {static_cast<std::uint32_t>(record_begin),
                             static_cast<std::uint32_t>(at),
                             static_cast<std::uint32_t>(open_first_end),
                             static_cast<std::uint32_t>(open_fields()),
                             line_breaks,
                             static_cast<std::uint32_t>(open_first_inner_quote)};
  record_begin = next;
  open_first_end = end_count;
  open_first_inner_quote = inner_quote_count;
  line_breaks = 0;
  state = CsvFieldState::start;
}

void CsvScan::swallow_line_feed(const char* data, std::size_t to) noexcept {
  const bool ended_record =
      after_return && state == CsvFieldState::start && open_fields() == 0 && position < to;
  if (ended_record && data[position] == '\n') {
    ++position;
    record_begin = position;
    after_return = false;
  }
}

namespace {

// Which bytes end an unquoted field.
class EndTable {
 public:
  explicit EndTable(char delimiter) {
    ends_[static_cast<unsigned char>('\n')] = true;
    ends_[static_cast<unsigned char>('\r')] = true;
    ends_[static_cast<unsigned char>(delimiter)] = true;
  }

  bool operator[](char byte) const { return ends_[static_cast<unsigned char>(byte)]; }

 private:
  std::array<bool, 256> ends_{};
};

// Counts the line breaks of quoted text and moves behind it.
void pass_quoted(CsvScan& scan, const char* data, std::size_t end) {
  char previous = scan.after_return ? '\r' : '\0';
  for (std::size_t i = scan.position; i < end; ++i) {
    const char byte = data[i];
    scan.line_breaks += static_cast<std::uint32_t>(
        static_cast<unsigned>(byte == '\r') |
        (static_cast<unsigned>(byte == '\n') & static_cast<unsigned>(previous != '\r')));
    previous = byte;
  }
  scan.after_return = previous == '\r';
  scan.position = end;
}

void scan_quoted(CsvScan& scan, char quote, const char* data, std::size_t to) {
  const void* hit = std::memchr(data + scan.position, quote, to - scan.position);
  if (hit == nullptr) {
    pass_quoted(scan, data, to);
    return;
  }
  pass_quoted(scan, data, static_cast<std::size_t>(static_cast<const char*>(hit) - data));
  ++scan.position;
  scan.after_return = false;
  scan.state = CsvFieldState::quote_seen;
}

// Behind a quote inside of a quoted field.
void scan_quote_seen(CsvScan& scan, char quote, const EndTable& ends, const char* data) {
  const auto at = static_cast<std::uint32_t>(scan.position);
  if (data[at] == quote) {
    scan.note_inner_quote(CsvInnerQuote::doubled(at));
    ++scan.position;
    scan.state = CsvFieldState::quoted;
    return;
  }
  if (!ends[data[at]]) {
    scan.note_inner_quote(CsvInnerQuote::closing(at - 1));
  }
  scan.state = CsvFieldState::unquoted;
}

void scan_unquoted(CsvScan& scan, const EndTable& ends, const char* data, std::size_t to) {
  std::size_t at = scan.position;
  while (at < to && !ends[data[at]]) {
    ++at;
  }
  scan.after_return = false;
  scan.position = at;
  if (at == to) {
    return;
  }
  ++scan.position;
  scan.state = CsvFieldState::start;
  if (data[at] == '\n' || data[at] == '\r') {
    scan.close_record(at, at + 1);
    scan.after_return = data[at] == '\r';
  } else {
    scan.close_field(at);
  }
}

}  // namespace

void scan_csv_plain(CsvScan& scan, const CsvDialect& dialect, const char* data, std::size_t to) {
  const EndTable ends(dialect.delimiter);
  scan.reserve(to - std::min(to, scan.position));
  while (scan.position < to) {
    switch (scan.state) {
      case CsvFieldState::start:
        scan.swallow_line_feed(data, to);
        if (scan.position == to) {
          return;
        }
        if (dialect.has_quote() && data[scan.position] == dialect.quote) {
          ++scan.position;
          scan.after_return = false;
          scan.state = CsvFieldState::quoted;
        } else {
          scan.state = CsvFieldState::unquoted;
        }
        break;
      case CsvFieldState::unquoted:
        scan_unquoted(scan, ends, data, to);
        break;
      case CsvFieldState::quoted:
        scan_quoted(scan, dialect.quote, data, to);
        break;
      case CsvFieldState::quote_seen:
        scan_quote_seen(scan, dialect.quote, ends, data);
        break;
    }
  }
}

bool has_csv_scanner(CsvScanner scanner) noexcept {
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
  const bool has_avx2 = k_csv_scan_avx2 != nullptr && __builtin_cpu_supports("avx2") != 0 &&
                        __builtin_cpu_supports("pclmul") != 0 &&
                        __builtin_cpu_supports("bmi2") != 0;
  switch (scanner) {
    case CsvScanner::automatic:
    case CsvScanner::plain:
      return true;
    case CsvScanner::avx2:
      return has_avx2;
    case CsvScanner::avx512:
      return has_avx2 && k_csv_scan_avx512 != nullptr && __builtin_cpu_supports("avx512bw") != 0 &&
             __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512vbmi2") != 0;
  }
  return false;
#else
  return scanner == CsvScanner::automatic || scanner == CsvScanner::plain;
#endif
}

CsvScanFunction csv_scan_function(CsvScanner scanner) noexcept {
  const auto may_be = [scanner](CsvScanner candidate) {
    return (scanner == CsvScanner::automatic || scanner == candidate) && has_csv_scanner(candidate);
  };
  if (may_be(CsvScanner::avx512)) {
    return k_csv_scan_avx512;
  }
  return may_be(CsvScanner::avx2) ? k_csv_scan_avx2 : &scan_csv_plain;
}

}  // namespace batchllm
