// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>

namespace batchllm {

// What a power cut may take: writes go to the real files at once, and here is what they replaced,
// until a sync makes them safe. Not thread-safe. Call note_* before the change itself.
class UnsyncedFiles {
 public:
  void note_new_file(const std::string& path);
  void note_write(const std::string& path, std::uint64_t offset, std::uint64_t bytes);
  void note_truncation(const std::string& path, std::uint64_t size);
  void note_removal(const std::string& path, bool is_durable);
  void note_sync(const std::string& path);

  // Puts the files into one of the states in which a power cut could have left them. Shared memory
  // ("-shm") is gone.
  void lose_some(std::uint64_t seed);

 private:
  struct File {
    bool is_safe = true;  // its name would survive
    bool is_removed = false;
    std::uint64_t safe_bytes = 0;
    std::uint64_t cut_to = UINT64_MAX;            // the least it was shortened to since then
    std::map<std::uint64_t, std::string> blocks;  // what stood there at the last sync
  };

  static std::string state_of(const File& file,
                              const std::string& before,
                              const std::string& now,
                              std::mt19937_64& random);
  File& file_at(const std::string& path);
  std::string safe_content(const File& file, const std::string& now) const;

  std::map<std::string, File> files_;
};

}  // namespace batchllm
