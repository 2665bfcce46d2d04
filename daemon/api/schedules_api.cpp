// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "core/time_text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/job_document.h"
#include "daemon/api/job_request.h"
#include "daemon/api/page.h"
#include "daemon/api/request_members.h"
#include "daemon/api/scheduled_job.h"
#include "daemon/scheduler/fire_times.h"

#include <string>
#include <utility>

namespace batchllm::daemon {
namespace {

constexpr std::size_t k_longest_name = 200;
constexpr std::size_t k_longest_cron = 256;
constexpr std::size_t k_longest_zone = 256;
constexpr std::int64_t k_standard_preview = 5;
constexpr std::int64_t k_longest_preview = 1000;

std::string schedule_document(const Schedule& schedule) {
  JsonWriter json;
  json.begin_object().key("id").string(schedule.id).key("name").string(schedule.name);
  json.key("cron").string(schedule.cron).key("timezone").string(schedule.timezone);
  json.key("job").raw(schedule.body);
  json.key("overlap").string(overlap_policy_name(schedule.overlap));
  json.key("missed").string(missed_policy_name(schedule.missed));
  json.key("enabled").boolean(schedule.is_enabled).key("next_at");
  write_time(json, schedule.next_ms);
  json.key("last_at");
  write_time(json, schedule.last_ms);
  json.key("last_job_id");
  write_text_or_null(json, schedule.last_job_id);
  json.key("last_error");
  write_text_or_null(json, schedule.last_error);
  json.key("created_at").string(rfc3339_text(schedule.created_ms));
  json.key("updated_at").string(rfc3339_text(schedule.updated_ms));
  return json.end_object().text();
}

// Its times count from now: what has passed is not made up for.
void begin_anew(Schedule& schedule, std::int64_t now_ms) {
  schedule.settled_ms = now_ms;
  schedule.next_ms = schedule.is_enabled
                         ? FireTimes(schedule.cron, schedule.timezone).next_after(now_ms)
                         : std::nullopt;
}

// Takes the members of `ScheduleCreate` and `ScheduleUpdate` that are given. Throws Error(usage)
// and what is wrong with the job.
void take_members(ApiContext& context, const RequestMembers& members, Schedule& schedule) {
  if (members.find("name") != nullptr) {
    schedule.name = members.require_text("name", k_longest_name);
  }
  if (members.find("cron") != nullptr) {
    schedule.cron = members.require_text("cron", k_longest_cron);
  }
  if (members.find("timezone") != nullptr) {
    schedule.timezone = members.require_text("timezone", k_longest_zone);
  }
  schedule.timezone = FireTimes(schedule.cron, schedule.timezone).zone().name();
  if (const auto overlap = members.text("overlap")) {
    schedule.overlap = parse_overlap_policy(*overlap);
  }
  if (const auto missed = members.text("missed")) {
    schedule.missed = parse_missed_policy(*missed);
  }
  schedule.is_enabled = members.flag("enabled").value_or(schedule.is_enabled);
  if (const JsonNode* job = members.find("job")) {
    check_job_request(context, *job);
    schedule.body = job->to_json();
  }
}

std::string schedule_path(const std::string& id) {
  return "/api/v1/schedules/" + id;
}

HttpResponse enable(ApiContext& context, ApiCall& call, bool is_enabled) {
  HttpResponse response = post_once(context, call, call.body_text(), [&](JobTable& jobs) {
    Schedule schedule = require_schedule(jobs.database(), call.parts.at(0));
    if (schedule.is_enabled != is_enabled) {
      schedule.is_enabled = is_enabled;
      schedule.updated_ms = jobs.now_ms();
      begin_anew(schedule, jobs.now_ms());
      update_schedule(jobs.database(), schedule);
    }
    return PostAnswer{200, schedule_document(schedule), {}};
  });
  context.scheduler.wake();
  return response;
}

}  // namespace

HttpResponse create_schedule(ApiContext& context, ApiCall& call) {
  const JsonNode body = call.json_body();
  const RequestMembers members(body,
                               {"name", "cron", "timezone", "job", "overlap", "missed", "enabled"});
  for (const char* name : {"name", "cron", "job"}) {
    members.require(name);
  }
  Schedule schedule;
  schedule.timezone = "UTC";
  take_members(context, members, schedule);
  HttpResponse response = post_once(context, call, call.body_text(), [&](JobTable& jobs) {
    schedule.id = make_schedule_id();
    schedule.created_ms = jobs.now_ms();
    schedule.updated_ms = jobs.now_ms();
    begin_anew(schedule, jobs.now_ms());
    insert_schedule(jobs.database(), schedule);
    return PostAnswer{201, schedule_document(schedule), schedule_path(schedule.id)};
  });
  context.scheduler.wake();
  return response;
}

HttpResponse list_all_schedules(ApiContext& context, ApiCall& call) {
  const PageRequest page = read_page_request(call);
  return context.store.read([&page](sql::Database& database) {
    PageWriter writer(page);
    for (const Schedule& schedule : list_schedules(database, page.cursor, page.limit + 1)) {
      if (!writer.add(schedule_document(schedule), schedule.name)) {
        break;
      }
    }
    return json_response(200, writer.text());
  });
}

HttpResponse get_schedule(ApiContext& context, ApiCall& call) {
  return context.store.read([&call](sql::Database& database) {
    return json_response(200, schedule_document(require_schedule(database, call.parts.at(0))));
  });
}

HttpResponse change_schedule(ApiContext& context, ApiCall& call) {
  const JsonNode body = call.json_body();
  const RequestMembers members(body,
                               {"name", "cron", "timezone", "job", "overlap", "missed", "enabled"});
  Schedule checked = context.store.read(
      [&call](sql::Database& database) { return require_schedule(database, call.parts.at(0)); });
  take_members(context, members, checked);
  std::string document = context.store.write([&](JobTable& jobs) {
    const Schedule now = require_schedule(jobs.database(), checked.id);
    Schedule after = checked;  // what it does by itself may have happened since
    after.last_ms = now.last_ms;
    after.last_job_id = now.last_job_id;
    after.last_error = now.last_error;
    after.updated_ms = jobs.now_ms();
    begin_anew(after, jobs.now_ms());
    update_schedule(jobs.database(), after);
    return schedule_document(after);
  });
  context.scheduler.wake();
  return json_response(200, std::move(document));
}

HttpResponse remove_schedule(ApiContext& context, ApiCall& call) {
  context.store.write(
      [&call](JobTable& jobs) { delete_schedule(jobs.database(), call.parts.at(0)); });
  context.scheduler.wake();
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse pause_schedule(ApiContext& context, ApiCall& call) {
  return enable(context, call, false);
}

HttpResponse resume_schedule(ApiContext& context, ApiCall& call) {
  return enable(context, call, true);
}

HttpResponse run_schedule_now(ApiContext& context, ApiCall& call) {
  check_idempotency_key(call);
  const Schedule schedule = context.store.read(
      [&call](sql::Database& database) { return require_schedule(database, call.parts.at(0)); });
  const QueueScheduled queue = prepare_scheduled_job(context, schedule, std::nullopt, call.actor);
  HttpResponse response = post_once(context, call, call.body_text(), [&](JobTable& jobs) {
    require_schedule(jobs.database(), schedule.id);
    const QueuedJob job = queue(jobs, std::nullopt);
    return PostAnswer{201, job_document(jobs.database(), job), "/api/v1/jobs/" + job.id};
  });
  context.scheduler.wake();
  return response;
}

HttpResponse preview_schedule(ApiContext& context, ApiCall& call) {
  const std::int64_t count = call.query_integer("count", k_standard_preview, 1, k_longest_preview);
  const Schedule schedule = context.store.read(
      [&call](sql::Database& database) { return require_schedule(database, call.parts.at(0)); });
  const FireTimes times(schedule.cron, schedule.timezone);
  JsonWriter json;
  json.begin_object().key("items").begin_array();
  auto next = times.next_after(context.store.clock().wall_ms());
  for (std::int64_t i = 0; i < count && next; ++i) {
    json.begin_object().key("at").string(rfc3339_text(*next));
    const std::int32_t offset_s = times.zone().span_at(*next / 1000).offset_s;
    json.key("local").string(rfc3339_text(*next, offset_s)).end_object();
    next = times.next_after(*next);
  }
  return json_response(200, json.end_array().key("next_cursor").null().end_object().text());
}

}  // namespace batchllm::daemon
