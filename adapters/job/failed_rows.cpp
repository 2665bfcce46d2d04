// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/failed_rows.h"

#include "core/ledger_format.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace batchllm {

void reopen_failed_rows(const std::filesystem::path& job_folder,
                        const std::set<RowFailure>& only,
                        Ledger& ledger,
                        Manifest& manifest) {
  std::vector<std::uint64_t> numbers;
  for (const std::uint64_t number : Ledger::shards_in(job_folder)) {
    const auto sealed = manifest.shards().find(number);
    if (sealed == manifest.shards().end() ||
        sealed->second.totals.failed + sealed->second.totals.skipped != 0) {
      numbers.push_back(number);
    }
  }
  for (const std::uint64_t number : numbers) {
    std::set<std::uint64_t> rows;
    scan_ledger(Ledger::shard_path(job_folder, number),
                [&](std::uint64_t, std::string_view line, const LineGlance& seen) {
                  rows.erase(seen.row_index);
                  if (seen.status == RowStatus::ok) {
                    return;
                  }
                  const auto outcome = read_outcome_line(line);
                  if (outcome && (only.empty() || only.contains(outcome->failure))) {
                    rows.insert(seen.row_index);
                  }
                });
    if (rows.empty()) {
      continue;
    }
    manifest.reopen(number);
    ledger.open_shard(number);
    for (const std::uint64_t row : rows) {
      ledger.reopen(row);
    }
  }
}

}  // namespace batchllm
