// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"
#include "core/ledger_format.h"
#include "core/shard.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace batchllm {

// What a pass over the ledger of one shard found.
struct LedgerScan {
  ShardTotals totals;
  std::unordered_map<std::uint64_t, OpenAttempt> open_attempts;  // rows sent, without an outcome
  std::uint64_t lost_records = 0;  // damaged: those rows have no outcome and are asked again
  std::uint64_t intact_bytes = 0;  // up to the end of the last intact line
  std::uint64_t file_bytes = 0;
  bool lacks_line_feed = false;  // the last record is whole but for its line feed
};

// Reads the ledger file at `path` once, from its start, and calls `outcome` for every intact
// outcome line with its offset and text. A file that does not exist is empty. Throws Error(storage
// | job_corrupt); a file of a later version is job_corrupt with a hint to use a newer program.
LedgerScan scan_ledger(
    const std::filesystem::path& path,
    const std::function<
        void(std::uint64_t offset, std::string_view line, const LineGlance& glance)>& outcome);

// Reads single outcome lines of one ledger file by their offsets, mostly ascending. Keeps a few
// blocks of the file. Not thread-safe.
class LedgerReader {
 public:
  explicit LedgerReader(const std::filesystem::path& path);

  // The line at `offset`, without its line feed; valid until the next call. Throws
  // Error(job_corrupt) when it is not there or damaged.
  std::string_view line_at(std::uint64_t offset);

 private:
  struct Block {
    std::uint64_t offset = 0;
    std::uint64_t used_at = 0;
    std::string bytes;
  };

  const Block* block_with(std::uint64_t offset);
  std::string_view bytes_at(std::uint64_t offset);

  std::filesystem::path path_;
  FileHandle file_;
  std::vector<Block> blocks_;
  std::uint64_t clock_ = 0;
  std::string spanning_;
};

}  // namespace batchllm
