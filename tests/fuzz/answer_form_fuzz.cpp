// SPDX-License-Identifier: Apache-2.0
// The first byte chooses a form, the first line is its option, the rest an answer. Only Error may
// come out of the option; what is taken of an answer keeps what the form promises.
#include "core/answer_fields.h"
#include "core/answer_form.h"
#include "core/answer_thoughts.h"
#include "core/error.h"
#include "core/json_text.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace batchllm;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void try_answer(const AnswerForm& form, std::string_view answer, bool is_json_asked) {
  const auto formed = form.apply(answer);
  if (!formed) {
    require(!formed.error().reason.empty() && !formed.error().advice.empty());
    require(formed.error().reason.find('\n') == std::string::npos);
    return;
  }
  require(!is_json_asked || is_json(formed->text));
  if (form.schema() != nullptr) {
    require(form.schema()->validate(formed->text).empty());
    // What is stored is its own form.
    const auto again = form.apply(formed->text);
    require(again && again->text == formed->text);
  }
  AnswerCells cells(form);
  for (const NewCell& cell : cells.read(formed->text)) {
    require(cell.kind == CellKind::text || is_json(cell.text));
  }
  require(cells.read(answer).size() == form.columns().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string option(text.substr(0, line));
  const std::string_view answer = text.substr(std::min(line + 1, text.size()));
  try {
    AnswerFormSettings settings;
    settings.strip = data[0] % 2 == 0;
    switch (data[0] / 2 % 4) {
      case 0:
        settings.schema = schema_of_fields(option);
        break;
      case 1:
        settings.choices = option;
        break;
      case 2:
        settings.extract = option;
        break;
      default:
        settings.extract = "json";
        break;
    }
    try_answer(
        AnswerForm::compile(settings), answer, settings.extract == "json" && !settings.strip);
  } catch (const Error&) {
    // refused, as it should be
  }
  const AnswerParts parts = split_thoughts(answer);
  require(parts.thoughts.size() + parts.answer.size() <= answer.size());
  return 0;
}
