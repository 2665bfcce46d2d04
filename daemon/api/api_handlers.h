// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/api/api_call.h"
#include "daemon/api/api_context.h"

namespace batchllm::daemon {

// The handlers of daemon/api/api_routes.cpp, one for each operation of the contract
// (share/openapi.json), which says what each takes and answers. All throw Error, which becomes a
// problem document. Thread-safe.

// jobs_api.cpp
HttpResponse create_job(ApiContext& context, ApiCall& call);
HttpResponse list_jobs(ApiContext& context, ApiCall& call);
HttpResponse get_job(ApiContext& context, ApiCall& call);
HttpResponse update_job(ApiContext& context, ApiCall& call);
HttpResponse remove_job(ApiContext& context, ApiCall& call);
HttpResponse cancel_one_job(ApiContext& context, ApiCall& call);
HttpResponse pause_one_job(ApiContext& context, ApiCall& call);
HttpResponse resume_one_job(ApiContext& context, ApiCall& call);
HttpResponse answer_one_job(ApiContext& context, ApiCall& call);
HttpResponse list_attempts(ApiContext& context, ApiCall& call);

// retry_api.cpp
HttpResponse retry_one_job(ApiContext& context, ApiCall& call);

// events_api.cpp
HttpResponse list_events(ApiContext& context, ApiCall& call);
HttpResponse wait_for_job(ApiContext& context, ApiCall& call);

// schedules_api.cpp
HttpResponse create_schedule(ApiContext& context, ApiCall& call);
HttpResponse list_all_schedules(ApiContext& context, ApiCall& call);
HttpResponse get_schedule(ApiContext& context, ApiCall& call);
HttpResponse change_schedule(ApiContext& context, ApiCall& call);
HttpResponse remove_schedule(ApiContext& context, ApiCall& call);
HttpResponse pause_schedule(ApiContext& context, ApiCall& call);
HttpResponse resume_schedule(ApiContext& context, ApiCall& call);
HttpResponse run_schedule_now(ApiContext& context, ApiCall& call);
HttpResponse preview_schedule(ApiContext& context, ApiCall& call);
// tasks_api.cpp
HttpResponse create_task(ApiContext& context, ApiCall& call);
HttpResponse list_tasks(ApiContext& context, ApiCall& call);
HttpResponse get_task(ApiContext& context, ApiCall& call);
HttpResponse update_task(ApiContext& context, ApiCall& call);
HttpResponse remove_task(ApiContext& context, ApiCall& call);
HttpResponse list_task_types(ApiContext& context, ApiCall& call);

// process_api.cpp
HttpResponse process_file(ApiContext& context, ApiCall& call);

// keys_api.cpp
HttpResponse create_key(ApiContext& context, ApiCall& call);
HttpResponse list_keys(ApiContext& context, ApiCall& call);
HttpResponse remove_key(ApiContext& context, ApiCall& call);

// projects_api.cpp
HttpResponse create_project(ApiContext& context, ApiCall& call);
HttpResponse list_projects(ApiContext& context, ApiCall& call);
HttpResponse get_project(ApiContext& context, ApiCall& call);
HttpResponse update_project(ApiContext& context, ApiCall& call);
HttpResponse remove_project(ApiContext& context, ApiCall& call);

// usage_api.cpp
HttpResponse get_usage(ApiContext& context, ApiCall& call);
HttpResponse get_analytics_overview(ApiContext& context, ApiCall& call);
HttpResponse get_analytics_cost(ApiContext& context, ApiCall& call);
HttpResponse get_analytics_usage(ApiContext& context, ApiCall& call);
// files_api.cpp
HttpResponse upload_file(ApiContext& context, ApiCall& call);
HttpResponse list_uploads(ApiContext& context, ApiCall& call);
HttpResponse get_upload(ApiContext& context, ApiCall& call);
HttpResponse get_upload_content(ApiContext& context, ApiCall& call);
HttpResponse remove_upload(ApiContext& context, ApiCall& call);

// results_api.cpp
HttpResponse list_results(ApiContext& context, ApiCall& call);
HttpResponse export_results(ApiContext& context, ApiCall& call);
HttpResponse list_errors(ApiContext& context, ApiCall& call);

// service_api.cpp
HttpResponse get_health(ApiContext& context, ApiCall& call);
HttpResponse get_ready(ApiContext& context, ApiCall& call);
HttpResponse get_version(ApiContext& context, ApiCall& call);
HttpResponse get_openapi(ApiContext& context, ApiCall& call);
HttpResponse get_docs(ApiContext& context, ApiCall& call);
HttpResponse drain_daemon(ApiContext& context, ApiCall& call);
HttpResponse reload_daemon(ApiContext& context, ApiCall& call);
HttpResponse back_up_daemon(ApiContext& context, ApiCall& call);

}  // namespace batchllm::daemon
