// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "core/text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/job_document.h"
#include "daemon/api/job_request.h"
#include "daemon/api/page.h"
#include "daemon/api/request_members.h"
#include "daemon/api/task_document.h"
#include "daemon/api/task_types.h"
#include "daemon/queue/job_removal.h"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace batchllm::daemon {
namespace {

using namespace std::chrono_literals;

// How long a removal waits for a running task to save what is in flight.
constexpr auto k_longest_stop = 60s;

[[noreturn]] void refuse_unknown(const std::string& id) {
  throw Error(ErrorCode::task_not_found,
              fmt::format("there is no task {}", printable(id)),
              "GET /api/v1/tasks lists them");
}

QueuedJob require_task(sql::Database& database, const std::string& id) {
  auto job = read_job(database, id);
  if (!job || job->kind != JobKind::task) {
    refuse_unknown(id);
  }
  return *std::move(job);
}

// The task's one row: an object as it is, a text as the template's {text}.
std::string row_of(const JsonNode& input) {
  if (const auto text = input.string()) {
    if (text->empty()) {
      throw Error(ErrorCode::usage, "input must not be empty");
    }
    JsonWriter json;
    return json.begin_object().key("text").string(*text).end_object().text();
  }
  if (input.kind() != JsonNode::Kind::object || input.members().empty()) {
    throw Error(ErrorCode::usage, "input must be a text, or an object of what the prompt names");
  }
  return input.to_json();
}

// The options of the request with the model that is to be asked: the request's own, else the
// daemon's for tasks; where there is neither, the template's is taken later.
std::string options_of(const ApiContext& context, const RequestMembers& task) {
  const JsonNode* options = task.find("options");
  if (options != nullptr && options->kind() != JsonNode::Kind::object) {
    throw Error(ErrorCode::usage, "options must be an object");
  }
  auto model = task.text("model");
  JsonWriter json;
  json.begin_object();
  if (options != nullptr) {
    for (const JsonMember& option : options->members()) {
      if (option.key == "prompt" || option.key == "system") {
        throw Error(ErrorCode::usage,
                    fmt::format("options.{} does not go with a task, whose type says what is asked",
                                option.key),
                    "queue a job for a prompt of your own: POST /api/v1/jobs");
      }
      if (option.key == "model" && model) {
        throw Error(ErrorCode::usage, "model and options.model exclude each other");
      }
      json.key(option.key).raw(option.value.to_json());
    }
  }
  const bool is_chosen = model || (options != nullptr && options->find("model") != nullptr);
  if (!is_chosen && !context.task_model.empty()) {
    model = context.task_model;
  }
  if (model) {
    json.key("model").string(*model);
  }
  return json.end_object().text();
}

// The same task as the body of POST /jobs.
std::string job_body(const ApiContext& context,
                     const RequestMembers& task,
                     const TaskType& type,
                     const std::string& row) {
  JsonWriter json;
  json.begin_object().key("input").begin_object();
  json.key("rows").begin_array().raw(row).end_array().end_object();
  json.key("options").raw(options_of(context, task)).key("name").string(type.name);
  for (const std::string_view name : {"priority", "tags", "project"}) {
    if (const JsonNode* member = task.find(name)) {
      json.key(name).raw(member->to_json());
    }
  }
  return json.end_object().text();
}

JsonNode parsed(const std::string& json) {
  JsonLimits limits;
  limits.bytes = json.size();
  auto document = parse_json_document(json, limits);
  if (!document) {
    throw Error(ErrorCode::usage, document.error().message);
  }
  return *std::move(document);
}

std::string type_document(const ApiContext& context, const TaskType& type) {
  JsonWriter json;
  json.begin_object().key("name").string(type.name);
  json.key("description").string(type.chat.description).key("model");
  write_text_or_null(json, context.task_model.empty() ? type.chat.model : context.task_model);
  json.key("inputs").begin_array();
  for (const std::string& input : type.inputs) {
    json.string(input);
  }
  return json.end_array().end_object().text();
}

// Waits until a task that was cancelled has ended.
void wait_for_end(ApiContext& context, const std::string& id) {
  const auto deadline = std::chrono::steady_clock::now() + k_longest_stop;
  EventHub::Watch watch(context.store.hub(), id);
  while (true) {
    const QueuedJob job =
        context.store.read([&id](sql::Database& database) { return require_task(database, id); });
    if (has_ended(job.view.state)) {
      return;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(ErrorCode::daemon_busy,
                  fmt::format("{} is being cancelled, and has not ended yet", id),
                  "remove it again in a while");
    }
    refuse_while_draining(context);
    watch.wait(job.view.last_seq, 1s);
  }
}

}  // namespace

HttpResponse create_task(ApiContext& context, ApiCall& call) {
  refuse_while_draining(context);
  const JsonNode body = call.json_body();
  const RequestMembers task(body,
                            {"type", "input", "model", "options", "priority", "tags", "project"});
  const TaskType& type = require_task_type(task.require_text("type"));
  const std::string row = row_of(task.require("input"));
  JobRequestFrame frame;
  frame.kind = JobKind::task;
  frame.chat = &type.chat;
  frame.policy.task_type = type.name;
  const JobRequest request =
      read_job_request(context, parsed(job_body(context, task, type, row)), frame);
  HttpResponse response = post_once(context, call, call.body_text(), [&](JobTable& jobs) {
    const QueuedJob job = submit_request(jobs, request, call.actor);
    return PostAnswer{201, task_document(context, jobs.database(), job), "/api/v1/tasks/" + job.id};
  });
  context.scheduler.wake();
  return response;
}

HttpResponse list_tasks(ApiContext& context, ApiCall& call) {
  const PageRequest page = read_page_request(call);
  std::string where = "WHERE kind = ?";
  std::vector<QueryValue> values = {static_cast<std::int64_t>(JobKind::task)};
  if (const auto status = call.request.query("status_filter")) {
    std::string places;
    for (const JobState state : states_of_status(*status)) {
      places += places.empty() ? "?" : ", ?";
      values.emplace_back(static_cast<std::int64_t>(state));
    }
    where += fmt::format(" AND state IN ({})", places);
  }
  if (const auto before = page.cursor_number()) {
    where += " AND number < ?";
    values.emplace_back(*before);
  }
  values.emplace_back(page.limit + 1);
  return context.store.read([&](sql::Database& database) {
    PageWriter writer(page);
    for (const QueuedJob& job :
         read_jobs(database, where + " ORDER BY number DESC LIMIT ?", values)) {
      if (!writer.add(task_document(context, database, job), std::to_string(job.number))) {
        break;
      }
    }
    return json_response(200, writer.text());
  });
}

HttpResponse get_task(ApiContext& context, ApiCall& call) {
  return context.store.read([&](sql::Database& database) {
    return json_response(
        200, task_document(context, database, require_task(database, call.parts.at(0))));
  });
}

HttpResponse update_task(ApiContext& context, ApiCall& call) {
  const JsonNode body = call.json_body();
  const RequestMembers members(body, {"priority", "tags"});
  JobChanges changes;
  changes.priority = members.integer("priority", -100, 100);
  changes.tags = members.tags("tags");
  if (!changes.priority && !changes.tags) {
    throw Error(ErrorCode::usage, "priority or tags must be given");
  }
  std::string document = context.store.write([&](JobTable& jobs) {
    const QueuedJob task = require_task(jobs.database(), call.parts.at(0));
    return task_document(context, jobs.database(), change_job(jobs, task.id, changes, call.actor));
  });
  context.scheduler.wake();
  return json_response(200, std::move(document));
}

HttpResponse remove_task(ApiContext& context, ApiCall& call) {
  const std::string& id = call.parts.at(0);
  const QueuedJob job = context.store.write([&](JobTable& jobs) {
    static_cast<void>(require_task(jobs.database(), id));
    return cancel_job(jobs, id, call.actor);
  });
  if (!has_ended(job.view.state)) {
    context.scheduler.note_wishes();
    wait_for_end(context, id);
  }
  remove_ended_job(context.store, context.content, context.state_dir, id);
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse list_task_types(ApiContext& context, ApiCall& call) {
  static_cast<void>(call);
  PageRequest all;
  all.limit = static_cast<std::int64_t>(task_types().size());
  PageWriter writer(all);
  for (const TaskType& type : task_types()) {
    writer.add(type_document(context, type), {});
  }
  return json_response(200, writer.text());
}

}  // namespace batchllm::daemon
