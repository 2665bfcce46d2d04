// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/dialects/dialect_parts.h"
#include "adapters/simulator/dialects/openai_form.h"
#include "core/json_text.h"

#include <algorithm>
#include <array>

namespace batchllm::simulator {
namespace {

struct StatusError {
  int status;
  std::string_view type;
  std::string_view code;
  std::string_view message;
};

constexpr std::array<StatusError, 13> k_errors = {{
    {400, "invalid_request_error", "", "Simulated fault: the request was not accepted."},
    {401,
     "invalid_request_error",
     "invalid_api_key",
     "Simulated fault: incorrect API key provided."},
    {403,
     "invalid_request_error",
     "unsupported_country_region_territory",
     "Simulated fault: country, region, or territory not supported."},
    {404, "invalid_request_error", "model_not_found", "Simulated fault: the model does not exist."},
    {408, "timeout", "", "Simulated fault: request timed out."},
    {409, "conflict", "", "Simulated fault: conflict."},
    {413, "invalid_request_error", "", "Simulated fault: request too large."},
    {422, "invalid_request_error", "", "Simulated fault: unprocessable entity."},
    {429,
     "requests",
     "rate_limit_exceeded",
     "Simulated fault: rate limit reached. Please try again."},
    {500, "server_error", "", "Simulated fault: the server had an error processing your request."},
    {502, "server_error", "", "Simulated fault: bad gateway."},
    {503, "service_unavailable_error", "", "Simulated fault: the engine is currently overloaded."},
    {529, "overloaded_error", "", "Simulated fault: overloaded."},
}};

void append_error(std::string& out,
                  std::string_view message,
                  std::string_view type,
                  std::string_view param,
                  std::string_view code) {
  const auto or_null = [](std::string_view text) {
    return text.empty() ? std::string_view{} : text;
  };
  out.append(R"({"error":{"message":)");
  append_json_string(out, message);
  out.append(R"(,"type":)");
  append_json_string(out, type);
  out.append(R"(,"param":)");
  append_json_string(out, or_null(param));
  out.append(R"(,"code":)");
  append_json_string(out, or_null(code));
  out.append("}}");
}

void append_status_error(std::string& out, int status) {
  const auto* found = std::find_if(k_errors.begin(), k_errors.end(), [status](const auto& error) {
    return error.status == status;
  });
  if (found == k_errors.end()) {
    append_error(
        out, "Simulated fault.", status < 500 ? "invalid_request_error" : "server_error", "", "");
    return;
  }
  append_error(out, found->message, found->type, "", found->code);
}

std::string_view type_of(ErrorCause cause) {
  switch (cause) {
    case ErrorCause::requests:
      return "requests";
    case ErrorCause::tokens:
    case ErrorCause::too_large:
      return "tokens";
    case ErrorCause::script:
      return "scripted_error";
    default:
      return "invalid_request_error";
  }
}

}  // namespace

void write_openai_error(const SimulatedError& error, SimulatedReply& reply) {
  const RequestError& what = error.what;
  if (error.cause == ErrorCause::status) {
    append_status_error(reply.body, error.status);
  } else if (error.cause == ErrorCause::quota) {
    append_error(reply.body,
                 "You exceeded your current quota, please check your plan and billing details.",
                 "insufficient_quota",
                 "",
                 "insufficient_quota");
  } else if (error.cause == ErrorCause::context) {
    append_error(reply.body,
                 "This model's maximum context length is 128000 tokens. Please reduce the length "
                 "of the messages.",
                 "invalid_request_error",
                 "messages",
                 "context_length_exceeded");
  } else {
    append_error(reply.body, what.message, type_of(error.cause), what.param, what.code);
  }
  add_retry_after(error, reply);
  if (error.wait_us > 0) {
    add_header(reply, "retry-after-ms", std::to_string((error.wait_us + 999) / 1000));
  }
}

}  // namespace batchllm::simulator
