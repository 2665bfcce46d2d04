// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ledger.h"
#include "core/manifest.h"

#include <filesystem>
#include <set>

namespace batchllm {

// Makes rows that failed in earlier runs open again: those with a failure in `only`, or all when it
// is empty. Before the engine opens the ledger. Throws Error(storage…).
void reopen_failed_rows(const std::filesystem::path& job_folder,
                        const std::set<RowFailure>& only,
                        Ledger& ledger,
                        Manifest& manifest);

}  // namespace batchllm
