// SPDX-License-Identifier: Apache-2.0
// Reads a file as `batchllm run` does, looks at every cell, and prints rows, fields, bytes, a
// checksum and the processor time that it took:
//   read_rows FILE
#include "adapters/input.h"
#include "core/error.h"

#include <fmt/format.h>

#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <string_view>

namespace {

struct Totals {
  std::uint64_t rows = 0;
  std::uint64_t bad_rows = 0;
  std::uint64_t fields = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;
};

// Takes in a cell's length and first byte: it must have been made, and costs next to nothing to
// look at.
std::uint64_t mixed(std::uint64_t checksum, std::string_view cell) {
  const std::uint64_t first = cell.empty() ? 0 : static_cast<unsigned char>(cell.front());
  return checksum + (first << 32) + cell.size();
}

double processor_seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

Totals read_all(batchllm::RowSource& source) {
  Totals totals;
  batchllm::RowBatch batch;
  while (source.next_batch(batch)) {
    totals.rows += batch.row_count();
    totals.bad_rows += batch.bad_rows.size();
    totals.fields += batch.cells.size();
    for (const auto& cell : batch.cells) {
      totals.bytes += cell.size();
      totals.checksum = mixed(totals.checksum, cell);
    }
  }
  return totals;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: read_rows FILE\n");
    return 2;
  }
  try {
    const auto source = batchllm::open_inputs({argv[1]}, {});
    const Totals totals = read_all(*source);
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    fmt::print(
        "rows={} bad={} fields={} bytes={} checksum={:016x} user={:.3f} sys={:.3f} rss={}KB\n",
        totals.rows,
        totals.bad_rows,
        totals.fields,
        totals.bytes,
        totals.checksum,
        processor_seconds(usage.ru_utime),
        processor_seconds(usage.ru_stime),
        usage.ru_maxrss);
  } catch (const batchllm::Error& error) {
    fmt::print(stderr, "{}\n", error.message());
    return error.exit_code();
  }
  return 0;
}
