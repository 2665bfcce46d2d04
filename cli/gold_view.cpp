// SPDX-License-Identifier: Apache-2.0
#include "cli/gold_view.h"

#include "cli/table_cells.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace batchllm {
namespace {

constexpr std::size_t k_most_shown = 20;  // classes
constexpr std::size_t k_longest_name = 24;
constexpr std::size_t k_longest_heading = 12;
constexpr std::size_t k_gap = 2;

std::size_t name_width(const std::vector<std::string>& names, std::size_t room) {
  std::size_t width = 0;
  for (const std::string& name : names) {
    width = std::max(width, character_count(name));
  }
  constexpr std::size_t k_least = 4;
  return std::min({width, k_longest_name, std::max(room, k_least)});
}

std::string headline(const GoldReport& report) {
  const ConfusionCounts& counts = report.counts;
  const GoldColumn& gold = report.gold;
  std::string text = fmt::format(
      "Gold {}: ",
      gold.field
          ? fmt::format("{} (for {})", one_line(gold.column, 40), one_line(gold.field_name, 40))
          : one_line(gold.column, 40));
  if (counts.rows() == 0) {
    text += "no row to compare";
  } else {
    text += fmt::format("{} of {} right, accuracy {}",
                        with_thousands(counts.right()),
                        with_thousands(counts.rows()),
                        score_text(counts.accuracy()));
  }
  std::string apart;
  if (counts.unanswered() != 0) {
    apart = with_thousands(counts.unanswered()) + " without an answer";
  }
  if (report.unlabelled != 0) {
    apart += fmt::format("{}{} without a gold value, not counted",
                         apart.empty() ? "" : ", ",
                         count_noun(report.unlabelled, "row"));
  }
  text += apart.empty() ? "" : "\n" + apart;
  return text;
}

std::string scores_line(const std::string& name,
                        std::size_t width,
                        const std::optional<double>& precision,
                        const std::optional<double>& recall,
                        const std::optional<double>& f1,
                        const std::string& support) {
  return fmt::format("{}  {:>9}  {:>6}  {:>5}  {:>7}",
                     filled_right(one_line(name, width), width),
                     score_text(precision),
                     score_text(recall),
                     score_text(f1),
                     support);
}

std::string more_classes(std::size_t more, bool has_other) {
  std::string text;
  if (more != 0) {
    text = fmt::format(
        "… and {} more class{} (--json has all)", with_thousands(more), more == 1 ? "" : "es");
  }
  if (has_other) {
    text += fmt::format("{}only the first {} classes are told apart",
                        text.empty() ? "" : "; ",
                        with_thousands(ConfusionCounts::k_most_classes));
  }
  return text;
}

// What was answered for what: as many of the greatest classes as there is room for.
class ConfusionTable {
 public:
  ConfusionTable(const ConfusionCounts& counts, std::vector<std::uint32_t> order, std::size_t width)
      : counts_(counts),
        order_(std::move(order)) {
    for (const std::uint32_t index : order_) {
      names_.push_back(counts.classes()[index].name);
    }
    first_width_ = name_width(
        {names_.begin(), names_.begin() + static_cast<std::ptrdiff_t>(shown())}, width / 3);
    choose_columns(width);
  }

  void append_to(std::string& out) const {
    std::string line(first_width_, ' ');
    for (std::size_t i = 0; i < columns_; ++i) {
      line += filled_left(heading(i), k_gap + column_width(i));
    }
    line += others_ ? filled_left("others", k_gap + others_width()) : "";
    line += has_unanswered() ? filled_left("no answer", k_gap + k_no_answer_width) : "";
    append_table_line(out, line);
    for (std::size_t row = 0; row < shown(); ++row) {
      append_row(out, row);
    }
  }

 private:
  static constexpr std::size_t k_no_answer_width = 9;

  std::size_t shown() const { return std::min(order_.size(), k_most_shown); }

  bool has_unanswered() const { return counts_.unanswered() != 0; }

  static std::size_t others_width() { return std::string_view("others").size(); }

  std::string heading(std::size_t column) const {
    return one_line(names_[column], k_longest_heading);
  }

  std::size_t column_width(std::size_t column) const {
    std::size_t width = character_count(heading(column));
    for (std::size_t row = 0; row < shown(); ++row) {
      width = std::max(width, cell(counts_.count(order_[row], order_[column])).size());
    }
    return width;
  }

  static std::string cell(std::uint64_t rows) { return rows == 0 ? "." : with_thousands(rows); }

  // All of them, or as many as fit beside a column for the others.
  void choose_columns(std::size_t width) {
    const std::size_t used = first_width_ + (has_unanswered() ? k_gap + k_no_answer_width : 0);
    std::vector<std::size_t> ends;  // where the line ends with that many columns and one more
    std::size_t end = used;
    for (std::size_t column = 0; column < shown(); ++column) {
      end += k_gap + column_width(column);
      ends.push_back(end);
    }
    columns_ = shown();
    others_ = order_.size() > columns_ || counts_.has_other();
    const auto room = [&] { return width - std::min(width, others_ ? k_gap + others_width() : 0); };
    while (columns_ > 1 && ends[columns_ - 1] > room()) {
      --columns_;
      others_ = true;
    }
  }

  void append_row(std::string& out, std::size_t row) const {
    const ClassCounts& counts = counts_.classes()[order_[row]];
    std::string line = filled_right(one_line(names_[row], first_width_), first_width_);
    std::uint64_t left = counts.expected - counts.unanswered;
    for (std::size_t column = 0; column < columns_; ++column) {
      const std::uint64_t rows = counts_.count(order_[row], order_[column]);
      left -= rows;
      line += filled_left(cell(rows), k_gap + column_width(column));
    }
    line += others_ ? filled_left(cell(left), k_gap + others_width()) : "";
    line += has_unanswered() ? filled_left(cell(counts.unanswered), k_gap + k_no_answer_width) : "";
    append_table_line(out, line);
  }

  const ConfusionCounts& counts_;
  std::vector<std::uint32_t> order_;
  std::vector<std::string> names_;
  std::size_t first_width_ = 0;
  std::size_t columns_ = 0;
  bool others_ = false;
};

void write_score(JsonWriter& json, std::string_view name, const std::optional<double>& score) {
  json.key(name);
  score ? json.decimal(*score, 6) : json.null();
}

void write_pair(JsonWriter& json,
                const std::string& expected,
                const std::string* answered,
                std::uint64_t rows) {
  if (rows != 0) {
    json.begin_object().key("gold").string(expected).key("answer");
    answered == nullptr ? json.null() : json.string(*answered);
    json.key("rows").number(rows).end_object();
  }
}

void write_confusion(JsonWriter& json,
                     const ConfusionCounts& counts,
                     const std::vector<std::uint32_t>& order) {
  std::uint64_t listed = 0;
  json.key("confusion").begin_array();
  for (const std::uint32_t expected : order) {
    const ClassCounts& row = counts.classes()[expected];
    for (const std::uint32_t answered : order) {
      const std::uint64_t rows = counts.count(expected, answered);
      write_pair(json, row.name, &counts.classes()[answered].name, rows);
      listed += rows;
    }
    write_pair(json, row.name, nullptr, row.unanswered);
    listed += row.unanswered;
  }
  json.end_array().key("other_rows").number(counts.rows() - listed);
}

}  // namespace

std::string gold_text(const GoldReport& report, std::size_t width) {
  const ConfusionCounts& counts = report.counts;
  std::string text = headline(report);
  const std::vector<std::uint32_t> order = counts.by_support();
  if (order.empty()) {
    return text;
  }
  const std::size_t shown = std::min(order.size(), k_most_shown);
  std::vector<std::string> names{"class", "mean"};
  for (std::size_t i = 0; i < shown; ++i) {
    names.push_back(counts.classes()[order[i]].name);
  }
  constexpr std::size_t k_numbers = 35;
  const std::size_t first = name_width(names, width - std::min(width, k_numbers));
  append_table_line(text,
                    fmt::format("{}  {:>9}  {:>6}  {:>5}  {:>7}",
                                filled_right("class", first),
                                "precision",
                                "recall",
                                "f1",
                                "support"));
  for (std::size_t i = 0; i < shown; ++i) {
    const ClassCounts& one = counts.classes()[order[i]];
    append_table_line(text,
                      scores_line(one.name,
                                  first,
                                  one.precision(),
                                  one.recall(),
                                  one.f1(),
                                  with_thousands(one.expected)));
  }
  const std::string more = more_classes(order.size() - shown, counts.has_other());
  if (!more.empty()) {
    append_table_line(text, more);
  }
  const MacroScores mean = counts.macro();
  append_table_line(
      text,
      scores_line(
          "mean", first, mean.precision, mean.recall, mean.f1, with_thousands(counts.rows())));
  append_table_line(text, "Answered (columns) for each gold value (rows):");
  ConfusionTable(counts, order, width).append_to(text);
  return text;
}

void write_gold(JsonWriter& json, const GoldReport& report) {
  const ConfusionCounts& counts = report.counts;
  const MacroScores mean = counts.macro();
  json.begin_object().key("column").string(as_utf8(report.gold.column)).key("field");
  report.gold.field ? json.string(as_utf8(report.gold.field_name)) : json.null();
  json.key("rows").number(counts.rows()).key("right").number(counts.right());
  json.key("no_answer").number(counts.unanswered()).key("unlabelled").number(report.unlabelled);
  write_score(json, "accuracy", counts.accuracy());
  json.key("macro").begin_object().key("precision").decimal(mean.precision, 6);
  json.key("recall").decimal(mean.recall, 6).key("f1").decimal(mean.f1, 6).end_object();
  const std::vector<std::uint32_t> order = counts.by_support();
  json.key("classes").begin_array();
  for (const std::uint32_t index : order) {
    const ClassCounts& one = counts.classes()[index];
    json.begin_object().key("class").string(one.name).key("support").number(one.expected);
    json.key("answered").number(one.answered).key("right").number(one.right);
    json.key("no_answer").number(one.unanswered);
    write_score(json, "precision", one.precision());
    write_score(json, "recall", one.recall());
    write_score(json, "f1", one.f1());
    json.end_object();
  }
  json.end_array();
  write_confusion(json, counts, order);
  json.end_object();
}

}  // namespace batchllm
