// SPDX-License-Identifier: Apache-2.0
#include "core/answer_form.h"

#include "core/answer_thoughts.h"
#include "core/code_points.h"
#include "core/error.h"
#include "core/json_in_text.h"
#include "core/text.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>

namespace batchllm {
namespace {

template <typename Action>
auto for_option(std::string_view option, const Action& action) {
  try {
    return action();
  } catch (Error& error) {
    throw std::move(error).with_context(option);
  }
}

// A JSON text that is known to be one, without white space between its parts; numbers and strings
// stay spelled as they were.
std::string compact(std::string_view json) {
  std::string out(json.size() + simdjson::SIMDJSON_PADDING, '\0');
  std::size_t length = 0;
  if (simdjson::minify(json.data(), json.size(), out.data(), length) != simdjson::SUCCESS) {
    return std::string(json);
  }
  out.resize(length);
  return out;
}

std::string again(std::string_view reason, std::string_view advice) {
  return fmt::format("Your last answer cannot be used: {}. {}", reason, advice);
}

}  // namespace

AnswerForm AnswerForm::compile(const AnswerFormSettings& settings) {
  AnswerForm form;
  if (!settings.schema.empty() && !settings.choices.empty()) {
    throw Error(ErrorCode::usage,
                "--choices and a schema cannot be asked for together",
                "a field of the schema can have choices: --fields \"label:enum(a, b)\"");
  }
  if (!settings.extract.empty()) {
    form.extraction_ =
        for_option("--extract", [&] { return AnswerExtraction::compile(settings.extract); });
  } else if (!settings.schema.empty()) {
    form.extraction_ = AnswerExtraction::compile("json");
  }
  form.strips_ = settings.strip;
  if (!settings.choices.empty()) {
    form.choices_ =
        for_option("--choices", [&] { return AnswerChoices::compile(settings.choices); });
  }
  if (!settings.schema.empty()) {
    form.schema_.emplace(JsonSchema::compile(settings.schema));
  }
  form.name_columns(settings);
  form.write_instructions(settings);
  return form;
}

void AnswerForm::name_columns(const AnswerFormSettings& settings) {
  std::vector<std::string> fields;
  if (schema_) {
    std::transform(schema_->columns().begin(),
                   schema_->columns().end(),
                   std::back_inserter(fields),
                   [](const SchemaColumn& column) { return column.name; });
  }
  columns_ = fields;
  std::vector<bool> is_renamed(fields.size(), false);
  for (const auto& [field, column] : settings.renamed_fields) {
    const auto found = std::find(fields.begin(), fields.end(), field);
    if (found == fields.end()) {
      const auto near = nearest_name(field, fields);
      throw Error(ErrorCode::usage,
                  fmt::format("--map: there is no field {}", one_line(field, 60)),
                  fields.empty() ? "fields come from --fields or a schema with properties"
                  : near         ? fmt::format("did you mean {}?", *near)
                                 : fmt::format("fields: {}", name_list(fields)));
    }
    const auto index = static_cast<std::size_t>(found - fields.begin());
    if (column.empty() || is_renamed[index]) {
      throw Error(ErrorCode::usage,
                  column.empty()
                      ? fmt::format("--map: no column for the field {}", one_line(field, 60))
                      : fmt::format("--map: the field {} is there twice", one_line(field, 60)));
    }
    is_renamed[index] = true;
    columns_[index] = column;
  }
  auto sorted = columns_;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    throw Error(ErrorCode::usage,
                fmt::format("--map: two fields become the column {}", one_line(*twice, 60)));
  }
}

void AnswerForm::write_instructions(const AnswerFormSettings& settings) {
  if (schema_) {
    instructions_ = fmt::format(
        "Answer with one JSON {} only, that follows this JSON Schema, and with no other text:\n{}",
        columns_.empty() ? "value" : "object",
        schema_->text());
  } else if (choices_) {
    instructions_ = "Answer with exactly one of these and nothing else: ";
    for (const auto& name : choices_->names()) {
      instructions_ += &name == choices_->names().data() ? "" : ", ";
      instructions_ += name;
    }
    instructions_ += '.';
  } else if (settings.extract == "json") {
    instructions_ = "Answer with one JSON value only, and with no other text.";
  }
  // A tag or an expression is something that the prompt speaks of already.
  if (!instructions_.empty() && settings.extract.starts_with("tag:")) {
    const std::string_view tag = std::string_view(settings.extract).substr(4);
    instructions_ += fmt::format("\nPut it between <{}> and </{}>.", tag, tag);
  }
}

Judged<FormedAnswer> AnswerForm::apply(std::string_view raw_answer) const {
  AnswerParts parts = split_thoughts(raw_answer);
  FormedAnswer formed{{}, std::move(parts.thoughts)};
  std::string_view part = parts.answer;
  if (trim_white_space(part).empty() && !formed.thoughts.empty()) {
    return AnswerMistake{"the answer ends before its thoughts do",
                         again("it had thoughts and no answer", "Think less, and answer.")};
  }
  if (extraction_) {
    const auto extracted = extraction_->apply(part);
    if (!extracted) {
      const AnswerMistake& mistake = extracted.error();
      return AnswerMistake{mistake.reason, again(mistake.reason, mistake.advice)};
    }
    part = *extracted;
  }
  if (strips_) {
    part = strip_answer(part);
  }
  if (choices_) {
    const auto choice = choices_->apply(part);
    if (!choice) {
      const AnswerMistake& mistake = choice.error();
      return AnswerMistake{mistake.reason, again(mistake.reason, mistake.advice)};
    }
    part = *choice;
  }
  if (schema_) {
    return follow_schema(part, std::move(formed));
  }
  formed.text = part;
  return formed;
}

Judged<FormedAnswer> AnswerForm::follow_schema(std::string_view part, FormedAnswer formed) const {
  const auto mistakes = schema_->validate(part);
  if (mistakes.empty()) {
    formed.text = compact(part);
    return formed;
  }
  std::string list;
  for (const auto& mistake : mistakes) {
    list += fmt::format("\n- {}", one_line(mistake.text(), 300));
  }
  return AnswerMistake{
      fmt::format("the answer does not follow the schema: {}", one_line_summary(mistakes)),
      fmt::format("Your last answer cannot be used: it does not follow the JSON Schema.{}\n"
                  "Answer again, with the corrected JSON and nothing else.",
                  list)};
}

struct AnswerCells::Room {
  simdjson::ondemand::parser parser;
  std::string padded;
  std::vector<NewCell> cells;
};

AnswerCells::AnswerCells(const AnswerForm& form) : form_(form), room_(std::make_unique<Room>()) {}

AnswerCells::AnswerCells(AnswerCells&&) noexcept = default;
AnswerCells::~AnswerCells() = default;

namespace {

// Of a value in its document's spelling; null when it is null.
NewCell cell_of(simdjson::ondemand::value value) {
  simdjson::ondemand::json_type type{};
  std::string_view text;
  if (value.type().get(type) != simdjson::SUCCESS) {
    return {};
  }
  switch (type) {
    case simdjson::ondemand::json_type::string:
      return value.get_string().get(text) == simdjson::SUCCESS ? NewCell{text, CellKind::text}
                                                               : NewCell{};
    case simdjson::ondemand::json_type::array: {
      simdjson::ondemand::array array;
      const bool is_read = value.get_array().get(array) == simdjson::SUCCESS &&
                           array.raw_json().get(text) == simdjson::SUCCESS;
      return is_read ? NewCell{trim(text), CellKind::json} : NewCell{};
    }
    case simdjson::ondemand::json_type::object: {
      simdjson::ondemand::object object;
      const bool is_read = value.get_object().get(object) == simdjson::SUCCESS &&
                           object.raw_json().get(text) == simdjson::SUCCESS;
      return is_read ? NewCell{trim(text), CellKind::json} : NewCell{};
    }
    case simdjson::ondemand::json_type::null:
      return {};
    default:
      return {trim(value.raw_json_token()), CellKind::json};
  }
}

}  // namespace

const std::vector<NewCell>& AnswerCells::read(std::string_view stored) {
  const JsonSchema* schema = form_.schema();
  auto& cells = room_->cells;
  cells.assign(form_.columns().size(), NewCell{});
  if (schema == nullptr || cells.empty()) {
    return cells;
  }
  auto& padded = room_->padded;
  padded.assign(stored);
  padded.append(simdjson::SIMDJSON_PADDING, ' ');
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (room_->parser.iterate(padded.data(), stored.size(), padded.size()).get(document) !=
          simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    return cells;
  }
  const auto& fields = schema->columns();
  std::size_t next = 0;
  for (auto element : object) {
    simdjson::ondemand::field field;
    std::string_view key;
    if (std::move(element).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(key) != simdjson::SUCCESS) {
      break;
    }
    // Answers mostly have their fields in the schema's order.
    if (next >= fields.size() || fields[next].name != key) {
      const auto found = std::find_if(
          fields.begin(), fields.end(), [&](const auto& known) { return known.name == key; });
      next = static_cast<std::size_t>(found - fields.begin());
    }
    if (next < fields.size()) {
      cells[next++] = cell_of(field.value());
    }
  }
  return cells;
}

}  // namespace batchllm
