// SPDX-License-Identifier: Apache-2.0
#include "cli/comparison_view.h"

#include "cli/table_cells.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {
namespace {

constexpr std::size_t k_most_pairs = 10;  // shown
constexpr double k_median = 0.5;
constexpr double k_slow = 0.95;

// Calls visit(first, second) for every two models, in their order.
template <typename Visit>
void for_each_pair(const ModelComparison& comparison, Visit visit) {
  for (std::size_t first = 0; first < comparison.models.size(); ++first) {
    for (std::size_t second = first + 1; second < comparison.models.size(); ++second) {
      visit(first, second);
    }
  }
}

std::string latency_text(std::optional<std::int64_t> ms) {
  constexpr std::int64_t k_second = 1000;
  if (!ms) {
    return "-";
  }
  return *ms < k_second ? fmt::format("{} ms", *ms)
                        : fmt::format("{:.1f} s", static_cast<double>(*ms) / k_second);
}

std::vector<std::string> numbers_of(const ComparedModel& model, bool has_gold) {
  std::vector<std::string> cells = {
      with_thousands(model.answered),
      with_thousands(model.failed),
      with_thousands(static_cast<std::uint64_t>(model.usage.input_tokens)),
      with_thousands(static_cast<std::uint64_t>(model.usage.output_tokens)),
      model.cost_micro_usd ? usd_text(*model.cost_micro_usd) : "not known",
      latency_text(model.latencies.quantile(k_median)),
      latency_text(model.latencies.quantile(k_slow)),
  };
  if (has_gold) {
    cells.push_back(score_text(model.gold.accuracy()));
  }
  return cells;
}

void append_models(const ModelComparison& comparison, std::size_t width, std::string& out) {
  constexpr std::size_t k_gap = 2;
  constexpr std::size_t k_longest_name = 40;
  std::vector<std::vector<std::string>> table = {
      {"ok", "failed", "tokens in", "out", "cost", "median", "p95"}};
  if (comparison.gold) {
    table.front().emplace_back("accuracy");
  }
  std::vector<std::string> names = {"model"};
  for (const ComparedModel& model : comparison.models) {
    table.push_back(numbers_of(model, comparison.gold.has_value()));
    names.push_back(model.name);
  }
  std::vector<std::size_t> widths(table.front().size());
  std::size_t numbers = 0;
  for (std::size_t column = 0; column < widths.size(); ++column) {
    for (const auto& cells : table) {
      widths[column] = std::max(widths[column], character_count(cells[column]));
    }
    numbers += k_gap + widths[column];
  }
  std::size_t first = 0;
  for (const std::string& name : names) {
    first = std::max(first, character_count(name));
  }
  // Models differ at the end of their names: these are not cut to fit.
  first = std::min(first, std::max(k_longest_name, width - std::min(width, numbers)));
  for (std::size_t row = 0; row < table.size(); ++row) {
    std::string line = filled_right(one_line(names[row], first), first);
    for (std::size_t column = 0; column < widths.size(); ++column) {
      line += filled_left(table[row][column], k_gap + widths[column]);
    }
    append_table_line(out, std::move(line));
  }
}

std::string kappa_text(const ConfusionCounts& counts) {
  const auto kappa = counts.kappa();
  return kappa ? fmt::format(", kappa {}", score_text(kappa)) : std::string();
}

void append_agreement(const ModelComparison& comparison, std::string& out) {
  const AgreementCounts& agreement = comparison.agreement;
  if (agreement.rows() == 0) {
    append_table_line(out, "No row was answered by all.");
  } else {
    append_table_line(out,
                      fmt::format("All agree in {} of the {} that all answered: {}{}",
                                  with_thousands(agreement.same()),
                                  count_noun(agreement.rows(), "row"),
                                  share_text(agreement.share()),
                                  comparison.models.size() == 2 ? kappa_text(agreement.pair(0, 1))
                                                                : std::string()));
  }
  if (comparison.models.size() == 2) {
    return;
  }
  std::size_t shown = 0;
  for_each_pair(comparison, [&](std::size_t first, std::size_t second) {
    const ConfusionCounts& pair = agreement.pair(first, second);
    if (++shown <= k_most_pairs) {
      append_table_line(out,
                        fmt::format("  {} and {}: {}{}",
                                    one_line(comparison.models[first].name, 40),
                                    one_line(comparison.models[second].name, 40),
                                    share_text(pair.accuracy()),
                                    kappa_text(pair)));
    }
  });
  if (shown > k_most_pairs) {
    append_table_line(out,
                      fmt::format("  … and {} more pairs (--json has all)", shown - k_most_pairs));
  }
}

void write_ratio(JsonWriter& json, std::string_view name, const std::optional<double>& ratio) {
  json.key(name);
  ratio ? json.decimal(*ratio, 6) : json.null();
}

void write_latency(JsonWriter& json, std::string_view name, const std::optional<std::int64_t>& ms) {
  json.key(name);
  ms ? json.number(*ms) : json.null();
}

void write_model(JsonWriter& json, const ComparedModel& model, bool has_gold) {
  json.begin_object().key("model").string(as_utf8(model.name));
  json.key("ok").number(model.answered).key("failed").number(model.failed);
  json.key("tokens").begin_object().key("input").number(model.usage.input_tokens);
  json.key("output").number(model.usage.output_tokens).end_object().key("cost_usd");
  model.cost_micro_usd ? json.decimal(static_cast<double>(*model.cost_micro_usd) / 1e6, 6)
                       : json.null();
  json.key("latency_ms").begin_object();
  write_latency(json, "median", model.latencies.quantile(k_median));
  write_latency(json, "p95", model.latencies.quantile(k_slow));
  json.end_object();
  if (has_gold) {
    json.key("gold").begin_object().key("rows").number(model.gold.rows());
    json.key("right").number(model.gold.right()).key("no_answer").number(model.gold.unanswered());
    write_ratio(json, "accuracy", model.gold.accuracy());
    json.end_object();
  }
  json.end_object();
}

}  // namespace

std::string comparison_text(const ModelComparison& comparison, std::size_t width) {
  std::string text = fmt::format("Compared {} over {}",
                                 count_noun(comparison.models.size(), "model"),
                                 count_noun(comparison.rows, "row"));
  if (comparison.gold) {
    const GoldColumn& gold = *comparison.gold;
    text += fmt::format(
        ", accuracy by {}",
        gold.field
            ? fmt::format("{} (for {})", one_line(gold.column, 40), one_line(gold.field_name, 40))
            : one_line(gold.column, 40));
  }
  if (comparison.unlabelled != 0) {
    text += fmt::format(" ({} without a gold value)", count_noun(comparison.unlabelled, "row"));
  }
  text += ":";
  append_models(comparison, width, text);
  append_agreement(comparison, text);
  return text;
}

void write_comparison(JsonWriter& json, const ModelComparison& comparison) {
  const AgreementCounts& agreement = comparison.agreement;
  json.begin_object().key("rows").number(comparison.rows).key("models").begin_array();
  for (const ComparedModel& model : comparison.models) {
    write_model(json, model, comparison.gold.has_value());
  }
  json.end_array().key("agreement").begin_object().key("rows").number(agreement.rows());
  json.key("same").number(agreement.same());
  write_ratio(json, "share", agreement.share());
  json.key("pairs").begin_array();
  for_each_pair(comparison, [&](std::size_t first, std::size_t second) {
    const ConfusionCounts& pair = agreement.pair(first, second);
    json.begin_object().key("a").string(as_utf8(comparison.models[first].name));
    json.key("b").string(as_utf8(comparison.models[second].name));
    json.key("rows").number(pair.rows()).key("same").number(pair.right());
    write_ratio(json, "share", pair.accuracy());
    write_ratio(json, "kappa", pair.kappa());
    json.end_object();
  });
  json.end_array().end_object().key("gold");
  if (comparison.gold) {
    json.begin_object().key("column").string(as_utf8(comparison.gold->column)).key("field");
    comparison.gold->field ? json.string(as_utf8(comparison.gold->field_name)) : json.null();
    json.key("unlabelled").number(comparison.unlabelled).end_object();
  } else {
    json.null();
  }
  json.end_object();
}

}  // namespace batchllm
