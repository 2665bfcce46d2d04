// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace batchllm::simulator {

// Counts how often each request was seen, in bounded memory: a set-associative table of 2^18 sets
// of eight (32 MiB). A ninth request of a set takes the place of the set's oldest, whose count is
// lost; that begins to matter beyond about a million different requests. Not thread-safe.
class SeenTable {
 public:
  // How often `identity` was seen before; counts this time.
  std::uint32_t count(std::uint64_t identity) {
    if (sets_.empty()) {
      sets_.resize(k_sets);
    }
    Set& set = sets_[identity % k_sets];
    const std::uint64_t tag = identity | 1U;  // 0 marks a free slot
    for (Slot& slot : set.slots) {
      if (slot.tag == tag) {
        return slot.seen < UINT32_MAX ? slot.seen++ : slot.seen;
      }
    }
    for (std::size_t i = 0; i + 1 < set.slots.size(); ++i) {
      set.slots[i] = set.slots[i + 1];
    }
    set.slots.back() = Slot{.tag = tag, .seen = 1};
    return 0;
  }

 private:
  static constexpr std::size_t k_sets = std::size_t{1} << 18U;

  struct Slot {
    std::uint64_t tag = 0;
    std::uint32_t seen = 0;
  };

  struct Set {
    std::array<Slot, 8> slots;
  };

  std::vector<Set> sets_;
};

}  // namespace batchllm::simulator
