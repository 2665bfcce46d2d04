// SPDX-License-Identifier: Apache-2.0
#include "adapters/json/json_window.h"

#include <cstring>
#include <utility>

namespace batchllm::json {

JsonWindow::JsonWindow(std::unique_ptr<ByteStream> stream) : stream_(std::move(stream)) {
  make_room();
}

void JsonWindow::consume(std::size_t count) noexcept {
  begin_ += count;
  offset_ += count;
}

void JsonWindow::rewind(std::uint64_t offset) noexcept {
  begin_ -= static_cast<std::size_t>(offset_ - offset);
  offset_ = offset;
}

// Moves what is kept to the front of a buffer with room for a block behind it. The buffer grows for
// a long record and shrinks again after it.
void JsonWindow::make_room() {
  const std::size_t kept = end_ - begin_;
  std::size_t capacity = kept + k_block <= 2 * k_block ? 2 * k_block : capacity_;
  while (kept + k_block > capacity) {
    capacity *= 2;
  }
  if (capacity != capacity_) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity + k_padding);
    if (kept != 0) {
      std::memcpy(larger.get(), data_.get() + begin_, kept);
    }
    data_ = std::move(larger);
    capacity_ = capacity;
  } else if (begin_ != 0) {
    std::memmove(data_.get(), data_.get() + begin_, kept);
  }
  begin_ = 0;
  end_ = kept;
}

bool JsonWindow::fill() {
  if (at_end_) {
    return false;
  }
  make_room();
  const std::size_t count = stream_->read(data_.get() + end_, k_block);
  end_ += count;
  at_end_ = count == 0;
  std::memset(data_.get() + end_, 0, k_padding);
  return !at_end_;
}

void JsonWindow::fill_to(std::size_t wanted) {
  while (rest().size() < wanted && fill()) {
  }
}

void JsonWindow::seek(std::uint64_t offset) {
  if (offset <= offset_ + (end_ - begin_)) {
    if (offset < offset_) {
      rewind(offset);
    } else {
      consume(static_cast<std::size_t>(offset - offset_));
    }
    return;
  }
  stream_->skip_to(offset);
  begin_ = 0;
  end_ = 0;
  offset_ = offset;
}

}  // namespace batchllm::json
