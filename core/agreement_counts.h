// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/confusion_counts.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace batchllm {

// Counts how often several answer alike: all of them, and each pair. Holds no more than counts, of
// a bounded number of classes. Not thread-safe.
class AgreementCounts {
 public:
  static constexpr std::size_t k_most_classes = 100;

  // `answerers`: two at least.
  explicit AgreementCounts(std::size_t answerers);

  // What each of them answered to a row, in their order; nullopt: nothing.
  void add(std::span<const std::optional<AnswerClass>> answers);

  // Rows that all of them answered, and those of them with the same answer from all.
  std::uint64_t rows() const noexcept { return rows_; }

  std::uint64_t same() const noexcept { return same_; }

  // The share of them; nullopt without rows.
  std::optional<double> share() const noexcept;

  // Of the rows that both answered, the first being the expected one; `first` < `second`. Its kappa
  // is nullopt with more than k_most_classes different answers.
  const ConfusionCounts& pair(std::size_t first, std::size_t second) const;

 private:
  std::size_t index_of(std::size_t first, std::size_t second) const noexcept;

  std::size_t answerers_;
  std::uint64_t rows_ = 0;
  std::uint64_t same_ = 0;
  std::vector<ConfusionCounts> pairs_;  // (0,1), (0,2), … (1,2), …
};

}  // namespace batchllm
