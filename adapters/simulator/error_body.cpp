// SPDX-License-Identifier: Apache-2.0
#include "adapters/simulator/error_body.h"

#include "adapters/simulator/reply_text.h"

#include <algorithm>
#include <array>
#include <string_view>

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

}  // namespace

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

}  // namespace batchllm::simulator
