// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"
#include "core/job_directory.h"
#include "core/json_text.h"
#include "core/secret.h"
#include "core/text.h"
#include "daemon/api/api_handlers.h"
#include "daemon/api/job_request.h"
#include "daemon/api/process_input.h"
#include "daemon/api/request_members.h"

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace batchllm::daemon {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t k_longest_url = 8192;
constexpr std::size_t k_longest_prompt = std::size_t{1} << 20;
constexpr std::string_view k_file_scheme = "file://";

// What the request asks for, without what only its caller may know.
struct ProcessRequest {
  std::string file_url;
  std::string results_url;
  std::string options;  // JSON, as for POST /jobs
  Secret key;
  bool is_local = false;  // asked on the UNIX socket
};

void add_config(JsonWriter& json, const RequestMembers& members, bool brings_key) {
  const JsonNode* config = members.find("config");
  if (config == nullptr) {
    return;
  }
  if (config->kind() != JsonNode::Kind::object) {
    throw Error(ErrorCode::usage, "config must be an object");
  }
  for (const JsonMember& option : config->members()) {
    if (option.key == "model" || option.key == "prompt") {
      throw Error(ErrorCode::usage,
                  fmt::format("{} and config.{} exclude each other", option.key, option.key));
    }
    if (option.key == "key_env" && brings_key) {
      throw Error(ErrorCode::usage, "api_key and config.key_env exclude each other");
    }
    json.key(option.key).raw(option.value.to_json());
  }
}

std::string options_json(const RequestMembers& members, bool brings_key) {
  JsonWriter json;
  json.begin_object().key("model").string(members.require_text("model"));
  json.key("prompt").string(members.require_text("prompt", k_longest_prompt));
  add_config(json, members, brings_key);
  if (brings_key) {
    json.key("key_env").string(k_request_key_variable);
  }
  return json.end_object().text();
}

ProcessRequest read_process_request(const ApiCall& call, const JsonNode& body) {
  const RequestMembers members(body,
                               {"file_url", "prompt", "model", "config", "api_key", "results_url"});
  ProcessRequest request;
  request.is_local = call.request.peer.uid.has_value();
  request.file_url = members.require_text("file_url", k_longest_url);
  if (auto key = members.text("api_key")) {
    if (key->empty()) {
      throw Error(ErrorCode::usage, "api_key must not be empty");
    }
    request.key = Secret(*key);
    wipe(*key);
  }
  request.options = options_json(members, !request.key.empty());
  request.results_url = members.text("results_url", k_longest_url).value_or("");
  const std::string& to = request.results_url;
  if (!to.empty() && !to.starts_with("https://") && !to.starts_with("http://") &&
      !to.starts_with(k_file_scheme)) {
    throw Error(ErrorCode::usage, "results_url must begin with https://, http:// or file://");
  }
  return request;
}

// The same as the body of POST /jobs.
JsonNode job_body(const ProcessRequest& request, const ProcessInput& input) {
  JsonWriter json;
  json.begin_object().key("input").raw(input.json()).key("options");
  std::string options = request.options;
  if (!input.encoding().empty() && options.find("\"encoding\":") == std::string::npos) {
    options.pop_back();
    options += fmt::format(",\"encoding\":{}}}", json_string(input.encoding()));
  }
  json.raw(options);
  if (request.results_url.starts_with(k_file_scheme)) {
    json.key("output_path").string(path_of_file_url(request.results_url, request.is_local));
  }
  auto document = parse_json_document(json.end_object().text());
  if (!document) {
    throw Error(ErrorCode::usage, document.error().message);
  }
  return *std::move(document);
}

// Stands still until somebody does something about it: nobody waits for that.
bool stands_still(JobState state) noexcept {
  return state == JobState::paused || state == JobState::waiting_input;
}

QueuedJob wait_for_end(ApiContext& context, const std::string& id) {
  EventHub::Watch watch(context.store.hub(), id);
  while (true) {
    QueuedJob job =
        context.store.read([&id](sql::Database& database) { return require_job(database, id); });
    if (has_ended(job.view.state) || stands_still(job.view.state)) {
      return job;
    }
    if (context.service.is_draining()) {
      throw Error(ErrorCode::daemon_draining,
                  fmt::format("the daemon is stopping; {} goes on when it has started anew", id),
                  fmt::format("GET /api/v1/jobs/{}", id))
          .with_detail("job_id", id);
    }
    watch.wait(job.view.last_seq, 1s);
  }
}

// What stopped the job, for people; empty when nothing did.
std::string fault_text(const QueuedJob& job) {
  if (job.view.fault) {
    return job.view.fault->message;
  }
  if (stands_still(job.view.state)) {
    return fmt::format("the job is {}: {}", job_state_name(job.view.state), job.view.reason);
  }
  return job.view.state == JobState::cancelled ? "the job was cancelled" : "";
}

// Empty when the results are where they are to be.
std::string store_result(const ApiContext& context,
                         const QueuedJob& job,
                         const ProcessRequest& request) {
  const bool has_result =
      job.view.state == JobState::succeeded || job.view.state == JobState::partial;
  if (!has_result || request.results_url.empty() ||
      request.results_url.starts_with(k_file_scheme)) {
    return {};
  }
  try {
    const JobRecord record = JobDirectory::open(context.state_dir, job.id).load();
    put_result(context, record.output_path, request.results_url, request.is_local);
    return {};
  } catch (const Error& error) {
    return error.message();
  }
}

std::string result_document(const QueuedJob& job, std::string error) {
  const bool success = job.view.state == JobState::succeeded && error.empty();
  if (error.empty()) {
    error = fault_text(job);
  }
  JsonWriter json;
  json.begin_object().key("success").boolean(success);
  json.key("processed").number(job.view.counts.ok).key("failed").number(job.view.counts.failed);
  if (!error.empty()) {
    json.key("error").string(error);
  }
  return json.key("job_id").string(job.id).end_object().text();
}

// The key of a job, known while its call waits for it.
class KeyOfCall {
 public:
  explicit KeyOfCall(ProviderKeys& keys) : keys_(keys) {}

  ~KeyOfCall() {
    if (!job_id_.empty()) {
      keys_.forget(job_id_);
    }
  }

  KeyOfCall(const KeyOfCall&) = delete;
  KeyOfCall& operator=(const KeyOfCall&) = delete;
  KeyOfCall(KeyOfCall&&) = delete;
  KeyOfCall& operator=(KeyOfCall&&) = delete;

  void put(const std::string& job_id, Secret key) {
    job_id_ = job_id;
    keys_.put(job_id, std::move(key));
  }

 private:
  ProviderKeys& keys_;
  std::string job_id_;
};

}  // namespace

// What is kept for a repetition with the same Idempotency-Key is the job: the repetition waits for
// its end as the first call did, and gets the same answer.
HttpResponse process_file(ApiContext& context, ApiCall& call) {
  refuse_while_draining(context);
  check_idempotency_key(call);
  ProcessRequest request = read_process_request(call, call.json_body());
  JobRequestFrame frame;
  frame.kind = JobKind::process;
  frame.policy.brings_key = !request.key.empty();
  std::optional<JobRequest> job_request;
  {
    const ProcessInput input(context, request.file_url, request.is_local);
    job_request.emplace(read_job_request(context, job_body(request, input), frame));
  }
  KeyOfCall key(context.keys);
  std::string id;
  bool is_new = false;
  HttpResponse response = post_once(context, call, call.body_text(), [&](JobTable& jobs) {
    id = submit_request(jobs, *job_request, call.actor).id;
    is_new = true;
    // Before the commit: the scheduler may look for it as soon as it sees the job.
    if (frame.policy.brings_key) {
      key.put(id, std::move(request.key));
    }
    return PostAnswer{200, json_string(id), {}};
  });
  job_request.reset();
  wipe(call.body_text_);
  context.scheduler.wake();
  if (!is_new) {
    id = response.body.substr(1, response.body.size() - 2);
  }
  const QueuedJob job = wait_for_end(context, id);
  response.body = result_document(job, is_new ? store_result(context, job, request) : "");
  return response;
}

}  // namespace batchllm::daemon
