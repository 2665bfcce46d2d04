// SPDX-License-Identifier: Apache-2.0
#include "cli/composition.h"

#include "adapters/config/template_file.h"
#include "adapters/image_cell.h"
#include "adapters/json/json_columns.h"
#include "adapters/providers/openai.h"
#include "adapters/registry.h"
#include "cli/api_key.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/model_spec.h"
#include "core/text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace batchllm {
namespace {

namespace fs = std::filesystem;

// Held back for a row when neither --max-tokens nor the price table says how long an answer can be.
constexpr std::int64_t k_unknown_output_tokens = 16'384;

bool is_stdin(const std::string& path) {
  return path == "-";
}

// A value of --param as JSON: what is JSON already stays, everything else is a string.
std::string parameter_json(const std::string& value) {
  return is_json(value) ? value : json_string(value);
}

std::string base_url_of(const ProviderEntry& entry,
                        const ModelSettings& model,
                        const EnvironmentLookup& environment) {
  if (!model.base_url.empty()) {
    return model.base_url;
  }
  if (!entry.base_url_env.empty()) {
    if (const auto url = environment(std::string(entry.base_url_env)); url && !url->empty()) {
      return *url;
    }
  }
  return std::string(entry.base_url);
}

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

void check_output_column(const JobRecord& record, const RowSource& source) {
  const auto& columns = source.columns();
  const std::string& name = record.settings.output.column;
  if (std::find(columns.begin(), columns.end(), name) != columns.end()) {
    throw Error(
        ErrorCode::usage,
        fmt::format("the input has a column {} already", printable(name)),
        fmt::format("name another for the answers, such as --output-column {}_2", printable(name)));
  }
}

// "/data/tickets.csv.gz" -> "/data/tickets"
std::string without_extensions(const std::string& path) {
  fs::path file(path);
  if (compression_of(path) != Compression::none) {
    file.replace_extension();
  }
  return (file.parent_path() / file.stem()).string();
}

std::string absolute_path(const std::string& path) {
  return fs::absolute(path).lexically_normal().string();
}

std::string output_path_of(const JobRecord& record, OutputFormat fallback) {
  const OutputSettings& output = record.settings.output;
  if (!record.output_path.empty()) {
    return record.output_path;
  }
  if (!output.path.empty()) {
    return output.path == "-" ? "-" : absolute_path(output.path);
  }
  if (isatty(STDOUT_FILENO) == 0) {
    return "-";
  }
  const OutputFormat format = output.format == OutputFormat::automatic ? fallback : output.format;
  const bool from_stdin = record.inputs.empty() || record.inputs.front().from_stdin;
  const std::string stem = from_stdin ? "stdin" : without_extensions(record.inputs.front().path);
  return absolute_path(fmt::format("{}.out{}", stem, extension_of(format)));
}

// What the result keeps of the input: the chosen columns, else all.
std::vector<std::string> kept_columns(const OutputSettings& output, const RowSource& source) {
  return output.columns.empty() ? source.columns() : output.columns;
}

}  // namespace

JobInputs::JobInputs(const JobRecord& record, std::string spool_folder)
    : settings_(record.settings.input),
      spool_folder_(std::move(spool_folder)),
      reads_twice_(record.settings.selection.sample.has_value()) {
  for (const auto& input : record.inputs) {
    paths_.push_back(input.path);
  }
}

std::unique_ptr<InputSource> JobInputs::open_first() {
  return open_inputs(
      paths_, settings_, [this](const std::string& path, const std::string& encoding) {
        return open_byte_stream(first_bytes(path), encoding);
      });
}

std::unique_ptr<RawBytes> JobInputs::first_bytes(const std::string& path) {
  if (!is_stdin(path)) {
    return spool_folder_.empty() ? open_raw_file(path) : with_digest(open_raw_file(path));
  }
  if (spool_folder_.empty()) {
    return open_raw_file(path);
  }
  if (spool_ == nullptr) {
    const SpoolState state = spool_state(spool_folder_);
    if (state != SpoolState::none) {
      // A resume: the pipe is gone, what it brought is here.
      return open_raw_file(spool_path(spool_folder_, state), "standard input");
    }
    spool_ = std::make_unique<Spool>(STDIN_FILENO, spool_folder_, "standard input");
    if (reads_twice_) {
      // A sample is chosen in a pass of its own: the pipe is read to its end before.
      const auto pipe = spool_->first_reader();
      std::vector<char> block(std::size_t{256} << 10);
      while (pipe->read(block.data(), block.size()) != 0) {
      }
      spool_.reset();
      return open_raw_file(spool_path(spool_folder_, SpoolState::complete), "standard input");
    }
  }
  return spool_->first_reader();
}

std::unique_ptr<InputSource> JobInputs::open_again(std::stop_token stop) const {
  return open_inputs(
      paths_, settings_, [this, stop](const std::string& path, const std::string& encoding) {
        return open_byte_stream(later_bytes(path, stop), encoding);
      });
}

std::unique_ptr<RawBytes> JobInputs::later_bytes(const std::string& path,
                                                 std::stop_token stop) const {
  if (!is_stdin(path)) {
    return open_raw_file(path);
  }
  if (spool_ != nullptr) {
    return spool_->second_reader(stop);
  }
  if (spool_folder_.empty()) {
    throw Error(ErrorCode::usage,
                "standard input can be read only once without sending anything",
                "save it to a file first, or leave --sample out");
  }
  return open_raw_file(spool_path(spool_folder_, spool_state(spool_folder_)), "standard input");
}

JobModel make_model(const JobSettings& settings,
                    const EnvironmentLookup& environment,
                    bool with_key) {
  const ModelSpec spec = parse_model_spec(settings.model.model, provider_names());
  const ProviderEntry& entry = *find_provider(spec.provider);
  ChatModel chat;
  chat.name = spec.model;
  chat.base_url = base_url_of(entry, settings.model, environment);
  chat.key = with_key ? find_api_key(entry, settings.model, environment) : std::string();
  const bool is_own_server = chat.base_url == entry.base_url;
  chat.token_limit_name = is_own_server ? entry.token_limit_name : std::string_view("max_tokens");
  chat.max_tokens = settings.model.max_tokens;
  chat.temperature = settings.model.temperature;
  for (const auto& [name, value] : settings.model.parameters) {
    chat.parameters.emplace_back(name, parameter_json(value));
  }
  chat.ca_file = settings.model.ca_file;
  chat.http2 = settings.model.http2;

  JobModel model;
  model.endpoint = chat.base_url;
  model.provider_title = entry.title;
  model.price = PriceTable::built_in().find(spec);
  model.worst_case_output_tokens =
      settings.model.max_tokens ? *settings.model.max_tokens
      : model.price && model.price->max_output_tokens
          ? std::min(*model.price->max_output_tokens, k_unknown_output_tokens)
          : k_unknown_output_tokens;
  model.provider = make_openai_provider(std::move(chat));
  return model;
}

std::vector<MessageText> make_messages(JobSettings& settings) {
  PromptSettings& prompt = settings.prompt;
  std::vector<MessageText> messages;
  if (!prompt.system.empty()) {
    messages.push_back({"system", prompt.system, "--system"});
  }
  if (!prompt.template_file.empty()) {
    const ChatTemplateText text = read_template_file(prompt.template_file);
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
  } else if (!prompt.prompt.empty()) {
    messages.push_back(
        {"user", prompt.prompt, prompt.prompt_file.empty() ? "--prompt" : prompt.prompt_file});
  }
  return messages;
}

std::unique_ptr<ChatRowEncoder> make_encoder(const JobRecord& record,
                                             const RowSource& source,
                                             const Provider& provider) {
  const TemplateNames names = names_for(record, source);
  ChatTemplateText text;
  for (const auto& message : record.messages) {
    text.messages.push_back({message.role, message.text, TemplateOrigin{message.origin}});
  }
  const JobSettings& settings = record.settings;
  require_column(source, settings.id_column, "--id-column");
  require_column(source, settings.prompt.image_column, "--image-column");
  for (const auto& column : settings.output.columns) {
    require_column(source, column, "--columns");
  }
  check_output_column(record, source);
  std::optional<RowFilter> filter;
  if (!settings.selection.where.empty()) {
    filter = RowFilter::compile(settings.selection.where, names);
  }
  auto encoder = std::make_unique<ChatRowEncoder>(
      ChatTemplate::compile(text, names), std::move(filter), provider);
  if (!settings.id_column.empty()) {
    encoder->set_id_column(settings.id_column);
  }
  if (!settings.prompt.image_column.empty()) {
    std::vector<std::string> folders;
    for (const auto& input : record.inputs) {
      folders.push_back(input.from_stdin ? "." : fs::path(input.path).parent_path().string());
    }
    encoder->set_image_column(settings.prompt.image_column,
                              [folders](const RowPlace& place, std::string_view cell) {
                                return image_url_of_cell(cell, folders.at(place.input));
                              });
  }
  if (settings.output.order == RowOrder::completion) {
    encoder->need_columns(kept_columns(settings.output, source));
  }
  return encoder;
}

OutputFormat format_of_input(const InputSource& source) {
  for (const auto& input : source.describe()) {
    for (const auto& [name, value] : input.facts) {
      if (name != "format") {
        continue;
      }
      if (value == "tsv") {
        return OutputFormat::tsv;
      }
      if (value == "json") {
        return OutputFormat::json;
      }
      if (value == "jsonl") {
        return OutputFormat::jsonl;
      }
      return OutputFormat::csv;
    }
  }
  return OutputFormat::csv;
}

OutputPlan plan_output(const JobRecord& record, const InputSource& source) {
  const OutputFormat fallback = format_of_input(source);
  OutputPlan plan;
  plan.path = output_path_of(record, fallback);
  plan.kind = output_kind(plan.path, record.settings.output.format, fallback);
  if (plan.path == "-") {
    return plan;
  }
  const fs::path path(plan.path);
  std::error_code error;
  if (fs::is_directory(path, error)) {
    throw Error(ErrorCode::usage,
                fmt::format("--output {}: this is a folder", plan.path),
                "name a file in it");
  }
  if (!path.parent_path().empty() && !fs::is_directory(path.parent_path(), error)) {
    throw Error(ErrorCode::storage,
                fmt::format("the folder {} does not exist", path.parent_path().string()),
                "create it first");
  }
  plan.part_path =
      (path.parent_path() / fmt::format(".{}.{}.part", path.filename().string(), record.id))
          .string();
  plan.rejects_path = plan.path + ".rejects.jsonl";
  return plan;
}

void check_appending(const JobRecord& record, const OutputPlan& plan, const RowSource& source) {
  const OutputSettings& output = record.settings.output;
  std::error_code error;
  if (output.conflict != OutputConflict::append || !fs::exists(plan.path, error)) {
    return;
  }
  if (plan.kind.format == OutputFormat::json) {
    throw Error(ErrorCode::usage,
                fmt::format("{}: rows cannot be appended to a JSON array", plan.path),
                "write one object a line instead: -o FILE.jsonl");
  }
  if (plan.kind.format == OutputFormat::jsonl) {
    return;
  }
  InputSettings existing;
  existing.format = plan.kind.format == OutputFormat::tsv ? InputFormat::tsv : InputFormat::csv;
  std::vector<std::string> columns = kept_columns(output, source);
  const ResultColumns added(output.column, output.include_meta, false, columns);
  columns.insert(columns.end(), added.names().begin(), added.names().end());
  if (fs::file_size(plan.path, error) != 0 &&
      open_inputs({plan.path}, existing)->columns() != columns) {
    throw Error(
        ErrorCode::output_exists,
        fmt::format("{} has other columns than this run writes: {}", plan.path, name_list(columns)),
        "write another file with -o, or --overwrite this one");
  }
}

ResultWriterSettings make_result_settings(const JobRecord& record,
                                          const OutputPlan& plan,
                                          const JobInputs& inputs,
                                          std::stop_token stop) {
  const OutputSettings& output = record.settings.output;
  const bool is_json =
      plan.kind.format == OutputFormat::json || plan.kind.format == OutputFormat::jsonl;
  ResultWriterSettings settings;
  settings.output_column = output.column;
  settings.include_meta = output.include_meta;
  settings.may_restart = !plan.part_path.empty();
  settings.adds_error_column = output.conflict != OutputConflict::append;
  settings.open_source = [output, is_json, &inputs, stop](std::vector<std::string>& names) {
    std::unique_ptr<InputSource> source = inputs.open_again(stop);
    names = kept_columns(output, *source);
    if (source->is_open_ended() && output.columns.empty()) {
      if (is_json) {
        names.clear();  // rows are copied as they are
      } else {
        // A table needs its columns before its first row: one pass to collect them.
        names = collect_columns(*source);
        source = inputs.open_again(stop);
      }
    }
    source->select(names);
    return std::unique_ptr<RowSource>(std::move(source));
  };
  RowSinkOptions options;
  options.format = plan.kind.format;
  options.escape_formulas = output.escape_formulas;
  options.keep_record = output.columns.empty();
  options.append = output.conflict == OutputConflict::append;
  const Compression compression = plan.kind.compression;
  if (plan.part_path.empty()) {
    settings.open_sink = [options, compression] {
      return open_output(STDOUT_FILENO, "standard output", compression, options);
    };
    return settings;
  }
  const bool appends = options.append;
  settings.open_sink = [options, compression, appends, plan]() mutable {
    std::error_code ignored;
    options.append = appends && fs::file_size(plan.path, ignored) != 0 && !ignored;
    if (options.append) {
      fs::copy_file(plan.path, plan.part_path, fs::copy_options::overwrite_existing);
    } else {
      std::error_code error;
      fs::remove(plan.part_path, error);
    }
    return open_output(plan.part_path, compression, options);
  };
  return settings;
}

}  // namespace batchllm
