// SPDX-License-Identifier: Apache-2.0
// Prints what it costs to hold an answer of about 1 KB against a schema, to bring it into its form
// and to read its cells.
#include "core/answer_form.h"
#include "core/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace {

using namespace batchllm;

constexpr std::string_view k_schema = R"({
  "type": "object",
  "properties": {
    "label": {"enum": ["bug", "question", "praise", "feature request"]},
    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
    "language": {"type": "string", "pattern": "^[a-z]{2}$"},
    "summary": {"type": "string", "minLength": 10, "maxLength": 600},
    "tags": {"type": "array", "items": {"type": "string", "maxLength": 30}, "maxItems": 10,
             "uniqueItems": true},
    "customer": {"anyOf": [{"$ref": "#/$defs/person"}, {"type": "null"}]},
    "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}}
  },
  "required": ["label", "confidence", "language", "summary", "tags", "customer", "steps"],
  "additionalProperties": false,
  "$defs": {
    "person": {"type": "object", "required": ["name", "age"],
               "properties": {"name": {"type": "string"}, "age": {"type": ["integer", "null"]}}},
    "step": {"type": "object", "required": ["number", "what"], "additionalProperties": false,
             "properties": {"number": {"type": "integer", "minimum": 1},
                            "what": {"type": "string"}, "done": {"type": "boolean"}}}
  }
})";

std::string make_answer() {
  const std::string text =
      "The customer reports that the export stops after about a thousand rows. The file that is "
      "left behind has a valid header and no trailer; a second try on the same machine ends at "
      "another row. It does not happen with the older version, nor with compression turned off.";
  std::string steps;
  for (int i = 1; i <= 6; ++i) {
    steps += fmt::format(R"({}{{"number": {}, "what": "step {}: try it again with less of it and )"
                         R"(compare", "done": {}}})",
                         i == 1 ? "" : ", ",
                         i,
                         i,
                         i % 2 == 0);
  }
  return fmt::format(R"({{"label": "bug", "confidence": 0.87, "language": "en", "summary": "{}", )"
                     R"("tags": ["export", "data loss", "regression", "compression"], )"
                     R"("customer": {{"name": "A. Person", "age": 41}}, "steps": [{}]}})",
                     text,
                     steps);
}

// Microseconds for one call, the best of many short rounds: on a machine that has other work too,
// some round is left alone.
template <typename Action>
double best_us(std::size_t calls, Action&& action) {
  double best = 1e12;
  std::size_t sum = 0;
  for (int round = 0; round < 200; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t call = 0; call < calls; ++call) {
      sum += action();
    }
    const std::chrono::duration<double, std::micro> elapsed =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, elapsed.count() / static_cast<double>(calls));
  }
  if (sum == 42) {
    fmt::print("\n");
  }
  return best;
}

}  // namespace

int main() {
  const std::string answer = make_answer();
  AnswerFormSettings settings;
  settings.schema = k_schema;
  const AnswerForm form = AnswerForm::compile(settings);
  const JsonSchema& schema = *form.schema();
  const auto formed = form.apply(answer);
  if (!formed) {
    fmt::print("{}\n", formed.error().reason);
    return 1;
  }
  std::string wrong = answer;
  wrong.replace(wrong.find("\"bug\""), 5, "\"bag\"");
  const std::string fenced = "Here it is:\n```json\n" + answer + "\n```\n";
  AnswerCells cells(form);

  fmt::print("an answer of {} bytes\n", answer.size());
  constexpr std::size_t k_calls = 500;
  const auto print = [](std::string_view what, double us) {
    fmt::print("{:<44} {:>8.2f} us\n", what, us);
  };
  print("validate", best_us(k_calls, [&] { return schema.validate(answer).size(); }));
  print("validate, one mistake", best_us(k_calls, [&] { return schema.validate(wrong).size(); }));
  print("form: find, validate, make compact",
        best_us(k_calls, [&] { return form.apply(answer)->text.size(); }));
  print("form, in a code block", best_us(k_calls, [&] { return form.apply(fenced)->text.size(); }));
  print("cells", best_us(k_calls, [&] { return cells.read(formed->text).size(); }));
  print("compile the schema",
        best_us(20, [&] { return JsonSchema::compile(k_schema).columns().size(); }));
  return 0;
}
