// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/row_batch.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace batchllm {

// A value of a row filter; what the kinds mean is written in core/row_filter.h.
class FilterValue {
 public:
  enum class Kind { null, truth, number, text };

  FilterValue() = default;  // null

  static FilterValue of_truth(bool truth);
  static FilterValue of_count(std::uint64_t count);

  // Texts that belong to someone else (a cell), or to the value.
  static FilterValue of_view(std::string_view text);
  static FilterValue of_text(std::string text);

  // A number in `text`'s spelling, spaces around it allowed; null when it is none.
  static FilterValue of_number(std::string text);

  // A cell, or what was found inside one. A null data pointer is null.
  static FilterValue of_cell(std::string_view text, CellKind kind);

  Kind kind() const noexcept { return kind_; }

  bool is_null() const noexcept { return kind_ == Kind::null; }

  // As text; empty for null.
  std::string_view text() const noexcept { return owns_ ? std::string_view(owned_) : view_; }

  // The same value without a copy of its text; it must not outlive this one.
  FilterValue borrowed() const noexcept;

  // Standing alone in a condition.
  bool is_true() const noexcept;

  // Below, at or above 0; nullopt when the two cannot be compared.
  static std::optional<int> compare(const FilterValue& a, const FilterValue& b) noexcept;
  static bool equal(const FilterValue& a, const FilterValue& b) noexcept;

 private:
  struct Number {
    double approximate = 0;
    std::optional<std::int64_t> exact;  // where 64 bits hold it, so that long ids do not collide
  };

  static std::optional<Number> parse(std::string_view text) noexcept;
  std::optional<Number> as_number() const noexcept;
  std::optional<bool> as_truth() const noexcept;

  Kind kind_ = Kind::null;
  bool truth_ = false;
  bool owns_ = false;
  Number number_;
  std::string_view view_;
  std::string owned_;
};

// Does `text` look like `pattern`, where * stands for any characters and ? for one? In time linear
// in the text for each star at worst.
bool matches_pattern(std::string_view text, std::string_view pattern) noexcept;

}  // namespace batchllm
