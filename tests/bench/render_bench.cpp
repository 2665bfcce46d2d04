// SPDX-License-Identifier: Apache-2.0
// Prints what a row costs in the template, the filter and the token estimate.
#include "core/model_spec.h"
#include "core/price_table.h"
#include "core/prompt_template.h"
#include "core/row_filter.h"
#include "core/token_estimate.h"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace batchllm;

// Nanoseconds for one call, the best of a few rounds. The results are added up, so that no compiler
// can leave the calls out.
template <typename Action>
double best_ns(std::size_t calls, Action&& action) {
  double best = 1e12;
  std::size_t sum = 0;
  for (int round = 0; round < 7; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t call = 0; call < calls; ++call) {
      sum += action(call);
    }
    const std::chrono::duration<double, std::nano> elapsed =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, elapsed.count() / static_cast<double>(calls));
  }
  if (sum == 42) {
    fmt::print("\n");
  }
  return best;
}

RowBatch make_batch(const std::vector<std::string>& texts) {
  RowBatch batch;
  batch.column_count = 3;
  for (const auto& text : texts) {
    batch.cells.insert(batch.cells.end(), {"open", text, R"({"lang": "de", "score": 7})"});
    batch.places.emplace_back();
  }
  return batch;
}

void print_render(std::string_view name, std::string_view text, const RowBatch& batch) {
  TemplateNames names;
  names.columns = {"status", "text", "meta"};
  PromptTemplate prompt = PromptTemplate::compile(text, names, {"bench"});
  prompt.bind(names.columns);
  std::string out;
  const double ns = best_ns(1'000'000, [&](std::size_t call) {
    out.clear();
    prompt.render(batch, call % batch.row_count(), out);
    return out.size();
  });
  fmt::print("{:<44} {:>8.1f} ns/row  {:>6} bytes\n", name, ns, out.size());
}

void print_filter(std::string_view expression, const RowBatch& batch) {
  TemplateNames names;
  names.columns = {"status", "text", "meta"};
  RowFilter filter = RowFilter::compile(expression, names);
  filter.bind(names.columns);
  const double ns = best_ns(1'000'000, [&](std::size_t call) {
    return filter.matches(batch, call % batch.row_count()) ? std::size_t{1} : std::size_t{0};
  });
  fmt::print("{:<44} {:>8.1f} ns/row\n", expression, ns);
}

}  // namespace

int main() {
  std::vector<std::string> texts;
  for (int row = 0; row < 100; ++row) {
    texts.emplace_back(400, static_cast<char>('a' + row % 26));
  }
  const RowBatch batch = make_batch(texts);
  const std::string task =
      "Classify the ticket below as bug, question or praise. Answer one word.\n";
  print_render("render: 2 placeholders", task + "Status: {status}\n\n{text}\n", batch);
  print_render("render: 2 placeholders, trim|truncate:300",
               task + "Status: {status}\n\n{text|trim|truncate:300}\n",
               batch);
  print_render("render: reaching into JSON", task + "{meta.lang}: {text}\n", batch);
  print_filter("status == \"open\" and len(text) > 20", batch);
  print_filter("meta.score > 5", batch);
  const double estimate = best_ns(1'000'000, [&](std::size_t call) {
    return static_cast<std::size_t>(estimate_tokens(texts[call % texts.size()]).upper);
  });
  fmt::print("{:<44} {:>8.1f} ns/row  {:>6.3f} ns/byte\n",
             "token estimate, 400 bytes",
             estimate,
             estimate / 400);
  const auto start = std::chrono::steady_clock::now();
  const auto price = PriceTable::built_in().find({"openai", "gpt-4o-mini"});
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - start;
  fmt::print("{:<44} {:>8.3f} ms\n", "price table, first look", elapsed.count());
  return price ? 0 : 1;
}
