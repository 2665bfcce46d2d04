// SPDX-License-Identifier: Apache-2.0
#include "tests/support/unsynced_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t k_block = 4096;
constexpr std::uint64_t k_sector = 512;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint64_t size_of(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

// `now` with some blocks as they were in `before`.
std::string mixture(const std::string& before, const std::string& now, std::mt19937_64& random) {
  std::string result = random() % 2 == 0 ? before : now;
  for (std::uint64_t start = 0; start < result.size(); start += k_block) {
    const std::uint64_t choice = random() % 4;
    for (std::uint64_t sector = start; sector < std::min(start + k_block, result.size());
         sector += k_sector) {
      const bool keep = choice == 0 || (choice == 1 && random() % 2 == 0);
      const std::string& source = keep ? now : before;
      const std::uint64_t bytes = std::min<std::uint64_t>(k_sector, result.size() - sector);
      for (std::uint64_t byte = sector; byte < sector + bytes; ++byte) {
        result[byte] = byte < source.size() ? source[byte] : '\0';
      }
    }
  }
  return result;
}

}  // namespace

// A file system shortens a file as one change of what it knows of it, and what is written there
// afterwards goes to other places of the disk: either it is as long as before, with all that stood
// there, or nothing of that is left.
std::string UnsyncedFiles::state_of(const File& file,
                                    const std::string& before,
                                    const std::string& now,
                                    std::mt19937_64& random) {
  if (file.cut_to >= before.size()) {
    return mixture(before, now, random);
  }
  return random() % 2 == 0 ? before : mixture(before.substr(0, file.cut_to), now, random);
}

UnsyncedFiles::File& UnsyncedFiles::file_at(const std::string& path) {
  const auto [entry, is_first] = files_.try_emplace(path);
  if (is_first) {
    entry->second.safe_bytes = size_of(path);
  }
  return entry->second;
}

void UnsyncedFiles::note_new_file(const std::string& path) {
  File& file = files_[path];
  if (!file.is_removed) {
    file = File();
  }
  file.is_safe = false;
}

void UnsyncedFiles::note_write(const std::string& path, std::uint64_t offset, std::uint64_t bytes) {
  File& file = file_at(path);
  std::ifstream now(path, std::ios::binary);
  for (std::uint64_t start = offset / k_block * k_block; start < offset + bytes; start += k_block) {
    if (start >= file.safe_bytes || file.blocks.count(start) != 0) {
      continue;
    }
    std::string block(std::min(k_block, file.safe_bytes - start), '\0');
    now.clear();
    now.seekg(static_cast<std::streamoff>(start));
    now.read(block.data(), static_cast<std::streamsize>(block.size()));
    file.blocks.emplace(start, std::move(block));
  }
}

void UnsyncedFiles::note_truncation(const std::string& path, std::uint64_t size) {
  const std::uint64_t now = size_of(path);
  if (size < now) {
    note_write(path, size, now - size);
    File& file = file_at(path);
    file.cut_to = std::min(file.cut_to, size);
  }
}

void UnsyncedFiles::note_removal(const std::string& path, bool is_durable) {
  if (is_durable) {
    files_.erase(path);
    return;
  }
  note_truncation(path, 0);
  file_at(path).is_removed = true;
}

void UnsyncedFiles::note_sync(const std::string& path) {
  File& file = file_at(path);
  // The first sync of a new file syncs its folder, too (os_unix.c does): removals are safe then.
  const bool syncs_folder = !file.is_safe;
  file = File();
  file.safe_bytes = size_of(path);
  if (syncs_folder) {
    std::erase_if(files_, [](const auto& entry) { return entry.second.is_removed; });
  }
}

std::string UnsyncedFiles::safe_content(const File& file, const std::string& now) const {
  std::string before = now;
  before.resize(file.safe_bytes);
  for (const auto& [start, block] : file.blocks) {
    before.replace(start, block.size(), block);
  }
  return before;
}

void UnsyncedFiles::lose_some(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (const auto& [path, file] : files_) {
    const bool is_there = fs::exists(path);
    const std::string now = content_of(path);
    const std::string before = safe_content(file, now);
    if (!is_there && (!file.is_removed || random() % 2 == 0)) {
      continue;
    }
    if (!file.is_safe && !file.is_removed && random() % 2 == 0) {
      fs::remove(path);
      continue;
    }
    // Removed and not durably so: it is back as it was last safe.
    const std::string left = is_there ? state_of(file, before, now, random) : before;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << left;
  }
  for (const auto& [path, file] : files_) {
    fs::remove(path + "-shm");
  }
  files_.clear();
}

}  // namespace batchllm
