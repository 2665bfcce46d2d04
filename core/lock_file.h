// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"

#include <filesystem>
#include <optional>
#include <string>

namespace batchllm {

// Takes `path` (made when it is absent, 0600) for as long as the handle lives and writes the pid of
// this process into it; nullopt when another has it. The lock belongs to the open file, so it goes
// with the process however that ends. Throws Error(storage).
std::optional<FileHandle> take_lock_file(const std::filesystem::path& path);

// As take_lock_file, but a lock whose process is dead is waited for, a moment long: a child that it
// was about to start has the lock until it becomes another program.
std::optional<FileHandle> take_lock_file_of_the_dead(const std::filesystem::path& path);

// The process that has the lock, as it wrote it down; empty when it cannot be told.
std::string lock_file_holder(const std::filesystem::path& path);

// True when the process of that number is not there any more; false for what is no number.
bool is_dead_process(const std::string& pid) noexcept;

// True when a living process has the lock. Only asks: it never takes it.
bool is_lock_file_held(const std::filesystem::path& path);

}  // namespace batchllm
