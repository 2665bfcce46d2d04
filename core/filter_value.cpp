// SPDX-License-Identifier: Apache-2.0
#include "core/filter_value.h"

#include "core/text.h"

#include <utility>

namespace batchllm {
namespace {

template <typename Ordered>
int order(const Ordered& a, const Ordered& b) noexcept {
  return a < b ? -1 : (b < a ? 1 : 0);
}

std::size_t character_length(std::string_view text) noexcept {
  std::size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) {
    ++length;
  }
  return length;
}

}  // namespace

FilterValue FilterValue::of_truth(bool truth) {
  FilterValue value = of_view(truth ? "true" : "false");
  value.kind_ = Kind::truth;
  value.truth_ = truth;
  return value;
}

FilterValue FilterValue::of_count(std::uint64_t count) {
  FilterValue value = of_text(std::to_string(count));
  value.kind_ = Kind::number;
  value.number_ = {static_cast<double>(count), static_cast<std::int64_t>(count)};
  return value;
}

FilterValue FilterValue::of_view(std::string_view text) {
  FilterValue value;
  value.kind_ = Kind::text;
  value.view_ = text;
  return value;
}

FilterValue FilterValue::of_text(std::string text) {
  FilterValue value;
  value.kind_ = Kind::text;
  value.owns_ = true;
  value.owned_ = std::move(text);
  return value;
}

FilterValue FilterValue::of_number(std::string text) {
  const auto number = parse(text);
  if (!number) {
    return {};
  }
  FilterValue value = of_text(std::move(text));
  value.kind_ = Kind::number;
  value.number_ = *number;
  return value;
}

FilterValue FilterValue::of_cell(std::string_view text, CellKind kind) {
  if (text.data() == nullptr) {
    return {};
  }
  FilterValue value = of_view(text);
  if (kind == CellKind::text) {
    return value;
  }
  if (text == "true" || text == "false") {
    return of_truth(text == "true");
  }
  if (const auto number = parse(text)) {
    value.kind_ = Kind::number;
    value.number_ = *number;
  }
  return value;
}

FilterValue FilterValue::borrowed() const noexcept {
  FilterValue value;
  value.kind_ = kind_;
  value.truth_ = truth_;
  value.number_ = number_;
  value.view_ = text();
  return value;
}

bool FilterValue::is_true() const noexcept {
  switch (kind_) {
    case Kind::null:
      return false;
    case Kind::truth:
      return truth_;
    case Kind::number:
      return number_.approximate != 0;
    case Kind::text:
      return !text().empty() && text() != "0" && !equals_ignoring_case(text(), "false");
  }
  return false;
}

std::optional<int> FilterValue::compare(const FilterValue& a, const FilterValue& b) noexcept {
  if (a.is_null() || b.is_null()) {
    return std::nullopt;
  }
  if (a.kind_ == Kind::number || b.kind_ == Kind::number) {
    const auto left = a.as_number();
    const auto right = b.as_number();
    if (!left || !right) {
      return std::nullopt;
    }
    return left->exact && right->exact ? order(*left->exact, *right->exact)
                                       : order(left->approximate, right->approximate);
  }
  if (a.kind_ == Kind::truth || b.kind_ == Kind::truth) {
    const auto left = a.as_truth();
    const auto right = b.as_truth();
    return left && right ? std::optional(order(*left, *right)) : std::nullopt;
  }
  return order(a.text(), b.text());
}

bool FilterValue::equal(const FilterValue& a, const FilterValue& b) noexcept {
  return (a.is_null() && b.is_null()) || compare(a, b) == 0;
}

std::optional<FilterValue::Number> FilterValue::parse(std::string_view text) noexcept {
  const std::string_view digits = trim(text);
  const auto approximate = parse_number(digits);
  // What from_chars calls numbers and people do not: "inf" is excluded by parse_number.
  if (!approximate) {
    return std::nullopt;
  }
  return Number{*approximate, parse_integer(digits)};
}

std::optional<FilterValue::Number> FilterValue::as_number() const noexcept {
  switch (kind_) {
    case Kind::number:
      return number_;
    case Kind::text:
      return parse(text());
    default:
      return std::nullopt;
  }
}

std::optional<bool> FilterValue::as_truth() const noexcept {
  if (kind_ == Kind::truth) {
    return truth_;
  }
  const std::string_view word = trim(text());
  if (equals_ignoring_case(word, "true")) {
    return true;
  }
  return equals_ignoring_case(word, "false") ? std::optional(false) : std::nullopt;
}

bool matches_pattern(std::string_view text, std::string_view pattern) noexcept {
  // After a mismatch only the last star takes one character more: earlier stars need not.
  std::size_t at = 0;
  std::size_t in_pattern = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      star_text = at;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == '?') {
      at += character_length(text.substr(at));
      ++in_pattern;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == text[at]) {
      ++at;
      ++in_pattern;
    } else if (star != std::string_view::npos) {
      star_text += character_length(text.substr(star_text));
      at = star_text;
      in_pattern = star + 1;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

}  // namespace batchllm
