// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace batchllm {

// What standard input brings, as a file that can be read more than once: in a folder of its own
// (0700), removed by the destructor.
class TemporaryInput {
 public:
  // Reads standard input to its end. Throws Error(storage | storage_full | input_unreadable).
  TemporaryInput();
  ~TemporaryInput();
  TemporaryInput(const TemporaryInput&) = delete;
  TemporaryInput& operator=(const TemporaryInput&) = delete;
  TemporaryInput(TemporaryInput&&) = delete;
  TemporaryInput& operator=(TemporaryInput&&) = delete;

  std::string path() const { return (folder_ / "stdin").string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace batchllm
