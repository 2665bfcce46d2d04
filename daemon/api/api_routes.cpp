// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/api_handlers.h"
#include "daemon/api/api_router.h"

#include <array>

namespace batchllm::daemon {
namespace {

constexpr std::array k_routes = {
    ApiRoute{"POST", "/api/v1/files", &upload_file},
    ApiRoute{"GET", "/api/v1/files", &list_uploads},
    ApiRoute{"GET", "/api/v1/files/{id}", &get_upload},
    ApiRoute{"DELETE", "/api/v1/files/{id}", &remove_upload},
    ApiRoute{"GET", "/api/v1/files/{id}/content", &get_upload_content},
    ApiRoute{"POST", "/api/v1/jobs", &create_job},
    ApiRoute{"GET", "/api/v1/jobs", &list_jobs},
    ApiRoute{"GET", "/api/v1/jobs/{id}", &get_job},
    ApiRoute{"PATCH", "/api/v1/jobs/{id}", &update_job},
    ApiRoute{"DELETE", "/api/v1/jobs/{id}", &remove_job},
    ApiRoute{"POST", "/api/v1/jobs/{id}/cancel", &cancel_one_job},
    ApiRoute{"POST", "/api/v1/jobs/{id}/pause", &pause_one_job},
    ApiRoute{"POST", "/api/v1/jobs/{id}/resume", &resume_one_job},
    ApiRoute{"POST", "/api/v1/jobs/{id}/retry", &retry_one_job},
    ApiRoute{"POST", "/api/v1/jobs/{id}/answer", &answer_one_job},
    ApiRoute{"GET", "/api/v1/jobs/{id}/attempts", &list_attempts},
    ApiRoute{"GET", "/api/v1/jobs/{id}/events", &list_events},
    ApiRoute{"GET", "/api/v1/jobs/{id}/wait", &wait_for_job},
    ApiRoute{"POST", "/api/v1/schedules", &create_schedule},
    ApiRoute{"GET", "/api/v1/schedules", &list_all_schedules},
    ApiRoute{"GET", "/api/v1/schedules/{id}", &get_schedule},
    ApiRoute{"PATCH", "/api/v1/schedules/{id}", &change_schedule},
    ApiRoute{"DELETE", "/api/v1/schedules/{id}", &remove_schedule},
    ApiRoute{"POST", "/api/v1/schedules/{id}/pause", &pause_schedule},
    ApiRoute{"POST", "/api/v1/schedules/{id}/resume", &resume_schedule},
    ApiRoute{"POST", "/api/v1/schedules/{id}/run-now", &run_schedule_now},
    ApiRoute{"GET", "/api/v1/schedules/{id}/next", &preview_schedule},
    ApiRoute{"POST", "/api/v1/tasks", &create_task},
    ApiRoute{"GET", "/api/v1/tasks", &list_tasks},
    ApiRoute{"GET", "/api/v1/tasks/{id}", &get_task},
    ApiRoute{"PATCH", "/api/v1/tasks/{id}", &update_task},
    ApiRoute{"DELETE", "/api/v1/tasks/{id}", &remove_task},
    ApiRoute{"GET", "/api/v1/task-types", &list_task_types},
    ApiRoute{"POST", "/api/v1/process", &process_file},
    ApiRoute{"POST", "/api/v1/api-keys", &create_key},
    ApiRoute{"GET", "/api/v1/api-keys", &list_keys},
    ApiRoute{"DELETE", "/api/v1/api-keys/{id}", &remove_key},
    ApiRoute{"POST", "/api/v1/projects", &create_project},
    ApiRoute{"GET", "/api/v1/projects", &list_projects},
    ApiRoute{"GET", "/api/v1/projects/{name}", &get_project},
    ApiRoute{"PATCH", "/api/v1/projects/{name}", &update_project},
    ApiRoute{"DELETE", "/api/v1/projects/{name}", &remove_project},
    ApiRoute{"GET", "/api/v1/usage", &get_usage},
    ApiRoute{"GET", "/api/v1/analytics/overview", &get_analytics_overview},
    ApiRoute{"GET", "/api/v1/analytics/cost", &get_analytics_cost},
    ApiRoute{"GET", "/api/v1/analytics/usage", &get_analytics_usage},
    ApiRoute{"GET", "/api/v1/jobs/{id}/results", &list_results},
    ApiRoute{"GET", "/api/v1/jobs/{id}/results/export", &export_results},
    ApiRoute{"GET", "/api/v1/jobs/{id}/errors", &list_errors},
    ApiRoute{"GET", "/health", &get_health},
    ApiRoute{"GET", "/ready", &get_ready},
    ApiRoute{"GET", "/version", &get_version},
    ApiRoute{"GET", "/openapi.json", &get_openapi},
    ApiRoute{"GET", "/docs", &get_docs},
    ApiRoute{"POST", "/api/v1/daemon/drain", &drain_daemon},
    ApiRoute{"POST", "/api/v1/daemon/reload", &reload_daemon},
    ApiRoute{"POST", "/api/v1/daemon/backup", &back_up_daemon},
};

}  // namespace

std::span<const ApiRoute> api_routes() noexcept {
  return k_routes;
}

}  // namespace batchllm::daemon
