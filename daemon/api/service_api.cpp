// SPDX-License-Identifier: Apache-2.0
#include "adapters/sql/sqlite_migrations.h"
#include "core/error.h"
#include "core/json_text.h"
#include "core/time_text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/request_members.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>

namespace batchllm::daemon {
namespace {

constexpr int k_api_version = 1;  // of the paths: /api/v1
constexpr int k_states_alive = 5;
constexpr double k_ms_per_s = 1000;
constexpr std::int64_t k_longest_drain_s = 86'400;

std::array<std::int64_t, k_states_alive> count_jobs(sql::Database& database) {
  std::array<std::int64_t, k_states_alive> counts{};
  counts[0] = database.integer("SELECT count(*) FROM jobs WHERE state = 0 AND held = 0")
                  .value_or(0) +
              database.integer("SELECT count(*) FROM jobs WHERE state = 0 AND held = 1").value_or(0);
  auto query = database.prepare(
      "SELECT state, count(*) FROM jobs WHERE state BETWEEN 1 AND 4 GROUP BY state");
  while (query.step()) {
    counts.at(static_cast<std::size_t>(query.integer(0))) = query.integer(1);
  }
  return counts;
}

}  // namespace

HttpResponse get_health(ApiContext& context, ApiCall& call) {
  static_cast<void>(call);
  return context.store.read([&context](sql::Database& database) {
    const auto counts = count_jobs(database);
    const auto figures = context.store.figures();
    std::error_code error;
    const auto bytes = std::filesystem::file_size(database.path(), error);
    JsonWriter json;
    json.begin_object().key("status").string("ok").key("database").begin_object();
    json.key("status").string("ok").key("schema_version").number(sql::schema_version(database));
    json.key("bytes").number(error ? std::int64_t{0} : static_cast<std::int64_t>(bytes));
    json.key("wal_bytes").number(figures.log_bytes).end_object();
    json.key("connections").number(static_cast<std::int64_t>(context.service.connection_count()));
    json.key("queue").begin_object();
    for (int state = 0; state < k_states_alive; ++state) {
      json.key(job_state_name(static_cast<JobState>(state)))
          .number(counts.at(static_cast<std::size_t>(state)));
    }
    json.key("workers").number(static_cast<std::int64_t>(context.scheduler.figures().workers));
    json.end_object().key("version").string(BATCHLLM_VERSION).key("uptime_s");
    const auto up_ms = context.store.clock().wall_ms() - context.service.started_ms();
    json.decimal(static_cast<double>(std::max<std::int64_t>(up_ms, 0)) / k_ms_per_s, 3);
    return json_response(200, json.end_object().text());
  });
}

HttpResponse get_ready(ApiContext& context, ApiCall& call) {
  static_cast<void>(call);
  if (context.service.is_draining()) {
    throw Error(ErrorCode::daemon_draining, "the daemon is stopping");
  }
  return json_response(200, R"({"ready":true})");
}

HttpResponse get_version(ApiContext& context, ApiCall& call) {
  static_cast<void>(call);
  JsonWriter json;
  json.begin_object().key("name").string("batchllmd").key("version").string(BATCHLLM_VERSION);
  json.key("api_version")
      .number(k_api_version)
      .key("pid")
      .number(static_cast<std::int64_t>(getpid()));
  json.key("started_at").string(rfc3339_text(context.service.started_ms()));
  return json_response(200, json.end_object().text());
}

HttpResponse drain_daemon(ApiContext& context, ApiCall& call) {
  const JsonNode body = call.json_body();
  const RequestMembers members(body, {"deadline_s"});
  const auto deadline_s = members.integer("deadline_s", 0, k_longest_drain_s);
  const auto running = static_cast<std::int64_t>(context.scheduler.figures().running);
  context.service.drain(deadline_s ? std::optional<std::chrono::milliseconds>(
                                         std::chrono::seconds(*deadline_s))
                                   : std::nullopt);
  JsonWriter json;
  json.begin_object().key("draining").boolean(true).key("running").number(running);
  return json_response(202, json.end_object().text());
}

HttpResponse reload_daemon(ApiContext& context, ApiCall& call) {
  static_cast<void>(call.json_body());
  JsonWriter json;
  json.begin_object().key("files").begin_array();
  for (const std::string& file : context.service.reload()) {
    json.string(file);
  }
  return json_response(200, json.end_array().end_object().text());
}

HttpResponse back_up_daemon(ApiContext& context, ApiCall& call) {
  static_cast<void>(call.json_body());
  const std::filesystem::path copy = context.service.back_up();
  JsonWriter json;
  json.begin_object().key("path").string(copy.string());
  json.key("bytes").number(static_cast<std::int64_t>(std::filesystem::file_size(copy)));
  json.key("created_at").string(rfc3339_text(context.store.clock().wall_ms()));
  return json_response(201, json.end_object().text());
}

}  // namespace batchllm::daemon
