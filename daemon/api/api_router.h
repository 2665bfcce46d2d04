// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/api/api_call.h"
#include "daemon/api/api_context.h"
#include "daemon/http/http_message.h"

#include <span>
#include <string>
#include <string_view>

namespace batchllm::daemon {

// An operation of the contract (share/openapi.json).
struct ApiRoute {
  std::string_view method;
  std::string_view path;  // "/api/v1/jobs/{id}/cancel"
  HttpResponse (*handle)(ApiContext& context, ApiCall& call);
};

// Every operation, once.
std::span<const ApiRoute> api_routes() noexcept;

// Finds the operation of a request and lets it answer. On TCP every request but /health, /ready and
// /version must bring the token (Authorization: Bearer …).
class ApiRouter final : public HttpHandler {
 public:
  // `token`: for TCP; empty: nobody is let in there.
  ApiRouter(ApiContext& context, std::string token);

  HttpResponse handle(HttpRequest& request) override;

 private:
  bool is_known(const HttpRequest& request) const;

  ApiContext& context_;
  std::string token_;
};

}  // namespace batchllm::daemon
