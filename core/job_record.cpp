// SPDX-License-Identifier: Apache-2.0
#include "core/job_record.h"

#include "core/error.h"
#include "core/json_text.h"
#include "core/record_members.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <sys/stat.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace batchllm {
namespace {

constexpr std::array<std::string_view, 5> k_status_names = {
    "running", "interrupted", "failed", "partial", "succeeded"};

constexpr std::array<std::string_view, 6> k_input_formats = {
    "auto", "csv", "tsv", "json", "jsonl", "text"};
constexpr std::array<std::string_view, 6> k_output_formats = {
    "auto", "csv", "tsv", "json", "jsonl", "npy"};
constexpr std::array<std::string_view, 2> k_ragged_names = {"pad", "error"};
constexpr std::array<std::string_view, 2> k_order_names = {"input", "completion"};
constexpr std::array<std::string_view, 2> k_bad_row_names = {"stop", "reject"};
constexpr std::array<std::string_view, 3> k_in_doubt_names = {"retry", "skip", "fail"};
constexpr std::array<std::string_view, 2> k_fail_on_names = {"partial", "none"};
constexpr std::array<std::string_view, 3> k_conflict_names = {"refuse", "overwrite", "append"};

// Writes and reads the settings member by member through one description, so that the two cannot
// drift apart. `Visitor` has text, number, … for each kind of member.
template <typename Visitor, typename Settings>
void visit_input(Visitor& visit, Settings& input) {
  visit.choice("input_format", input.format, k_input_formats);
  visit.letter("delimiter", input.delimiter);
  visit.letter("quote", input.quote);
  visit.flag("has_header", input.has_header);
  visit.texts("header_columns", input.columns);
  visit.text("encoding", input.encoding);
  visit.text("json_path", input.json_path);
  visit.size("max_row_bytes", input.max_row_bytes);
  visit.choice("ragged", input.ragged, k_ragged_names);
}

template <typename Visitor, typename Settings>
void visit_asking(Visitor& visit, Settings& model) {
  visit.pairs("parameters", model.parameters);
  visit.optional_decimal("temperature", model.temperature);
  visit.optional_integer("max_tokens", model.max_tokens);
  visit.text("effort", model.effort);
}

template <typename Visitor, typename Settings>
void visit_form(Visitor& visit, Settings& answer) {
  visit.text("schema", answer.schema);
  visit.text("fields", answer.fields);
  visit.text("extract", answer.extract);
  visit.flag("strip", answer.strip);
  visit.text("choices", answer.choices);
}

template <typename Visitor, typename Settings>
void visit_question(Visitor& visit, Settings& settings) {
  visit.text("where", settings.selection.where);
  visit.count("offset", settings.selection.offset);
  visit.optional_count("limit", settings.selection.limit);
  visit.optional_count("sample", settings.selection.sample);
  visit.count("seed", settings.selection.seed);
  visit.text("id_column", settings.id_column);
  visit.pairs("variables", settings.prompt.variables);
  visit.text("image_column", settings.prompt.image_column);
  visit.text("document_column", settings.prompt.document_column);
  visit.text("model", settings.model.model);
  visit.text("base_url", settings.model.base_url);
  visit_asking(visit, settings.model);
  visit_form(visit, settings.answer);
  visit.pairs("columns_of_fields", settings.answer.columns_of_fields);
  visit.integer("reasks", settings.answer.reasks);
  visit.flag("embeds", settings.embedding.is_wanted);
  visit.text("text_column", settings.prompt.text_column);
  visit.optional_integer("dimensions", settings.embedding.dimensions);
}

template <typename Visitor, typename Settings>
void visit_output(Visitor& visit, Settings& output) {
  visit.choice("output_format", output.format, k_output_formats);
  visit.text("output_column", output.column);
  visit.texts("columns", output.columns);
  visit.flag("include_meta", output.include_meta);
  visit.choice("order", output.order, k_order_names);
  visit.flag("escape_formulas", output.escape_formulas);
}

// What may differ from one run of the job to the next.
template <typename Visitor, typename Settings>
void visit_conduct(Visitor& visit, Settings& settings) {
  visit.choice("on_bad_row", settings.on_bad_row, k_bad_row_names);
  visit.flag("on_bad_row_given", settings.on_bad_row_given);
  visit.text("gold", settings.answer.gold);
  visit.text("key_env", settings.model.key_env);
  visit.text("key_file", settings.model.key_file);
  visit.text("ca_file", settings.model.ca_file);
  visit.flag("http2", settings.model.http2);
  visit.optional_integer("request_rows", settings.embedding.request_rows);
  visit.integer("concurrency", settings.limits.concurrency);
  visit.integer("request_timeout_ms", settings.limits.request_timeout_ms);
  visit.integer("max_attempts", settings.limits.max_attempts);
  visit.optional_integer("requests_per_minute", settings.limits.requests_per_minute);
  visit.optional_integer("tokens_per_minute", settings.limits.tokens_per_minute);
  visit.optional_integer("max_cost_micro_usd", settings.limits.max_cost_micro_usd);
  visit.optional_integer("deadline_ms", settings.limits.deadline_ms);
  visit.optional_integer("max_failures", settings.limits.max_failures);
  visit.optional_decimal("max_failures_share", settings.limits.max_failures_share);
  visit.choice("output_conflict", settings.output.conflict, k_conflict_names);
  visit.choice("in_doubt", settings.in_doubt, k_in_doubt_names);
  visit.choice("fail_on", settings.fail_on, k_fail_on_names);
}

template <typename Visitor, typename Totals>
void visit_totals(Visitor& visit, Totals& totals) {
  visit.count("ok", totals.ok);
  visit.count("failed", totals.failed);
  visit.count("skipped", totals.skipped);
  visit.count("excluded", totals.excluded);
  visit.integer("cost_micro_usd", totals.cost_micro_usd);
  visit.integer("input_tokens", totals.input_tokens);
  visit.integer("output_tokens", totals.output_tokens);
}

template <typename Visitor, typename Input>
void visit_fingerprint(Visitor& visit, Input& input) {
  visit.text("path", input.path);
  visit.count("bytes", input.bytes);
  visit.integer("modified_ns", input.modified_ns);
  visit.integer("changed_ns", input.changed_ns);
  visit.count("inode", input.inode);
  visit.count("device", input.device);
  visit.flag("from_stdin", input.from_stdin);
  visit.text("base_folder", input.base_folder);
  visit.flag("is_stored", input.is_stored);
}

void write_messages(JsonWriter& json, const std::vector<MessageText>& messages) {
  json.key("messages").begin_array();
  for (const auto& message : messages) {
    json.begin_object().key("role").string(message.role).key("text").string(message.text);
    json.key("origin").string(message.origin).end_object();
  }
  json.end_array();
}

// What steps of a row there are; nothing for a single one, as it always was.
void write_steps(JsonWriter& json, const JobRecord& record) {
  if (record.later_steps.empty()) {
    return;
  }
  RecordWriter write(json);
  write.flag("compares", record.compares);
  write.flag("include_steps", record.settings.output.include_steps);
  write.text("first_step", record.first_step);
  json.key("later_steps").begin_array();
  for (const JobStep& step : record.later_steps) {
    json.begin_object();
    write.text("name", step.name);
    write.text("when", step.when);
    write_messages(json, step.messages);
    write.text("model", step.model.model);
    visit_asking(write, step.model);
    visit_form(write, step.answer);
    write.pairs("columns_of_fields", step.answer.columns_of_fields);
    json.end_object();
  }
  json.end_array();
}

// Calls `each` with a RecordReader for every object of the array `name`.
template <typename Each>
void read_objects(const simdjson::dom::object& root, std::string_view name, Each each) {
  simdjson::dom::array array;
  if (root[name].get(array) != simdjson::SUCCESS) {
    return;
  }
  for (const auto element : array) {
    simdjson::dom::object object;
    if (element.get(object) == simdjson::SUCCESS) {
      each(RecordReader(object));
    }
  }
}

void read_messages(const simdjson::dom::object& object, std::vector<MessageText>& messages) {
  read_objects(object, "messages", [&](const RecordReader& read) {
    MessageText& message = messages.emplace_back();
    read.text("role", message.role);
    read.text("text", message.text);
    read.text("origin", message.origin);
  });
}

void read_steps(const simdjson::dom::object& root, JobRecord& record) {
  const RecordReader read_root(root);
  read_root.flag("compares", record.compares);
  read_root.flag("include_steps", record.settings.output.include_steps);
  read_root.text("first_step", record.first_step);
  read_objects(root, "later_steps", [&](const RecordReader& read) {
    JobStep& step = record.later_steps.emplace_back();
    read.text("name", step.name);
    read.text("when", step.when);
    read_messages(read.object(), step.messages);
    read.text("model", step.model.model);
    visit_asking(read, step.model);
    visit_form(read, step.answer);
    read.pairs("columns_of_fields", step.answer.columns_of_fields);
  });
}

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::string_view job_status_name(JobStatus status) noexcept {
  return k_status_names[static_cast<std::size_t>(status)];
}

std::optional<JobStatus> job_status_from_name(std::string_view name) noexcept {
  for (std::size_t i = 0; i < k_status_names.size(); ++i) {
    if (k_status_names[i] == name) {
      return static_cast<JobStatus>(i);
    }
  }
  return std::nullopt;
}

const AnswerSettings& result_answer(const JobRecord& record) noexcept {
  return record.later_steps.empty() ? record.settings.answer : record.later_steps.back().answer;
}

std::vector<std::string> compared_models(const JobRecord& record) {
  std::vector<std::string> models;
  if (record.compares) {
    models.push_back(record.first_step);
    for (const JobStep& step : record.later_steps) {
      models.push_back(step.name);
    }
  }
  return models;
}

std::string asked_models(const JobRecord& record) {
  return record.compares ? fmt::format("{}", fmt::join(compared_models(record), ", "))
                         : record.settings.model.model;
}

std::string job_record_json(const JobRecord& record) {
  JsonWriter json;
  RecordWriter write(json);
  json.begin_object()
      .key("schema")
      .string("batchllm.job/1")
      .key("version")
      .number(JobRecord::k_version);
  write.text("id", record.id);
  write.integer("created_ms", record.created_ms);
  write.integer("finished_ms", record.finished_ms);
  write.choice("status", record.status, k_status_names);
  write.text("stop_code", record.stop_code);
  write.text("stop_message", record.stop_message);
  write.text("identity", record.identity);
  write.text("output", record.output_path);
  write.flag("result_in_folder", record.result_in_folder);
  write.flag("queued_by_daemon", record.queued_by_daemon);
  write.texts("arguments", record.settings.inputs);
  json.key("inputs").begin_array();
  for (const auto& input : record.inputs) {
    json.begin_object();
    visit_fingerprint(write, input);
    json.end_object();
  }
  json.end_array();
  write_messages(json, record.messages);
  write_steps(json, record);
  json.key("settings").begin_object();
  visit_input(write, record.settings.input);
  visit_question(write, record.settings);
  visit_output(write, record.settings.output);
  visit_conduct(write, record.settings);
  json.end_object();
  json.key("totals").begin_object();
  visit_totals(write, record.totals);
  json.end_object().end_object();
  return json.text() + "\n";
}

JobRecord parse_job_record(std::string_view text, const std::string& origin) {
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  JobRecord record;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) {
    throw Error(ErrorCode::job_corrupt,
                origin + " is not readable JSON",
                "its ledger may still be read: batchllm results export");
  }
  const RecordReader read(root);
  std::int64_t version = 0;
  read.integer("version", version);
  if (version > JobRecord::k_version) {
    throw Error(ErrorCode::job_corrupt,
                fmt::format("{} has format version {}, this program knows up to {}",
                            origin,
                            version,
                            JobRecord::k_version),
                "use the newer batchllm that wrote it");
  }
  read.text("id", record.id);
  read.integer("created_ms", record.created_ms);
  read.integer("finished_ms", record.finished_ms);
  read.choice("status", record.status, k_status_names);
  read.text("stop_code", record.stop_code);
  read.text("stop_message", record.stop_message);
  read.text("identity", record.identity);
  read.text("output", record.output_path);
  read.flag("result_in_folder", record.result_in_folder);
  read.flag("queued_by_daemon", record.queued_by_daemon);
  read.texts("arguments", record.settings.inputs);
  read_objects(root, "inputs", [&](const RecordReader& object) {
    visit_fingerprint(object, record.inputs.emplace_back());
  });
  read_messages(root, record.messages);
  read_steps(root, record);
  simdjson::dom::object settings;
  if (root["settings"].get(settings) == simdjson::SUCCESS) {
    const RecordReader read_settings(settings);
    visit_input(read_settings, record.settings.input);
    visit_question(read_settings, record.settings);
    visit_output(read_settings, record.settings.output);
    visit_conduct(read_settings, record.settings);
  }
  simdjson::dom::object totals;
  if (root["totals"].get(totals) == simdjson::SUCCESS) {
    const RecordReader read_totals(totals);
    visit_totals(read_totals, record.totals);
  }
  record.settings.output.path = record.output_path;
  return record;
}

std::string job_identity(const JobRecord& record) {
  JsonWriter json;
  RecordWriter write(json);
  json.begin_object();
  visit_input(write, record.settings.input);
  visit_question(write, record.settings);
  visit_output(write, record.settings.output);
  write_messages(json, record.messages);
  write_steps(json, record);
  write.text("output", record.output_path);
  json.key("inputs").begin_array();
  for (const auto& input : record.inputs) {
    json.string(input.path);
  }
  json.end_array().end_object();
  return fmt::format("{:016x}", XXH3_64bits(json.text().data(), json.text().size()));
}

InputFingerprint fingerprint_input(const std::string& path) {
  struct stat status {};

  if (stat(path.c_str(), &status) != 0) {
    throw Error(errno == ENOENT ? ErrorCode::input_missing : ErrorCode::input_unreadable,
                fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  InputFingerprint input;
  std::error_code error;
  input.path = std::filesystem::absolute(path, error).lexically_normal().string();
  input.bytes = static_cast<std::uint64_t>(status.st_size);
  input.modified_ns = nanoseconds(status.st_mtim);
  input.changed_ns = nanoseconds(status.st_ctim);
  input.inode = status.st_ino;
  input.device = status.st_dev;
  return input;
}

}  // namespace batchllm
