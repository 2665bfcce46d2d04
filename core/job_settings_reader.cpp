// SPDX-License-Identifier: Apache-2.0
#include "core/job_settings_reader.h"

#include "core/error.h"
#include "core/setting_reader.h"
#include "core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace batchllm {
namespace {

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

PromptSettings read_prompt(const SettingReader& reader) {
  PromptSettings prompt;
  if (const auto& texts = reader.list("run.prompt"); !texts.empty()) {
    prompt.prompt = texts.front();
    prompt.later_prompts.assign(texts.begin() + 1, texts.end());
  }
  prompt.system = reader.text("run.system");
  prompt.template_file = reader.text("run.template");
  prompt.image_column = reader.text("run.image_column");
  prompt.document_column = reader.text("run.document_column");
  prompt.variables = reader.pairs("run.var");
  return prompt;
}

ModelSettings read_model(const SettingReader& reader) {
  ModelSettings model;
  model.model = reader.text("run.model");
  model.compared = reader.list("run.compare");
  model.base_url = reader.text("run.base_url");
  model.parameters = reader.pairs("run.param");
  model.temperature = reader.number("run.temperature");
  model.max_tokens = reader.count("run.max_tokens");
  model.effort = reader.text("run.effort");
  model.http2 = reader.flag("run.http2");
  return model;
}

AnswerSettings read_answer(const SettingReader& reader) {
  AnswerSettings answer;
  answer.schema = reader.text("run.schema");
  answer.fields = reader.text("run.fields");
  answer.extract = reader.text("run.extract");
  answer.strip = reader.flag("run.strip");
  answer.choices = reader.text("run.choices");
  answer.columns_of_fields = reader.pairs("run.map");
  answer.reasks = reader.count("run.reask").value_or(AnswerSettings{}.reasks);
  return answer;
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
  const std::vector<std::string>& included = reader.list("run.include");
  output.include_meta = std::find(included.begin(), included.end(), "meta") != included.end();
  output.include_steps = std::find(included.begin(), included.end(), "steps") != included.end();
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
  if (name == "npy") {
    return OutputFormat::npy;
  }
  return name == "jsonl" ? OutputFormat::jsonl : OutputFormat::automatic;
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

void apply_asking_options(const Settings& options, JobSettings& settings) {
  const SettingReader reader(options);
  take_limits(reader, settings.limits);
  take_key(reader, settings.model);
  if (reader.is_set("run.in_doubt")) {
    settings.in_doubt = in_doubt_of(reader.text("run.in_doubt"));
  }
  if (reader.is_set("run.gold")) {
    settings.answer.gold = reader.text("run.gold");
  }
  if (reader.is_set("run.fail_on")) {
    settings.fail_on = reader.text("run.fail_on") == "none" ? FailOn::none : FailOn::partial;
  }
  if (reader.flag("run.overwrite")) {
    settings.output.conflict = OutputConflict::overwrite;
  }
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
  job.prompt = read_prompt(reader);
  job.model = read_model(reader);
  job.answer = read_answer(reader);
  job.output = read_output(reader);
  apply_asking_options(settings, job);
  return job;
}

JobSettings read_embed_settings(const Settings& settings, std::vector<std::string> inputs) {
  const SettingReader reader(settings);
  JobSettings job = read_job_settings(settings, std::move(inputs));
  job.embedding.is_wanted = true;
  job.embedding.dimensions = reader.count("embed.dimensions");
  job.embedding.request_rows = reader.count("embed.request_rows");
  // What a config file says of conversations does not concern vectors.
  job.answer = {};
  job.model.temperature.reset();
  job.model.max_tokens.reset();
  job.model.effort.clear();
  PromptSettings prompt;
  prompt.prompt = std::move(job.prompt.prompt);
  prompt.variables = std::move(job.prompt.variables);
  prompt.text_column = reader.text("embed.column");
  job.prompt = std::move(prompt);
  if (!reader.is_set("run.output_column")) {
    job.output.column = "embedding";
  }
  // A response holds up to two thousand vectors of thousands of numbers.
  constexpr std::int64_t k_requests = 8;
  if (!reader.is_set("run.concurrency")) {
    job.limits.concurrency = k_requests;
  }
  return job;
}

}  // namespace batchllm
