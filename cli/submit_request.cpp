// SPDX-License-Identifier: Apache-2.0
#include "cli/submit_request.h"

#include "adapters/time/start_time.h"
#include "cli/settings_reader.h"
#include "core/error.h"
#include "core/job_id.h"
#include "core/json_text.h"
#include "core/request_options.h"
#include "core/setting_reader.h"
#include "core/step_names.h"
#include "core/text.h"
#include "core/time_text.h"

#include <fmt/format.h>

#include <filesystem>

namespace batchllm {
namespace {

// "JOB", "JOB:any", "JOB:failed".
std::pair<std::string, std::string> dependency_in(const std::string& text) {
  const auto colon = text.find(':');
  std::string id = text.substr(0, colon);
  std::string when = colon == std::string::npos ? "ok" : text.substr(colon + 1);
  if (!is_job_id(id)) {
    throw Error(ErrorCode::usage,
                fmt::format("--after {}: no job's id", one_line(text, 60)),
                "as in --after job_20260102_030405_k7f3:any; batchllm jobs list shows all jobs");
  }
  if (when != "ok" && when != "any" && when != "failed") {
    throw Error(ErrorCode::usage,
                fmt::format("--after {}: the condition is ok, any or failed", one_line(text, 60)),
                "ok when it succeeds, any when it ends, failed when it does not succeed");
  }
  return {std::move(id), std::move(when)};
}

void refuse_what_a_daemon_cannot(const CommandLine& line, const JobSettings& settings) {
  if (settings.output.path == "-") {
    throw Error(ErrorCode::usage,
                "-o -: a queued job has no standard output",
                "leave it out, and later: batchllm results export JOB");
  }
  if (line.flags.contains("run.key_file")) {
    throw Error(ErrorCode::usage,
                "--key-file: batchllmd reads no key from a caller's file",
                "it uses the keys in its own environment: --key-env NAME names the variable");
  }
}

// What a template says is part of what is sent: parameters and the model it names; steps say that
// for themselves, and what form their answers have.
SettingLayer options_of_job(const SubmitRequest& request, const JobRecord& record) {
  SettingLayer options = request.options;
  if (!record.later_steps.empty() && !record.compares) {
    for (const char* key :
         {"run.schema", "run.fields", "run.choices", "run.extract", "run.strip"}) {
      options.erase(key);
    }
    return options;
  }
  const auto set = [&options](const std::string& key, std::vector<std::string> texts) {
    SettingValue& value = options[key];
    value.texts = std::move(texts);
  };
  if (record.compares) {
    options.erase("run.model");
  } else {
    set("run.model", {record.settings.model.model});
  }
  std::vector<std::string> parameters;
  for (const auto& [name, value] : record.settings.model.parameters) {
    parameters.push_back(fmt::format("{}={}", name, value));
  }
  set("run.param", std::move(parameters));
  if (!record.settings.answer.schema.empty()) {
    set("run.schema", {record.settings.answer.schema});  // not a file that only we can read
  }
  return options;
}

void write_messages(JsonWriter& json, const std::vector<MessageText>& messages) {
  json.key("messages").begin_array();
  for (const MessageText& message : messages) {
    json.begin_object().key("role").string(message.role);
    json.key("content").string(message.text).end_object();
  }
  json.end_array();
}

void write_step(JsonWriter& json, const JobStep& step) {
  json.begin_object();
  if (is_step_name(step.name)) {  // else its number
    json.key("name").string(step.name);
  }
  if (!step.when.empty()) {
    json.key("when").string(step.when);
  }
  write_messages(json, step.messages);
  json.key("options").raw(step_options_to_json(step.model, step.answer)).end_object();
}

void write_questions(JsonWriter& json, const JobRecord& record) {
  if (record.later_steps.empty() || record.compares) {
    write_messages(json, record.messages);
    return;
  }
  json.key("steps").begin_array();
  const JobSettings& first = record.settings;
  write_step(json, {record.first_step, {}, record.messages, first.model, first.answer});
  for (const JobStep& step : record.later_steps) {
    write_step(json, step);
  }
  json.end_array();
}

void write_inputs(JsonWriter& json, const std::vector<SubmittedInput>& inputs) {
  json.key("inputs").begin_array();
  for (const SubmittedInput& input : inputs) {
    const bool is_sent = !input.file_id.empty();
    json.begin_object().key(is_sent ? "file_id" : "path");
    json.string(is_sent ? input.file_id : input.path).end_object();
  }
  json.end_array();
}

void write_handling(JsonWriter& json, const SubmitRequest& request) {
  if (!request.name.empty()) {
    json.key("name").string(request.name);
  }
  if (!request.project.empty()) {
    json.key("project").string(request.project);
  }
  json.key("priority").number(request.priority);
  if (request.not_before_ms) {
    json.key("not_before").string(rfc3339_text(*request.not_before_ms));
  }
  json.key("after").begin_array();
  for (const auto& [job, when] : request.after) {
    json.begin_object().key("job").string(job).key("when").string(when).end_object();
  }
  json.end_array().key("tags").begin_object();
  for (const auto& [name, value] : request.tags) {
    json.key(name).string(value);
  }
  json.end_object().key("approval").boolean(request.asks_first);
  json.key("on_limit").string(request.asks_at_limit ? "ask" : "stop");
}

}  // namespace

SubmitRequest read_submit_request(const CommandLine& line,
                                  const Settings& settings,
                                  std::int64_t now_ms) {
  const SettingReader reader(settings);
  SubmitRequest request;
  request.run = read_run_request(line, settings);
  refuse_what_a_daemon_cannot(line, request.run.settings);
  request.options = settings.all();
  request.priority = reader.count_or_default("submit.priority");
  for (const std::string& text : reader.list("submit.after")) {
    request.after.push_back(dependency_in(text));
  }
  if (reader.is_set("submit.at")) {
    request.not_before_ms =
        parse_start_time(reader.text("submit.at"), TimeZone::find("local"), now_ms);
  }
  request.tags = reader.pairs("submit.tag");
  request.name = reader.text("submit.name");
  request.project = reader.text("submit.project");
  request.idempotency_key = reader.text("submit.idempotency_key");
  request.asks_first = reader.flag("submit.ask_first");
  request.asks_at_limit = reader.text("submit.on_limit") == "ask";
  request.waits = reader.flag("submit.wait");
  return request;
}

std::string submit_body(const SubmitRequest& request,
                        const JobRecord& record,
                        const std::vector<SubmittedInput>& inputs) {
  JsonWriter json;
  json.begin_object();
  write_inputs(json, inputs);
  json.key("options").raw(options_to_json(options_of_job(request, record)));
  write_questions(json, record);
  write_handling(json, request);
  if (!record.output_path.empty()) {
    json.key("output_path").string(as_utf8(record.output_path));
  }
  return json.end_object().text();
}

}  // namespace batchllm
