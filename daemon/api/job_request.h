// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/job_record.h"
#include "core/json_document.h"
#include "daemon/api/api_context.h"
#include "daemon/queue/file_table.h"
#include "daemon/queue/job_queue.h"

#include <string>
#include <vector>

namespace batchllm::daemon {

// A job that a request asks for, checked as `batchllm run` checks it before it begins: inputs are
// there and can be read, the prompt fits their columns, the model is known.
struct JobRequest {
  Submission submission;
  std::vector<StoredFile> new_files;              // inputs that came with the request
  std::vector<files::PinnedContent> new_content;  // held until the files are on record
};

// Reads the body of POST /jobs (`JobCreate` of the contract), stores inputs that come with it by
// their content. Throws Error: usage, what is wrong with inputs and templates, file_not_found.
JobRequest read_job_request(ApiContext& context, const JsonNode& body);

// What the queue knows of a job beside its record: model, lane, limits, where its result goes.
// Throws Error(usage) for a model that cannot be.
void describe_job(QueuedJob& job, const JobRecord& record);

// The transaction's part: puts new files on record and queues the job. A project that is not there
// yet is made.
QueuedJob submit_request(JobTable& jobs, const JobRequest& request, std::string_view actor);

}  // namespace batchllm::daemon
