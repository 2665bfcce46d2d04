// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace batchllm {

// A response body that grows by doubling and always has 64 readable bytes behind its end, for the
// JSON parser. Keeps its memory from one body to the next unless that one was large.
class BodyBuffer {
 public:
  // False when the body would pass `limit` bytes.
  bool append(const char* bytes, std::size_t count, std::size_t limit) {
    if (count > limit - std::min(limit, size_)) {
      return false;
    }
    if (bytes_.size() < size_ + count + k_slack) {
      bytes_.resize(std::max(size_ + count + k_slack, bytes_.size() * 2));
    }
    std::memcpy(bytes_.data() + size_, bytes, count);
    size_ += count;
    return true;
  }

  void clear() {
    size_ = 0;
    if (bytes_.size() > k_kept_bytes) {
      std::vector<char>().swap(bytes_);
    }
  }

  char* data() {
    if (bytes_.empty()) {
      bytes_.resize(k_slack);
    }
    return bytes_.data();
  }

  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t k_slack = 64;
  static constexpr std::size_t k_kept_bytes = std::size_t{64} << 10;

  std::vector<char> bytes_;
  std::size_t size_ = 0;
};

}  // namespace batchllm
