// SPDX-License-Identifier: Apache-2.0
#include "adapters/job/job_encoder.h"

#include "adapters/config/template_file.h"
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

TemplateNames names_for(const JobRecord& record, const RowSource& source) {
  TemplateNames names;
  names.columns = source.columns();
  names.open_ended = source.is_open_ended();
  names.variables = record.settings.prompt.variables;
  return names;
}

void require_column(const RowSource& source, const std::string& name, std::string_view option) {
  const auto& columns = source.columns();
  if (name.empty() || source.is_open_ended() ||
      std::find(columns.begin(), columns.end(), name) != columns.end()) {
    return;
  }
  const auto nearest = nearest_name(name, columns);
  throw Error(ErrorCode::column_missing,
              fmt::format("{} {}: the input has no such column", option, printable(name)),
              fmt::format("{}columns are: {}",
                          nearest ? fmt::format("did you mean {}? ", *nearest) : "",
                          name_list(columns)));
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

void check_output_columns(const JobRecord& record, const JobModel& model, const RowSource& source) {
  const auto& columns = source.columns();
  if (model.form != nullptr && !model.form->columns().empty()) {
    for (const std::string& name : model.form->columns()) {
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

std::vector<MessageText> make_messages(JobSettings& settings) {
  PromptSettings& prompt = settings.prompt;
  std::vector<MessageText> messages;
  if (!prompt.system.empty()) {
    messages.push_back({"system", prompt.system, "--system"});
  }
  if (!prompt.template_file.empty()) {
    for (MessageText& message : take_template(read_template_file(prompt.template_file), settings)) {
      messages.push_back(std::move(message));
    }
  } else if (!prompt.text_column.empty()) {
    messages.push_back({"user", "{" + prompt.text_column + "}", "--column"});
  } else if (!prompt.prompt.empty()) {
    messages.push_back(
        {"user", prompt.prompt, prompt.prompt_file.empty() ? "--prompt" : prompt.prompt_file});
  }
  return messages;
}

std::vector<MessageText> take_template(const ChatTemplateText& text, JobSettings& settings) {
  std::vector<MessageText> messages;
  for (const auto& message : text.messages) {
    messages.push_back({message.role, message.text, message.origin.name});
  }
  if (settings.model.model.empty()) {
    settings.model.model = text.model;
  }
  for (const auto& [name, json] : text.parameters) {
    const bool given =
        std::any_of(settings.model.parameters.begin(),
                    settings.model.parameters.end(),
                    [&n = name](const auto& parameter) { return parameter.first == n; });
    if (!given) {
      settings.model.parameters.emplace_back(name, json);
    }
  }
  return messages;
}

std::unique_ptr<ChatRowEncoder> make_encoder(const JobRecord& record,
                                             const RowSource& source,
                                             const JobModel& model) {
  const TemplateNames names = names_for(record, source);
  ChatTemplateText text;
  for (const auto& message : record.messages) {
    text.messages.push_back({message.role, message.text, TemplateOrigin{message.origin}});
  }
  add_instructions(model.instructions, text);
  const JobSettings& settings = record.settings;
  require_column(source, settings.id_column, "--id-column");
  require_column(source, settings.prompt.text_column, "--column");
  for (const auto& column : settings.output.columns) {
    require_column(source, column, "--columns");
  }
  check_output_columns(record, model, source);
  std::optional<RowFilter> filter;
  if (!settings.selection.where.empty()) {
    filter = RowFilter::compile(settings.selection.where, names);
  }
  auto encoder = std::make_unique<ChatRowEncoder>(
      ChatTemplate::compile(text, names), std::move(filter), *model.provider);
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
