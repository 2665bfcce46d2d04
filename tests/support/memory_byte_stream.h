// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_stream.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace batchllm {

// Text in memory, given out in pieces of `read_bytes` at most.
class MemoryByteStream final : public ByteStream {
 public:
  explicit MemoryByteStream(std::string text, std::size_t read_bytes = std::string::npos)
      : text_(std::move(text)),
        read_bytes_(read_bytes) {}

  std::size_t read(char* buffer, std::size_t capacity) override {
    const std::size_t length = std::min({read_bytes_, capacity, text_.size() - position_});
    std::memcpy(buffer, text_.data() + position_, length);
    position_ += length;
    return length;
  }

  void skip_to(std::uint64_t offset) override {
    position_ = static_cast<std::size_t>(std::min<std::uint64_t>(offset, text_.size()));
  }

  std::optional<double> fraction_read() const override {
    return text_.empty() ? 1.0 : static_cast<double>(position_) / static_cast<double>(text_.size());
  }

  std::optional<PrefixDigest> prefix_digest() const override { return std::nullopt; }

  const std::string& name() const override { return name_; }

  const std::string& compression() const override { return compression_; }

  const std::string& encoding() const override { return encoding_; }

 private:
  std::string text_;
  std::size_t read_bytes_;
  std::size_t position_ = 0;
  std::string name_ = "memory.csv";
  std::string compression_ = "none";
  std::string encoding_ = "utf-8";
};

}  // namespace batchllm
