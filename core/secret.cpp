// SPDX-License-Identifier: Apache-2.0
#include "core/secret.h"

#include <cstring>

namespace batchllm {

// Not a std::string: moving a short one leaves its bytes behind.
Secret::Secret(std::string_view text)
    : bytes_(text.empty() ? nullptr : new char[text.size()]),
      size_(text.size()) {
  if (!text.empty()) {
    std::memcpy(bytes_.get(), text.data(), text.size());
  }
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    clear();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void Secret::clear() noexcept {
  if (bytes_ != nullptr) {
    explicit_bzero(bytes_.get(), size_);
  }
  bytes_.reset();
  size_ = 0;
}

void wipe(std::string& text) noexcept {
  if (!text.empty()) {
    explicit_bzero(text.data(), text.size());
  }
  text.clear();
}

}  // namespace batchllm
