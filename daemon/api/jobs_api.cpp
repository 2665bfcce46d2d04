// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "core/job_directory.h"
#include "core/text.h"
#include "core/time_text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/job_document.h"
#include "daemon/api/job_request.h"
#include "daemon/api/page.h"
#include "daemon/api/project_name.h"
#include "daemon/api/request_members.h"
#include "daemon/queue/job_removal.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace batchllm::daemon {
namespace {

std::string job_path(const std::string& id) {
  return "/api/v1/jobs/" + id;
}

// A POST upon one job that has no body to speak of.
HttpResponse act(ApiContext& context,
                 ApiCall& call,
                 const std::function<QueuedJob(JobTable&)>& action) {
  HttpResponse response = post_once(context, call, call.body_text(), [&](JobTable& jobs) {
    const QueuedJob job = action(jobs);
    // Its worker has yet to do what is wished for.
    const bool is_pending = job.view.state == JobState::running && job.view.wish != JobWish::run;
    return PostAnswer{is_pending ? 202 : 200, job_document(jobs.database(), job), {}};
  });
  context.scheduler.note_wishes();
  return response;
}

// The filters of a list as SQL; texts are bound.
class JobFilter {
 public:
  explicit JobFilter(const HttpRequest& request) {
    if (const auto states = request.query("state")) {
      add_states(*states);
    }
    if (const auto kind = request.query("kind")) {
      const auto known = job_kind_from_name(*kind);
      if (!known) {
        throw Error(ErrorCode::usage, fmt::format("there is no kind {}", printable(*kind)));
      }
      add("kind = ?", static_cast<std::int64_t>(*known));
    }
    if (const auto project = request.query("project")) {
      check_project_name(*project);
      add("project = ?", *project);
    }
    for (const auto& [name, value] : request.parameters) {
      if (name == "tag") {
        add_tag(value);
      }
    }
  }

  void add(std::string_view condition, QueryValue value) {
    add_condition(condition);
    values_.push_back(std::move(value));
  }

  std::vector<QueuedJob> read(sql::Database& database, std::int64_t limit) {
    values_.emplace_back(limit);
    return read_jobs(database, where_ + " ORDER BY number DESC LIMIT ?", values_);
  }

 private:
  void add_condition(std::string_view condition) {
    where_ += where_.empty() ? "WHERE " : " AND ";
    where_ += condition;
  }

  void add_states(const std::string& states) {
    std::string marks;
    bool are_alive = true;  // few jobs are: an index knows them
    for (const std::string& state : split(states, ',')) {
      const auto known = job_state_from_name(state);
      if (!known) {
        throw Error(ErrorCode::usage, fmt::format("there is no state {}", printable(state)));
      }
      marks += marks.empty() ? "?" : ", ?";
      values_.emplace_back(static_cast<std::int64_t>(*known));
      are_alive = are_alive && *known != JobState::queued && !has_ended(*known);
    }
    add_condition(
        fmt::format("{}state IN ({})", are_alive ? "state BETWEEN 1 AND 4 AND " : "", marks));
  }

  void add_tag(const std::string& tag) {
    const auto colon = tag.find(':');
    if (tag.empty()) {
      throw Error(ErrorCode::usage, "tag must be name:value, or name");
    }
    if (colon == std::string::npos) {
      add("EXISTS (SELECT 1 FROM json_each(tags) WHERE key = ?)", tag);
    } else {
      add("EXISTS (SELECT 1 FROM json_each(tags) WHERE key = ? AND value = ?)",
          tag.substr(0, colon));
      values_.emplace_back(tag.substr(colon + 1));
    }
  }

  std::string where_;
  std::vector<QueryValue> values_;
};

}  // namespace

HttpResponse create_job(ApiContext& context, ApiCall& call) {
  refuse_while_draining(context);
  const JsonNode body = call.json_body();
  if (auto again = answer_again(context, call, call.body_text())) {
    return *std::move(again);
  }
  const JobRequest request = read_job_request(context, body);
  HttpResponse response = post_once(context, call, call.body_text(), [&](JobTable& jobs) {
    const QueuedJob job = submit_request(jobs, request, call.actor);
    return PostAnswer{201, job_document(jobs.database(), job), job_path(job.id)};
  });
  context.scheduler.wake();
  return response;
}

HttpResponse list_jobs(ApiContext& context, ApiCall& call) {
  const PageRequest page = read_page_request(call);
  JobFilter filter(call.request);
  if (const auto before = page.cursor_number()) {
    filter.add("number < ?", *before);
  }
  return context.store.read([&](sql::Database& database) {
    PageWriter writer(page);
    for (const QueuedJob& job : filter.read(database, page.limit + 1)) {
      if (!writer.add(job_document(database, job), std::to_string(job.number))) {
        break;
      }
    }
    return json_response(200, writer.text());
  });
}

HttpResponse get_job(ApiContext& context, ApiCall& call) {
  return context.store.read([&](sql::Database& database) {
    return json_response(200, job_document(database, require_job(database, call.parts.at(0))));
  });
}

HttpResponse update_job(ApiContext& context, ApiCall& call) {
  const JsonNode body = call.json_body();
  const RequestMembers members(body, {"priority", "tags", "name", "max_cost"});
  JobChanges changes;
  changes.priority = members.integer("priority", -100, 100);
  changes.tags = members.tags("tags");
  changes.name = members.text("name", 200);
  changes.max_cost_micro_usd = members.usd("max_cost");
  std::string document = context.store.write([&](JobTable& jobs) {
    const QueuedJob job = change_job(jobs, call.parts.at(0), changes, call.actor);
    return job_document(jobs.database(), job);
  });
  return json_response(200, std::move(document));
}

HttpResponse remove_job(ApiContext& context, ApiCall& call) {
  remove_ended_job(context.store, context.content, context.state_dir, call.parts.at(0));
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse cancel_one_job(ApiContext& context, ApiCall& call) {
  return act(context, call, [&](JobTable& jobs) {
    return cancel_job(jobs, call.parts.at(0), call.actor);
  });
}

HttpResponse pause_one_job(ApiContext& context, ApiCall& call) {
  return act(
      context, call, [&](JobTable& jobs) { return pause_job(jobs, call.parts.at(0), call.actor); });
}

HttpResponse resume_one_job(ApiContext& context, ApiCall& call) {
  const JsonNode body = call.json_body();
  const RequestMembers members(body, {"max_cost"});
  const auto max_cost = members.usd("max_cost");
  return act(context, call, [&](JobTable& jobs) {
    return resume_job(jobs, call.parts.at(0), max_cost, call.actor);
  });
}

HttpResponse answer_one_job(ApiContext& context, ApiCall& call) {
  const JsonNode body = call.json_body();
  const RequestMembers members(body, {"answer"});
  const std::string answer = members.require_text("answer");
  return act(context, call, [&](JobTable& jobs) {
    return answer_job(jobs, call.parts.at(0), answer, call.actor);
  });
}

HttpResponse list_attempts(ApiContext& context, ApiCall& call) {
  const PageRequest page = read_page_request(call);
  return context.store.read([&](sql::Database& database) {
    const QueuedJob job = require_job(database, call.parts.at(0));
    PageWriter writer(page);
    auto query = database.prepare(
        "SELECT epoch, worker, started_at, ended_at, outcome, message FROM attempts WHERE job_id = "
        "? AND epoch > ? ORDER BY epoch LIMIT ?");
    query.bind_all(job.id, page.cursor_number().value_or(0), page.limit + 1);
    while (query.step()) {
      JsonWriter json;
      json.begin_object().key("epoch").number(query.integer(0));
      json.key("worker").string(query.text(1));
      json.key("started_at").string(rfc3339_text(query.integer(2))).key("ended_at");
      write_time(json, query.optional_integer(3));
      json.key("outcome");
      write_text_or_null(json, query.string(4));
      json.key("message");
      write_text_or_null(json, query.string(5));
      if (!writer.add(json.end_object().text(), std::to_string(query.integer(0)))) {
        break;
      }
    }
    return json_response(200, writer.text());
  });
}

}  // namespace batchllm::daemon
