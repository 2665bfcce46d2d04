// SPDX-License-Identifier: Apache-2.0
#include "daemon/queue/queued_job.h"

#include "core/error.h"
#include "core/json_document.h"
#include "core/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace batchllm::daemon {
namespace {

constexpr std::array<std::string_view, 3> k_kind_names = {"job", "task", "process"};

bool flag(const JsonNode& object, std::string_view name) {
  const JsonNode* found = object.find(name);
  return found != nullptr && found->boolean().value_or(false);
}

}  // namespace

std::string_view job_kind_name(JobKind kind) noexcept {
  return k_kind_names.at(static_cast<std::size_t>(kind));
}

std::optional<JobKind> job_kind_from_name(std::string_view name) noexcept {
  const auto found = std::find(k_kind_names.begin(), k_kind_names.end(), name);
  return found == k_kind_names.end()
             ? std::nullopt
             : std::optional(static_cast<JobKind>(found - k_kind_names.begin()));
}

std::string lane_of(std::string_view endpoint, const JobSettings& settings) {
  const ModelSettings& model = settings.model;
  return fmt::format("{} {} {}{}", endpoint, model.model, model.key_env, model.key_file);
}

std::string job_policy_json(const JobPolicy& policy) {
  JsonWriter json;
  json.begin_object().key("wants_approval").boolean(policy.wants_approval);
  json.key("asks_at_limit").boolean(policy.asks_at_limit);
  json.key("max_attempts").number(policy.max_attempts);
  json.key("retries_failed").boolean(policy.retries_failed).key("retry_only").begin_array();
  for (const std::string& failure : policy.retry_only) {
    json.string(failure);
  }
  json.end_array().key("trusts_environment").boolean(policy.trusts_environment);
  json.key("brings_key").boolean(policy.brings_key);
  return json.key("task_type").string(policy.task_type).end_object().text();
}

JobPolicy parse_job_policy(std::string_view json) {
  const auto document = parse_json_document(json);
  if (!document) {
    throw Error(ErrorCode::job_corrupt, "a job's policy cannot be read");
  }
  JobPolicy policy;
  policy.wants_approval = flag(*document, "wants_approval");
  policy.asks_at_limit = flag(*document, "asks_at_limit");
  policy.retries_failed = flag(*document, "retries_failed");
  policy.trusts_environment = flag(*document, "trusts_environment");
  policy.brings_key = flag(*document, "brings_key");
  policy.task_type = document->find_string("task_type").value_or("");
  if (const JsonNode* attempts = document->find("max_attempts")) {
    policy.max_attempts = attempts->integer().value_or(policy.max_attempts);
  }
  if (const JsonNode* only = document->find("retry_only")) {
    for (const JsonNode& failure : only->items()) {
      policy.retry_only.emplace(failure.string().value_or(""));
    }
  }
  return policy;
}

}  // namespace batchllm::daemon
