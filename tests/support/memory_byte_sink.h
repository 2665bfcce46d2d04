// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "adapters/stream/byte_sink.h"

#include <string>
#include <string_view>

namespace batchllm {

// Collects what is written in a string that must outlive it.
class MemoryByteSink final : public ByteSink {
 public:
  explicit MemoryByteSink(std::string& text) : text_(text) {}

  void write(std::string_view bytes) override { text_ += bytes; }

  void flush() override {}

  void finish() override {}

 private:
  std::string& text_;
};

}  // namespace batchllm
