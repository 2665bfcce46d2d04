// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace batchllm {

// Throws Error(storage_full) for a full disk, quota or file size limit, else Error(storage); the
// message is "cannot <what> <path>: <reason>".
[[noreturn]] void throw_storage_error(std::string_view what,
                                      const std::string& path,
                                      int error_number);

// Writes all bytes, or throws as above.
void write_all(int descriptor, std::string_view bytes, const std::string& path);

// The file appears under its name with all of `bytes`, durably, or not at all (written beside,
// fsync, rename, fsync of the folder). `mode` as for open(2).
void write_file_atomically(const std::filesystem::path& target,
                           std::string_view bytes,
                           unsigned mode);

// Renames `from` to `to` unless something is there already: then both stay as they are and the
// result is false. Neither name is made durable. Throws as above.
bool rename_without_replacing(const std::filesystem::path& from, const std::filesystem::path& to);

// Makes the folder, for its owner only (0700), and those above it that are missing. One that is
// there stays as it is.
void make_private_folder(const std::filesystem::path& folder);

// Makes a rename or a new file in `folder` durable; errors are ignored (some file systems refuse).
void sync_folder(const std::filesystem::path& folder) noexcept;

// The whole file; throws Error(storage) when it cannot be read or is larger than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit);

}  // namespace batchllm
