// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace batchllm {

// A text that must not get out, such as a provider's key: it cannot be copied, printed or formatted
// by accident, and its bytes are wiped when it goes. Not thread-safe.
class Secret {
 public:
  Secret() = default;

  // Copies `text`, which stays the caller's to wipe.
  explicit Secret(std::string_view text);

  ~Secret() { clear(); }

  Secret(Secret&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)) {}

  Secret& operator=(Secret&& other) noexcept;

  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  // The text, for the one place that needs it; valid until this changes or goes.
  std::string_view reveal() const noexcept { return {bytes_.get(), size_}; }

  bool empty() const noexcept { return size_ == 0; }

  // Wipes it; it is empty then.
  void clear() noexcept;

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

// Overwrites the text in a way that the compiler keeps, and empties it.
void wipe(std::string& text) noexcept;

}  // namespace batchllm
