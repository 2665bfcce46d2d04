// SPDX-License-Identifier: Apache-2.0
// A ledger in which any bytes were changed, put in or cut off: reading it never faults, every
// record that was not touched is found, and after repair it can be written on.
#include "core/error.h"
#include "core/ledger.h"
#include "tests/support/outcomes.h"
#include "tests/support/scratch_folder.h"

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

namespace {

using batchllm::Ledger;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

struct Record {
  std::uint64_t row = 0;
  std::size_t begin = 0;
  std::size_t end = 0;  // before the line feed
};

struct Whole {
  std::string bytes;
  std::vector<Record> records;
};

Whole make_ledger() {
  Whole whole;
  batchllm::append_header_line(whole.bytes, "job_1", 0);
  for (std::uint64_t row = 0; row < 5; ++row) {
    batchllm::append_sent_line(whole.bytes, {{row, 1, 7}}, 1);
    Record record{row, whole.bytes.size(), 0};
    batchllm::append_outcome_line(whole.bytes,
                                  row == 2 ? batchllm::failed_outcome(row)
                                           : batchllm::ok_outcome(row, "{\"row\":1} \"xxh3\":\""));
    record.end = whole.bytes.size() - 1;
    whole.records.push_back(record);
  }
  return whole;
}

std::set<std::uint64_t> rows_in(const std::string& path) {
  std::set<std::uint64_t> rows;
  batchllm::scan_ledger(
      path, [&](std::uint64_t, std::string_view line, const batchllm::LineGlance& seen) {
        (void)batchllm::read_outcome_line(line);
        rows.insert(seen.row_index);
      });
  return rows;
}

// Opens the damaged ledger, writes on, and looks for what must be there.
void check(const std::string& bytes, const std::set<std::uint64_t>& untouched) {
  constexpr std::uint64_t k_new_row = batchllm::k_rows_per_shard - 1;
  static const batchllm::ScratchFolder folder;
  const std::string path = folder.write(Ledger::shard_path("", 0).string(), bytes);
  try {
    const auto before = rows_in(path);
    {
      Ledger ledger(folder.path(), "job_1");
      const auto shard = ledger.open_shard(0);
      ledger.append(batchllm::ok_outcome(k_new_row));
      ledger.commit(0);
      batchllm::LedgerReader reader(path);
      for (const auto row : before) {
        if (row < batchllm::k_rows_per_shard) {
          reader.line_at(shard->state(row).ledger_offset());
        }
      }
    }
    const auto after = rows_in(path);
    require(after.contains(k_new_row));
    for (const auto row : untouched) {
      require(before.contains(row) && after.contains(row));
    }
  } catch (const batchllm::Error& error) {
    require(error.code() == batchllm::ErrorCode::job_corrupt);  // another version
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 4) {
    return 0;
  }
  static const Whole whole = make_ledger();
  const std::string text(reinterpret_cast<const char*>(bytes) + 4, size - 4);
  if (bytes[0] % 4 == 0) {
    check(text, {});
    return 0;
  }
  // `text` takes the place of a stretch of a good ledger.
  const std::size_t at =
      (bytes[1] | static_cast<std::size_t>(bytes[2]) << 8U) % (whole.bytes.size() + 1);
  const std::size_t cut =
      std::min<std::size_t>(bytes[0] % 4 == 1 ? text.size() : bytes[3], whole.bytes.size() - at);
  std::set<std::uint64_t> untouched;
  for (const auto& record : whole.records) {
    if (record.end <= at || record.begin >= at + cut) {
      untouched.insert(record.row);
    }
  }
  check(whole.bytes.substr(0, at) + text + whole.bytes.substr(at + cut), untouched);
  return 0;
}
