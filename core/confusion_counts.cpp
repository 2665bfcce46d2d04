// SPDX-License-Identifier: Apache-2.0
#include "core/confusion_counts.h"

#include "core/text.h"

#include <fmt/format.h>

#include <xxhash.h>

#include <algorithm>
#include <numeric>
#include <tuple>

namespace batchllm {
namespace {

constexpr std::size_t k_longest_key = 256;
constexpr std::size_t k_longest_name = 200;

std::uint64_t pair_of(std::uint32_t expected, std::uint32_t answered) noexcept {
  constexpr unsigned k_shift = 32;
  return std::uint64_t{expected} << k_shift | answered;
}

std::optional<double> share(std::uint64_t part, std::uint64_t whole) noexcept {
  if (whole == 0) {
    return std::nullopt;
  }
  return static_cast<double>(part) / static_cast<double>(whole);
}

// Answers may be megabytes: of a long one a digest is kept.
std::string short_key(const std::string& key) {
  if (key.size() <= k_longest_key) {
    return key;
  }
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return fmt::format("{} {:016x}{:016x}", key.size(), hash.high64, hash.low64);
}

}  // namespace

std::optional<double> ClassCounts::precision() const noexcept {
  return share(right, answered);
}

std::optional<double> ClassCounts::recall() const noexcept {
  return share(right, expected);
}

std::optional<double> ClassCounts::f1() const noexcept {
  return share(2 * right, expected + answered);
}

std::uint32_t ConfusionCounts::index_of(const AnswerClass& answer, bool is_expected) {
  std::string key = short_key(answer.key);
  const auto known = indexes_.find(key);
  if (known == indexes_.end() && classes_.size() >= most_classes_) {
    has_other_ = true;
    return k_other;
  }
  const auto index =
      known == indexes_.end() ? static_cast<std::uint32_t>(classes_.size()) : known->second;
  if (known == indexes_.end()) {
    indexes_.emplace(std::move(key), index);
    classes_.emplace_back();
    named_as_expected_.push_back(false);
  }
  ClassCounts& found = classes_[index];
  if (known == indexes_.end() || (is_expected && !named_as_expected_[index])) {
    found.name = one_line(answer.name, k_longest_name);
    named_as_expected_[index] = is_expected;
  }
  return index;
}

void ConfusionCounts::add(const AnswerClass& expected, const AnswerClass* answered) {
  const std::uint32_t row = index_of(expected, true);
  const std::uint32_t column = answered == nullptr ? k_no_answer : index_of(*answered, false);
  const bool is_right = answered != nullptr && expected.key == answered->key;
  ++rows_;
  right_ += is_right ? 1 : 0;
  unanswered_ += answered == nullptr ? 1 : 0;
  if (row != k_other) {
    ++classes_[row].expected;
    classes_[row].right += is_right ? 1 : 0;
    classes_[row].unanswered += answered == nullptr ? 1 : 0;
  }
  if (answered != nullptr && column != k_other) {
    ++classes_[column].answered;
  }
  ++pairs_[pair_of(row, column)];
}

std::optional<double> ConfusionCounts::accuracy() const noexcept {
  return share(right_, rows_);
}

std::optional<double> ConfusionCounts::kappa() const noexcept {
  const auto rows = static_cast<double>(rows_ - unanswered_);
  if (rows == 0 || has_other_) {
    return std::nullopt;
  }
  double by_chance = 0;
  for (const ClassCounts& counts : classes_) {
    by_chance += static_cast<double>(counts.expected - counts.unanswered) / rows *
                 (static_cast<double>(counts.answered) / rows);
  }
  // One class alone, up to what doubles can tell.
  constexpr double k_least = 1e-12;
  if (1 - by_chance < k_least) {
    return std::nullopt;
  }
  return (static_cast<double>(right_) / rows - by_chance) / (1 - by_chance);
}

MacroScores ConfusionCounts::macro() const noexcept {
  MacroScores mean;
  for (const ClassCounts& counts : classes_) {
    const auto classes = static_cast<double>(classes_.size());
    mean.precision += counts.precision().value_or(0) / classes;
    mean.recall += counts.recall().value_or(0) / classes;
    mean.f1 += counts.f1().value_or(0) / classes;
  }
  return mean;
}

std::vector<std::uint32_t> ConfusionCounts::by_support() const {
  std::vector<std::uint32_t> order(classes_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
    const ClassCounts& first = classes_[a];
    const ClassCounts& second = classes_[b];
    return std::tie(second.expected, second.answered, first.name) <
           std::tie(first.expected, first.answered, second.name);
  });
  return order;
}

std::uint64_t ConfusionCounts::count(std::uint32_t expected,
                                     std::uint32_t answered) const noexcept {
  const auto found = pairs_.find(pair_of(expected, answered));
  return found == pairs_.end() ? 0 : found->second;
}

}  // namespace batchllm
