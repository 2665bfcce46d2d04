// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/answer_choices.h"
#include "core/answer_extraction.h"
#include "core/answer_mistake.h"
#include "core/json_schema.h"
#include "core/row_sink.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace batchllm {

struct AnswerFormSettings {
  std::string schema;   // JSON Schema (schema_of_fields makes one too); empty: none
  std::string extract;  // see AnswerExtraction; empty: none
  bool strip = false;
  std::string choices;  // see AnswerChoices; empty: none; not together with a schema

  // Fields of the schema that become columns of another name: field, column.
  std::vector<std::pair<std::string, std::string>> renamed_fields;
};

// An answer in the form that was asked for.
struct FormedAnswer {
  std::string text;      // what is stored: with a schema, its JSON without white space
  std::string thoughts;  // what the model thought aloud; empty for most
};

// The form that answers must have, compiled once from the options of a job: thoughts are split off,
// the asked-for part is taken, it is stripped, and it must be one of the choices or follow the
// schema. With a schema and no other way to extract, its JSON is found amid what stands around it.
//
// Immutable; thread-safe.
class AnswerForm {
 public:
  // Throws Error(usage) naming the option ("--choices: column 3: …").
  static AnswerForm compile(const AnswerFormSettings& settings);

  // The answer in its form; else why it is not in it, and what to tell the model that is asked
  // again (a whole message).
  Judged<FormedAnswer> apply(std::string_view raw_answer) const;

  // The columns that the form makes of an answer, in the schema's order; none: the answer is one
  // column.
  const std::vector<std::string>& columns() const noexcept { return columns_; }

  // What is put behind the prompt for a provider that cannot be told the form otherwise; empty when
  // the form asks nothing of the model.
  const std::string& instructions() const noexcept { return instructions_; }

  // Null when there is none.
  const JsonSchema* schema() const noexcept { return schema_ ? &*schema_ : nullptr; }

 private:
  AnswerForm() = default;

  void name_columns(const AnswerFormSettings& settings);
  void write_instructions(const AnswerFormSettings& settings);
  Judged<FormedAnswer> follow_schema(std::string_view part, FormedAnswer formed) const;

  std::optional<AnswerExtraction> extraction_;
  bool strips_ = false;
  std::optional<AnswerChoices> choices_;
  std::optional<JsonSchema> schema_;
  std::vector<std::string> columns_;
  std::string instructions_;
};

// Reads stored answers back as the cells of AnswerForm::columns. Not thread-safe: one for each
// writer.
class AnswerCells {
 public:
  // `form` must outlive it.
  explicit AnswerCells(const AnswerForm& form);
  AnswerCells(AnswerCells&&) noexcept;
  AnswerCells& operator=(AnswerCells&&) noexcept;
  AnswerCells(const AnswerCells&) = delete;
  AnswerCells& operator=(const AnswerCells&) = delete;
  ~AnswerCells();

  // One cell a column: strings as text, numbers, booleans, arrays and objects as JSON in the
  // spelling of the answer, null for what is null or not there. All are null when `stored` is no
  // object. Views into this object, valid until the next call.
  const std::vector<NewCell>& read(std::string_view stored);

 private:
  struct Room;

  const AnswerForm& form_;
  std::unique_ptr<Room> room_;
};

}  // namespace batchllm
