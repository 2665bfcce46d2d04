// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace batchllm {

// An answer as it is counted: `key` tells classes apart, `name` is how people read it.
struct AnswerClass {
  std::string key;
  std::string_view name;
};

// How often one class was expected, and how often it was answered.
struct ClassCounts {
  std::string name;              // as it was spelled first, where it was expected if it was
  std::uint64_t expected = 0;    // its support; rows without an answer among them
  std::uint64_t answered = 0;    // whatever was expected
  std::uint64_t right = 0;       // both
  std::uint64_t unanswered = 0;  // expected, and there is no answer

  // Nullopt where it would be a division by nothing: never answered, never expected.
  std::optional<double> precision() const noexcept;
  std::optional<double> recall() const noexcept;
  std::optional<double> f1() const noexcept;
};

// Means over all classes, each of the same weight; what is not defined counts as nothing.
struct MacroScores {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

// Counts pairs of an expected and an answered class: of answers and what would be right, or of the
// answers of two jobs. Holds a bounded number of classes: what comes later is counted as other, of
// which it is known only how often it was right. Not thread-safe.
class ConfusionCounts {
 public:
  static constexpr std::size_t k_most_classes = 1000;
  // Instead of an index.
  static constexpr std::uint32_t k_other = 0xfffffffe;
  static constexpr std::uint32_t k_no_answer = 0xffffffff;

  // `most_classes`: beyond it everything is other.
  explicit ConfusionCounts(std::size_t most_classes = k_most_classes)
      : most_classes_(most_classes) {}

  // A row; `answered` is null for one without an answer.
  void add(const AnswerClass& expected, const AnswerClass* answered);

  std::uint64_t rows() const noexcept { return rows_; }

  std::uint64_t right() const noexcept { return right_; }

  std::uint64_t unanswered() const noexcept { return unanswered_; }

  // Share of the rows that are right, those without an answer counted; nullopt without rows.
  std::optional<double> accuracy() const noexcept;

  // Cohen's kappa over the answered rows: how much more often the two agree than by chance. Nullopt
  // where chance alone makes them agree always, without rows, and when there is an `other`.
  std::optional<double> kappa() const noexcept;

  MacroScores macro() const noexcept;

  // By index, in the order in which they came.
  const std::vector<ClassCounts>& classes() const noexcept { return classes_; }

  // The indexes of all classes: the most expected first, then the most answered, then by name.
  std::vector<std::uint32_t> by_support() const;

  // Rows of that pair; an index, k_other or (for `answered`) k_no_answer.
  std::uint64_t count(std::uint32_t expected, std::uint32_t answered) const noexcept;

  bool has_other() const noexcept { return has_other_; }

 private:
  std::uint32_t index_of(const AnswerClass& answer, bool is_expected);

  std::size_t most_classes_;
  std::vector<ClassCounts> classes_;
  std::vector<bool> named_as_expected_;
  std::unordered_map<std::string, std::uint32_t> indexes_;  // by key
  std::unordered_map<std::uint64_t, std::uint64_t> pairs_;  // expected << 32 | answered
  std::uint64_t rows_ = 0;
  std::uint64_t right_ = 0;
  std::uint64_t unanswered_ = 0;
  bool has_other_ = false;
};

}  // namespace batchllm
