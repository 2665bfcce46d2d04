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
