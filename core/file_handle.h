// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <utility>

namespace batchllm {

// Owns a file descriptor.
class FileHandle {
 public:
  FileHandle() = default;

  explicit FileHandle(int descriptor) noexcept : descriptor_(descriptor) {}

  ~FileHandle() { reset(); }

  FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

  FileHandle& operator=(FileHandle&& other) noexcept {
    if (this != &other) {
      reset();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }

  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;

  int get() const noexcept { return descriptor_; }

  bool is_open() const noexcept { return descriptor_ >= 0; }

  // Gives the descriptor to the caller.
  int release() noexcept { return std::exchange(descriptor_, -1); }

  void reset() noexcept {
    if (descriptor_ >= 0) {
      close(descriptor_);
      descriptor_ = -1;
    }
  }

 private:
  int descriptor_ = -1;
};

}  // namespace batchllm
