// SPDX-License-Identifier: Apache-2.0
#include "core/row_filter.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/row_filter_parser.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

using Operation = FilterOperation;

template <char first, char last>
FilterValue with_case(const FilterValue& value) {
  if (value.is_null()) {
    return {};
  }
  std::string text(value.text());
  for (char& letter : text) {
    if (letter >= first && letter <= last) {
      letter = static_cast<char>(letter ^ 0x20);
    }
  }
  return FilterValue::of_text(std::move(text));
}

// The expression's value for one row.
class Evaluation {
 public:
  Evaluation(const RowBatch& batch, std::size_t row, const std::vector<std::size_t>& cells)
      : batch_(batch),
        row_(row),
        cells_(cells) {}

  bool is_true(const FilterNode& node) const {
    switch (node.operation) {
      case Operation::any_of:
        return std::any_of(node.children.begin(), node.children.end(), [this](const auto& child) {
          return is_true(child);
        });
      case Operation::all_of:
        return std::all_of(node.children.begin(), node.children.end(), [this](const auto& child) {
          return is_true(child);
        });
      case Operation::negate:
        return !is_true(node.children.front());
      case Operation::is_null:
        return value(node.children.front()).is_null();
      case Operation::in_list:
        return is_in_list(node);
      case Operation::constant:
        return node.constant.is_true();
      default:
        return node.children.size() == 2 && node.operation != Operation::fallback
                   ? compares(node)
                   : value(node).is_true();
    }
  }

 private:
  FilterValue value(const FilterNode& node) const {
    switch (node.operation) {
      case Operation::constant:
        return node.constant.borrowed();
      case Operation::column:
        return cell(node);
      case Operation::length: {
        const FilterValue text = value(node.children.front());
        return text.is_null() ? FilterValue() : FilterValue::of_count(character_count(text.text()));
      }
      case Operation::lower:
        return with_case<'A', 'Z'>(value(node.children.front()));
      case Operation::upper:
        return with_case<'a', 'z'>(value(node.children.front()));
      case Operation::trim: {
        const FilterValue text = value(node.children.front());
        return text.is_null() ? FilterValue()
                              : FilterValue::of_text(std::string(trim(text.text())));
      }
      case Operation::number:
        return FilterValue::of_number(std::string(value(node.children.front()).text()));
      case Operation::fallback: {
        FilterValue first = value(node.children.front());
        return first.text().empty() ? value(node.children[1]) : first;
      }
      default:
        return FilterValue::of_truth(is_true(node));
    }
  }

  FilterValue cell(const FilterNode& node) const {
    const std::size_t index = cells_[node.column];
    const std::string_view text = batch_.row_cells(row_)[index];
    if (node.inner.empty()) {
      return FilterValue::of_cell(text, batch_.cell_kind(row_, index));
    }
    auto found = text.data() == nullptr ? std::nullopt : find_in_json(text, node.inner);
    if (!found || found->is_null) {
      return {};
    }
    if (!found->is_json) {
      return FilterValue::of_text(std::move(found->text));
    }
    FilterValue looked = FilterValue::of_cell(found->text, CellKind::json);
    switch (looked.kind()) {
      case FilterValue::Kind::number:
        return FilterValue::of_number(std::move(found->text));
      case FilterValue::Kind::truth:
        return looked;
      default:
        return FilterValue::of_text(std::move(found->text));
    }
  }

  bool compares(const FilterNode& node) const {
    const FilterValue left = value(node.children[0]);
    const FilterValue right = value(node.children[1]);
    switch (node.operation) {
      case Operation::equal:
        return FilterValue::equal(left, right);
      case Operation::not_equal:
        return !FilterValue::equal(left, right);
      case Operation::less:
      case Operation::less_or_equal:
      case Operation::greater:
      case Operation::greater_or_equal:
        return is_ordered(node.operation, FilterValue::compare(left, right));
      default:
        return !left.is_null() && !right.is_null() &&
               holds(node.operation, left.text(), right.text());
    }
  }

  static bool is_ordered(Operation operation, std::optional<int> order) {
    if (!order) {
      return false;
    }
    switch (operation) {
      case Operation::less:
        return *order < 0;
      case Operation::less_or_equal:
        return *order <= 0;
      case Operation::greater:
        return *order > 0;
      default:
        return *order >= 0;
    }
  }

  static bool holds(Operation operation, std::string_view left, std::string_view right) {
    switch (operation) {
      case Operation::contains:
        return left.find(right) != std::string_view::npos;
      case Operation::starts_with:
        return left.starts_with(right);
      case Operation::ends_with:
        return left.ends_with(right);
      default:
        return matches_pattern(left, right);
    }
  }

  bool is_in_list(const FilterNode& node) const {
    const FilterValue wanted = value(node.children.front());
    return std::any_of(node.children.begin() + 1, node.children.end(), [&](const auto& child) {
      return FilterValue::equal(wanted, value(child));
    });
  }

  const RowBatch& batch_;
  std::size_t row_;
  const std::vector<std::size_t>& cells_;
};

}  // namespace

RowFilter RowFilter::compile(std::string_view expression,
                             const TemplateNames& names,
                             std::string_view option) {
  check_variables(names);
  std::vector<std::string> columns;
  FilterNode root = parse_row_filter(expression, names, option, columns);
  return {std::make_unique<const FilterNode>(std::move(root)), std::move(columns)};
}

RowFilter::RowFilter(std::unique_ptr<const FilterNode> root, std::vector<std::string> columns)
    : root_(std::move(root)),
      columns_(std::move(columns)),
      cells_(columns_.size()) {}

RowFilter::RowFilter(RowFilter&& other) noexcept = default;
RowFilter& RowFilter::operator=(RowFilter&& other) noexcept = default;
RowFilter::~RowFilter() = default;

void RowFilter::bind(const std::vector<std::string>& selected) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto found = std::find(selected.begin(), selected.end(), columns_[i]);
    if (found == selected.end()) {
      throw Error(ErrorCode::internal,
                  fmt::format("column {} of a condition was not selected", columns_[i]));
    }
    cells_[i] = static_cast<std::size_t>(found - selected.begin());
  }
}

bool RowFilter::matches(const RowBatch& batch, std::size_t row) const {
  return Evaluation(batch, row, cells_).is_true(*root_);
}

}  // namespace batchllm
