// SPDX-License-Identifier: Apache-2.0
#include "core/agreement_counts.h"

#include <algorithm>

namespace batchllm {

AgreementCounts::AgreementCounts(std::size_t answerers)
    : answerers_(answerers),
      pairs_(answerers * (answerers - 1) / 2, ConfusionCounts(k_most_classes)) {}

void AgreementCounts::add(std::span<const std::optional<AnswerClass>> answers) {
  if (std::all_of(
          answers.begin(), answers.end(), [](const auto& one) { return one.has_value(); })) {
    ++rows_;
    same_ += std::all_of(answers.begin(),
                         answers.end(),
                         [&](const auto& one) { return one->key == answers.front()->key; })
                 ? 1
                 : 0;
  }
  for (std::size_t first = 0; first < answers.size(); ++first) {
    for (std::size_t second = first + 1; second < answers.size(); ++second) {
      if (answers[first] && answers[second]) {
        pairs_[index_of(first, second)].add(*answers[first], &*answers[second]);
      }
    }
  }
}

std::optional<double> AgreementCounts::share() const noexcept {
  return rows_ == 0 ? std::nullopt
                    : std::optional(static_cast<double>(same_) / static_cast<double>(rows_));
}

const ConfusionCounts& AgreementCounts::pair(std::size_t first, std::size_t second) const {
  return pairs_.at(index_of(first, second));
}

// Before the pairs that begin with `first` stand those of each one before it.
std::size_t AgreementCounts::index_of(std::size_t first, std::size_t second) const noexcept {
  return first * (2 * answerers_ - first - 1) / 2 + (second - first - 1);
}

}  // namespace batchllm
