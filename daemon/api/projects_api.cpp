// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "core/json_text.h"
#include "core/text.h"
#include "core/time_text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/page.h"
#include "daemon/api/project_name.h"
#include "daemon/api/request_members.h"

#include <fmt/format.h>

#include <optional>
#include <string>

namespace batchllm::daemon {
namespace {

constexpr std::int64_t k_most_running = 1'000'000;
constexpr std::string_view k_default = "default";

struct Project {
  std::string name;
  std::optional<std::int64_t> max_running;
  std::int64_t created_ms = 0;
};

Project project_of(sql::Statement& row) {
  return {row.string(0), row.optional_integer(1), row.integer(2)};
}

std::optional<Project> find_project(sql::Database& database, std::string_view name) {
  auto query =
      database.prepare("SELECT name, max_running, created_at FROM projects WHERE name = ?");
  query.bind_all(name);
  return query.step() ? std::optional(project_of(query)) : std::nullopt;
}

Project require_project(sql::Database& database, std::string_view name) {
  auto project = find_project(database, name);
  if (!project) {
    throw Error(ErrorCode::project_not_found,
                fmt::format("there is no project {}", printable(name)),
                "GET /api/v1/projects lists them");
  }
  return *std::move(project);
}

std::string project_document(const Project& project) {
  JsonWriter json;
  json.begin_object().key("name").string(project.name).key("settings").begin_object();
  json.key("max_running");
  if (project.max_running) {
    json.number(*project.max_running);
  } else {
    json.null();
  }
  json.end_object().key("created_at").string(rfc3339_text(project.created_ms));
  return json.end_object().text();
}

// What the settings say changes `project`; null takes a limit away.
void take_settings(const JsonNode& settings, Project& project) {
  const RequestMembers members(settings, {"max_running"});
  const JsonNode* given = settings.find("max_running");
  if (given != nullptr) {
    project.max_running = members.integer("max_running", 0, k_most_running);
  }
}

}  // namespace

HttpResponse create_project(ApiContext& context, ApiCall& call) {
  const JsonNode body = call.json_body();
  const RequestMembers members(body, {"name", "settings"});
  Project project;
  project.name = members.require_text("name");
  check_project_name(project.name);
  if (const JsonNode* settings = members.find("settings")) {
    take_settings(*settings, project);
  }
  return post_once(context, call, call.body_text(), [&](JobTable& jobs) {
    if (find_project(jobs.database(), project.name)) {
      throw Error(ErrorCode::name_taken, fmt::format("there is a project {}", project.name));
    }
    project.created_ms = jobs.now_ms();
    jobs.database().run("INSERT INTO projects VALUES (?, ?, ?)",
                        project.name,
                        project.max_running,
                        project.created_ms);
    return PostAnswer{201, project_document(project), "/api/v1/projects/" + project.name};
  });
}

HttpResponse list_projects(ApiContext& context, ApiCall& call) {
  const PageRequest page = read_page_request(call);
  return context.store.read([&page](sql::Database& database) {
    PageWriter writer(page);
    auto query = database.prepare(
        "SELECT name, max_running, created_at FROM projects WHERE name > ? ORDER BY name LIMIT ?");
    query.bind_all(page.cursor, page.limit + 1);
    while (query.step()) {
      const Project project = project_of(query);
      if (!writer.add(project_document(project), project.name)) {
        break;
      }
    }
    return json_response(200, writer.text());
  });
}

HttpResponse get_project(ApiContext& context, ApiCall& call) {
  return context.store.read([&call](sql::Database& database) {
    return json_response(200, project_document(require_project(database, call.parts.at(0))));
  });
}

HttpResponse update_project(ApiContext& context, ApiCall& call) {
  const JsonNode body = call.json_body();
  const RequestMembers members(body, {"settings"});
  const JsonNode& settings = members.require("settings");
  const Project changed = context.store.write([&](JobTable& jobs) {
    Project project = require_project(jobs.database(), call.parts.at(0));
    take_settings(settings, project);
    jobs.database().run(
        "UPDATE projects SET max_running = ? WHERE name = ?", project.max_running, project.name);
    return project;
  });
  context.scheduler.wake();
  return json_response(200, project_document(changed));
}

HttpResponse remove_project(ApiContext& context, ApiCall& call) {
  context.store.write([&call](JobTable& jobs) {
    const Project project = require_project(jobs.database(), call.parts.at(0));
    if (project.name == k_default) {
      throw Error(ErrorCode::project_in_use, "the project default is always there");
    }
    const auto count = jobs.database()
                           .integer("SELECT count(*) FROM jobs WHERE project = ?", project.name)
                           .value_or(0);
    if (count != 0) {
      throw Error(
          ErrorCode::project_in_use,
          fmt::format(
              "{} has {}", project.name, count_noun(static_cast<std::uint64_t>(count), "job")),
          "remove its jobs first");
    }
    jobs.database().run("DELETE FROM projects WHERE name = ?", project.name);
  });
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace batchllm::daemon
