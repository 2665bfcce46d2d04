// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_encoder.h"

#include "adapters/job/column_check.h"
#include "adapters/job/gold_report.h"
#include "adapters/job/job_form.h"
#include "adapters/job/job_output.h"
#include "core/config_keys.h"
#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

TemplateNames names_for(const JobRecord& record,
                        const RowSource& source,
                        const std::vector<StepNames>& steps) {
  TemplateNames names;
  names.columns = source.columns();
  for (std::string& column : step_columns(steps)) {
    names.columns.push_back(std::move(column));
  }
  names.open_ended = source.is_open_ended();
  names.variables = record.settings.prompt.variables;
  return names;
}

// Where the relative paths of an input's rows begin. None for rows that were sent to the daemon:
// they must not name files of its machine.
std::optional<std::string> files_folder(const InputFingerprint& input) {
  if (!input.base_folder.empty()) {
    return input.base_folder;
  }
  if (input.is_stored) {
    return std::nullopt;
  }
  return input.from_stdin ? "." : fs::path(input.path).parent_path().string();
}

// "front,back": several columns, unless one has that very name.
std::vector<std::string> columns_in(const RowSource& source,
                                    const std::string& names,
                                    std::string_view option) {
  const auto& columns = source.columns();
  if (names.empty()) {
    return {};
  }
  if (std::find(columns.begin(), columns.end(), names) != columns.end()) {
    return {names};
  }
  std::vector<std::string> found = split_list(names);
  for (const auto& name : found) {
    require_column(source, name, option);
  }
  return found;
}

void set_file_columns(const JobRecord& record,
                      const RowSource& source,
                      const JobModel& model,
                      ChatRowEncoder& encoder) {
  std::vector<std::optional<std::string>> folders;
  for (const auto& input : record.inputs) {
    folders.push_back(files_folder(input));
  }
  const PromptSettings& prompt = record.settings.prompt;
  if (auto names = columns_in(source, prompt.image_column, "--image-column"); !names.empty()) {
    encoder.set_image_columns(
        std::move(names),
        [folders, limits = model.images](const RowPlace& place, std::string_view cell) {
          return image_url_of_cell(cell, folders.at(place.input), limits);
        });
  }
  if (auto names = columns_in(source, prompt.document_column, "--document-column");
      !names.empty()) {
    encoder.set_document_columns(
        std::move(names),
        [folders, limits = model.documents](const RowPlace& place, std::string_view cell) {
          return document_of_cell(cell, folders.at(place.input), limits);
        });
  }
}

// So that a template says just this.
std::string escaped_for_template(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    escaped += letter;
    if (letter == '{' || letter == '}') {
      escaped += letter;
    }
  }
  return escaped;
}

// Behind what the user says last.
void add_instructions(const std::string& instructions, ChatTemplateText& text) {
  if (instructions.empty()) {
    return;
  }
  for (auto message = text.messages.rbegin(); message != text.messages.rend(); ++message) {
    if (message->role == "user") {
      message->text += "\n\n" + escaped_for_template(instructions);
      return;
    }
  }
}

ChatTemplate compile_chat(const std::vector<MessageText>& messages,
                          const TemplateNames& names,
                          const JobModel& model) {
  ChatTemplateText text;
  for (const auto& message : messages) {
    text.messages.push_back({message.role, message.text, TemplateOrigin{message.origin}});
  }
  add_instructions(model.instructions, text);
  return ChatTemplate::compile(text, names);
}

// Files are read where the first step is encoded; a later one would see their names.
void refuse_file_columns(const JobRecord& record,
                         const RowSource& source,
                         const JobStep& step,
                         const std::vector<std::string>& columns) {
  for (const std::string& name :
       columns_in(source, record.settings.prompt.document_column, "--document-column")) {
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) {
      throw Error(
          ErrorCode::usage,
          fmt::format("step {}: {} is a column of documents, which only the first step sees",
                      step.name,
                      printable(name)),
          fmt::format("let the first step say what is needed of it: {{steps.{}.output}}",
                      record.first_step));
    }
  }
}

void check_output_columns(const JobRecord& record, const RowSource& source) {
  if (record.compares) {
    return;  // ResultColumns finds names that are free
  }
  const auto& columns = source.columns();
  const auto form = make_form(result_answer(record));
  if (form != nullptr && !form->columns().empty()) {
    for (const std::string& name : form->columns()) {
      if (std::find(columns.begin(), columns.end(), name) != columns.end()) {
        throw Error(
            ErrorCode::usage,
            fmt::format("the input has a column {} already", printable(name)),
            fmt::format("name another for the answer's field: --map FIELD={}_2", printable(name)));
      }
    }
    return;
  }
  const std::string& name = record.settings.output.column;
  if (std::find(columns.begin(), columns.end(), name) != columns.end()) {
    throw Error(
        ErrorCode::usage,
        fmt::format("the input has a column {} already", printable(name)),
        fmt::format("name another for the answers, such as --output-column {}_2", printable(name)));
  }
}

}  // namespace

std::vector<StepNames> step_names(const JobRecord& record) {
  std::vector<StepNames> names;
  if (record.later_steps.empty()) {
    return names;
  }
  const auto add = [&names](const std::string& name, const AnswerSettings& answer) {
    try {
      const auto form = make_form(answer);
      names.push_back({name, form == nullptr ? std::vector<std::string>() : form->columns()});
    } catch (Error& error) {
      throw std::move(error).with_context(fmt::format("step {}", name));
    }
  };
  add(record.first_step, record.settings.answer);
  for (const JobStep& step : record.later_steps) {
    add(step.name, step.answer);
  }
  return names;
}

std::vector<StepNames> readable_steps(const JobRecord& record) {
  return record.compares ? std::vector<StepNames>() : step_names(record);
}

std::unique_ptr<ChatRowEncoder> make_step_encoder(const JobRecord& record,
                                                  std::size_t later_step,
                                                  const RowSource& source,
                                                  const JobModel& model) {
  const JobStep& step = record.later_steps[later_step];
  const std::vector<StepNames> steps = readable_steps(record);
  const TemplateNames names = names_for(record, source, steps);
  std::optional<RowFilter> when;
  if (!step.when.empty()) {
    when = RowFilter::compile(step.when, names, fmt::format("when of step {}", step.name));
  }
  auto encoder = std::make_unique<ChatRowEncoder>(
      compile_chat(step.messages, names, model), std::move(when), *model.provider);
  if (record.compares) {
    set_file_columns(record, source, model, *encoder);
    return encoder;
  }
  check_step_columns(steps, later_step + 1, encoder->columns());
  refuse_file_columns(record, source, step, encoder->columns());
  return encoder;
}

std::unique_ptr<ChatRowEncoder> make_encoder(const JobRecord& record,
                                             const RowSource& source,
                                             const JobModel& model) {
  const std::vector<StepNames> steps = readable_steps(record);
  const TemplateNames names = names_for(record, source, steps);
  const JobSettings& settings = record.settings;
  require_column(source, settings.id_column, "--id-column");
  require_column(source, settings.prompt.text_column, "--column");
  for (const auto& column : settings.output.columns) {
    require_column(source, column, "--columns");
  }
  ChatTemplate chat = compile_chat(record.messages, names, model);
  check_step_columns(steps, 0, chat.columns());
  if (!settings.answer.gold.empty()) {
    const AnswerSettings& answer = result_answer(record);
    static_cast<void>(find_gold(settings.answer.gold, answer, make_form(answer).get(), source));
  }
  check_output_columns(record, source);
  std::optional<RowFilter> filter;
  if (!settings.selection.where.empty()) {
    filter = RowFilter::compile(settings.selection.where, names);
    check_step_columns(steps, 0, filter->columns());
  }
  auto encoder =
      std::make_unique<ChatRowEncoder>(std::move(chat), std::move(filter), *model.provider);
  if (settings.embedding.is_wanted) {
    encoder->refuse_empty_texts();
  }
  if (!settings.id_column.empty()) {
    encoder->set_id_column(settings.id_column);
  }
  set_file_columns(record, source, model, *encoder);
  if (settings.output.order == RowOrder::completion) {
    encoder->need_columns(kept_columns(settings.output, source));
  }
  return encoder;
}

}  // namespace batchllm
