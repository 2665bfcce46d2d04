// SPDX-License-Identifier: Apache-2.0
// The first 100 bytes of an SQLite file
// (https://www.sqlite.org/fileformat2.html#the_database_header).
#pragma once

#include <cstdint>
#include <filesystem>

namespace batchllm::daemon {

// True for a sound header with another application_id than `own_id`.
bool is_foreign_database(const std::filesystem::path& database, std::int32_t own_id);

// Where `database` has no sound header, copies it (and its log) to `copy` and gives the copy one,
// so that what stands behind it can be read. False: the header is sound, or there is nothing to
// copy; no copy is there then. Throws Error(storage | storage_full).
bool copy_with_header(const std::filesystem::path& database, const std::filesystem::path& copy);

}  // namespace batchllm::daemon
