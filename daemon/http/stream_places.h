// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace batchllm::daemon {

// How many streams may be written at a time. Thread-safe; outlives its places.
class StreamPlaces {
 public:
  struct GiveBack {
    void operator()(std::atomic<std::size_t>* taken) const noexcept { --*taken; }
  };

  // One of them, given back at its end.
  using Place = std::unique_ptr<std::atomic<std::size_t>, GiveBack>;

  explicit StreamPlaces(std::size_t most) noexcept : most_(most) {}

  // Null when all are taken.
  Place take() noexcept {
    const bool is_free = taken_.fetch_add(1) < most_;
    Place place(&taken_);
    return is_free ? std::move(place) : nullptr;
  }

 private:
  const std::size_t most_;
  std::atomic<std::size_t> taken_{0};
};

}  // namespace batchllm::daemon
