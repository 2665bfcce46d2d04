// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/chat_template.h"
#include "core/job_record.h"
#include "core/json_document.h"
#include "daemon/api/api_context.h"
#include "daemon/api/new_inputs.h"
#include "daemon/queue/file_table.h"
#include "daemon/queue/job_queue.h"

#include <string>
#include <vector>

namespace batchllm::daemon {

// A job that a request asks for, checked as `batchllm run` checks it before it begins: inputs are
// there and can be read, the prompt fits their columns, the model is known.
struct JobRequest {
  Submission submission;
  NewInputs new_inputs;
};

// What a request says of its job beside the body: tasks and calls of /process are jobs of theirs.
struct JobRequestFrame {
  JobKind kind = JobKind::job;
  const ChatTemplateText* chat = nullptr;  // instead of prompt and messages of the body
  JobPolicy policy = {};                   // what the body does not speak of
};

// Reads the body of POST /jobs (`JobCreate` of the contract), stores inputs that come with it by
// their content. Throws Error: usage, what is wrong with inputs and templates, file_not_found,
// storage_full while there is too little room on the disk.
JobRequest read_job_request(ApiContext& context,
                            const JsonNode& body,
                            const JobRequestFrame& frame = {});

// The same without inputs, which need not be there yet: is it a job at all? Files of the store and
// jobs to wait for must be known. Stores nothing.
void check_job_request(ApiContext& context, const JsonNode& body);

// What the queue knows of a job beside its record: model, lane, limits, where its result goes.
// Throws Error(usage) for a model that cannot be.
void describe_job(const JobSurroundings& surroundings, QueuedJob& job, const JobRecord& record);

// The transaction's part: puts new files on record and queues the job. A project that is not there
// yet is made. A job of the daemon's own user (`actor`) may name any variable for its key.
QueuedJob submit_request(JobTable& jobs, const JobRequest& request, std::string_view actor);

}  // namespace batchllm::daemon
