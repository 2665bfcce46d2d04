// SPDX-License-Identifier: Apache-2.0
#include "cli/settings_reader.h"

#include "core/error.h"
#include "core/text.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

namespace batchllm {
namespace {

constexpr std::size_t k_largest_prompt_file = std::size_t{4} << 20;

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

[[noreturn]] void refuse_file(ErrorCode code, const SettingValue& value, const std::string& why) {
  const std::string& path = value.texts.front();
  const bool is_flag_layer = value.layer == Layer::command_line;
  const std::string subject = is_flag_layer ? fmt::format("{} {}", value.place, path)
                                            : fmt::format("{} (set by {})", path, value.place);
  throw Error(code, fmt::format("{}: {}", subject, why)).with_detail("path", path);
}

// The text of --prompt-file or --system-file, without the line break that editors put at the end.
std::string read_text_file(const SettingValue& value) {
  const std::string& path = value.texts.front();
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) {
    const int reason = errno;
    refuse_file(reason == ENOENT ? ErrorCode::input_missing : ErrorCode::input_unreadable,
                value,
                lowercase(std::generic_category().message(reason)));
  }
  std::string text(k_largest_prompt_file + 1, '\0');
  const auto got = std::fread(text.data(), 1, text.size(), file.get());
  if (std::ferror(file.get()) != 0) {
    refuse_file(
        ErrorCode::input_unreadable, value, lowercase(std::generic_category().message(errno)));
  }
  if (got > k_largest_prompt_file) {
    refuse_file(ErrorCode::input_malformed,
                value,
                fmt::format("larger than {}", bytes_text(k_largest_prompt_file)));
  }
  text.resize(got);
  if (!is_utf8(text)) {
    refuse_file(ErrorCode::input_malformed, value, "not valid UTF-8");
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.erase(0, 3);
  }
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  if (text.ends_with('\r')) {
    text.pop_back();
  }
  if (trim(text).empty()) {
    refuse_file(ErrorCode::input_malformed, value, "is empty");
  }
  return text;
}

InputFormat input_format_of(std::string_view name) {
  if (name == "csv") {
    return InputFormat::csv;
  }
  if (name == "tsv") {
    return InputFormat::tsv;
  }
  if (name == "json") {
    return InputFormat::json;
  }
  if (name == "jsonl") {
    return InputFormat::jsonl;
  }
  return name == "text" ? InputFormat::text : InputFormat::automatic;
}

InDoubtPolicy in_doubt_of(std::string_view name) {
  if (name == "skip") {
    return InDoubtPolicy::skip;
  }
  return name == "fail" ? InDoubtPolicy::fail : InDoubtPolicy::retry;
}

std::optional<std::uint64_t> unsigned_count(const SettingReader& reader, std::string_view key) {
  const auto number = reader.count(key);
  return number ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

std::uint64_t unsigned_default(const SettingReader& reader, std::string_view key) {
  return static_cast<std::uint64_t>(reader.count_or_default(key));
}

// Each of these functions changes only what some layer sets, so that they serve for a new job and
// for changing a saved one.
void take_max_failures(const SettingReader& reader, LimitSettings& limits) {
  const std::string text = reader.text("run.max_failures");
  limits.max_failures.reset();
  limits.max_failures_share.reset();
  if (text.ends_with('%')) {
    constexpr double k_percent = 100;
    const auto percent = parse_number(std::string_view(text).substr(0, text.size() - 1));
    limits.max_failures_share = percent.value_or(k_percent) / k_percent;
  } else if (text != "none") {
    limits.max_failures = parse_integer(text);
  }
}

void take_limits(const SettingReader& reader, LimitSettings& limits) {
  limits.concurrency = reader.count("run.concurrency").value_or(limits.concurrency);
  limits.max_attempts = reader.count("run.max_attempts").value_or(limits.max_attempts);
  limits.request_timeout_ms =
      reader.duration_ms("run.request_timeout").value_or(limits.request_timeout_ms);
  if (reader.is_set("run.rpm")) {
    limits.requests_per_minute = reader.count("run.rpm");
  }
  if (reader.is_set("run.tpm")) {
    limits.tokens_per_minute = reader.count("run.tpm");
  }
  if (reader.is_set("run.max_cost")) {
    limits.max_cost_micro_usd = parse_usd(reader.text("run.max_cost"));
  }
  if (reader.is_set("run.deadline")) {
    limits.deadline_ms = reader.duration_ms("run.deadline");
  }
  if (reader.is_set("run.max_failures")) {
    take_max_failures(reader, limits);
  }
}

void take_key(const SettingReader& reader, ModelSettings& model) {
  if (reader.is_set("run.key_env")) {
    model.key_env = reader.text("run.key_env");
    model.key_file.clear();
  }
  if (reader.is_set("run.key_file")) {
    model.key_file = reader.text("run.key_file");
    model.key_env.clear();
  }
  if (reader.is_set("run.ca_file")) {
    model.ca_file = reader.text("run.ca_file");
  }
}

// What `run`, `resume` and `retry` all take.
void take_asking_options(const SettingReader& reader, JobSettings& settings) {
  take_limits(reader, settings.limits);
  take_key(reader, settings.model);
  if (reader.is_set("run.in_doubt")) {
    settings.in_doubt = in_doubt_of(reader.text("run.in_doubt"));
  }
  if (reader.is_set("run.fail_on")) {
    settings.fail_on = reader.text("run.fail_on") == "none" ? FailOn::none : FailOn::partial;
  }
  if (reader.flag("run.overwrite")) {
    settings.output.conflict = OutputConflict::overwrite;
  }
}

PromptSettings read_prompt(const Settings& settings) {
  const SettingReader reader(settings);
  PromptSettings prompt;
  prompt.prompt = reader.text("run.prompt");
  prompt.system = reader.text("run.system");
  prompt.template_file = reader.text("run.template");
  prompt.image_column = reader.text("run.image_column");
  prompt.variables = reader.pairs("run.var");
  if (const SettingValue* file = settings.find("run.prompt_file"); file != nullptr) {
    prompt.prompt = read_text_file(*file);
    prompt.prompt_file = file->texts.front();
  }
  if (const SettingValue* file = settings.find("run.system_file"); file != nullptr) {
    prompt.system = read_text_file(*file);
  }
  return prompt;
}

ModelSettings read_model(const SettingReader& reader) {
  ModelSettings model;
  model.model = reader.text("run.model");
  model.base_url = reader.text("run.base_url");
  model.parameters = reader.pairs("run.param");
  model.temperature = reader.number("run.temperature");
  model.max_tokens = reader.count("run.max_tokens");
  model.http2 = reader.flag("run.http2");
  return model;
}

OutputSettings read_output(const SettingReader& reader) {
  OutputSettings output;
  output.path = reader.text("run.output");
  output.format = output_format_of(reader.text("run.output_format"));
  if (reader.is_set("run.output_column")) {
    output.column = reader.text("run.output_column");
  }
  if (!reader.flag("run.no_header")) {
    output.columns = reader.list("run.columns");
  }
  output.include_meta = !reader.list("run.include").empty();
  output.order = reader.text("run.order") == "completion" ? RowOrder::completion : RowOrder::input;
  output.escape_formulas = reader.flag("run.escape_formulas");
  if (reader.flag("run.append")) {
    output.conflict = OutputConflict::append;
  }
  return output;
}

}  // namespace

OutputFormat output_format_of(std::string_view name) noexcept {
  if (name == "csv") {
    return OutputFormat::csv;
  }
  if (name == "tsv") {
    return OutputFormat::tsv;
  }
  if (name == "json") {
    return OutputFormat::json;
  }
  return name == "jsonl" ? OutputFormat::jsonl : OutputFormat::automatic;
}

void check_settings(const CommandSpec& spec, const Settings& settings) {
  for (const OptionKey* option : options_of(spec)) {
    if (const SettingValue* value = settings.find(option->key); value != nullptr) {
      check_setting(*option, *value);
    }
  }
  check_exclusive(settings, spec.command);
}

InputSettings read_input_settings(const Settings& settings) {
  const SettingReader reader(settings);
  InputSettings input;
  input.format = input_format_of(reader.text("run.input_format"));
  input.delimiter = reader.character("run.delimiter");
  if (input.delimiter == '\0') {
    throw Error(ErrorCode::usage,
                fmt::format("{} none: expected a character", settings.find("run.delimiter")->place),
                "a file with one column needs no delimiter");
  }
  input.quote = reader.character("run.quote");
  input.has_header = !reader.flag("run.no_header");
  if (!input.has_header) {
    input.columns = reader.list("run.columns");
  }
  input.encoding = reader.text("run.encoding");
  input.json_path = reader.text("run.json_path");
  input.max_row_bytes = reader.bytes("run.max_row_bytes").value_or(input.max_row_bytes);
  if (reader.text("run.ragged") == "error") {
    input.ragged = RaggedPolicy::error;
  }
  return input;
}

JobSettings read_job_settings(const Settings& settings, std::vector<std::string> inputs) {
  const SettingReader reader(settings);
  JobSettings job;
  job.inputs = std::move(inputs);
  job.input = read_input_settings(settings);
  job.selection.where = reader.text("run.where");
  job.selection.offset = unsigned_default(reader, "run.offset");
  job.selection.limit = unsigned_count(reader, "run.limit");
  job.selection.sample = unsigned_count(reader, "run.sample");
  job.selection.seed = unsigned_default(reader, "run.seed");
  job.id_column = reader.text("run.id_column");
  job.on_bad_row_given = reader.is_set("run.on_bad_row");
  job.on_bad_row =
      reader.text("run.on_bad_row") == "reject" ? BadRowPolicy::reject : BadRowPolicy::stop;
  job.prompt = read_prompt(settings);
  job.model = read_model(reader);
  job.output = read_output(reader);
  take_asking_options(reader, job);
  return job;
}

JobOverrides::JobOverrides(const SettingLayer& flags)
    : settings_(std::vector<SettingLayer>{flags}) {}

void JobOverrides::apply_to(JobSettings& settings) const {
  take_asking_options(SettingReader(settings_), settings);
}

}  // namespace batchllm
