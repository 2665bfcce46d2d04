// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file_handle.h"
#include "core/row_batch.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace batchllm {

// The rows of a job that could not be read, one JSON object a line (rejects.jsonl): file, row,
// line, byte, length, reason, message and the raw bytes ("raw", or "raw_base64" when they are not
// UTF-8). Rows come in input order; what an earlier run wrote is not written again. Not
// thread-safe.
class RejectLog {
 public:
  // `inputs`: names of the inputs, for the "file" member.
  RejectLog(std::filesystem::path path, std::vector<std::string> inputs);

  void add(const BadRow& row);

  std::uint64_t count() const noexcept { return count_; }

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  std::vector<std::string> inputs_;
  FileHandle file_;
  std::uint64_t count_ = 0;
  std::uint64_t next_row_ = 0;  // rows before it are in the file
};

// The object for one bad row, without line feed.
std::string reject_json(const BadRow& row, const std::string& input);

}  // namespace batchllm
