// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json_document.h"
#include "daemon/http/http_message.h"
#include "daemon/queue/job_table.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace batchllm::daemon {

struct ApiContext;

// One request on its way through a handler.
struct ApiCall {
  HttpRequest& request;
  std::vector<std::string> parts;  // what stands in the path's {…}, decoded
  std::string actor;               // who asks, as in events: "user:1000", "token:…"

  // The body as JSON, an object. Throws Error(usage | body_too_large).
  JsonNode json_body(std::size_t limit_bytes = std::size_t{64} << 20);

  // The body's bytes as json_body() read them; empty when there was none.
  const std::string& body_text() const noexcept { return body_text_; }

  // A whole number from the query within [least, most]. Throws Error(usage).
  std::int64_t query_integer(std::string_view name,
                             std::int64_t standard,
                             std::int64_t least,
                             std::int64_t most) const;

  std::string body_text_;
};

// Throws Error(daemon_draining) when the daemon takes nothing new.
void refuse_while_draining(const ApiContext& context);

HttpResponse json_response(int status, std::string json);

// Throws Error(usage) for an Idempotency-Key that cannot be, before the work for it begins.
void check_idempotency_key(const ApiCall& call);

// What post_once() would answer without doing anything: for work that has to be prepared before the
// transaction, and may no longer be possible. Throws as post_once().
std::optional<HttpResponse> answer_again(ApiContext& context,
                                         const ApiCall& call,
                                         std::string_view request_text);

// What a POST did: the answer to it, and to every repetition with the same Idempotency-Key.
struct PostAnswer {
  int status = 200;
  std::string body;      // JSON
  std::string location;  // of what was made; empty: nothing was
};

// Does `work` in one transaction of the queue, once for an Idempotency-Key: a repetition with the
// same body gets the same answer, with another body Error(idempotency_conflict). The key is kept
// for a day, and as long as the job that it made. `request_text`: the body, or what stands for it.
HttpResponse post_once(ApiContext& context,
                       ApiCall& call,
                       std::string_view request_text,
                       const std::function<PostAnswer(JobTable&)>& work);

}  // namespace batchllm::daemon
