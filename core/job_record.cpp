// SPDX-License-Identifier: Apache-2.0
#include "core/job_record.h"

#include "core/error.h"
#include "core/json_text.h"

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
  visit.pairs("parameters", settings.model.parameters);
  visit.optional_decimal("temperature", settings.model.temperature);
  visit.optional_integer("max_tokens", settings.model.max_tokens);
  visit.text("effort", settings.model.effort);
  visit.text("schema", settings.answer.schema);
  visit.text("fields", settings.answer.fields);
  visit.text("extract", settings.answer.extract);
  visit.flag("strip", settings.answer.strip);
  visit.text("choices", settings.answer.choices);
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

class Writer {
 public:
  explicit Writer(JsonWriter& json) : json_(json) {}

  void text(std::string_view name, const std::string& value) { json_.key(name).string(value); }

  void flag(std::string_view name, bool value) { json_.key(name).boolean(value); }

  void count(std::string_view name, std::uint64_t value) { json_.key(name).number(value); }

  void size(std::string_view name, std::size_t value) { count(name, value); }

  void integer(std::string_view name, std::int64_t value) { json_.key(name).number(value); }

  void optional_count(std::string_view name, const std::optional<std::uint64_t>& value) {
    json_.key(name);
    value ? json_.number(*value) : json_.null();
  }

  void optional_integer(std::string_view name, const std::optional<std::int64_t>& value) {
    json_.key(name);
    value ? json_.number(*value) : json_.null();
  }

  void optional_decimal(std::string_view name, const std::optional<double>& value) {
    json_.key(name);
    value ? json_.raw(fmt::format("{}", *value)) : json_.null();
  }

  void letter(std::string_view name, const std::optional<char>& value) {
    json_.key(name);
    value ? json_.number(static_cast<int>(static_cast<unsigned char>(*value))) : json_.null();
  }

  void texts(std::string_view name, const std::vector<std::string>& values) {
    json_.key(name).begin_array();
    for (const auto& value : values) {
      json_.string(value);
    }
    json_.end_array();
  }

  void pairs(std::string_view name,
             const std::vector<std::pair<std::string, std::string>>& values) {
    json_.key(name).begin_array();
    for (const auto& [key, value] : values) {
      json_.begin_array().string(key).string(value).end_array();
    }
    json_.end_array();
  }

  template <typename Enum, std::size_t N>
  void choice(std::string_view name, Enum value, const std::array<std::string_view, N>& names) {
    json_.key(name).string(names[static_cast<std::size_t>(value)]);
  }

 private:
  JsonWriter& json_;
};

// Members that are absent keep their defaults: older files lack newer members.
class Reader {
 public:
  explicit Reader(simdjson::dom::object object) : object_(object) {}

  void text(std::string_view name, std::string& value) const {
    std::string_view found;
    if (object_[name].get(found) == simdjson::SUCCESS) {
      value = found;
    }
  }

  void flag(std::string_view name, bool& value) const {
    bool found = false;
    if (object_[name].get(found) == simdjson::SUCCESS) {
      value = found;
    }
  }

  void count(std::string_view name, std::uint64_t& value) const { number(name, value); }

  void size(std::string_view name, std::size_t& value) const {
    std::uint64_t found = value;
    number(name, found);
    value = found;
  }

  void integer(std::string_view name, std::int64_t& value) const { number(name, value); }

  void optional_count(std::string_view name, std::optional<std::uint64_t>& value) const {
    optional_number(name, value);
  }

  void optional_integer(std::string_view name, std::optional<std::int64_t>& value) const {
    optional_number(name, value);
  }

  void optional_decimal(std::string_view name, std::optional<double>& value) const {
    optional_number(name, value);
  }

  void letter(std::string_view name, std::optional<char>& value) const {
    std::optional<std::int64_t> found;
    optional_number(name, found);
    if (found) {
      value = static_cast<char>(*found);
    }
  }

  void texts(std::string_view name, std::vector<std::string>& values) const {
    simdjson::dom::array array;
    if (object_[name].get(array) != simdjson::SUCCESS) {
      return;
    }
    values.clear();
    for (const auto element : array) {
      std::string_view value;
      if (element.get(value) == simdjson::SUCCESS) {
        values.emplace_back(value);
      }
    }
  }

  void pairs(std::string_view name,
             std::vector<std::pair<std::string, std::string>>& values) const {
    simdjson::dom::array array;
    if (object_[name].get(array) != simdjson::SUCCESS) {
      return;
    }
    values.clear();
    for (const auto element : array) {
      std::string_view key;
      std::string_view value;
      if (element.at(0).get(key) == simdjson::SUCCESS &&
          element.at(1).get(value) == simdjson::SUCCESS) {
        values.emplace_back(key, value);
      }
    }
  }

  template <typename Enum, std::size_t N>
  void choice(std::string_view name,
              Enum& value,
              const std::array<std::string_view, N>& names) const {
    std::string_view found;
    if (object_[name].get(found) != simdjson::SUCCESS) {
      return;
    }
    for (std::size_t i = 0; i < N; ++i) {
      if (names[i] == found) {
        value = static_cast<Enum>(i);
      }
    }
  }

 private:
  template <typename Number>
  void number(std::string_view name, Number& value) const {
    Number found{};
    if (object_[name].get(found) == simdjson::SUCCESS) {
      value = found;
    }
  }

  template <typename Number>
  void optional_number(std::string_view name, std::optional<Number>& value) const {
    Number found{};
    if (object_[name].get(found) == simdjson::SUCCESS) {
      value = found;
    }
  }

  simdjson::dom::object object_;
};

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

// Calls `each` with a Reader for every object of the array `name`.
template <typename Each>
void read_objects(const simdjson::dom::object& root, std::string_view name, Each each) {
  simdjson::dom::array array;
  if (root[name].get(array) != simdjson::SUCCESS) {
    return;
  }
  for (const auto element : array) {
    simdjson::dom::object object;
    if (element.get(object) == simdjson::SUCCESS) {
      each(Reader(object));
    }
  }
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

std::string job_record_json(const JobRecord& record) {
  JsonWriter json;
  Writer write(json);
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
  const Reader read(root);
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
  read_objects(root, "inputs", [&](const Reader& object) {
    visit_fingerprint(object, record.inputs.emplace_back());
  });
  read_objects(root, "messages", [&](const Reader& object) {
    MessageText& message = record.messages.emplace_back();
    object.text("role", message.role);
    object.text("text", message.text);
    object.text("origin", message.origin);
  });
  simdjson::dom::object settings;
  if (root["settings"].get(settings) == simdjson::SUCCESS) {
    const Reader read_settings(settings);
    visit_input(read_settings, record.settings.input);
    visit_question(read_settings, record.settings);
    visit_output(read_settings, record.settings.output);
    visit_conduct(read_settings, record.settings);
  }
  simdjson::dom::object totals;
  if (root["totals"].get(totals) == simdjson::SUCCESS) {
    const Reader read_totals(totals);
    visit_totals(read_totals, record.totals);
  }
  record.settings.output.path = record.output_path;
  return record;
}

std::string job_identity(const JobRecord& record) {
  JsonWriter json;
  Writer write(json);
  json.begin_object();
  visit_input(write, record.settings.input);
  visit_question(write, record.settings);
  visit_output(write, record.settings.output);
  write_messages(json, record.messages);
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
