// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/raw_bytes.h"

#include <iconv.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace batchllm {

// Turns bytes of another encoding into UTF-8, piece by piece: a character may lie across reads.
// Not thread-safe.
class Transcoder {
 public:
  // `encoding` is any name that iconv knows; `input` is for messages. Throws Error(usage) for an
  // unknown one.
  Transcoder(const std::string& encoding, std::string input);
  ~Transcoder();
  Transcoder(const Transcoder&) = delete;
  Transcoder& operator=(const Transcoder&) = delete;

  // Fills `buffer` (16 bytes at least) from `bytes`, after those of `head`, which is used up first.
  // 0 is the end. Throws Error(input_unreadable) naming the byte that is not of the encoding.
  std::size_t read(std::string& head, RawBytes& bytes, char* buffer, std::size_t capacity);

 private:
  bool refill(std::string& head, RawBytes& bytes);
  [[noreturn]] void fail(const char* what) const;

  iconv_t converter_;
  std::string encoding_;
  std::string input_;
  std::vector<char> block_;
  std::size_t begin_ = 0;  // of the bytes in block_ that wait
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;  // of block_[begin_] in the undecoded text
  bool ended_ = false;
};

}  // namespace batchllm
