// SPDX-License-Identifier: Apache-2.0
#include "daemon/api/scheduled_job.h"

#include "core/error.h"
#include "daemon/api/job_request.h"

#include <memory>
#include <utility>

namespace batchllm::daemon {

QueueScheduled prepare_scheduled_job(ApiContext& context,
                                     const Schedule& schedule,
                                     std::optional<std::int64_t> slot_ms,
                                     std::string actor) {
  const auto body = parse_json_document(schedule.body);
  if (!body) {
    throw Error(ErrorCode::job_corrupt, "the schedule's job cannot be read");
  }
  // Shared: a std::function is copied, and pinned content is not.
  auto request = std::make_shared<JobRequest>(read_job_request(context, *body));
  request->submission.job.schedule_id = schedule.id;
  request->submission.job.fire_at_ms = slot_ms;
  return [request = std::move(request), actor = std::move(actor)](
             JobTable& jobs, const std::optional<std::string>& after) {
    if (after) {
      request->submission.after.push_back({*after, DependencyCondition::any, false});
    }
    return submit_request(jobs, *request, actor);
  };
}

}  // namespace batchllm::daemon
