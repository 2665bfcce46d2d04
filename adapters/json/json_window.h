// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_stream.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace batchllm::json {

// The part of a stream that is in memory: bytes are consumed at its front and fetched at its back.
// Holds what is not consumed plus one block. Not thread-safe.
class JsonWindow {
 public:
  static constexpr std::size_t k_block = std::size_t{256} << 10;
  static constexpr std::size_t k_padding = 64;  // readable bytes behind `rest()`, for vector loads

  explicit JsonWindow(std::unique_ptr<ByteStream> stream);

  // What is in memory and not consumed. Stays where it is until `fill` or `seek`.
  std::string_view rest() const noexcept { return {data_.get() + begin_, end_ - begin_}; }

  // Decoded offset of the first byte of `rest()`.
  std::uint64_t offset() const noexcept { return offset_; }

  // True when the stream has ended: nothing comes after `rest()`.
  bool at_end() const noexcept { return at_end_; }

  void consume(std::size_t count) noexcept;

  // Takes back what was consumed since the last `fill`, down to `offset`.
  void rewind(std::uint64_t offset) noexcept;

  // Fetches more behind `rest()`; false at the end of the stream. Views into `rest()` die.
  bool fill();

  // Fetches until `rest()` has `wanted` bytes or the stream ends.
  void fill_to(std::size_t wanted);

  // Goes to a decoded offset at or after the first byte in memory.
  void seek(std::uint64_t offset);

  // True when `seek` can go there.
  bool can_seek(std::uint64_t offset) const noexcept { return offset >= offset_ - begin_; }

  const ByteStream& stream() const noexcept { return *stream_; }

 private:
  void make_room();

  std::unique_ptr<ByteStream> stream_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;  // without the padding
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  bool at_end_ = false;
};

}  // namespace batchllm::json
